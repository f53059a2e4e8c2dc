"""Smoothing parameters by Gauss–Newton steps on Σ e², in which the initial states are solved for at every point.

The search space is a box: α, β/α, γ/(1 − α) in [0.0001, 0.9999], φ in [0.8, 0.98]. Derivatives of the errors after the
parameters are one more filter each; what the initial states can take back is projected out of them (Kaufman's variable
projection, 10.1007/BF01932995), and steps are damped after Marquardt. Bounded by evaluations of Σ e².
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.ets import forward, onto, solve

LOW, HIGH = 1e-4, 1 - 1e-4
STILL = 1e-5
"""Relative gain in Σ e² that a step must promise."""


@njit("void(f8[::1], f8[::1])", cache=True)
def unbox(u, theta):  # type: ignore[no-untyped-def]
    """α, β, γ, φ from a point of the box; negative coordinates are those that the form does not have."""
    theta[0] = u[0]
    theta[1] = u[0] * u[1] if u[1] >= 0 else 0.0
    theta[2] = (1 - u[0]) * u[2] if u[2] >= 0 else 0.0
    theta[3] = u[3] if u[3] >= 0 else 1.0


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1], f8[:, ::1])", cache=True)
def slopes(y, u, theta, start, rows):  # type: ignore[no-untyped-def]
    """Errors (row 4) and their derivatives after each coordinate of u (rows 0–3; 0 where the form has it not)."""
    alpha, beta, gamma, phi = theta[0], theta[1], theta[2], theta[3]
    m = start.size - 2
    seasons = np.zeros((5, m))
    seasons[4] = start[2:]
    level, b = start[0], start[1]
    dl, db, de = np.zeros(4), np.zeros(4), np.zeros(4)
    k = 0
    for t in range(y.size):
        slope = phi * b
        e = y[t] - level - slope - seasons[4, k]
        for q in range(4):
            carried = phi * db[q] + (b if q == 3 else 0.0)
            de[q] = -dl[q] - carried - seasons[q, k]
            dl[q] += carried + alpha * de[q]
            db[q] = carried + beta * de[q]
            seasons[q, k] += gamma * de[q]
        dl[0] += e
        db[1] += e
        seasons[2, k] += e
        level += slope + alpha * e
        b = slope + beta * e
        seasons[4, k] += gamma * e
        rows[0, t] = de[0] + (u[1] * de[1] if u[1] >= 0 else 0.0) - (u[2] * de[2] if u[2] >= 0 else 0.0)
        rows[1, t] = alpha * de[1]
        rows[2, t] = (1 - alpha) * de[2]
        rows[3, t] = de[3]
        rows[4, t] = e
        k = k + 1 if k + 1 < m else 0


@njit("void(f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], i8, f8[:, ::1], f8[::1])", cache=True)
def normal(u, rows, errors, upper, n, curve, pull):  # type: ignore[no-untyped-def]
    """curve: (4, 4) = JᵀPJ and pull: (4,) = Jᵀe, P projecting out the columns of the initial states; 0 where u < 0."""
    k = upper.shape[0]
    taken = np.zeros((4, k))
    curve[:], pull[:] = 0.0, 0.0
    for q in range(4 if k else 0):
        if u[q] >= 0:
            onto(errors, n, rows[q], taken[q])
            forward(upper, taken[q])
    for q in range(4):
        for p in range(q, 5):
            if u[q] < 0 or (p < 4 and u[p] < 0):
                continue
            total = 0.0
            for t in range(n):
                total += rows[q, t] * rows[p, t]
            if p == 4:
                pull[q] = total
                continue
            for i in range(k):
                total -= taken[q, i] * taken[p, i]
            curve[q, p] = curve[p, q] = total


@njit("f8(f8[:, ::1], f8[::1], f8[::1], f8, f8[::1])", cache=True)
def step(curve, pull, u, damping, there):  # type: ignore[no-untyped-def]
    """The damped step from u, cut off at the box; coordinates that would leave it stay where they are. Returns by how
    much Σ e² would fall if errors were linear."""
    free = np.zeros(4, np.bool_)
    for q in range(4):
        low, high = (LOW, HIGH) if q < 3 else (0.8, 0.98)
        inside = not (u[q] <= low and pull[q] > 0) and not (u[q] >= high and pull[q] < 0)
        free[q] = u[q] >= 0 and inside and curve[q, q] > 0
    a, x = np.eye(4), np.zeros(4)
    for q in range(4):
        if free[q]:
            x[q] = -pull[q]
            for p in range(4):
                a[q, p] = curve[q, p] if free[p] else 0.0
            a[q, q] *= 1 + damping
    for j in range(4):  # a is positive definite but for rounding: no pivoting
        pivot = a[j, j] if a[j, j] > 0 else np.inf
        for i in range(j + 1, 4):
            weight = a[i, j] / pivot
            a[i] -= weight * a[j]
            x[i] -= weight * x[j]
    for j in range(3, -1, -1):
        for i in range(j + 1, 4):
            x[j] -= a[j, i] * x[i]
        x[j] = x[j] / a[j, j] if a[j, j] > 0 else 0.0
    for q in range(4):
        low, high = (LOW, HIGH) if q < 3 else (0.8, 0.98)
        there[q] = min(max(u[q] + x[q], low), high) if free[q] else u[q]
    hope = 0.0
    for q in range(4):
        hope -= 2 * pull[q] * (there[q] - u[q])
        for p in range(4):
            hope -= (there[q] - u[q]) * curve[q, p] * (there[p] - u[p])
    return hope


@njit("Tuple((f8, i8))(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], b1, i8)", cache=True)
def descend(y, u, theta, start, state, solved, budget):  # type: ignore[no-untyped-def]
    """Walk from u to a least Σ e²; u, theta, start and state, the initial and last one, are left there.

    Not `solved`: the initial state stays what `start` is. Returns Σ e² and evaluations."""
    n, m = y.size, state.size - 2
    k = (m + (u[1] >= 0)) if solved else 0
    errors, seasons, upper = np.zeros((3, n + m)), np.empty((3, m)), np.empty((k, k))
    rows, curve, pull = np.zeros((5, n + m)), np.empty((4, 4)), np.empty(4)
    there, new, first, last = np.empty(4), np.empty(4), start.copy(), np.empty(2 + m)
    unbox(u, theta)
    best = solve(y, theta, errors, seasons, upper, start, state)
    slopes(y, u, theta, start, rows)
    normal(u, rows, errors, upper, n, curve, pull)
    damping, used = 1e-3, 1
    while used < budget and damping < 1e4:
        hope = step(curve, pull, u, damping, there)
        if hope < STILL * best:
            if damping > 1:
                break
            damping *= 10  # the box may have bent the step
            continue
        unbox(there, new)
        total = solve(y, new, errors, seasons, upper, first, last)
        used += 1
        if not total < best:
            damping = max(4 * damping, 1e-2)
            continue
        kept = (best - total) / hope
        best, damping = total, damping * (0.1 if kept > 0.75 else 1.0 if kept > 0.25 else 4.0)
        u[:], theta[:], start[:], state[:] = there, new, first, last
        slopes(y, u, theta, start, rows)
        normal(u, rows, errors, upper, n, curve, pull)
    return best, used
