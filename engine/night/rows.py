"""From arrays to the three Arrow tables. NaN becomes null here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.module import Source
from engine.night.epochs import UNKNOWN, Epochs
from engine.night.features import HOUR
from engine.night.grid import EPOCH_US
from engine.night.nights import Session
from engine.night.nights_table import NIGHTS
from engine.night.quality import GOOD_PPG, GOOD_TEMP, Judged
from engine.night.recording import stated
from engine.night.tables import EPOCHS, VITALS
from engine.night.wear import ON
from engine.vitals.hours import Hours, by_hour
from engine.vitals.plausibility import LIMITS

RAW, DERIVED = "raw", "derived"
STATES = pa.array(["wake", "sleep"], pa.string())
FLOATS = tuple(one.name for one in EPOCHS.schema if pa.types.is_floating(one.type))
NIGHT = pa.struct(NIGHTS.schema)


def epochs_table(epochs: Epochs, source: Source) -> pa.Table:
    """Rows of `epochs`, in time order."""
    columns: dict[str, Any] = {
        "ts": pa.array(epochs.ts_us).view(EPOCHS.schema.field("ts").type),
        "night_date": pa.array(epochs.night).view(pa.date32()),
        "utc_offset_min": pa.array((epochs.offset_s // 60).astype(np.int32)),
        "sleep_state": STATES.take(_known(epochs.sleep)),
        "wear": _known(epochs.wear),
        "rr_n": _known(epochs.rr_n),
        "quiet_sleep": _known(epochs.quiet),
        "reasons": pa.array(epochs.reasons),
    }
    arrays = {name: _floats(getattr(epochs, name)) for name in FLOATS}
    return _table(EPOCHS.schema, {**columns, **arrays}, source, len(epochs))


def nights_table(nights: Iterable[Judged], sessions: Sequence[Session], source: Source) -> pa.Table:
    """Rows of `nights`, in date order. sessions: all of the Source, as their epochs number them."""
    same = {"subject_id": source.subject_id, "source_id": source.source_id}
    rows = [{**same, **_night(judged), **_device(judged, sessions)} for judged in nights]
    told = [{name: value for name, value in row.items() if _is_told(value)} for row in rows]
    return pa.Table.from_arrays(pa.array(told, NIGHT).flatten(), schema=NIGHTS.schema)


def vitals_table(epochs: Epochs, derived: Mapping[str, Hours], source: Source) -> pa.Table:
    """Rows of `vitals`: hours of epochs worn with a good pulse, or with steady temperature; for hours without them the
    hours of a device's own readings."""
    levels = {RAW: _raw_hours(epochs)}
    levels[DERIVED] = {vital: _besides(levels[RAW].get(vital), hours) for vital, hours in derived.items()}
    parts = [(level, vital, hours) for level, each in levels.items() for vital, hours in each.items()]
    return _hours_table(parts, source)


def _raw_hours(epochs: Epochs) -> dict[str, Hours]:
    worn = epochs.wear == ON
    good, steady = worn & (epochs.q_ppg >= GOOD_PPG), worn & (epochs.q_temp >= GOOD_TEMP)
    return {
        vital: by_hour(vital, epochs.ts_us[chosen], values[chosen], epochs.sleep[chosen])
        for vital, values, chosen in (
            ("hr_bpm", epochs.hr_bpm, good),
            ("rmssd_ms", epochs.rmssd_ms, good),
            ("skin_temp_c", epochs.skin_temp_c, steady),
            ("rr_brpm", epochs.rr_brpm, good),
        )
    }


def _besides(ours: Hours | None, theirs: Hours) -> Hours:
    """The hours of theirs that ours lack."""
    if ours is None:
        return theirs
    kept = ~np.isin(theirs.ts_us, ours.ts_us)
    return Hours(*(getattr(theirs, one.name)[kept] for one in fields(Hours)))


def _hours_table(parts: Sequence[tuple[str, str, Hours]], source: Source) -> pa.Table:
    def every(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(hours, name) for *_, hours in parts])

    names = [vital for _, vital, hours in parts for _ in hours.ts_us]
    ts_type, arrived_type = (VITALS.schema.field(name).type for name in ("ts", "arrived_at"))
    columns = {
        "vital": pa.array(names, pa.string()),
        "ts": pa.array(every("ts_us")).view(ts_type),
        "unit": pa.array([LIMITS[name].unit for name in names], pa.string()),
        "value": _floats(every("value")),
        "n": pa.array(every("n")),
        "min": _floats(every("low")),
        "max": _floats(every("high")),
        "sd": _floats(every("sd")),
        "mean_gap_s": _floats(every("mean_gap_s")),
        "asleep_share": _floats(every("asleep_share")),
        "n_sources": pa.array(np.ones(len(names), np.int64)),
        "arrived_at": pa.array([source.received_at] * len(names), arrived_type),
        "source_level": pa.array([level for level, _, hours in parts for _ in hours.ts_us], pa.string()),
    }
    return _table(VITALS.schema, columns, source, len(names))


def _night(judged: Judged) -> dict[str, Any]:
    epochs = judged.night.epochs
    recorded = np.flatnonzero(epochs.recorded)
    return {
        **judged.values,
        "night_date": judged.night.day,
        "wake_date": judged.night.day + 1,
        "start": int(epochs.ts_us[recorded[0]]),
        "end": int(epochs.ts_us[recorded[-1]]) + EPOCH_US,
        "recorded_h": len(recorded) / HOUR,
        "wear_h": float((epochs.wear == ON).sum()) / HOUR,
        "spt_method": judged.night.sleep.method,
        "cal_id": "+".join(sorted({session.correction.cal_id for session in judged.night.sessions})),
        "night_score": judged.score,
        "score_basis": list(judged.basis),
        "band": judged.band,
        "reasons": list(judged.reasons),
    }


def _device(judged: Judged, sessions: Sequence[Session]) -> dict[str, str | None]:
    """What the session with most epochs of the night states; no serial number, which tells whose night it is."""
    epochs = judged.night.epochs
    most = int(np.bincount(epochs.session[epochs.recorded]).argmax())
    device = sessions[most].recording.device
    return {"device": device.name, "firmware": stated(device.firmware)}


def _table(schema: pa.Schema, columns: dict[str, Any], source: Source, n: int) -> pa.Table:
    same = {"subject_id": pa.repeat(source.subject_id, n), "source_id": pa.repeat(source.source_id, n)}
    return pa.Table.from_arrays([{**same, **columns}[name] for name in schema.names], schema=schema)


def _floats(values: NDArray[np.float64]) -> pa.Array:
    """NaN and infinities become null; −0 becomes 0."""
    return pa.array(values + 0.0, mask=~np.isfinite(values))


def _known(values: NDArray[np.int8]) -> pa.Array:
    return pa.array(values, mask=values == UNKNOWN)


def _is_told(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not np.isfinite(value))
