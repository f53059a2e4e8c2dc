from __future__ import annotations

import math

import numpy as np
import pytest

from engine.drift.measures import LEAST, LEAST_PSI, ks, level, of_mix, of_shares, of_values, of_vectors


def normal(n: int, at: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(at, 1, n)


def test_known_answers_h5_ks() -> None:
    assert ks(np.arange(1.0, 5), np.arange(3.0, 7)) == pytest.approx((0.5, 0.7714285714), abs=5e-11)
    assert ks(np.arange(20.0), np.arange(10.0, 30)) == pytest.approx((0.5, 0.0122986126), abs=5e-11)


def test_small_samples_are_left_to_ks_since_psi_is_noise_there() -> None:
    """H5: of 200 equal nights each, the 95 % quantile of PSI is 0.169."""
    for n, tests in ((LEAST - 1, []), (LEAST_PSI - 1, ["ks"]), (LEAST_PSI, ["psi", "ks"])):
        assert [one.test for one in of_values(normal(2000), normal(n, seed=1))] == tests
        assert [one.test for one in of_values(normal(n, seed=1), normal(2000))] == tests


@pytest.mark.parametrize("n", [60, 5000])
def test_a_shift_acts_and_none_does_not(n: int) -> None:
    for at, told in ((0.0, "stable"), (1.0, "act")):
        for one in of_values(normal(n), normal(n, at, 1)):
            assert level(one.test, one.statistic, one.p) == told
            assert (one.reference, one.now) == (pytest.approx(0, abs=0.3), pytest.approx(at, abs=0.3))


def test_many_nights_make_certain_but_not_important() -> None:
    (_, by_ks) = of_values(normal(40_000), normal(40_000, 0.1, 1))
    assert by_ks.p < 0.001 and level("ks", by_ks.statistic, by_ks.p) == "stable"
    assert by_ks == of_values(normal(40_000), normal(40_000, 0.1, 1))[1]


def test_missing_values_count_as_nights_and_are_no_values() -> None:
    x = normal(600)
    x[:150] = np.nan
    found = {one.test: one for one in of_values(normal(600, seed=1), x)}
    assert found["ks"].missing == found["psi"].missing == 0.25
    assert level("ks", found["ks"].statistic, found["ks"].p) == "stable"
    assert found["psi"].statistic > 1, "PSI has a bin for what is missing"
    x[20:] = np.nan
    assert of_values(normal(600), x) == ()


@pytest.mark.parametrize(("p", "told"), [(0.009, "act"), (0.01, "stable"), (math.nan, "act")])
def test_a_level_needs_size_and_certainty(p: float, told: str) -> None:
    assert level("ks", 0.1, p) == told
    assert level("psi", 0.25, math.nan) == "act" and level("psi", 0.1, math.nan) == "watch"
    assert level("ks", 0.049, 0.0) == "stable" and level("ks", 0.05, 0.0) == "watch"


def test_shares() -> None:
    none, all_of_them = np.zeros(50, np.bool_), np.ones(50, np.bool_)
    assert of_shares(none, all_of_them).statistic == pytest.approx(math.pi)
    assert (of_shares(none, none).statistic, of_shares(none, none).p) == (0, 1)
    rng = np.random.default_rng(0)
    p = [of_shares(rng.random(800) < 0.1, rng.random(200) < 0.1).p for _ in range(2000)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07


def test_a_mix_of_few_is_not_judged() -> None:
    assert of_mix(np.array([300.0, 199]), np.array([300.0, 300])) == ()
    (found,) = of_mix(np.array([250.0] * 4), np.array([200.0, 300, 300, 200]))
    assert found.statistic == pytest.approx(0.0405465108)


def test_vectors() -> None:
    x, y = normal(900).reshape(-1, 3), normal(600, seed=2).reshape(-1, 3)
    (still,), (moved,) = of_vectors(x, y, 0), of_vectors(x, y + 0.6, 0)
    assert still.p > 0.05 and moved.p < 0.01
    scaled, shift = np.array([1.0, 1000.0, 1e-3]), np.array([0.0, 1e6, 0.0])
    (same,) = of_vectors(x * scaled + shift, y * scaled + shift, 0)
    assert (same.p, same.statistic) == (still.p, pytest.approx(still.statistic))
    constant = np.column_stack([x, np.ones(len(x))])
    (with_constant,) = of_vectors(constant, np.column_stack([y, np.ones(len(y))]), 0)
    assert (with_constant.p, with_constant.statistic) == (still.p, still.statistic)
    assert of_vectors(x[:20], y, 0) == () and of_vectors(np.ones((50, 2)), np.ones((50, 2)), 0) == ()
