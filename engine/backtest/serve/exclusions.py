"""Who does not take part in ensembles, by rules that look at the past only. They never decide whether a fit is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.serve.errors import Known, Past
from engine.backtest.serve.settings import Exclusions
from engine.backtest.serve.tables import FAILURES, FIT_STATUSES, RULES
from kernels.serving import ABSENT

Flags = NDArray[np.bool_]
_FAILED = np.array([status in FAILURES for status in FIT_STATUSES] + [False])
"""By status code; the last is for ABSENT."""


@dataclass(frozen=True, slots=True)
class Event:
    """A configuration (index) goes out, or comes back, at an origin (index), by a rule (index of `RULES`)."""

    configuration: int
    origin: int
    rule: int
    excluded: bool
    value: float
    allowed: float


@dataclass(frozen=True, slots=True)
class Excluded:
    """out: (c, n) bool. events: changes, by configuration, then origin, then rule."""

    out: Flags
    events: tuple[Event, ...]


def exclude(rules: Exclusions, fit: Ints, status: Ints, cpu_s: Floats, cutoff: Ints, past: Past) -> Excluded:
    """fit: (c, n) index of the fit that rules each origin, ABSENT = none; status, cpu_s: of all fits; cutoff: (c, n)
    hour numbers of those fits. An ensemble, which has no fits, is never excluded."""
    out = np.zeros(fit.shape, np.bool_)
    events: list[Event] = []
    for rule, (marks, value, allowed) in _judged(rules, fit, status, cpu_s, cutoff, past):
        out |= marks
        events += _changes(RULES.index(rule), marks, value, allowed)
    events.sort(key=lambda one: (one.configuration, one.origin, RULES[one.rule]))
    return Excluded(out, tuple(events))


_Judgement = tuple[Flags, Floats, float]


def _judged(
    rules: Exclusions, fit: Ints, status: Ints, cpu_s: Floats, cutoff: Ints, past: Past
) -> Iterator[tuple[str, _Judgement]]:
    if rules.failures_in_row:
        yield "failures_in_row", _by_failures(rules, _FAILED[np.append(status, ABSENT)[fit]], cutoff, past.origins)
    if rules.mase_ratio is not None:
        yield "mase_ratio", _by_error(rules, rules.mase_ratio, fit, past.within(rules.window_h))
    if rules.budget_s is not None:
        yield "budget_s", _by_cost(rules, rules.budget_s, fit, cpu_s, cutoff, past.origins)


def _by_failures(rules: Exclusions, failed: Flags, cutoff: Ints, origins: Ints) -> _Judgement:
    """Out from the last of so many failures in a row on, for `rest_h` after each such moment."""
    out, value = np.zeros(failed.shape, np.bool_), np.zeros(failed.shape)
    for c in np.flatnonzero(failed.any(axis=1)).tolist():
        first = np.concatenate([[True], np.diff(cutoff[c]) != 0])  # origin at which a fit is first asked for
        bad = failed[c, first]
        number = np.arange(1, len(bad) + 1)
        in_row = number - np.maximum.accumulate(np.where(bad, 0, number))
        fit = np.cumsum(first) - 1
        since = np.where(in_row >= rules.failures_in_row, origins[first], np.iinfo(np.int64).min // 2)
        out[c] = origins - np.maximum.accumulate(since)[fit] < rules.rest_h
        value[c] = in_row[fit]
    return out, value, float(rules.failures_in_row - 1)


def _by_error(rules: Exclusions, most: float, fit: Ints, known: Known) -> _Judgement:
    enough = (known.n_paired >= rules.least_errors) & (fit != ABSENT).any(axis=1)[:, None]
    with np.errstate(invalid="ignore"):
        return enough & (known.ratio > most), known.ratio, most


def _by_cost(rules: Exclusions, most: float, fit: Ints, cpu_s: Floats, cutoff: Ints, origins: Ints) -> _Judgement:
    value = np.full(fit.shape, np.nan)
    for c in range(len(fit)):
        mine, at = np.unique(fit[c][fit[c] != ABSENT], return_index=True)
        when = cutoff[c][fit[c] != ABSENT][at]
        for i, origin in enumerate(origins.tolist()):
            spent = cpu_s[mine[(when > origin - rules.window_h) & (when <= origin)]]
            spent = spent[np.isfinite(spent)]
            value[c, i] = np.percentile(spent, 95) if len(spent) else np.nan
    with np.errstate(invalid="ignore"):
        return value > most, value, most


def _changes(rule: int, marks: Flags, value: Floats, allowed: float) -> Iterator[Event]:
    changed = marks.copy()
    changed[:, 1:] ^= marks[:, :-1]
    for c, i in zip(*(found.tolist() for found in np.nonzero(changed)), strict=True):
        yield Event(c, i, rule, bool(marks[c, i]), float(value[c, i]), allowed)
