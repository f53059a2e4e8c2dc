"""Merge the sessions of one Source epoch by epoch, then decide what depends on the merged course of wear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.night import wear
from engine.night.epochs import Epochs, concatenate
from engine.night.grid import EPOCH_US
from engine.night.nights import Session
from engine.night.reasons import BIT
from engine.night.signals.temperature import HIGH_C, LOW_C

DONNING_US = 15 * 60 * 1_000_000


def merge(parts: Sequence[Epochs], sessions: Sequence[Session]) -> Epochs:
    """One row for each ten seconds, in time order: of several the one with the higher q_ppg, then of the file with the
    lower SHA-256 (DOMAIN B3). `parts[i]` comes from `sessions[i]`."""
    if len(parts) == 1:
        return parts[0]
    rows = concatenate(parts)
    shas = sorted({s.recording.sha256 for s in sessions})
    rank = np.array([shas.index(s.recording.sha256) for s in sessions], np.int64)
    order = np.lexsort((rows.session, rank[rows.session], -rows.q_ppg, rows.ts_us))
    ts_us = rows.ts_us[order]
    first = np.concatenate([[True], ts_us[1:] != ts_us[:-1]])
    starts = np.flatnonzero(first)
    copies = np.diff(np.append(starts, len(ts_us)))
    merged = rows.take(order[starts])
    return replace(merged, reasons=merged.reasons | np.where(copies > 1, BIT["MULTI_SRC"], 0))


def settle(epochs: Epochs) -> Epochs:
    """Skin temperature where worn, in range and 15 min after donning; quality and reasons that hang on wear.

    The start of a recording is a donning unless the device was worn at most 15 min before: E4 and its like are switched
    on when they are put on, and the first minutes show the skin warming the sensor.
    """
    worn = epochs.wear == wear.ON
    usable = worn & ~donning(epochs.ts_us, worn) & (epochs.temp_c >= LOW_C) & (epochs.temp_c <= HIGH_C)
    q_temp = np.where(worn, epochs.q_temp, 0.0)
    reasons = epochs.reasons | np.where(epochs.wear == wear.OFF, BIT["NONWEAR"], 0)
    reasons |= np.where(worn & (epochs.temp > 0) & (q_temp == 0), BIT["TEMP_UNSTABLE"], 0)
    return replace(
        epochs, skin_temp_c=np.where(usable, epochs.temp_c, np.nan), q_temp=q_temp, reasons=reasons.astype(np.int64)
    )


def donning(ts_us: NDArray[np.int64], worn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) bool: less than 15 min after the device was put on. ts_us ascending; worn: (n,) bool."""
    if not len(ts_us):
        return np.zeros(0, np.bool_)
    hole = np.diff(ts_us, prepend=ts_us[0] - 2 * DONNING_US) - EPOCH_US > DONNING_US
    before = np.concatenate([[False], worn[:-1]])
    put_on = worn & (~before | hole)
    latest = np.maximum.accumulate(np.where(put_on, ts_us, np.iinfo(np.int64).min // 2))
    result: NDArray[np.bool_] = worn & (ts_us - latest < DONNING_US)
    return result
