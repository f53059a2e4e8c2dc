"""Adds up the errors of one series after another, and gives the sums as tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.backtest.grid import Configuration
from engine.backtest.scores.table import NOT_THE_MODEL, ORIGIN_SUMS, SCORE_SUMS, SERIES_SCORES, SERVERS
from kernels import scores as kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
_GROUPS = 2 * len(SERVERS)


@dataclass(frozen=True, slots=True)
class Rows:
    """All forecasts of one series by one configuration.

    (origins, steps) each, float64 with NaN = missing, or int32. y: observed, never filled. baseline: the seasonal naive
    forecast of the same rows. served: places in `table.SERVERS`; a row without yhat counts as none. age_h: −1 = none.
    (origins,) each: common: bool, whether every configuration of the series has this origin. back_h: int64, hours to
    the series' last origin. scale, scale_square: mean |y_t − y_{t−m}| and mean (y_t − y_{t−m})² of all data up to the
    origin, NaN or 0 = undefined.
    """

    y: Floats
    yhat: Floats
    q10: Floats
    q50: Floats
    q90: Floats
    baseline: Floats
    served: Codes
    age_h: Codes
    common: NDArray[np.bool_]
    back_h: Ints
    scale: Floats
    scale_square: Floats


_Key = tuple[str, Configuration, int]
_STANDS_IN = np.isin(np.arange(_GROUPS) // 2, NOT_THE_MODEL)


@dataclass(slots=True)
class ScoreSums:
    """The sums of one unit of work. Its memory does not grow with the series, but for a row in `series_scores` each."""

    cells: dict[_Key, Floats] = field(default_factory=dict)
    origins: dict[tuple[str, Configuration], Floats] = field(default_factory=dict)
    series: list[tuple[str, str, Configuration, int, Floats]] = field(default_factory=list)

    def add(self, subject_id: str, vital: str, configuration: Configuration, rows: Rows) -> None:
        """Take in one series. Any order gives the same sums (exactly, while they are below 2²⁹)."""
        if not rows.y.size:
            return
        marked = np.zeros(_GROUPS, np.bool_)
        oldest = kernel.find_groups(rows.yhat, rows.served, rows.age_h, rows.common, marked)
        present = np.flatnonzero(marked)
        slot = np.full(_GROUPS, -1, np.int64)
        slot[present] = np.arange(len(present))
        cells = np.zeros((len(present), oldest + 2, rows.y.shape[1], len(kernel.SUMS)))
        by_origin = np.zeros((len(rows.y), len(kernel.ORIGIN_SUMS)))
        paths = (rows.y, rows.yhat, rows.q10, rows.q50, rows.q90, rows.baseline)
        served = (rows.served, rows.age_h, rows.common)
        kernel.add_scores(cells, by_origin, *paths, *served, slot, _STANDS_IN, rows.scale, rows.scale_square)
        for number, part in zip(present.tolist(), cells, strict=True):
            key = (vital, configuration, number)
            self.cells[key] = _plus(self.cells.get(key), part)
            self.series.append((subject_id, vital, configuration, number, part.sum(axis=(0, 1))))
        self._add_origins(vital, configuration, by_origin[rows.common], rows.back_h[rows.common])

    def _add_origins(self, vital: str, configuration: Configuration, by_origin: Floats, back_h: Ints) -> None:
        if not len(back_h):
            return
        part = np.zeros((int(back_h.max()) + 1, by_origin.shape[1]))
        part[back_h] = by_origin
        key = (vital, configuration)
        self.origins[key] = _plus(self.origins.get(key), part)

    def tables(self, work_key: str) -> dict[str, pa.Table]:
        """`score_sums`, `series_scores` and `origin_sums`, sorted as their schemas say; empty cells are left out."""
        return {
            "score_sums": self._score_sums(work_key),
            "series_scores": self._series_scores(work_key),
            "origin_sums": self._origin_sums(work_key),
        }

    def _score_sums(self, work_key: str) -> pa.Table:
        keys, places, sums = [], [], [np.zeros((0, len(kernel.SUMS)))]
        for key in sorted(self.cells, key=_order):
            by_step = self.cells[key].transpose(1, 0, 2)  # sorted by step, then age
            step, age = np.nonzero(by_step[:, :, kernel.DUE])
            keys.append((key, len(step)))
            places.append(np.stack([step + 1, age - 1]))
            sums.append(by_step[step, age])
        place = np.concatenate([np.zeros((2, 0), np.int64), *places], axis=1)
        columns = _configuration_columns([(key[0], key[1], key[2], count) for key, count in keys])
        columns |= {"work_key": pa.array([work_key] * place.shape[1], pa.string()), "step": pa.array(place[0])}
        columns["age_h"] = pa.array(place[1], mask=place[1] < 0)
        return _table(SCORE_SUMS.schema, columns, np.concatenate(sums), kernel.SUMS)

    def _series_scores(self, work_key: str) -> pa.Table:
        kept = [one for one in self.series if one[4][kernel.DUE]]
        kept.sort(key=lambda one: (one[0], *_order((one[1], one[2], one[3]))))
        columns = _configuration_columns([(vital, conf, group, 1) for _, vital, conf, group, _ in kept])
        columns["work_key"] = pa.array([work_key] * len(kept), pa.string())
        columns["subject_id"] = pa.array([one[0] for one in kept], pa.string())
        sums = np.array([one[4] for one in kept]).reshape(-1, len(kernel.SUMS))
        return _table(SERIES_SCORES.schema, columns, sums, kernel.SUMS)

    def _origin_sums(self, work_key: str) -> pa.Table:
        keys, backs, sums = [], [], [np.zeros((0, len(kernel.ORIGIN_SUMS)))]
        for vital, configuration in sorted(self.origins, key=lambda key: _order((*key, 0))):
            held = self.origins[vital, configuration]
            back = np.flatnonzero(held[:, 0])
            keys.append((vital, configuration, 0, len(back)))
            backs.append(back)
            sums.append(held[back])
        columns = _configuration_columns(keys)
        back = np.concatenate([np.zeros(0, np.int64), *backs])
        columns |= {"work_key": pa.array([work_key] * len(back), pa.string()), "back_h": pa.array(back)}
        return _table(ORIGIN_SUMS.schema, columns, np.concatenate(sums), kernel.ORIGIN_SUMS)


def _plus(held: Floats | None, part: Floats) -> Floats:
    """The sum of two arrays, of which either may be shorter in its first axis."""
    if held is None:
        return part.copy()
    if len(held) < len(part):
        held, part = part.copy(), held
    held[: len(part)] += part
    return held


def _order(key: _Key) -> tuple[str, str, int, int, str, str, int]:
    """As the tables are sorted: nulls (an expanding window) first."""
    vital, conf, group = key
    window_h = -1 if conf.window_h is None else conf.window_h
    return vital, conf.model, window_h, conf.refit_h, str(conf.policy), SERVERS[group // 2], group % 2


def _configuration_columns(keys: list[tuple[str, Configuration, int, int]]) -> dict[str, pa.Array]:
    """Columns of (vital, configuration, group) keys, each repeated as often as it has rows."""
    index = np.repeat(np.arange(len(keys)), [key[3] for key in keys])
    named = {
        "vital": pa.array([key[0] for key in keys], pa.string()),
        "model": pa.array([key[1].model for key in keys], pa.string()),
        "window_h": pa.array([key[1].window_h for key in keys], pa.int64()),
        "refit_h": pa.array([key[1].refit_h for key in keys], pa.int64()),
        "policy": pa.array([str(key[1].policy) for key in keys], pa.string()),
        "served_by": pa.array([SERVERS[key[2] // 2] for key in keys], pa.string()),
        "common": pa.array([bool(key[2] % 2) for key in keys], pa.bool_()),
    }
    return {name: values.take(pa.array(index)) for name, values in named.items()}


def _table(schema: pa.Schema, columns: dict[str, pa.Array], sums: Floats, names: tuple[str, ...]) -> pa.Table:
    for i, name in enumerate(names):
        columns[name] = pa.array(sums[:, i].astype(schema.field(name).type.to_pandas_dtype()))
    return pa.table([columns[name] for name in schema.names], schema=schema)
