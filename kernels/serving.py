"""From stored forecast paths to the rows of configurations: routing, standing in, combining, step-wise quantiles.

One series at a time. Hours are numbers since 1970-01-01 UTC. Arrays of rows are (configurations, origins, steps).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints

FIT, PREVIOUS, ENSEMBLE, SEASONAL, NONE = range(5)
"""Who served a row."""
ABSENT = -1
ROUTE_FIT, ROUTE_PATH, ROUTE_SHIFT, BEFORE_PATH, BEFORE_SHIFT, BEFORE_STEPS = range(6)
"""Columns of a route: index of the fit that should serve and of its path, and hours by which the path is shifted; the
path of a previous good fit, its shift and how many of its steps count. ABSENT = none."""


@njit("i8(i8[::1], i8, i8, i8)", cache=True)
def find_path(path_origin: Ints, low: int, high: int, origin: int) -> int:
    """Index in low … high−1 of the newest path whose origin is `origin` or earlier; ABSENT if there is none."""
    while low < high:
        middle = (low + high) // 2
        if path_origin[middle] <= origin:
            low = middle + 1
        else:
            high = middle
    return low - 1


@njit("i8(b1[::1], i8, i8)", cache=True)
def last_usable(usable: Flags, low: int, high: int) -> int:
    """The last place in low … high that is usable; low − 1 if none."""
    at = min(high, usable.size - 1)
    while at >= low and not usable[at]:
        at -= 1
    return max(at, low - 1)


@njit(
    "void(i8[::1], b1[::1], i8[::1], i8, i8[::1], i8[::1], i8[::1], i8, i8, b1, i8, i8, i8[:,::1])",
    cache=True,
)
def route(
    origins: Ints,
    usable: Flags,
    fit_at: Ints,
    base: int,
    first_path: Ints,
    path_origin: Ints,
    path_steps: Ints,
    refit: int,
    phase: int,
    stale: bool,
    oldest: int,
    steps: int,
    out: Ints,
) -> None:
    """Which stored path serves each origin of one configuration.

    origins: (n,) ascending. usable, fit_at: (hours,), hour base + i at i: whether it is an origin with a status `ok`,
    and the index of the fit with this cutoff (ABSENT = none). first_path: (fits + 1,), paths of fit f are first_path[f]
    … first_path[f + 1] − 1, ascending in path_origin; path_steps: (paths,) their lengths. refit, phase, oldest, steps:
    hours. out: (n, 6), see above. Only what the configuration alone would have made counts: no other changes anything.
    """
    for i in range(origins.size):
        origin = origins[i]
        cutoff = origin - (origin - phase) % refit
        out[i, :] = ABSENT
        fit = fit_at[cutoff - base] if cutoff >= base else ABSENT
        out[i, ROUTE_FIT] = fit
        if not usable[origin - base]:
            continue
        if fit != ABSENT:
            wanted = cutoff if stale else origin
            path = find_path(path_origin, first_path[fit], first_path[fit + 1], wanted)
            if path >= first_path[fit] and path_origin[path] == wanted and path_steps[path] >= origin - wanted + steps:
                out[i, ROUTE_PATH], out[i, ROUTE_SHIFT] = path, origin - wanted
        while out[i, ROUTE_PATH] == ABSENT:
            cutoff -= refit
            if origin - cutoff > oldest or cutoff < base:
                break
            fit = fit_at[cutoff - base]
            latest = base + last_usable(usable, cutoff - base, cutoff - base + refit - 1)
            if fit == ABSENT or latest < cutoff:
                continue
            wanted = cutoff if stale else latest
            path = find_path(path_origin, first_path[fit], first_path[fit + 1], wanted)
            if path >= first_path[fit] and path_origin[path] == wanted:
                out[i, BEFORE_PATH], out[i, BEFORE_SHIFT] = path, origin - wanted
                out[i, BEFORE_STEPS] = min(path_steps[path], steps + latest - wanted)
                break


@njit(
    "void(i8[:,:,::1], i8[::1], f8[:,::1], i8[::1], i8[::1], i8[::1], f8[:,:,:,::1], i4[:,:,:,::1])",
    cache=True,
)
def take_paths(
    routes: Ints,
    path_start: Ints,
    values: Floats,
    path_fit: Ints,
    fit_cutoff: Ints,
    origins: Ints,
    rows: Floats,
    notes: Ints,
) -> None:
    """Copy each routed path to its rows; what nothing was routed to becomes NaN, served by NONE.

    routes: (c, n, 6); values: (3, …) mean, 10 % and 90 % quantile of all paths, NaN where a model has none; path_start:
    (paths,) places among them; path_fit: (paths,), fit_cutoff: (fits,). rows: (3, c, n, steps) mean and quantiles.
    notes: (3, c, n, steps) int32: fit, age in hours (both ABSENT if none) and who served.
    """
    for c in range(rows.shape[1]):
        for i in range(rows.shape[2]):
            path = routes[c, i, ROUTE_PATH]
            if path == ABSENT:
                rows[:, c, i, :] = np.nan
                notes[0, c, i, :] = ABSENT
                notes[1, c, i, :] = ABSENT
                notes[2, c, i, :] = NONE
                continue
            at = path_start[path] + routes[c, i, ROUTE_SHIFT]
            for k in range(3):
                for j in range(rows.shape[3]):
                    rows[k, c, i, j] = values[k, at + j]
            notes[0, c, i, :] = path_fit[path]
            notes[1, c, i, :] = origins[i] - fit_cutoff[path_fit[path]]
            notes[2, c, i, :] = FIT


@njit("f8(f8[::1], i8)", cache=True)
def median_of(values: Floats, n: int) -> float:
    """Median of the first n ≥ 1 of `values`, which are sorted on the way."""
    for i in range(1, n):
        value, place = values[i], i
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
    return 0.5 * (values[(n - 1) // 2] + values[n // 2])


@njit("void(f8[:,:,::1], i8[::1], f8[:,::1], b1, f8[:,::1])", cache=True)
def combine(rows: Floats, members: Ints, weights: Floats, by_median: bool, out: Floats) -> None:
    """Rows of an ensemble. rows: (c, n, steps); members: (m,) indices of c; weights: (m, n), 0 = does not take part,
    else summing to 1 over m. out: (n, steps), NaN where nobody takes part."""
    held = np.empty(members.size)
    for i in range(rows.shape[1]):
        for j in range(rows.shape[2]):
            count, total = 0, 0.0
            for m in range(members.size):
                if weights[m, i] > 0.0:
                    held[count] = rows[members[m], i, j]
                    total += weights[m, i] * held[count]
                    count += 1
            if count == 0:
                out[i, j] = np.nan
            else:
                out[i, j] = median_of(held, count) if by_median else total


@njit(
    "void(i8[::1], i8[:,:,::1], i8[::1], f8[:,::1], i8[::1], i8[::1], i8[::1], i8[:,::1], b1[:,::1], b1[::1],"
    " f8[:,::1], f8[:,:,:,::1], i4[:,:,:,::1])",
    cache=True,
)
def stand_in(
    order: Ints,
    routes: Ints,
    path_start: Ints,
    values: Floats,
    path_fit: Ints,
    fit_cutoff: Ints,
    origins: Ints,
    others: Ints,
    present: Flags,
    usable: Flags,
    seasonal: Floats,
    rows: Floats,
    notes: Ints,
) -> None:
    """Fill rows without a value, step by step, from the first of `order` (PREVIOUS, ENSEMBLE, SEASONAL) that has one.

    others: (c, most), the configurations that may stand in for each, ABSENT where there are no more; present: (c, n),
    whether a configuration's own rows may. usable: (n,) origins at which anything may be served. seasonal: (n, steps),
    NaN = none. Rest as in `take_paths`.
    """
    held = np.empty(max(others.shape[1], 1))
    for c in range(rows.shape[1]):
        for i in range(rows.shape[2]):
            if not usable[i] or notes[2, c, i, 0] != NONE:
                continue
            path, shift = routes[c, i, BEFORE_PATH], routes[c, i, BEFORE_SHIFT]
            for j in range(rows.shape[3]):
                for who in order:
                    if who == PREVIOUS and path != ABSENT and shift + j < routes[c, i, BEFORE_STEPS]:
                        for k in range(3):
                            rows[k, c, i, j] = values[k, path_start[path] + shift + j]
                        notes[0, c, i, j] = path_fit[path]
                        notes[1, c, i, j] = origins[i] - fit_cutoff[path_fit[path]]
                    elif who == ENSEMBLE:
                        count = 0
                        for other in others[c]:
                            if other != ABSENT and present[other, i]:
                                held[count] = rows[0, other, i, j]
                                notes[1, c, i, j] = notes[1, other, i, j]
                                count += 1
                        rows[0, c, i, j] = median_of(held, count) if count else np.nan
                    elif who == SEASONAL:
                        rows[0, c, i, j] = seasonal[i, j]
                    if not np.isnan(rows[0, c, i, j]):
                        notes[2, c, i, j] = who
                        break


@njit("void(i8[::1], i8, f8[::1], i8[::1], i8, i8, f8[:,::1])", cache=True)
def last_season(
    origins: Ints, start: int, observed: Floats, known: Ints, season: int, seasons: int, out: Floats
) -> None:
    """Last observed value of each step's phase that was known at the origin, at most `seasons` back; NaN if none.

    observed: (hours,) from hour `start`, NaN = missing; known: (hours,) first origin that may use it. out: (n, steps).
    """
    for i in range(origins.size):
        for j in range(out.shape[1]):
            out[i, j] = np.nan
            at = origins[i] + j % season - season - start
            for _ in range(seasons):
                if 0 <= at < observed.size and known[at] <= origins[i] and not np.isnan(observed[at]):
                    out[i, j] = observed[at]
                    break
                at -= season
