"""Still windows of a night, thinned by direction: all that a calibration over many nights needs of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.module import Source
from engine.night.epochs import Epochs
from engine.night.nights import Session
from engine.night.signals.calibration import device_of
from engine.night.tables import STILL_WINDOWS

CELLS_A_SIDE = 4
A_CELL = 2
"""Windows kept of each cell: with 6 faces of 4 × 4 cells at most 192 a night and device."""


def table(epochs: Epochs, sessions: Sequence[Session], source: Source) -> pa.Table:
    """Rows of `still_windows`, in time order. epochs: merged; a window's row says which session it came from."""
    devices = [device_of(session.recording, source.subject_id) for session in sessions]
    number = np.array([devices.index(device) for device in devices], np.int64)
    still = np.flatnonzero(np.isfinite(epochs.still_g[:, 0]))
    kept = still[thinned(epochs.still_g[still], epochs.night[still], number[epochs.session[still]])]
    schema = STILL_WINDOWS.schema
    columns = {
        "subject_id": pa.repeat(source.subject_id, len(kept)),
        "source_id": pa.repeat(source.source_id, len(kept)),
        "night_date": pa.array(epochs.night[kept]).view(pa.date32()),
        "ts": pa.array(epochs.ts_us[kept]).view(schema.field("ts").type),
        "device": pa.array([devices[session] for session in epochs.session[kept].tolist()], pa.string()),
        **{f"{axis}_g": pa.array(epochs.still_g[kept, k] + 0.0) for k, axis in enumerate("xyz")},
    }
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def thinned(points: NDArray[np.float64], night: NDArray[np.int32], device: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of (n, 3) points to keep, ascending: of each night, device and direction two, a quarter from either end.

    Whole windows, no means of a cell: directions that differ by degrees have a mean that is too short by milligrams.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    group = np.stack([night, device, direction(points)])
    order = np.lexsort(group[::-1])
    sorted_group = group[:, order]
    first = np.concatenate([[True], (sorted_group[:, 1:] != sorted_group[:, :-1]).any(0)])
    starts = np.flatnonzero(first)
    count = np.diff(np.append(starts, len(points)))
    places = [starts + (2 * k + 1) * count // (2 * A_CELL) for k in range(A_CELL)]
    kept: NDArray[np.int64] = np.unique(order[np.concatenate(places)])
    return kept


def direction(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) int64: the cell of a cube's surface that each of (n, 3) points looks at, 0 to 95."""
    axis = np.abs(points).argmax(1)
    rows = np.arange(len(points))
    main = points[rows, axis]
    face = 2 * axis + (main < 0)
    cell = face
    for step in (1, 2):
        share = (points[rows, (axis + step) % 3] / np.where(main == 0.0, 1.0, np.abs(main)) + 1.0) / 2.0
        place = np.clip((share * CELLS_A_SIDE).astype(np.int64), 0, CELLS_A_SIDE - 1)
        cell = cell * CELLS_A_SIDE + place
    result: NDArray[np.int64] = cell.astype(np.int64)
    return result
