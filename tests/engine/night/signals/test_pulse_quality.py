from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.night.signals.pulse_quality import Parts, score, sure


def _good(n: int = 1) -> Parts:
    one, none = np.ones(n), np.zeros(n)
    return Parts(one, one, one, one, one, one, none)


def test_the_best_is_one_and_the_formula_is_as_stated() -> None:
    assert score(_good(), np.zeros(1)).tolist() == [1.0]
    middling = replace(_good(), correlation=np.array([0.81]), agreement=np.array([0.5]), skewness=np.array([-1.0]))
    assert score(middling, np.zeros(1)) == pytest.approx(0.5 * 0.5 + 0.3 * 0.5)
    assert score(replace(_good(), steady=np.array([0.375])), np.zeros(1)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("possible", 0.0),
        ("correlation", 0.66),
        ("correlation", np.nan),
        ("steady", 0.2),
        ("steady", np.nan),
        ("lost", 0.051),
    ],
)
def test_what_leaves_nothing(name: str, value: float) -> None:
    assert score(replace(_good(), **{name: np.array([value])}), np.zeros(1)).tolist() == [0.0]


def test_missing_terms_give_no_points() -> None:
    assert score(replace(_good(), agreement=np.array([np.nan])), np.zeros(1)) == pytest.approx(0.7)
    assert score(replace(_good(), skewness=np.array([np.nan])), np.zeros(1)) == pytest.approx(0.8)


def test_motion_halves_and_unknown_motion_is_still() -> None:
    found = score(_good(4), np.array([0.0, 50.0, 50.1, np.nan]))
    assert found.tolist() == [1.0, 1.0, 0.5, 1.0]


def test_variability_asks_more_than_a_rate() -> None:
    none, shaken = np.zeros(1), np.array([60.0])
    fair = replace(_good(), correlation=np.array([0.8]))
    assert score(fair, none) > 0.6 and not sure(fair, none).any()
    assert sure(_good(), none).all() and not sure(_good(), shaken).any()
    assert not sure(replace(_good(), even=none), none).any()
    assert sure(replace(_good(), steady=none), none).all()


def test_uneven_intervals_are_infeasible_but_may_be_good() -> None:
    parts = replace(_good(), even=np.zeros(1))
    assert not parts.feasible.any()
    assert score(parts, np.zeros(1)) == 1.0


@pytest.mark.parametrize(("correlation", "trusted"), [(0.8399, False), (0.8401, True)])
def test_sure_is_a_score_of_eight_tenths(correlation: float, trusted: bool) -> None:
    """0.5 · (0.84 − 0.66) / 0.30 + 0.3 + 0.2 = 0.8."""
    assert sure(replace(_good(), correlation=np.array([correlation])), np.zeros(1)).tolist() == [trusted]
