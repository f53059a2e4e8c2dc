"""Serving by its definition, one row after the other, out of dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from engine.backtest.grid import Configuration, Policy
from engine.backtest.serve.settings import Quantiles, Serving, StandIn, Weights
from engine.vitals.plausibility import LIMITS

Path = tuple[list[float], list[float] | None, list[float] | None]
FitKey = tuple[str, int | None, int]
FAILED = ("error", "nonfinite", "timeout_soft", "timeout_hard", "quarantined")


class Naive:
    """observed: an `Observed`; fits: status and CPU seconds by (model, window, cutoff); paths: by (…, origin)."""

    def __init__(
        self,
        observed: Any,
        fits: Mapping[FitKey, tuple[str, float]],
        paths: Mapping[tuple[str, int | None, int, int], Path],
        models: tuple[Configuration, ...],
        serving: Serving,
        phase: int,
        steps: int,
    ) -> None:
        self.o, self.fits, self.paths, self.models = observed, fits, paths, models
        self.serving, self.phase, self.steps = serving, phase, steps
        self.usable = {int(o) for o, ok in zip(observed.origins, observed.usable, strict=True) if ok}
        origins = [int(o) for o in observed.origins]
        self.hours = {
            observed.start + at: (value, known, next((o for o in origins if o >= known), 1 << 60))
            for at, (value, known) in enumerate(zip(observed.values.tolist(), observed.known.tolist(), strict=True))
        }
        self.excluded, self.seasonal = cache(self.excluded), cache(self.seasonal)  # type: ignore[method-assign]
        self.own: dict[tuple[Configuration, int], list[float]] = {}
        for conf in models:
            for origin in self.usable:
                path = self.path_of(conf, self.cutoff(conf, origin), origin)
                if path is not None and len(path[0]) >= self.steps:
                    self.own[conf, origin] = path[0][: self.steps]

    def cutoff(self, conf: Configuration, origin: int) -> int:
        return max(c for c in range(origin - conf.refit_h + 1, origin + 1) if (c - self.phase) % conf.refit_h == 0)

    def path_of(self, conf: Configuration, cutoff: int, origin: int) -> Path | None:
        """From the origin on, of the fit at this cutoff."""
        made = cutoff if conf.policy is Policy.STALE else origin
        path = self.paths.get((conf.model, conf.window_h, cutoff, made))
        if path is None:
            return None
        low, mid, high = path[1], path[0], path[2]
        d = origin - made
        return mid[d:], None if low is None else low[d:], None if high is None else high[d:]

    def y(self, hour: int, by: int | None = None) -> float:
        value, known, _ = self.hours.get(hour, (np.nan, 0, 0))
        return value if by is None or known <= by else np.nan

    def seasonal(self, origin: int, step: int) -> float:
        season = self.serving.season_h
        hour = origin + (step - 1) % season - season
        for _ in range(self.serving.seasons):
            if np.isfinite(self.y(hour, origin)):
                return self.y(hour, origin)
            hour -= season
        return np.nan

    def plausible(self, value: float) -> bool:
        limits = LIMITS.get(self.o.vital)
        return bool(np.isfinite(value)) and (limits is None or (limits.low <= value <= limits.high and value != 0))

    def errors(self, own: Mapping[Any, list[float]], conf: Configuration, origin: int, window: int | None) -> list[Any]:
        """(error, step, made at) of what is known at the origin, and became known within the window, by origin."""
        found = []
        for made in sorted(self.usable):
            for step, value in enumerate(own.get((conf, made), []), 1):
                hour = made + step - 1
                actual = self.y(hour, origin)
                if np.isnan(actual):
                    continue
                if window is None or self.hours[hour][2] > origin - window:
                    found.append((actual - value, step, made))
        return found

    def fit_status(self, conf: Configuration, cutoff: int) -> str:
        return self.fits.get((conf.model, conf.window_h, cutoff), ("not_stored", 0.0))[0]

    def excluded(self, conf: Configuration, origin: int) -> set[str]:
        rules, found = self.serving.exclusions, set()
        past = [int(o) for o in self.o.origins if o <= origin]
        cutoffs = sorted({self.cutoff(conf, o) for o in past})
        first_asked = {c: min(o for o in past if self.cutoff(conf, o) == c) for c in cutoffs}
        row = 0
        for c in cutoffs:
            row = row + 1 if self.fit_status(conf, c) in FAILED else 0
            if rules.failures_in_row and row >= rules.failures_in_row and origin - first_asked[c] < rules.rest_h:
                found.add("failures_in_row")
        if rules.mase_ratio is not None:
            pairs = []
            for error, step, made in self.errors(self.own, conf, origin, rules.window_h):
                q = self.o.scale[list(self.o.origins).index(made)]
                other = self.seasonal(made, step) - self.y(made + step - 1)
                if np.isfinite(q) and np.isfinite(other):
                    pairs.append((abs(error) / q, abs(other) / q))
            if len(pairs) >= rules.least_errors:
                ours, theirs = (sum(p[k] for p in pairs) for k in (0, 1))
                if ours / theirs > rules.mase_ratio:
                    found.add("mase_ratio")
        if rules.budget_s is not None:
            recent = [(conf.model, conf.window_h, c) for c in cutoffs if origin - rules.window_h < c <= origin]
            spent = [self.fits[key][1] for key in recent if key in self.fits]
            if spent and np.percentile(spent, 95) > rules.budget_s:
                found.add("budget_s")
        return found

    def may_join(self, conf: Configuration, origin: int) -> bool:
        own = self.own.get((conf, origin))
        return own is not None and all(map(self.plausible, own)) and not self.excluded(conf, origin)

    def weights(self, number: int, group: list[Configuration], origin: int) -> dict[Configuration, float]:
        how = self.serving.ensembles[number]
        used = [conf for conf in group if self.may_join(conf, origin)]
        if how.weights is Weights.INVERSE_ERROR:
            known = {conf: self.errors(self.own, conf, origin, how.window_h) for conf in used}
            if all(len(known[conf]) >= how.least_errors for conf in used):
                inverse = {c: 1 / np.mean([abs(e) for e, _, _ in known[c]]) for c in used}
                return {c: inverse[c] / sum(inverse.values()) for c in used}
        return {conf: 1 / len(used) for conf in used}

    def rows(self) -> dict[tuple[Configuration, int, int], dict[str, Any]]:
        """By configuration, origin and step."""
        groups: dict[Any, list[Configuration]] = {}
        for conf in self.models:
            groups.setdefault((conf.window_h, conf.refit_h, conf.policy), []).append(conf)
        joint: dict[Configuration, tuple[int, list[Configuration]]] = {}
        own: dict[Any, list[float]] = dict(self.own)
        for number, how in enumerate(self.serving.ensembles):
            for key, group in groups.items():
                members = [conf for conf in group if not how.members or conf.model in how.members]
                conf = Configuration(how.name, *key)
                joint[conf] = (number, members)
                for origin in self.usable:
                    weights = self.weights(number, members, origin)
                    paths = [np.array(self.own[member, origin]) for member in weights]
                    if paths and how.weights is Weights.MEDIAN:
                        own[conf, origin] = np.median(paths, axis=0).tolist()
                    elif paths:
                        own[conf, origin] = sum(w * p for w, p in zip(weights.values(), paths, strict=True)).tolist()
        out = {}
        for conf in (*self.models, *joint):
            for i, origin in enumerate(int(o) for o in self.o.origins):
                group = groups[conf.window_h, conf.refit_h, conf.policy]
                others = [two for two in group if two != conf and origin in self.usable and self.may_join(two, origin)]
                known = self.errors(own, conf, origin, None)
                for step in range(1, self.steps + 1):
                    row = self.row(conf, conf in joint, own, others, origin, step)
                    row |= self.quantiles(conf in joint, row, [e for e, s, _ in known if s == step])
                    if origin not in self.usable:
                        row["status"] = ["ok", "skipped_missing", "no_history", "stale_data"][self.o.code[i]]
                    elif row["served_by"] == "fit" and not self.plausible(row["yhat"]):
                        row["status"] = "implausible"
                    out[conf, origin, step] = row
        return out

    def row(self, conf: Configuration, is_joint: bool, own: Any, others: Any, origin: int, step: int) -> dict[str, Any]:
        cutoff = self.cutoff(conf, origin)
        status = self.fit_status(conf, cutoff)
        nothing = {"yhat": np.nan, "served_by": "none", "age": None, "fit": None, "model": None, "status": status}
        if (conf, origin) in own:
            yhat, path = own[conf, origin][step - 1], None if is_joint else self.path_of(conf, cutoff, origin)
            served = {"yhat": yhat, "served_by": "fit", "age": origin - cutoff, "fit": None if is_joint else cutoff}
            return {**nothing, **served, "model": path, "status": "ok" if is_joint else status}
        if is_joint:
            nothing["status"] = "no_members"
        elif status in ("ok", "constant"):
            nothing["status"] = "not_stored"
        for who in self.serving.on_failure if origin in self.usable else ():
            if who is StandIn.PREVIOUS_GOOD and not is_joint:
                found = self.previous(conf, cutoff, origin)
                if found is not None and step <= len(found[1][0]):
                    served = {"yhat": found[1][0][step - 1], "age": origin - found[0], "fit": found[0]}
                    return {**nothing, **served, "served_by": "previous_good", "model": found[1]}
            if who is StandIn.ENSEMBLE and others:
                yhat = float(np.median([self.own[two, origin][step - 1] for two in others]))
                return {**nothing, "yhat": yhat, "served_by": "ensemble", "age": origin - cutoff}
            if who is StandIn.SEASONAL_NAIVE and np.isfinite(self.seasonal(origin, step)):
                return {**nothing, "yhat": self.seasonal(origin, step), "served_by": "seasonal_naive"}
        return nothing

    def previous(self, conf: Configuration, cutoff: int, origin: int) -> tuple[int, Path] | None:
        """The newest earlier fit of the configuration's own schedule that served, and what its newest path says of the
        hours from this origin on."""
        while origin - (cutoff := cutoff - conf.refit_h) <= self.serving.oldest_h:
            mine = [o for o in self.usable if cutoff <= o < cutoff + conf.refit_h]
            if not mine:
                continue
            made = cutoff if conf.policy is Policy.STALE else max(mine)
            path = self.paths.get((conf.model, conf.window_h, cutoff, made))
            if path is not None:
                most = self.steps + max(mine) - made
                return cutoff, tuple(None if p is None else p[:most][origin - made :] for p in path)  # type: ignore[return-value]
        return None

    def quantiles(self, is_joint: bool, row: dict[str, Any], errors: list[float]) -> dict[str, float]:
        none = {"q10": np.nan, "q50": np.nan, "q90": np.nan}
        how = self.serving.quantiles
        if row["served_by"] not in ("fit", "previous_good"):
            return none
        n, e = len(errors), sorted(errors)
        low = (n + 1) // 10
        if how is not Quantiles.MODEL and n >= self.serving.least_errors and low >= 1:
            f = row["yhat"]
            return {"q10": f + e[low - 1], "q50": f + float(np.median(e)), "q90": f + e[n - low]}
        if how is Quantiles.CONFORMAL or is_joint or row["model"][1] is None:
            return none
        return {"q10": self._own(row, 1), "q50": row["yhat"], "q90": self._own(row, 2)}

    def _own(self, row: dict[str, Any], k: int) -> float:
        return float(row["model"][k][row["model"][0].index(row["yhat"])])
