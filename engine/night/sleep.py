"""When the sleeper slept: the sleep period time window, and sleep or wake inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.epochs import ASLEEP, AWAKE, UNKNOWN, Epochs
from engine.night.grid import EPOCH_US
from engine.night.signals.motion import SLOT_US, SLOTS, across
from engine.night.signals.stillness import (
    FIXED_THRESHOLD_DEG,
    GAP_SLOTS,
    HOUR_SLOTS,
    hdcza,
    joined,
    sustained_inactivity,
    threshold_deg,
)
from engine.night.wear import OFF, ON
from engine.night.zones import Zone, as_date, window_us
from kernels.wear import runs

DAY_AND_NIGHT_US = 12 * HOUR_SLOTS * SLOT_US
LEAST_NIGHT_SLOTS = 3 * HOUR_SLOTS
LEAST_ACC_SLOTS = HOUR_SLOTS


@dataclass(frozen=True, slots=True)
class Sleep:
    """method: hdcza, hdcza_fixed, session or none. The window is [onset_us, end_us), UTC µs; (0, 0) for none.

    state: (n,) int8 an epoch: 1 asleep, 0 awake, −1 unknown or outside the window. long_bout: (n,) bool, in
    a bout of 15 min or longer without posture change.
    """

    method: str
    onset_us: int
    end_us: int
    state: NDArray[np.int8]
    long_bout: NDArray[np.bool_]


def find(epochs: Epochs, zone: Zone) -> Sleep:
    """The sleep period of one night (DOMAIN B4, B5). epochs: dense.

    Departures: HDCZA's fixed threshold presumes a device worn at night, so with less than 12 h recorded the window has
    to overlap local 21:00–09:00 by 3 h, as a session's has to; and no window is shorter than 3 h. Otherwise any still
    half hour of a day-time recording would be a night of sleep.
    """
    angle = epochs.angle5_deg.ravel()
    worn = np.repeat(epochs.wear != OFF, SLOTS)
    fixed = int(epochs.recorded.sum()) * EPOCH_US < DAY_AND_NIGHT_US
    if np.isfinite(angle).sum() < LEAST_ACC_SLOTS:
        method, spans = "session", session_spans(epochs)
    elif fixed:
        method, spans = "hdcza_fixed", hdcza(angle, worn, FIXED_THRESHOLD_DEG)
    else:
        method, spans = "hdcza", hdcza(angle, worn, threshold_deg(angle, _in_window(epochs, zone)))
    span = _longest(spans, None if method == "hdcza" else np.repeat(zone.is_night(epochs.ts_us), SLOTS))
    if span is None:
        unknown = np.full(len(epochs), UNKNOWN, np.int8)
        return Sleep("none", 0, 0, unknown, np.zeros(len(epochs), np.bool_))
    start_us = int(epochs.ts_us[0])
    onset_us, end_us = (start_us + at * SLOT_US for at in span)
    inside = (epochs.ts_us >= onset_us) & (epochs.ts_us < end_us)
    if method == "session":
        state = np.where(inside & (epochs.wear == ON), ASLEEP, UNKNOWN).astype(np.int8)
        return Sleep(method, onset_us, end_us, state, np.zeros(len(epochs), np.bool_))
    asleep, long_bout = (np.all(across(flag.reshape(-1, SLOTS)), axis=0) for flag in sustained_inactivity(angle))
    known = inside & (epochs.wear == ON) & across(np.isfinite(epochs.angle5_deg)).any(0)
    state = np.where(known, np.where(asleep, ASLEEP, AWAKE), UNKNOWN).astype(np.int8)
    return Sleep(method, onset_us, end_us, state, long_bout)


def session_spans(epochs: Epochs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends (slots) of stretches worn, joined over gaps of at most 60 min: all that is left without ACC."""
    starts, ends = runs(epochs.wear == ON)
    return joined(starts * SLOTS, ends * SLOTS, GAP_SLOTS)


def _in_window(epochs: Epochs, zone: Zone) -> NDArray[np.bool_]:
    low_us, high_us = window_us(zone, as_date(int(epochs.night[0])))
    return np.repeat((epochs.ts_us >= low_us) & (epochs.ts_us < high_us), SLOTS)


def _longest(
    spans: tuple[NDArray[np.int64], NDArray[np.int64]], night: NDArray[np.bool_] | None
) -> tuple[int, int] | None:
    """The longest span (the earliest of equals) of at least 3 h, of which 3 h at night where `night` is given."""
    best = None
    for start, end in zip(*(side.tolist() for side in spans), strict=True):
        at_night = end - start if night is None else int(night[start:end].sum())
        longer = best is None or end - start > best[1] - best[0]
        if longer and min(at_night, end - start) >= LEAST_NIGHT_SLOTS:
            best = (start, end)
    return best
