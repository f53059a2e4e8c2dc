"""The pilot of a sweep: each model tried on a few slices of the data at hand, to see what its fits cost here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from engine.backtest.contract import COLD, FitError, Fits, Floats, Model, Sweeping
from engine.backtest.grid import Grid
from engine.backtest.sweep.cost import WINDOW_H, Cost
from engine.backtest.sweep.timeline import Timeline

SERIES = 3
SWEPT = 50
"""Fits of a batch of a model that sweeps: one alone would mostly measure the call."""

ROWS_MS = 0.008
"""What a forecast of such a model costs besides: its row of the table."""

REFUSALS = (FitError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What a model may raise on a slice that it does not like: the backtest will say so, the pilot goes on."""
LEAST_S = 1e-7
T = TypeVar("T")


def fly(models: Mapping[str, Model], timelines: Iterable[Timeline], grid: Grid) -> dict[str, Cost]:
    """Costs by name, from the newest slices of the first few series; models that fit none of them are left out."""
    lengths = sorted({window or WINDOW_H for window in grid.windows_h})
    slices = list[Floats]()
    for timeline, _ in zip(timelines, range(SERIES), strict=False):
        slices += [timeline.values[-length:] for length in lengths if timeline.values.size >= length]
    found = dict[str, Cost]()
    for name, model in models.items():
        try:
            found[name] = measure(model, slices, grid.horizon_h, grid.evaluations)
        except FitError:
            continue
    return found


def measure(model: Model, slices: Sequence[Floats], steps: int, evaluations: int, repeats: int = 3) -> Cost:
    """A cost from trying the model on slices, (n,) float64 each; a cost is the median of some repeats.

    Raises `FitError` where the model fits none of them.
    """
    tries = [
        _tried(model, y, steps, evaluations, repeats) for y in slices if y.size >= model.shortest and np.ptp(y) > 0
    ]
    good = [one for one in tries if one is not None]
    if not good:
        raise FitError(f"{model.name} fits none of the slices of the pilot")
    power = _power(good)
    scale = np.array([(WINDOW_H / one.hours) ** power for one in good])
    select, cold, warm = (
        1000 * float(np.median(scale * [getattr(one, name) for one in good]))
        for name in ("select_s", "cold_s", "warm_s")
    )
    return Cost(select, cold, warm, power, 1000 * float(np.median([one.forecast_s for one in good])))


@dataclass(frozen=True, slots=True)
class _Tried:
    """CPU seconds on a slice of so many hours."""

    hours: int
    select_s: float
    cold_s: float
    warm_s: float
    forecast_s: float


def _power(tries: Sequence[_Tried]) -> float:
    """How the cost of a cold fit grows with the length: the slope of their logarithms, 0 to 3; 1 if unknown."""
    hours = np.log([one.hours for one in tries])
    if np.ptp(hours) == 0:
        return 1.0
    slope = np.polynomial.Polynomial.fit(hours, np.log([one.cold_s for one in tries]), 1).convert().coef[1]
    return float(min(max(slope, 0.0), 3.0))


def _tried(model: Model, y: Floats, steps: int, evaluations: int, repeats: int) -> _Tried | None:
    try:
        if isinstance(model, Sweeping):
            return _swept(model, y, steps, evaluations, repeats)
        form, select_s = _timed(lambda: model.select(y, evaluations), 1) if model.selects else ("", 0.0)
        cold, cold_s = _timed(lambda: model.fit(y, form, None, evaluations), repeats)
        _, warm_s = _timed(lambda: model.fit(y, form, cold.params, evaluations), repeats)
        at = np.zeros(1, np.int64)
        _, forecast_s = _timed(lambda: model.predict(cold.params, np.zeros(0), at, steps), repeats)
    except REFUSALS:
        return None
    return _Tried(y.size, select_s, max(cold_s, LEAST_S), warm_s, forecast_s)


def _swept(model: Sweeping, y: Floats, steps: int, evaluations: int, repeats: int) -> _Tried:
    """From batches of equal fits: all cold, all but the first from an anchor, and all choosing their forms."""
    form = model.select(y, evaluations) if model.selects else ""
    own, cold, first = np.arange(SWEPT), np.full(SWEPT, COLD), np.minimum(np.arange(SWEPT), 1) - 1
    links = {"cold": (cold, cold), "warm": (first, cold), "select": (cold, own)}
    laps = {}
    for name, (anchor, chosen) in links.items():
        if name == "select" and not model.selects:
            continue
        forms = ("" if name == "select" else form,) * SWEPT
        ends = np.full(SWEPT, y.size)
        fits = Fits(
            np.zeros(SWEPT, np.int64), ends, np.arange(SWEPT + 1), ends, anchor, chosen, forms, steps, evaluations
        )
        swept, taken_s = _timed(lambda fits=fits: model.sweep(y, fits), repeats)  # type: ignore[misc]
        if swept.params[0] is None:
            raise FitError(swept.failures[0])
        laps[name] = max(taken_s / SWEPT, LEAST_S)
    chooses = laps.get("select", laps["cold"]) - laps["cold"]
    return _Tried(y.size, max(chooses, 0.0), laps["cold"], laps["warm"], ROWS_MS / 1000)


def _timed(call: Callable[[], T], repeats: int) -> tuple[T, float]:
    laps = list[float]()
    for _ in range(repeats):
        begin = time.process_time()
        result = call()
        laps.append(time.process_time() - begin)
    return result, float(np.median(laps))
