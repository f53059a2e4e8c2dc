from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels import artefacts as kernel
from kernels.rolling import rolling_median
from tests.naive import artefacts as naive

NAMES = {kernel.NORMAL: "normal", kernel.ECTOPIC: "ectopic", kernel.LONGSHORT: "longshort",
         kernel.MISSED: "missed", kernel.EXTRA: "extra"}  # fmt: skip


def _intervals(n: int, seed: int, spoil: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    rr = 900 + 40 * np.sin(np.arange(n) / 3) + rng.normal(0, 15, n)
    for i in rng.integers(0, max(n, 1), spoil if n else 0):
        rr[i] *= rng.choice([0.4, 0.6, 1.5, 2.0])
    return np.round(rr, 3)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 11, 90, 91, 92, 300])
@pytest.mark.parametrize("spoil", [0, 3, 40])
def test_classes_equal_the_naive_twin(n: int, spoil: int) -> None:
    rr = _intervals(n, n + spoil, spoil)
    for form in (kernel.classify, kernel.classify.py_func):
        assert [NAMES[k] for k in form(rr).tolist()] == naive.classify(rr)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 12, 45, 46, 91, 200])
def test_thresholds_and_medians_equal_the_naive_twins(n: int) -> None:
    x = np.random.default_rng(n).normal(0, 50, n).round()
    if n > 50:
        x[n // 2] = 1e16
    for suffix in ("", "py_func"):
        limits = getattr(kernel.thresholds, suffix) if suffix else kernel.thresholds
        np.testing.assert_allclose(limits(x), naive.thresholds(x), rtol=1e-12)
        np.testing.assert_allclose(rolling_median(x, 5, 5, 1), naive.running_median(x), rtol=1e-12)


def test_flat_data_is_not_cut_to_pieces() -> None:
    rr = np.full(200, 800.0)
    rr[::7] += 7.9
    assert not kernel.classify(rr).any()


def test_runs_are_judged_by_themselves() -> None:
    rr = np.concatenate([_intervals(120, 1, 5), _intervals(2, 2, 0), _intervals(150, 3, 5)])
    together = kernel.classify_runs(rr, np.array([0, 120, 122, 272]))
    apart = [kernel.classify(part) for part in (rr[:120], rr[120:122], rr[122:])]
    np.testing.assert_array_equal(together, np.concatenate(apart))
    assert not len(kernel.classify_runs(np.empty(0), np.array([0])))


def test_a_mark_depends_on_46_beats() -> None:
    rr = _intervals(400, 5, 20)
    np.testing.assert_array_equal(kernel.classify(rr)[:254], kernel.classify(rr[:300])[:254])


def test_known_answer_malik() -> None:
    rr = np.array([800.0, 810, 1620, 805, 400, 410, 800, 790])
    assert kernel.malik(rr)[1:].tolist() == [False, True, True, True, False, True, False]
    rr[2] = np.nan
    assert kernel.malik(rr).tolist() == [False, False, False, False, True, False, True, False]
    assert not len(kernel.malik(np.empty(0)))
