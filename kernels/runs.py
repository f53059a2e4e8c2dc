"""Blocks in the order in which a device recorded them, to runs of blocks that follow each other (DOMAIN A8)."""

from __future__ import annotations

import numpy as np
from numba import njit

SECOND_US, SYNC_US = 10**6, 2 * 10**6
"""A clock that steps back by more than SYNC_US was reset, not synchronised."""
EARLIEST_US = 1_104_537_600 * SECOND_US
"""2005-01-01: before it no wearable of this kind recorded."""
LATEST_US = 4_102_444_800 * SECOND_US
"""2100-01-01: later times are forged or overflown."""
DRIFT_SAMPLES = 0.5
"""A block that ends as much nearer or farther than its rate says measures no other one."""
_RESET_2010_US = (1_262_304_000 * SECOND_US, 1_264_982_400 * SECOND_US)
_FLOATS = "Array(float64, 1, 'C', readonly=True)"
_INTS = "Array(int64, 1, 'C', readonly=True)"
_FLAGS = "Array(boolean, 1, 'C', readonly=True)"


@njit(f"UniTuple(int64, 2)({_FLOATS}, {_FLOATS}, {_INTS}, {_FLAGS}, int64[::1], int64[::1])", cache=True)
def follow(t0_us, fs_hz, sizes, forced, run, skip):  # type: ignore[no-untyped-def]
    """Fill run, the number of each block's run from 0 on, −1 for a block that has no place; and skip, how many of its
    first samples lie where time is filled already. Returns how often the clock was reset and how often it stepped back.

    t0_us: (n,) float64 whole UTC µs of first samples; sizes: samples; forced: begins a run whatever its time. A run
    goes on where a block meets the last one within a sample and the clock was not reset. A block that a reset put into
    1970, 2000 or January 2010, where clocks fall back to, has no place.
    """
    runs, resets, backs, end_us = 0, 0, 0, -np.inf
    for i in range(t0_us.size):
        run[i], skip[i] = -1, 0
        step_us, jitter_us = t0_us[i] - end_us, SECOND_US / fs_hz[i]
        if step_us < -SYNC_US:
            resets += 1
            if t0_us[i] < EARLIEST_US or _RESET_2010_US[0] <= t0_us[i] < _RESET_2010_US[1]:
                continue
        elif step_us < -jitter_us:
            backs += 1
            skip[i] = np.int64(min(np.ceil((end_us - t0_us[i]) * fs_hz[i] / SECOND_US), np.float64(sizes[i])))
            if skip[i] == sizes[i]:
                continue
        runs += step_us < -min(jitter_us, SYNC_US) or step_us > jitter_us or forced[i]
        run[i] = runs - 1
        begin_us = t0_us[i] + np.rint(skip[i] * SECOND_US / fs_hz[i])
        end_us = begin_us + np.rint((sizes[i] - skip[i]) * SECOND_US / fs_hz[i])
    return resets, backs


@njit(f"boolean({_INTS}, {_FLOATS}, {_INTS}, {_FLAGS})", cache=True)
def unbroken(t0_us, fs_hz, sizes, forced):  # type: ignore[no-untyped-def]
    """Whether the blocks are one run at the rate that they state, so that there is nothing to measure, move or drop.

    t0_us: (n,) int64 UTC µs of first samples; sizes: samples, ≥ 1; forced as in `follow`, which finds one run then.
    Each block begins where its predecessor ends, within DRIFT_SAMPLES for a block of any of the sizes, and within a
    sample of where the rate has it, counted from the first on.
    """
    before, end_us, largest = np.int64(0), 0.0, sizes.max() if sizes.size else np.int64(0)
    for i in range(t0_us.size):
        if not 0 <= t0_us[i] < LATEST_US or fs_hz[i] != fs_hz[0]:
            return False
        if i:
            step_us, off_us = t0_us[i] - t0_us[i - 1], t0_us[i] - end_us
            ratio = step_us * fs_hz[i] / (sizes[i - 1] * SECOND_US)
            if forced[i] or step_us <= 0 or abs(off_us) > min(SECOND_US / fs_hz[i], SYNC_US):
                return False
            astray = (t0_us[i] - t0_us[0]) * fs_hz[i] / SECOND_US - before
            if abs(ratio - 1) * largest > DRIFT_SAMPLES or abs(astray) > 1.0:
                return False
        before += sizes[i]
        end_us = t0_us[i] + np.rint(sizes[i] * SECOND_US / fs_hz[i])
    return before > 0
