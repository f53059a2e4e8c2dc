from __future__ import annotations

import numpy as np
import pytest

from kernels import ets_sweep
from kernels.ets_fit import LOW
from tests.kernels.test_ets import Floats, series
from tests.naive import ets as naive

AAA, ANA, ANN = (np.array(form, np.int64) for form in ((6, 1, 0, 0), (6, 0, 0, 0), (1, 0, 0, 0)))
NOWHERE = np.full(13, np.nan)


def fitted(y: Floats, form: Floats, origin: Floats = NOWHERE, budget: int = 200) -> tuple[Floats, int]:
    values, failed, used = np.array([origin, NOWHERE]), np.array([int(np.isnan(origin[0])), 0]), np.zeros(2, np.int64)
    zeros, ends, anchors = np.zeros(2, np.int64), np.array([0, y.size]), np.array([-1, 0])
    ets_sweep.learn_ets(y, zeros, ends, anchors, zeros, form[None], 1, budget, values, failed, used)
    assert not failed[1]
    return values[1], int(used[1])


def test_a_fit_ends_at_the_state_that_its_parameters_lead_to() -> None:
    y = series(60, 1) + 1000
    row, _ = fitted(y, AAA)
    total, last = naive.solve(y - y.mean(), row[:4], 6, True)
    assert row[4] == pytest.approx(total / (60 - 10), rel=1e-7)
    assert row[7:].sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(row[5] + row[7:], last[0] + last[2:] + y.mean(), rtol=1e-8)
    assert row[6] == pytest.approx(last[1], abs=1e-8)


def test_it_does_not_matter_where_zero_is() -> None:
    y = series(60, 2)
    near, far = fitted(y, AAA)[0], fitted(y + 1e6, AAA)[0]
    np.testing.assert_allclose(near[:5], far[:5], rtol=1e-4)
    assert far[5] - near[5] == pytest.approx(1e6)


def test_warm_starts_need_fewer_evaluations_and_end_at_the_same_errors() -> None:
    few = many = 0
    for seed in range(10):
        y = series(200, seed)
        warm, used = fitted(y[10:], AAA, origin=fitted(y[:190], AAA)[0])
        again, more = fitted(y[10:], AAA)
        few, many = few + used, many + more
        assert warm[4] == pytest.approx(again[4], rel=1e-3)
    assert few < 0.8 * many


def test_parameters_of_another_form_start_nothing() -> None:
    y = series(80, 4)
    flat, _ = fitted(y, ANA)
    assert flat[1] == 0 and flat[3] == 1
    np.testing.assert_array_equal(fitted(y, AAA, origin=flat)[0], fitted(y, AAA)[0])
    assert fitted(y, AAA)[0][1] >= LOW * LOW


def test_the_classical_start_is_the_mean_season() -> None:
    for n in (12, 17, 60):
        start = np.empty(8)
        y = series(n, n)
        ets_sweep.classical(y, start)
        np.testing.assert_allclose(start, naive.classical(y, 6), atol=1e-9)


@pytest.mark.parametrize(
    ("theta", "m"), [((0.3, 0.1, 0.2, 0.9), 6), ((0.3, 0.0, 0.6, 1.0), 6), ((0.7, 0.2, 0.0, 1.0), 1)]
)
def test_paths_equal_the_twin_at_every_origin(theta: tuple[float, ...], m: int) -> None:
    y, rng = series(40, 5), np.random.default_rng(5)
    values = np.zeros((2, 13))
    values[:, :4], values[:, 4], values[:, 5 : 7 + m] = theta, 2.5, rng.normal(size=2 + m)
    values[:, 7 : 7 + m] -= values[0, 7 : 7 + m].mean()
    end, first, at = np.array([10, 20]), np.array([0, 3, 4]), np.array([10, 11, 40, 25])
    mean, low, high = np.full((3, 4, 15), np.nan)
    ets_sweep.ets_paths(values, y, end, first, at, np.zeros(2, np.int64), mean, low, high)
    for row, until in enumerate(at):
        begin = end[0] if row < 3 else end[1]
        _, state = naive.run(y[begin:until], np.array(theta), values[0, 5 : 7 + m])
        middle, width = naive.forecast(np.array(theta), state, 2.5, 15)
        np.testing.assert_allclose(mean[row], middle, atol=1e-9)
        np.testing.assert_allclose(high[row] - mean[row], 1.2815515655446004 * width, rtol=1e-9)
        np.testing.assert_allclose(mean[row] - low[row], 1.2815515655446004 * width, rtol=1e-9)


def test_rows_that_failed_stay_alone() -> None:
    y = series(60, 6)
    mean, low, high = np.full((3, 1, 4), np.nan)
    one = np.array([60])
    ets_sweep.ets_paths(np.zeros((1, 13)), y, one, np.array([0, 1]), one, np.array([1]), mean, low, high)
    assert np.isnan(mean).all() and np.isnan(low).all() and np.isnan(high).all()


def test_numbers_that_overflow_fail_with_a_code() -> None:
    y = series(60, 7)
    y[50] = 1e300
    values, failed, used = np.empty((1, 13)), np.zeros(1, np.int64), np.zeros(1, np.int64)
    zero, cold = np.zeros(1, np.int64), np.full(1, -1)
    ets_sweep.learn_ets(y, zero, np.array([60]), cold, zero, AAA[None], 0, 50, values, failed, used)
    assert failed[0] == ets_sweep.NOT_FINITE and used[0] <= 50


def test_freedom_counts_parameters_and_initial_states() -> None:
    assert [ets_sweep.freedom(form) for form in (AAA, ANA, ANN)] == [10, 8, 2]
