from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.vitals.news2 import BANDS, MOST, PARAMETERS, Band, Observations, applies, assume, score


def _of(rr: Any, spo2: Any, oxygen: Any, sbp: Any, hr: Any, cons: Any, t: Any, scale_2: bool = False) -> Observations:
    return Observations.of(
        rr_brpm=rr, spo2_pct=spo2, on_oxygen=oxygen, sbp_mmhg=sbp, hr_bpm=hr, consciousness=cons, temp_c=t,
        scale_2=scale_2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "total", "band"),
    [
        ((16, 98, 0, 120, 72, "A", 36.8), 0, Band.LOW),
        ((9, 97, 0, 120, 60, "A", 36.5), 1, Band.LOW),
        ((22, 95, 0, 105, 95, "A", 38.2), 6, Band.MEDIUM),
        ((24, 93, 0, 112, 112, "A", 38.4), 7, Band.HIGH),
        ((18, 90, 0, 130, 80, "A", 37.0), 3, Band.LOW_MEDIUM),
        ((16, 98, 0, 120, 72, "V", 36.8), 3, Band.LOW_MEDIUM),
        ((25, 91, 1, 88, 132, "C", 39.2), 19, Band.HIGH),
        ((18, 95, 1, 130, 80, "A", 37, True), 4, Band.LOW),
        ((18, 90, 1, 130, 80, "A", 37, True), 2, Band.LOW),
    ],
)
def test_known_answers_h1(row: tuple[Any, ...], total: int, band: Band) -> None:
    found = score(_of(*row))
    assert (found.total[0], found.partial[0], found.at_most[0], found.n_params[0]) == (total, total, total, 7)
    assert BANDS[found.band[0]] == BANDS[found.band_at_most[0]] == band


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("rr_brpm", [(8, 3), (8.49, 3), (8.5, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (24.5, 3), (25, 3)]),
        ("spo2_pct", [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (95.49, 1), (95.5, 0), (96, 0), (100, 0)]),
        ("sbp_mmhg", [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]),
        ("hr_bpm", [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)]),
        (
            "temp_c",
            [(35.0, 3), (35.04, 3), (35.05, 1), (36.0, 1), (36.05, 0), (38.04, 0), (38.05, 1), (39.05, 2), (39.1, 2)],
        ),
        ("on_oxygen", [(0, 0), (1, 2)]),
        ("alert", [(0, 3), (1, 0)]),
    ],
)
def test_every_edge(name: str, steps: list[tuple[float, int]]) -> None:
    values, scores = zip(*steps, strict=True)
    found = score(Observations.of(**{name: np.array(values, np.float64)}))
    assert found.scores[:, PARAMETERS.index(name)].tolist() == list(scores)
    assert found.n_params.tolist() == [1] * len(values)
    assert found.total.tolist() == [-1] * len(values)


def test_tenths_are_rounded_as_the_decimals_that_they_are_written_as() -> None:
    for tenth in range(300, 430):
        below, above = float(f"{tenth / 10:.1f}4"), float(f"{tenth / 10:.1f}5")
        pair = score(Observations.of(temp_c=np.array([below, above]))).scores[:, -1]
        whole = score(Observations.of(temp_c=np.array([tenth / 10, (tenth + 1) / 10]))).scores[:, -1]
        assert pair.tolist() == whole.tolist(), tenth


@pytest.mark.parametrize(
    ("spo2", "air", "oxygen"),
    [(83, 3, 3), (84, 2, 2), (85, 2, 2), (86, 1, 1), (87, 1, 1), (88, 0, 0), (92, 0, 0), (93, 0, 1), (94, 0, 1),
     (95, 0, 2), (96, 0, 2), (97, 0, 3), (100, 0, 3)],
)  # fmt: skip
def test_scale_2(spo2: float, air: int, oxygen: int) -> None:
    found = score(Observations.of(spo2_pct=spo2, on_oxygen=np.array([0.0, 1.0, np.nan]), scale_2=True))
    unknown = air if spo2 < 93 else -1
    assert found.scores[:, 1].tolist() == [air, oxygen, unknown]
    assert found.at_most[2] == found.partial[2] + 3 * 5 + 2 + (oxygen if spo2 >= 93 else 0)


def test_what_is_missing_is_bounded_not_normal() -> None:
    found = score(Observations.of(rr_brpm=22, hr_bpm=95))
    assert (found.total[0], found.partial[0], found.n_params[0], found.at_most[0]) == (-1, 3, 2, 3 + 3 + 2 + 3 + 3 + 3)
    assert (BANDS[found.band[0]], BANDS[found.band_at_most[0]]) == (Band.LOW, Band.HIGH)
    nothing = score(Observations.of(hr_bpm=None))
    assert (nothing.n_params[0], nothing.partial[0], nothing.at_most[0], nothing.total[0]) == (0, 0, 20, -1)


_PARAMETER = {
    "rr_brpm": st.floats(4, 60), "spo2_pct": st.floats(50, 100), "on_oxygen": st.sampled_from([0.0, 1.0]),
    "sbp_mmhg": st.floats(50, 260), "hr_bpm": st.floats(25, 250), "alert": st.sampled_from([0.0, 1.0]),
    "temp_c": st.floats(30, 43),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(_PARAMETER), st.sets(st.sampled_from(PARAMETERS)), st.booleans())
def test_the_total_lies_in_the_bounds_of_any_part_of_it(
    known: dict[str, float], hidden: set[str], scale_2: bool
) -> None:
    whole = score(Observations.of(**known, scale_2=scale_2))
    part = score(Observations.of(**{k: v for k, v in known.items() if k not in hidden}, scale_2=scale_2))
    assert 0 <= part.partial[0] <= whole.total[0] <= part.at_most[0] <= 20
    assert part.band[0] <= whole.band[0] <= part.band_at_most[0]


def test_many_equal_one_by_one() -> None:
    rng = np.random.default_rng(1)
    rows = {
        name: np.where(rng.random(50) < 0.2, np.nan, rng.uniform(low, high, 50))
        for name, low, high in [("rr_brpm", 4, 40), ("spo2_pct", 80, 100), ("sbp_mmhg", 70, 240), ("hr_bpm", 30, 150)]
    }
    many = score(Observations.of(**rows))
    for i in range(50):
        one = score(Observations.of(**{name: values[i] for name, values in rows.items()}))
        assert (one.scores[0] == many.scores[i]).all()
        assert (one.partial[0], one.at_most[0], one.band[0]) == (many.partial[i], many.at_most[i], many.band[i])


def test_assumptions_are_on_record_and_replace_no_measurement() -> None:
    observed = Observations.of(rr_brpm=16, hr_bpm=72, on_oxygen=np.array([1.0, np.nan]))
    filled, names = assume(observed, {"on_oxygen": 0, "alert": 1})
    found = score(filled, names)
    assert found.assumed == ("alert", "on_oxygen")
    assert (found.partial.tolist(), found.n_params.tolist()) == ([2, 0], [4, 4])


def test_what_is_no_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="skin_temp_c"):
        Observations.of(skin_temp_c=34.0)
    with pytest.raises(TypeError, match="skin_temp_c"):
        assume(Observations.of(hr_bpm=72), {"skin_temp_c": 34.0})
    with pytest.raises(TypeError, match="A, C, V, P, U"):
        Observations.of(consciousness="awake")


def test_who_it_is_for() -> None:
    assert applies(16, pregnant=False)
    assert not applies(15.9, pregnant=False)
    assert not applies(30, pregnant=True)


def test_range() -> None:
    assert MOST.sum() == 20
