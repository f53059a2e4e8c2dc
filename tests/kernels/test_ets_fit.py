from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from kernels import ets, ets_fit
from tests.kernels.test_ets import Floats, series
from tests.naive import ets as naive

FORMS = {
    "AAdA": (0.3, 0.2, 0.3, 0.9), "AAA": (0.3, 0.2, 0.3, -1.0), "ANA": (0.3, -1.0, 0.3, -1.0),
    "ANN": (0.3, -1.0, -1.0, -1.0), "AAdN": (0.3, 0.2, -1.0, 0.9),
}  # fmt: skip


def period(point: Floats) -> int:
    return 6 if point[2] >= 0 else 1


def smoothing(point: Floats) -> Floats:
    theta = np.empty(4)
    ets_fit.unbox(np.ascontiguousarray(point), theta)
    return theta


def walk(y: Floats, point: Floats, budget: int, solved: bool = True) -> tuple[float, int, Floats, Floats]:
    u, theta, state = point.copy(), np.empty(4), np.empty(2 + period(point))
    start = np.zeros_like(state)
    total, used = ets_fit.descend(y, u, theta, start, state, solved, budget)
    return total, used, u, state


@pytest.mark.parametrize("form", FORMS)
def test_the_box_holds_what_the_form_has(form: str) -> None:
    alpha, beta, gamma, phi = smoothing(np.array(FORMS[form]))
    assert alpha == 0.3
    assert beta == (pytest.approx(0.06) if form[1] == "A" else 0)
    assert gamma == (pytest.approx(0.21) if form[-1] == "A" else 0)
    assert phi == (0.9 if "d" in form else 1)


@pytest.mark.parametrize("form", FORMS)
def test_slopes_equal_differences(form: str) -> None:
    point, y = np.array(FORMS[form]), series(60, 1)
    m = period(point)
    start = np.random.default_rng(1).normal(size=2 + m)
    rows = np.zeros((5, y.size + m))
    ets_fit.slopes(y, point, smoothing(point), start, rows)
    np.testing.assert_allclose(rows[4, :60], naive.run(y, smoothing(point), start)[0], atol=1e-9)
    for q in np.flatnonzero(point >= 0):
        aside = 1e-6 * np.eye(4)[q]
        high, low = (naive.run(y, smoothing(point + sign * aside), start)[0] for sign in (1, -1))
        np.testing.assert_allclose(rows[q, :60], (high - low) / 2e-6, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_the_walk_ends_where_a_slow_search_does(form: str) -> None:
    point, y = np.array(FORMS[form]), series(90, 2)
    m, free = period(point), np.flatnonzero(point >= 0)

    def objective(part: Floats) -> float:
        u = point.copy()
        u[free] = np.clip(part, *bounds[free].T)
        return naive.solve(y, smoothing(u), m, point[1] >= 0)[0]

    bounds = np.array([(ets_fit.LOW, ets_fit.HIGH)] * 3 + [(0.8, 0.98)])
    total, used, u, _ = walk(y, point, 200)
    slow = minimize(objective, u[free], method="Nelder-Mead", options={"maxfev": 60})
    assert total == pytest.approx(objective(u[free]), rel=1e-7)
    assert total <= slow.fun * (1 + 1e-3)
    assert used < 60


def test_evaluations_are_bounded_and_never_make_it_worse() -> None:
    y, point = series(90, 3), np.array(FORMS["AAdA"])
    totals = []
    for budget in (1, 2, 4, 200):
        total, used, _, _ = walk(y, point, budget)
        assert used <= budget
        totals.append(total)
    assert totals == sorted(totals, reverse=True) and totals[0] > totals[-1]


def test_without_solving_the_initial_state_stays() -> None:
    y, u = series(60, 4), np.array(FORMS["AAA"])
    theta, state, start = np.empty(4), np.empty(8), np.zeros(8)
    total, _ = ets_fit.descend(y, u, theta, start, state, False, 200)
    assert not start.any()
    errors, last = naive.run(y, theta, start)
    assert total == pytest.approx(errors @ errors, rel=1e-9)
    np.testing.assert_allclose(state, last, atol=1e-9)


def test_a_perfect_fit_ends() -> None:
    total, used, _, _ = walk(np.tile(np.arange(6.0), 8), np.array(FORMS["AAA"]), 50)
    assert total == pytest.approx(0, abs=1e-16) and used <= 50


@pytest.mark.parametrize("form", FORMS)
def test_what_initial_states_can_take_back_is_projected_out(form: str) -> None:
    point, y = np.array(FORMS[form]), series(60, 5)
    m, trend, theta = period(point), bool(point[1] >= 0), smoothing(np.array(FORMS[form]))
    errors, upper, rows = np.zeros((3, 60 + m)), np.empty((m + trend, m + trend)), np.zeros((5, 60 + m))
    start, last, curve, pull = np.empty(2 + m), np.empty(2 + m), np.empty((4, 4)), np.empty(4)
    ets.solve(y, theta, errors, np.empty((3, m)), upper, start, last)
    ets_fit.slopes(y, point, theta, start, rows)
    ets_fit.normal(point, rows, errors, upper, 60, curve, pull)
    columns = naive.columns(60, theta, m)[:, [*range(2, 2 + m), 1][: m + trend]]
    jacobian = rows[:4, :60].T * (point >= 0)
    beyond = jacobian - columns @ np.linalg.lstsq(columns, jacobian, rcond=None)[0]
    np.testing.assert_allclose(curve, beyond.T @ beyond, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(pull, jacobian.T @ rows[4, :60], rtol=1e-9, atol=1e-9)


def test_a_step_stays_in_the_box_and_off_what_the_form_has_not() -> None:
    curve, pull, there = np.diag([1.0, 1.0, 1.0, 0.0]), np.array([5.0, 5.0, -1e-3, 0.0]), np.empty(4)
    hope = ets_fit.step(curve, pull, np.array([0.5, ets_fit.LOW, 0.5, -1.0]), 0.0, there)
    assert there.tolist() == [ets_fit.LOW, ets_fit.LOW, pytest.approx(0.501), -1.0]
    assert hope == pytest.approx(2 * 5 * 0.4999 - 0.4999**2 + 1e-6)
    assert ets_fit.step(curve, pull, np.array([0.5, 0.5, 0.5, -1.0]), 1e9, there) == pytest.approx(0, abs=1e-6)
