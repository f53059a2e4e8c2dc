from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.grid import Configuration, Policy
from engine.backtest.scores.sums import ScoreSums
from kernels import scores as kernel
from tests.engine.backtest.scores.rows import some_rows
from tests.naive import scores as naive

CONFIGURATION = Configuration("theta", 168, 6, Policy.UPDATE)


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_naive_twin(seed: int) -> None:
    rows = some_rows(seed)
    sums = ScoreSums()
    sums.add("a", "hr_bpm", CONFIGURATION, rows)
    found = {}
    for (_, _, group), cells in sums.cells.items():
        for age, step in zip(*np.nonzero(cells[:, :, kernel.DUE]), strict=True):
            found[group // 2, bool(group % 2), int(step) + 1, int(age) - 1] = cells[age, step]
    expected = naive.cells(rows)
    assert found.keys() == expected.keys()
    for key, cell in expected.items():
        assert found[key] == pytest.approx([cell[name] for name in kernel.SUMS], rel=1e-6, abs=1e-6), key


def test_known_answer_h4() -> None:
    y, f = np.array([[60.0, 62, 61, 65, 64]]), np.array([[61.0, 61, 63, 64, 66]])
    cells, by_origin = np.zeros((1, 1, 5, len(kernel.SUMS))), np.zeros((1, len(kernel.ORIGIN_SUMS)))
    zero, none = np.zeros((1, 5), np.int32), np.full((1, 5), -1, np.int32)
    scale = np.array([1.6])
    kernel.add_scores(
        cells, by_origin, y, f, f - 3, f, f + 3, f, zero, none, np.zeros(1, np.bool_), np.zeros(1, np.int64),
        np.zeros(1, np.bool_), scale, scale**2,
    )  # fmt: skip
    total = dict(zip(kernel.SUMS, cells.sum(axis=(0, 1, 2)) / 5, strict=True))
    assert total["abs_error"] == pytest.approx(1.4, abs=1e-7)
    assert total["square_error"] ** 0.5 == pytest.approx(1.483239697, abs=1e-7)
    assert total["smape"] == pytest.approx(2.226405190, abs=1e-7)
    assert total["scaled_abs"] == pytest.approx(0.875, abs=1e-7)
    assert 10 * (total["pinball10"] + total["pinball90"]) == pytest.approx(6.0, abs=1e-6)
    assert total["n_covered"] == 1.0
    assert by_origin[0].tolist() == [5.0, 7.0, 5.0, pytest.approx(4.375, abs=1e-6)]


def test_an_unanswered_row_is_charged_the_baseline() -> None:
    rows = some_rows(0)
    rows.yhat[:] = np.nan
    sums = ScoreSums()
    sums.add("a", "hr_bpm", CONFIGURATION, rows)
    beside = np.abs(rows.y - rows.baseline)[rows.common]
    charged = sums.origins["hr_bpm", CONFIGURATION]
    assert charged[:, 0].sum() == np.isfinite(beside).sum()
    assert charged[:, 1].sum() == pytest.approx(np.nansum(beside), abs=1e-5)
    assert sum(cells[..., kernel.N].sum() for cells in sums.cells.values()) == 0


def test_the_grid_is_fine_and_huge_values_pass_through() -> None:
    assert kernel.on_grid(0.1) == pytest.approx(0.1, abs=2.0**-25)
    assert kernel.on_grid(1e300) == 1e300
    assert kernel.on_grid(-3.0) == -3.0
