"""Served series to the tables of a unit of work, one after the other, so that only columns are held."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from engine.backtest.contract import Ints
from engine.backtest.scores import sums
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.origins import STATUSES
from engine.backtest.serve.ensemble import Weighed
from engine.backtest.serve.exclusions import Event
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.observed import Observed
from engine.backtest.serve.rows import Rows, finite, known
from engine.backtest.serve.serve import Served
from engine.backtest.serve.stored import Stored
from engine.backtest.serve.tables import EXCLUSIONS, MEMBER_STATUSES, RULES, WEIGHTS
from engine.backtest.tables import ORIGINS
from engine.module import Table


@dataclass
class Output:
    """Everything that a unit of work writes but the table `series`. Series come in the order of (subject_id, vital)."""

    layout: Layout
    rows: Rows
    scores: sums.ScoreSums = field(default_factory=sums.ScoreSums)
    _weights: list[dict[str, pa.Array]] = field(default_factory=list)
    _exclusions: list[dict[str, pa.Array]] = field(default_factory=list)
    _origins: list[dict[str, pa.Array]] = field(default_factory=list)

    def add(self, observed: Observed, stored: Stored, served: Served) -> None:
        """Take in one series; its scores are added up while its arrays are at hand."""
        self.rows.add((observed.subject_id, observed.vital), observed.origins, served, stored)
        self._score(observed, served)
        self._origins.append(_of_series(observed, observed.origins) | _judged(observed))
        self._weights += [self._weighed(observed, one) for one in served.weighed]
        if served.events:
            self._exclusions.append(self._events(observed, served.events))

    def tables(self, work_key: str) -> dict[str, pa.Table]:
        """All tables, sorted as their schemas say."""
        return {
            "forecasts": self.rows.table(work_key),
            "origins": _table(ORIGINS, self._origins, work_key),
            "weights": _table(WEIGHTS, self._weights, work_key),
            "exclusions": _table(EXCLUSIONS, self._exclusions, work_key),
            **self.scores.tables(work_key),
        }

    def _score(self, observed: Observed, served: Served) -> None:
        back_h = observed.origins[-1:] - observed.origins
        who, age_h = served.served_by.astype(np.int64), served.age_h.astype(np.int64)
        for c, configuration in enumerate(self.layout.configurations):
            rows = sums.Rows(
                served.y,
                served.yhat[c],
                served.q10[c],
                served.q50[c],
                served.q90[c],
                served.seasonal,
                who[c],
                age_h[c],
                served.common,
                back_h,
                observed.scale,
                observed.scale_square,
            )
            self.scores.add(observed.subject_id, observed.vital, configuration, rows)

    def _weighed(self, observed: Observed, found: Weighed) -> dict[str, pa.Array]:
        """By origin, then member."""
        at = np.flatnonzero(observed.usable)
        names = [self.layout.configurations[m].model for m in found.members.tolist()]
        by_name = np.argsort(np.array(names))
        n = len(at) * len(names)
        mae = found.mae[by_name][:, at].T.reshape(-1)
        return {
            **_of_series(observed, np.repeat(observed.origins[at], len(names))),
            **self._configuration(found.configuration, n),
            "member": pa.array(names, pa.string()).take(pa.array(np.tile(by_name, len(at)))),
            "weight": finite(found.weight[by_name][:, at].T.reshape(-1)),
            "status": pa.array(MEMBER_STATUSES).take(pa.array(found.status[by_name][:, at].T.reshape(-1))),
            "n_errors": pa.array(found.n_errors[by_name][:, at].T.reshape(-1)),
            "mae": finite(mae),
        }

    def _events(self, observed: Observed, events: tuple[Event, ...]) -> dict[str, pa.Array]:
        chosen = [self.layout.configurations[one.configuration] for one in events]
        return {
            **_of_series(observed, observed.origins[[one.origin for one in events]]),
            "model": pa.array([one.model for one in chosen], pa.string()),
            "window_h": pa.array([one.window_h for one in chosen], pa.int64()),
            "refit_h": pa.array([one.refit_h for one in chosen], pa.int64()),
            "policy": pa.array([str(one.policy) for one in chosen], pa.string()),
            "rule": pa.array([RULES[one.rule] for one in events], pa.string()),
            "excluded": pa.array([one.excluded for one in events], pa.bool_()),
            "value": finite(np.array([one.value for one in events])),
            "allowed": finite(np.array([one.allowed for one in events])),
        }

    def _configuration(self, c: int, n: int) -> dict[str, pa.Array]:
        one = self.layout.configurations[c]
        return {
            "model": pa.repeat(pa.scalar(one.model, pa.string()), n),
            "window_h": pa.repeat(pa.scalar(one.window_h, pa.int64()), n),
            "refit_h": pa.repeat(pa.scalar(one.refit_h, pa.int64()), n),
            "policy": pa.repeat(pa.scalar(str(one.policy), pa.string()), n),
        }


def _of_series(observed: Observed, origins: Ints) -> dict[str, pa.Array]:
    return {
        "subject_id": pa.repeat(pa.scalar(observed.subject_id, pa.string()), len(origins)),
        "vital": pa.repeat(pa.scalar(observed.vital, pa.string()), len(origins)),
        "origin": pa.array(origins * HOUR_US).view(ORIGINS.schema.field("origin").type),
    }


def _judged(observed: Observed) -> dict[str, pa.Array]:
    statuses = pa.array([str(status) for status in STATUSES], pa.string())
    return {
        "n_recent": known(observed.n_recent, np.ones(len(observed.n_recent), np.bool_)),
        "status": statuses.take(pa.array(observed.code)),
    }


def _table(declared: Table, parts: list[dict[str, pa.Array]], work_key: str) -> pa.Table:
    names = [name for name in declared.schema.names if name != "work_key"]
    columns = {
        name: pa.chunked_array([part[name] for part in parts], declared.schema.field(name).type) for name in names
    }
    n = sum(len(part["origin"]) for part in parts)
    columns["work_key"] = pa.chunked_array([pa.repeat(pa.scalar(work_key, pa.string()), n)])
    return pa.table([columns[name] for name in declared.schema.names], schema=declared.schema)
