"""TBATS of given components: estimation, filter and forecasts are our own compiled code.

statsforecast's TBATS has no filter, no bound on evaluations, and drops what stands before a missing value (fault 4);
one AutoTBATS fit of 72 M4 hours was still running after 100 s. Tests hold our filter against its fitted models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from engine.backtest.contract import FitError, Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.models.spread import DECILE
from kernels.tbats_filter import REJECTED, linear_forecast, tbats_matrices, tbats_search, tbats_squares

TRENDS = ("none", "linear", "damped")
_FORM = re.compile(r"TBATS\(([\d.]+),(none|linear|damped),(\d+),(\d+),(\d+)\)")


class Components(NamedTuple):
    """Box and Cox's lambda (1 = as it is), trend (none, linear, damped), number of harmonics, ARMA(p, q) errors."""

    power: float
    trend: str
    harmonics: int
    p: int
    q: int

    @property
    def form(self) -> str:
        return f"TBATS({self.power:g},{self.trend},{self.harmonics},{self.p},{self.q})"

    @property
    def shape(self) -> Ints:
        """As the kernels take it."""
        trend = int(self.trend != "none")
        return np.array([trend, int(self.trend == "damped"), self.harmonics, self.p, self.q], np.int64)

    @property
    def states(self) -> int:
        return int(1 + (self.trend != "none") + 2 * self.harmonics + self.p + self.q)


def parse(form: str) -> Components:
    """
    >>> parse("TBATS(0.5,damped,3,1,0)").form
    'TBATS(0.5,damped,3,1,0)'
    """
    found = _FORM.fullmatch(form)
    if found is None or not 0.0 <= float(found[1]) <= 1.0:
        raise ValueError(f"{form!r} are no components such as TBATS(1,damped,3,0,0)")
    return Components(float(found[1]), found[2], int(found[3]), int(found[4]), int(found[5]))


def transform(y: Floats, power: float) -> Floats:
    """Box and Cox's transformation; 1 leaves y as it is. Raises FitError where y is not positive and must be."""
    if power == 1.0:
        return y.copy()
    if not np.all(y > 0.0):
        raise FitError("values that are not positive have no Box-Cox transformation")
    return np.log(y) if power == 0.0 else (y**power - 1.0) / power


def restore(z: Floats, power: float) -> Floats:
    """The inverse of `transform`; what lies below its range becomes 0."""
    if power == 1.0:
        return z
    return np.exp(z) if power == 0.0 else np.maximum(power * z + 1.0, 0.0) ** (1.0 / power)


def estimate(y: Floats, parts: Components, season: int, warm: Params | None, evaluations: int) -> Fitted:
    """Least squares of TBATS on y, as `contract.Model.fit`; `warm` counts if it has the same components."""
    free, _ = _start(parts)
    if y.size < parts.states + free.size + 3:
        raise FitError(f"{y.size} hours are too few for {parts.form}")
    z = transform(y, parts.power)
    centre = float(np.mean(z[:season]))  # least squares of small numbers; the level gets it back
    free, squares, used = _search(z - centre, parts, season, warm, max(evaluations, 1))
    if squares >= REJECTED:
        raise FitError(f"no admissible parameters found for {parts.form}")
    x = np.zeros(parts.states)
    tbats_squares(z - centre, free, parts.shape, season, x)
    w, f, g = tbats_matrices(free, parts.shape, season)
    for value in z - centre:
        x = f @ x + g * (value - w @ x)
    x[0] += centre
    fitted = y.size - parts.states + parts.p + parts.q - free.size
    params = {
        "form": parts.form,
        "season": season,
        "free": free.tolist(),
        "x": x.tolist(),
        "sigma2": float(squares / fitted) if squares > 0.0 else 0.0,
        "squares": float(squares),
    }
    return Fitted(params, used)


def project(params: Params, after: Floats, at: Ints, steps: int) -> Paths:
    """Forecasts of `estimate`'s parameters, as `contract.Model.predict`, with quantiles of a normal error."""
    parts = parse(params["form"])
    w, f, g = tbats_matrices(np.array(params["free"], np.float64), parts.shape, params["season"])
    return innovations_paths(w, f, g, np.array(params["x"]), params["sigma2"], parts.power, after, at, steps)


def innovations_paths(
    w: Floats, f: Floats, g: Floats, x: Floats, sigma2: float, power: float, after: Floats, at: Ints, steps: int
) -> Paths:
    """Forecasts of a linear innovations model on Box and Cox's scale, from x and what came `after` it."""
    seen = np.ascontiguousarray(transform_seen(after, at, power))
    mean, spread = linear_forecast(seen, w, f, g, x, np.ascontiguousarray(at), steps)
    reach = DECILE * np.sqrt(sigma2 * spread)
    return Paths(restore(mean, power), restore(mean - reach, power), restore(mean + reach, power))


