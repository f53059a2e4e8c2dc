"""A small model that misbehaves where a slice ends in a marked value, and a series with such values."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import FitError, Fits, Fitted, Floats, History, Ints, Params, Paths, Swept
from engine.backtest.series.series import Series

MARK = 199.5
START = 480_000  # a midnight


@dataclass(frozen=True)
class Odd:
    """Forecasts a mean that its anchor's pulls a little; does `how` where the slice ends in MARK."""

    how: str = "nothing"
    selects: bool = False
    name: str = "odd"
    updates: bool = True
    shortest: int = 2

    @property
    def history(self) -> History:
        return History.ANY

    def select(self, y: Floats, evaluations: int) -> str:
        if self.how == "select" and y[-1] == MARK:
            raise FitError("cannot choose")
        return "high" if y.mean() > 70 else "low"

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        if y[-1] == MARK:
            _misbehave(self.how)
        level = float(y.mean()) + (0.0 if warm is None else 0.01 * float(warm["level"])) + (form == "high")
        bad = self.how == "bad params" and y[-1] == MARK
        return Fitted({"level": float("nan") if bad else level, "marked": float(y[-1] == MARK)}, len(form) + 3)

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        level = float(params["level"])
        if self.how == "nan" and params["marked"]:
            level = float("nan")
        seen = np.array([level + 0.1 * float(after[:k].sum()) for k in at.tolist()])
        mean = seen[:, None] + np.arange(steps)
        return Paths(mean, mean - 1, mean + 1)


@dataclass(frozen=True)
class OddSweep(Odd):
    """The same in one call."""

    name: str = "odd_sweep"

    def sweep(self, y: Floats, fits: Fits) -> Swept:
        if self.how == "raise":
            raise RuntimeError("the sweep is off")
        params: list[Params | None] = []
        mean = np.full((fits.at.size, fits.steps), np.nan)
        for i in range(fits.end.size):
            anchor = params[fits.anchor[i]] if fits.anchor[i] >= 0 else None
            fitted = self.fit(y[fits.start[i] : fits.end[i]], "", anchor, fits.evaluations)
            params.append(fitted.params)
            rows = slice(int(fits.first[i]), int(fits.first[i + 1]))
            at = fits.at[rows] - fits.end[i]
            mean[rows] = self.predict(fitted.params, y[fits.end[i] :], at, fits.steps).mean
        count = fits.end.size
        paths = Paths(mean, mean - 1, mean + 1)
        return Swept(tuple(params), ("",) * count, fits.form, np.full(count, 3, np.int64), paths)


def _misbehave(how: str) -> None:
    match how:
        case "raise":
            raise ValueError("no such thing")
        case "refuse":
            raise FitError("not today")
        case "exit":
            raise SystemExit(3)
        case "die":
            os._exit(9)
        case "segfault":
            ctypes.string_at(0)
        case "hang":
            while True:
                pass
        case "eat":
            held = []
            while True:
                held.append(np.ones(16_000_000))


def series(days: int = 8, marks: tuple[int, ...] = (), subject: str = "P1", vital: str = "hr_bpm") -> Series:
    """Hourly values around 70; those at `marks` are MARK."""
    random = np.random.default_rng(len(subject) + days)
    y = 70 + 8 * np.sin(np.arange(24 * days) / 24 * 2 * np.pi) + random.normal(0, 2, 24 * days)
    y[list(marks)] = MARK
    return Series(subject, vital, START, y)
