"""Complex exponential smoothing: the library estimates, our linear filter updates and forecasts."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.backtest.contract import FitError, Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.models.tbats import innovations_paths

TYPES = "NSPF"
"""No season, simple, partial and full seasonality."""


@dataclass(frozen=True, slots=True)
class Ces:
    """Svetunkov, Kourentzes and Ord (2022, doi:10.1002/nav.22074), its type chosen by statsforecast where `type` is Z.

    The library's optimiser has bounds of its own, so `evaluations` is not heeded, nor is `warm`. Its quantiles come
    from noise added to the states; ours are those of the model's linear innovations form.
    """

    season_h: int = 24
    type: str = "Z"

    name: ClassVar[str] = "ces"
    history: ClassVar[History] = History.SEASONAL
    updates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.type not in (*TYPES, "Z"):
            raise ValueError(f"type {self.type!r} is none of Z, N, S, P, F")

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    @property
    def selects(self) -> bool:
        return self.type == "Z"

    def select(self, y: Floats, evaluations: int) -> str:  # noqa: ARG002
        return str(_estimated(y, self.season_h, "Z")["seasontype"])

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:  # noqa: ARG002
        found = _estimated(y, self.season_h, form if self.selects else self.type)
        lag, n = int(found["m"]), y.size
        states = np.asarray(found["states"], np.float64)[n : n + lag]  # each phase's newest
        kind = str(found["seasontype"])
        numbers = [float(found["par"][name]) for name in ("alpha_0", "alpha_1", "beta_0", "beta_1")]
        params = {
            "type": kind,
            "season": self.season_h,
            "smoothing": [0.0 if math.isnan(number) else number for number in numbers],
            "x": state(states, kind).tolist(),
            "sigma2": float(found["sigma2"]),
        }
        iterations = found["fit"].nit if found["fit"] is not None else 0
        return Fitted(params, int(iterations))

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        w, f, g = matrices(params["type"], params["season"], *params["smoothing"])
        return innovations_paths(w, f, g, np.array(params["x"]), params["sigma2"], 1.0, after, at, steps)


def matrices(
    kind: str, season: int, alpha_0: float, alpha_1: float, beta_0: float, beta_1: float
) -> tuple[Floats, Floats, Floats]:
    """w, F and g of the linear innovations form; the state is as in `state`."""
    lags = {"N": (1,), "S": (season,), "P": (1,), "F": (1, season)}[kind]
    size = 2 * sum(lags) + (season if kind == "P" else 0)
    w, f, g = np.zeros(size), np.zeros((size, size)), np.zeros(size)
    begin = 0
    for lag, real, imaginary in zip(lags, (alpha_0, beta_0), (alpha_1, beta_1), strict=False):
        for first in (begin, begin + lag):
            f[np.arange(first + 1, first + lag), np.arange(first, first + lag - 1)] = 1.0
        level, hidden = begin + lag - 1, begin + 2 * lag - 1  # values of a season ago
        f[begin, level], f[begin, hidden], g[begin] = 1.0, imaginary - 1.0, real - imaginary
        f[begin + lag, level], f[begin + lag, hidden], g[begin + lag] = 1.0, 1.0 - real, real + imaginary
        w[level] = 1.0
        begin += 2 * lag
    if kind == "P":
        f[np.arange(begin + 1, size), np.arange(begin, size - 1)] = 1.0
        f[begin, size - 1], g[begin], w[size - 1] = 1.0, beta_0, 1.0
    return w, f, g


def state(rows: Floats, kind: str) -> Floats:
    """The library's last states, rows: (lag, components), oldest first, as one vector: of each component, newest first;
    one that has no season its newest value only."""
    seasonal = {"N": (), "S": (0, 1), "P": (2,), "F": (2, 3)}[kind]
    return np.concatenate([rows[::-1, i] if i in seasonal else rows[-1:, i] for i in range(rows.shape[1])])


def _estimated(y: Floats, season: int, kind: str) -> dict[str, Any]:
    """The library's fitted model. Raises FitError where it has none."""
    from statsforecast.ces import auto_ces  # seconds: only who needs it pays

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = auto_ces(np.array(y, np.float64), m=season, model=kind)
    if not isinstance(found, dict) or not np.isfinite(found["sigma2"]):
        raise FitError("complex smoothing could not be fitted")
    return found
