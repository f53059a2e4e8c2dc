from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.scores.diebold_mariano import diebold_mariano, paired, two_sided


def test_one_step_is_a_t_test_with_the_small_sample_correction() -> None:
    from scipy.stats import ttest_1samp

    d = np.random.default_rng(0).normal(0.3, 1, 30)
    found = diebold_mariano(d, np.zeros(30), 1)
    expected = ttest_1samp(d, 0)
    # Variance over n, and the correction (n − 1) / n, are together the variance over n − 1.
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)
    assert paired(d[:, None])[0] == pytest.approx(expected.pvalue, rel=1e-10)


def test_equals_the_formula_written_out() -> None:
    rng = np.random.default_rng(1)
    d, h, n = np.convolve(rng.normal(0.2, 1, 63), np.ones(4) / 4, "valid"), 4, 60
    mean = sum(d) / n
    covariance = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    plain = mean / ((covariance[0] + 2 * sum(covariance[1:])) / n) ** 0.5
    corrected = plain * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    found = diebold_mariano(d, np.zeros(n), h)
    assert found.statistic == pytest.approx(corrected, rel=1e-12)
    assert not found.floored


def test_antisymmetric_and_without_missing_origins() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.gamma(2, 1, 50), rng.gamma(2, 1.2, 50)
    one, other = diebold_mariano(a, b, 3), diebold_mariano(b, a, 3)
    assert (one.statistic, one.p) == (-other.statistic, other.p)
    holes = np.r_[a, np.nan], np.r_[b, 1.0]
    assert diebold_mariano(*holes, 3) == one


def test_overlapping_forecasts_are_not_taken_for_independent() -> None:
    """Errors of 24 steps move together: without the lags, one of two equals is 'better' in most runs."""
    rng = np.random.default_rng(3)
    with_lags, without = 0, 0
    for _ in range(100):
        d = np.convolve(rng.normal(0, 1, 359), np.ones(24), "valid")
        with_lags += diebold_mariano(d, np.zeros(len(d)), 24).p < 0.05
        without += diebold_mariano(d, np.zeros(len(d)), 1).p < 0.05
    assert with_lags < 20 < 50 < without


def test_undefined_where_it_is() -> None:
    same = np.ones(10)
    assert np.isnan(diebold_mariano(same, same, 2).p)
    assert np.isnan(diebold_mariano(same, same * 2, 2).p)
    assert np.isnan(diebold_mariano(np.arange(5.0), np.zeros(5), 5).p)
    assert np.isnan(diebold_mariano(np.full(3, np.nan), same[:3], 1).mean)
    assert np.isnan(paired(np.array([[1.0], [np.nan]]))[0])
    assert paired(np.array([[0.0, 1.0]] * 3)).tolist() == [1.0, 0.0]


def test_a_user_without_one_of_the_two_is_no_pair() -> None:
    d = np.random.default_rng(5).normal(0.4, 1, (12, 3))
    d[:4, 1] = np.nan
    assert paired(d)[1] == pytest.approx(paired(d[4:, 1:2])[0], rel=1e-12)
    assert paired(d)[2] == pytest.approx(paired(d[:, 2:])[0], rel=1e-12)


def test_the_variance_is_at_least_that_of_independent_origins() -> None:
    """Lags that cancel by chance would make any two equals differ."""
    d = np.tile([1.0, -0.9], 20)
    found, independent = diebold_mariano(d, np.zeros(40), 2), diebold_mariano(d, np.zeros(40), 1)
    assert found.floored
    assert not independent.floored
    assert found.p >= independent.p
    rng = np.random.default_rng(4)
    equals = [diebold_mariano(rng.normal(0, 1, 168), np.zeros(168), 24).p for _ in range(200)]
    assert np.mean(np.array(equals) < 0.001) == 0.0


def test_student_t() -> None:
    assert two_sided(0.0, 5) == 1.0
    assert two_sided(-2.570582, 5) == pytest.approx(0.05, abs=1e-6)
