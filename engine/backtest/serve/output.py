"""Served series to the tables of a unit of work, one after the other, so that only columns are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.backtest.contract import Ints
from engine.backtest.scores import sums
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.origins import STATUSES
from engine.backtest.serve.ensemble import Weighed
from engine.backtest.serve.exclusions import Event
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.observed import Observed
from engine.backtest.serve.rows import Rows, finite, runs
from engine.backtest.serve.serve import Served
from engine.backtest.serve.stored import SeriesKey, Stored
from engine.backtest.serve.tables import EXCLUSIONS, MEMBER_STATUSES, RULES, WEIGHTS
from engine.backtest.tables import ORIGINS
from engine.module import Table
from engine.schemas import TIME
from engine.tables.coded import coded, table_of

Columns = dict[str, pa.Array]


@dataclass
class Output:
    """Everything that a unit of work writes but the table `series`. Series come in the order of (subject_id, vital)."""

    layout: Layout
    rows: Rows
    scores: sums.ScoreSums = field(default_factory=sums.ScoreSums)
    _observed: list[Observed] = field(default_factory=list)
    _weighed: list[tuple[Weighed, ...]] = field(default_factory=list)
    _events: list[tuple[Event, ...]] = field(default_factory=list)

    def add(self, observed: Observed, stored: Stored, served: Served) -> None:
        """Take in one series; its scores are added up while its arrays are at hand."""
        self.rows.add((observed.subject_id, observed.vital), observed.origins, served, stored)
        self._score(observed, served)
        self._observed.append(observed)
        self._weighed.append(served.weighed)
        self._events.append(served.events)

    def tables(self, work_key: str) -> dict[str, pa.Table]:
        """All tables, sorted as their schemas say."""
        return {
            "forecasts": self.rows.table(work_key),
            "origins": self._origins(work_key),
            "weights": self._weights(work_key),
            "exclusions": self._exclusions(work_key),
            **self.scores.tables(work_key),
        }

    def _score(self, observed: Observed, served: Served) -> None:
        back_h = observed.origins[-1:] - observed.origins
        for c, configuration in enumerate(self.layout.configurations):
            rows = sums.Rows(
                served.y,
                served.yhat[c],
                served.q10[c],
                served.q50[c],
                served.q90[c],
                served.seasonal,
                served.served_by[c],
                served.age_h[c],
                served.common,
                back_h,
                observed.scale,
                observed.scale_square,
            )
            self.scores.add(observed.subject_id, observed.vital, configuration, rows)

    def _origins(self, work_key: str) -> pa.Table:
        counts = [len(one.origins) for one in self._observed]
        columns = {
            "origin": _times(_joined([one.origins for one in self._observed])),
            "n_recent": pa.array(_joined([one.n_recent for one in self._observed])),
            "status": coded(
                [str(status) for status in STATUSES], _joined([one.code for one in self._observed], np.int8)
            ),
        }
        return self._table(ORIGINS, columns, counts, work_key)

    def _weights(self, work_key: str) -> pa.Table:
        """By origin, then member; their order in a layout is by name."""
        held = [
            (one, np.flatnonzero(one.usable), w)
            for one, of in zip(self._observed, self._weighed, strict=True)
            for w in of
        ]
        names = [one.model for one in self.layout.configurations]
        columns = {
            "origin": _times(_joined([np.repeat(one.origins[at], len(w.members)) for one, at, w in held])),
            "member": coded(names, _joined([np.tile(w.members, len(at)) for _, at, w in held])),
            "weight": finite(_joined([w.weight[:, at].T.reshape(-1) for _, at, w in held], np.float64)),
            "status": coded(MEMBER_STATUSES, _joined([w.status[:, at].T.reshape(-1) for _, at, w in held], np.int8)),
            "n_errors": pa.array(_joined([w.n_errors[:, at].T.reshape(-1) for _, at, w in held])),
            "mae": finite(_joined([w.mae[:, at].T.reshape(-1) for _, at, w in held], np.float64)),
        }
        sizes = [len(at) * len(w.members) for _, at, w in held]
        columns |= self._configured([w.configuration for _, _, w in held], sizes)
        each = [
            sum(int(one.usable.sum()) * len(w.members) for w in of)
            for one, of in zip(self._observed, self._weighed, strict=True)
        ]
        return self._table(WEIGHTS, columns, each, work_key)

    def _exclusions(self, work_key: str) -> pa.Table:
        events = [event for of in self._events for event in of]
        origins = [
            one.origins[event.origin] for one, of in zip(self._observed, self._events, strict=True) for event in of
        ]
        columns = {
            "origin": _times(np.array(origins, np.int64)),
            "rule": coded(RULES, np.array([event.rule for event in events], np.int64)),
            "excluded": pa.array([event.excluded for event in events], pa.bool_()),
            "value": finite(np.array([event.value for event in events], np.float64)),
            "allowed": finite(np.array([event.allowed for event in events], np.float64)),
        }
        columns |= self._configured([event.configuration for event in events], [1] * len(events))
        return self._table(EXCLUSIONS, columns, [len(of) for of in self._events], work_key)

    def _configured(self, which: Sequence[int], lengths: Sequence[int]) -> Columns:
        chosen = [self.layout.configurations[c] for c in which]
        return {
            "model": runs([one.model for one in chosen], lengths, pa.string()),
            "window_h": runs([one.window_h for one in chosen], lengths, pa.int64()),
            "refit_h": runs([one.refit_h for one in chosen], lengths, pa.int64()),
            "policy": runs([str(one.policy) for one in chosen], lengths, pa.string()),
        }

    def _table(self, declared: Table, columns: Columns, counts: Sequence[int], work_key: str) -> pa.Table:
        """counts: rows of each series."""
        keys: list[SeriesKey] = [(one.subject_id, one.vital) for one in self._observed]
        columns["work_key"] = runs([work_key], [sum(counts)], pa.string())
        columns["subject_id"] = runs([subject for subject, _ in keys], counts, pa.string())
        columns["vital"] = runs([vital for _, vital in keys], counts, pa.string())
        return table_of(columns, declared.schema)


def _joined(arrays: Sequence[NDArray[Any]], kind: type = np.int64) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *arrays]).astype(kind, copy=False)


def _times(hours: Ints) -> pa.Array:
    return pa.array(hours * HOUR_US).view(TIME)
