"""Served series to rows of `forecasts`: columns are filled whole, and no Python runs for a single row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.backtest.contract import Ints
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.serve import Served
from engine.backtest.serve.stored import SeriesKey, Stored
from engine.backtest.serve.tables import ROW_STATUSES, SERVED_BY
from engine.backtest.tables import FORECASTS
from engine.schemas import TIME
from engine.tables.coded import coded, table_of

FLOATS = ("yhat", "q10", "q50", "q90", "y")


class Rows:
    """Columns of a known number of rows, filled series by series in the table's order."""

    def __init__(self, layout: Layout, steps: int, n: int) -> None:
        self._layout, self._steps = layout, steps
        self._used = 0
        self._floats = {name: np.empty(n) for name in FLOATS}
        self._fit = np.empty(n, np.int32)
        self._age_h = np.empty(n, np.int32)
        self._codes = {name: np.empty(n, np.int8) for name in ("served_by", "status")}
        self._origin = list[Ints]()
        self._series = list[SeriesKey]()
        self._fit_ids = list[pa.Array]()
        self._n_fits = 0

    def add(self, series: SeriesKey, origins: Ints, served: Served, stored: Stored) -> None:
        """The next series; origins: (n,) hour numbers. Series come in the order of (subject_id, vital)."""
        rows = slice(self._used, self._used + served.yhat.size)
        shape = served.yhat.shape
        for name in FLOATS[:-1]:
            self._floats[name][rows] = getattr(served, name).reshape(-1)
        self._floats["y"][rows].reshape(shape)[:] = served.y
        fit = served.fit.reshape(-1)
        self._fit[rows] = np.where(fit < 0, fit, fit + self._n_fits)
        self._age_h[rows] = served.age_h.reshape(-1)
        for name, held in self._codes.items():
            held[rows] = getattr(served, name).reshape(-1)
        self._origin.append(origins)
        self._series.append(series)
        self._fit_ids.append(stored.fit_id)
        self._n_fits += len(stored.fit_id)
        self._used = rows.stop

    def table(self, work_key: str) -> pa.Table:
        """The rows of `forecasts` in its order."""
        configurations = self._layout.configurations
        c, steps, n = len(configurations), self._steps, self._used
        counts = [len(origins) for origins in self._origin]
        a_series = np.array([c * count * steps for count in counts])
        a_block = np.repeat(np.array(counts, np.int64) * steps, c)
        origin = np.concatenate([np.zeros(0, np.int64), *(np.tile(origins, c) for origins in self._origin)])
        hour = (np.repeat(origin, steps).reshape(-1, steps) + np.arange(steps)).reshape(-1)
        named = [(one.model, one.window_h, one.refit_h, str(one.policy)) for one in configurations] * len(counts)
        kinds = (pa.string(), pa.int64(), pa.int64(), pa.string())
        columns = {
            "work_key": runs([work_key], np.array([n]), pa.string()),
            "subject_id": runs([subject for subject, _ in self._series], a_series, pa.string()),
            "vital": runs([vital for _, vital in self._series], a_series, pa.string()),
            "fit_id": coded(pa.concat_arrays([pa.array([], pa.string()), *self._fit_ids]), self._fit[:n]),
            "origin": pa.array(np.repeat(origin * HOUR_US, steps)).view(TIME),
            "step": pa.array(np.tile(np.arange(1, steps + 1), len(origin))),
            "ts": pa.array(hour * HOUR_US).view(TIME),
            "age_h": known(self._age_h[:n].astype(np.int64), self._age_h[:n] >= 0),
            "served_by": coded(SERVED_BY, self._codes["served_by"][:n]),
            "status": coded(ROW_STATUSES, self._codes["status"][:n]),
        }
        for at, (name, kind) in enumerate(zip(("model", "window_h", "refit_h", "policy"), kinds, strict=True)):
            columns[name] = runs([one[at] for one in named], a_block, kind)
        for name, values in self._floats.items():
            columns[name] = finite(values[:n])
        return table_of(columns, FORECASTS.schema)


def runs(values: Sequence[str | int | None], lengths: Sequence[int] | NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    """Each value so many times; texts as codes."""
    if kind == pa.string():
        texts = pa.array(values, kind).dictionary_encode()
        return coded(texts.dictionary, np.repeat(texts.indices.to_numpy(), lengths))
    there = np.asarray(lengths, np.int64) > 0
    held = pa.array(values, kind).filter(pa.array(there))
    ends = pa.array(np.cumsum(np.asarray(lengths, np.int64)[there]).astype(np.int32))
    return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(ends, held)) if len(held) else held


def finite(values: NDArray[np.float64]) -> pa.Array:
    """NaN and infinities become null; −0 becomes 0."""
    return known(values + 0.0, np.isfinite(values))


def known(values: NDArray[np.float64] | NDArray[np.int64], there: NDArray[np.bool_]) -> pa.Array:
    """An Arrow array over `values`, which it keeps; null where not `there`."""
    kind = pa.from_numpy_dtype(values.dtype)
    if there.all():
        return pa.array(values)
    bits = np.packbits(there, bitorder="little")
    return pa.Array.from_buffers(kind, len(values), [pa.py_buffer(bits), pa.py_buffer(values)])