def transform_seen(after: Floats, at: Ints, power: float) -> Floats:
    """`transform` of what some row sees. A value of 0 or less is taken for the least positive number of this scale."""
    seen = after[: at[-1]] if at.size else after[:0]
    return transform(seen if power == 1.0 else np.maximum(seen, 1e-6), power)


def criterion(y: Floats, parts: Components, season: int, evaluations: int) -> float:
    """Akaike's corrected criterion on the scale of y, inf where these components cannot be fitted."""
    try:
        params = estimate(y, parts, season, None, evaluations).params
    except FitError:
        return np.inf
    k = len(params["free"]) + parts.states + (parts.power != 1.0)
    jacobian = 0.0 if parts.power == 1.0 else 2.0 * (parts.power - 1.0) * float(np.sum(np.log(y)))
    fit = y.size * float(np.log(max(params["squares"], 1e-300))) - jacobian
    return fit + 2.0 * k + 2.0 * k * (k + 1) / max(y.size - k - 1, 1)


def with_harmonics(y: Floats, parts: Components, season: int, evaluations: int) -> Components:
    """These components with the best number of harmonics, among few, by fits of them. The TBATS paper counts them by a
    regression, until a second one more is no gain: on 26 M4 hourly slices of 168 h 4 against 9, median MASE .84 against
    .72. Raises FitError where none can be fitted."""
    most = (season - 1) // 2
    tried = [parts._replace(harmonics=k) for k in dict.fromkeys(min(k, most) for k in (1, 2, 3, 4, 6, 8, 11))]
    return best(y, tried, season, evaluations)


def best(y: Floats, candidates: Sequence[Components], season: int, evaluations: int) -> Components:
    """The components with the least criterion. Raises FitError where none can be fitted."""
    scores = [criterion(y, parts, season, evaluations) for parts in candidates]
    if not np.isfinite(min(scores)):
        raise FitError("no set of components could be fitted")
    return candidates[int(np.argmin(scores))]


@dataclass(frozen=True, slots=True)
class Tbats:
    """One set of components for every series. `power`: Box and Cox's lambda, 1 leaves the values. `harmonics`: None
    chooses their number by `with_harmonics`. `p`, `q`: ARMA errors."""

    season_h: int = 24
    power: float = 1.0
    trend: str = "damped"
    harmonics: int | None = None
    p: int = 0
    q: int = 0

    name: ClassVar[str] = "tbats"
    history: ClassVar[History] = History.SEASONAL
    updates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.power <= 1.0 or self.trend not in TRENDS or min(self.p, self.q) < 0:
            raise ValueError(f"power is 0 … 1, trend {', '.join(TRENDS)}, p and q are 0 or more")
        if not 0 <= (self.harmonics or 0) <= (self.season_h - 1) // 2:
            raise ValueError(f"a season of {self.season_h} has at most {(self.season_h - 1) // 2} harmonics")

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    @property
    def selects(self) -> bool:
        return self.harmonics is None

    def select(self, y: Floats, evaluations: int) -> str:
        return with_harmonics(y, self._parts(1), self.season_h, evaluations).form

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        parts = parse(form) if self.harmonics is None else self._parts(self.harmonics)
        return estimate(y, parts, self.season_h, warm, evaluations)

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        return project(params, after, at, steps)

    def _parts(self, harmonics: int) -> Components:
        return Components(self.power, self.trend, harmonics, self.p, self.q)


def _start(parts: Components) -> tuple[Floats, Floats]:
    """Where the search begins, and how far its first steps go."""
    pairs = [(0.2, 0.2)]
    if parts.trend != "none":
        pairs.append((0.02, 0.03))
    if parts.trend == "damped":
        pairs.append((0.95, -0.05))
    if parts.harmonics:
        pairs += [(0.005, 0.01), (0.005, 0.01)]
    pairs += [(0.1, 0.3)] * (parts.p + parts.q)
    start, reach = np.array(pairs).T.copy()
    return start, reach


def _search(z: Floats, parts: Components, season: int, warm: Params | None, evaluations: int) -> Any:
    """Best free numbers, their squares and the evaluations: cold from a slow and a fast level, else from where `warm`
    ended."""
    start, reach = _start(parts)
    if warm is not None and warm["form"] == parts.form:
        return tbats_search(z, np.array(warm["free"]), 0.3 * reach, parts.shape, season, evaluations)
    fast = start.copy()
    fast[0] = 1.0
    x = np.zeros(parts.states)
    tried = [start, fast][: max(1, evaluations - 1)]
    begun = min(tried, key=lambda free: float(tbats_squares(z, free, parts.shape, season, x)))
    free, squares, used = tbats_search(z, begun, reach, parts.shape, season, max(evaluations - len(tried), 1))
    return free, squares, used + len(tried)
