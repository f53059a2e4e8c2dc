"""Whether the device was worn, from stillness, skin temperature and pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_S
from engine.night.signals.motion import AxisSums, MotionEpochs, across
from engine.night.signals.temperature import TemperatureEpochs
from kernels.rolling import rolling_mean, rolling_range
from kernels.wear import islands, latch, long_runs, runs, spreads

UNKNOWN, OFF, ON = -1, 0, 1
WINDOW, STEP = 3600 // EPOCH_S, 900 // EPOCH_S
STILL_RANGE_G, STILL_SD_G, STILL_AXES = 0.150, 0.013, 2
LONG_ISLAND, LONG_SHARE = 6 * 3600 // EPOCH_S, 0.30
SHORT_ISLAND, SHORT_SHARE = 3 * 3600 // EPOCH_S, 0.80
MINUTE, FIVE_MINUTES = 60 // EPOCH_S, 300 // EPOCH_S
COLD_C, BAG_C, COOL_C = 26.0, 28.0, 30.0
FALL_C_PER_MIN, RISE_C_PER_MIN = -0.2, 0.1
QUIET_SD_G, QUIET_SHARE = 0.008, 0.9
SILENT, BEATING = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class PulseSigns:
    """(n,) bool each. recorded: PPG samples exist, usable or not; absent: no pulse in the epoch; good: q_ppg ≥ 0.6."""

    recorded: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    good: NDArray[np.bool_]


def judge(
    n: int, motion: MotionEpochs | None, temperature: TemperatureEpochs | None, pulse: PulseSigns | None
) -> NDArray[np.int8]:
    """(n,) int8: 1 worn, 0 not worn, −1 unknown (DOMAIN C4).

    Not worn = still for an hour **and** (temperature says off **or** no pulse for five minutes), so that quiet sleep is
    not taken for a device on a table. A witness that was not recorded is not asked: without temperature and PPG
    stillness alone decides, without acceleration the other two, without all three nothing is known. A recording shorter
    than a window is one window. Departures:

    - An hour-long window misses what is laid aside for less and the ends of what is laid aside for longer (of 30 to
      150 min off within a night 29 to 90 % was seen). So a stretch that is quiet and without pulse, both by five
      minutes, is not worn either, from its start, if the temperature says off later in it (now 99 %). Without PPG
      quiet and temperature do, which is DETACH as published; without acceleration silence and temperature.
    - No pulse = no good ten seconds (q_ppg ≥ 0.6) in five minutes, and 80 % of them not feasible. Asked of all 30, the
      letter of F1 (a) is never met on a table: 10 % of windows of noise look feasible by chance (worn asleep: 96 %).
    - Five minutes of which half have a good pulse overrule the temperature: a hand may be cold (a laboratory session
      at 27 °C has a good pulse in 95 % of its epochs).
    - A device that moves can be in a bag; below 28 °C and without one good ten seconds of pulse in five minutes it is
      not worn either (nine of the real sessions are of this kind).
    - Five minutes without a temperature are cold, and as in a bag, where the device has the channel: a lost sample may
      have said so, and losing samples must not make a night look better (F). Else masking the temperature made up to
      94 % of a session worn that lay aside (18.8 points of its score). A good pulse overrules it as ever; a
      device without PPG whose sensor never said anything has none: else all quiet sleep were not worn.

    Sources: van Hees 2013, 10.1371/journal.pone.0061691; Vert 2022, 10.1186/s12874-022-01633-6.
    """
    if temperature is not None and pulse is None and temperature.lost.all():
        temperature = None
    if motion is None and temperature is None and pulse is None:
        return np.full(n, UNKNOWN, np.int8)
    still = candidates(motion.axes) if motion is not None else np.ones(n, np.bool_)
    if temperature is None and pulse is None:
        return np.where(still, OFF, ON).astype(np.int8)
    return np.where(_off(still, motion.axes if motion is not None else None, temperature, pulse), OFF, ON).astype(
        np.int8
    )


def _off(
    still: NDArray[np.bool_], axes: AxisSums | None, temperature: TemperatureEpochs | None, pulse: PulseSigns | None
) -> NDArray[np.bool_]:
    """(n,) bool: not worn, by what the recorded witnesses say. still: (n,) bool, in an hour without movement."""
    everywhere = np.ones(len(still), np.bool_)
    silent = without_pulse(pulse) if pulse is not None else everywhere
    if temperature is None:
        return still & silent
    sd_g = minute_sd_g(axes) if axes is not None else None
    cold = temperature_off(temperature, sd_g)
    if pulse is None:
        return still & cold | (_laid_aside(everywhere, cold, sd_g) if sd_g is not None else ~everywhere)
    off = still & cold & ~covered(pulse.good, BEATING) | _laid_aside(silent, cold, sd_g)
    if sd_g is not None:
        off |= still & silent
    cool = (_five_minutes(temperature)[1] < BAG_C) | lasting(temperature.lost)
    bag = lasting(pulse.recorded & ~pulse.good) & cool
    return off | bag


def candidates(axes: AxisSums) -> NDArray[np.bool_]:
    """(n,) bool: in a 60-min window with two still axes, after joining single flags and absorbing islands.

    Windows step by 15 min from the first epoch, the last one ends with the recording. A window without samples
    (lost, or masked as a flat line) is still: it cannot speak against the other witnesses.
    """
    n = len(axes.count)
    starts = _window_starts(n)
    flags = _still(axes, starts)
    if len(flags) > 2:
        flags[1:-1] |= flags[:-2] & flags[2:]
    out = np.zeros(n, np.bool_)
    for start in starts[flags]:
        out[start : start + WINDOW] = True
    result: NDArray[np.bool_] = islands(out, LONG_ISLAND, LONG_SHARE, SHORT_ISLAND, SHORT_SHARE)
    return result


def temperature_off(temperature: TemperatureEpochs, sd_g: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """(n,) bool: rules of DETACH on five centred minutes, clipped to the recording; off while five have no value.

    sd_g: of `minute_sd_g`, None without acceleration.

    Off when cold, or falling while quiet; on again when it is warm or warming **and** an axis has moved in the last
    five minutes. Movement is asked in both cases, as by the authors: else 26 °C alone would undo the falling rule at
    once. Without acceleration warmth alone says on.
    """
    low, high = _five_minutes(temperature)
    slope = rolling_mean(temperature.slope_c_per_min, FIVE_MINUTES // 2, FIVE_MINUTES // 2 - 1, 1)
    moving, quiet = _moving_and_quiet(sd_g, len(low))
    falling = (high < COOL_C) & (slope < FALL_C_PER_MIN) & quiet
    on = moving & ((slope > RISE_C_PER_MIN) | (low > COLD_C))
    result: NDArray[np.bool_] = latch((high < COLD_C) | falling | lasting(temperature.lost), on)
    return result


def without_pulse(pulse: PulseSigns) -> NDArray[np.bool_]:
    """(n,) bool: in five minutes, or a shorter recording, of PPG without a good epoch and with 80 % that are absent."""
    return covered(pulse.recorded & pulse.absent, SILENT) & lasting(pulse.recorded & ~pulse.good)


def covered(flag: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """(n,) bool: in five minutes, or a shorter recording, of which at least `share` have the flag.

    >>> np.flatnonzero(covered(np.arange(100) < 40, 0.9)).tolist() == list(range(43))
    True
    """
    n = len(flag)
    width = min(FIVE_MINUTES, n)
    running = np.concatenate([[0], np.cumsum(flag)])
    enough = running[width:] - running[: n - width + 1] >= share * width - 1e-9
    marks = np.zeros(n + 1, np.int64)
    marks[: len(enough)] += enough
    marks[width:] -= enough
    result: NDArray[np.bool_] = np.cumsum(marks[:n]) > 0
    return result


def lasting(failing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) bool: in a run of five minutes or longer, or of the whole of a shorter recording."""
    result: NDArray[np.bool_] = long_runs(failing, min(FIVE_MINUTES, len(failing)))
    return result


def _laid_aside(
    silent: NDArray[np.bool_], cold: NDArray[np.bool_], sd_g: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """(n,) bool: stretches quiet and without pulse, from their start to where the temperature last says off."""
    out = silent if sd_g is None else silent & covered(_quiet(sd_g), QUIET_SHARE)
    out = out.copy()
    for start, end in zip(*runs(out), strict=True):
        last = np.flatnonzero(cold[start:end])
        out[start + int(last[-1]) + 1 if len(last) else start : end] = False
    return out


def _five_minutes(temperature: TemperatureEpochs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = rolling_range(temperature.mean_c, FIVE_MINUTES // 2, FIVE_MINUTES // 2 - 1)
    return low, high


def _window_starts(n: int) -> NDArray[np.int64]:
    last = max(n - WINDOW, 0)
    return np.append(np.arange(0, last, STEP, dtype=np.int64), last)


def _still(axes: AxisSums, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(m,) bool: windows with two still axes or no samples. starts: (m,), the last window ends with the recording."""
    places = np.stack([starts, starts + WINDOW], axis=1).ravel()[:-1]
    low, high = np.minimum.reduceat(axes.low, places)[::2], np.maximum.reduceat(axes.high, places)[::2]
    width_g = (high - low) * np.abs(axes.scale_g)
    ends = np.minimum(starts + WINDOW, len(axes.count))
    count, _, sd = spreads(axes.count, axes.total, axes.squares, starts, ends)
    sd_g = sd * np.abs(axes.scale_g)
    still = ((width_g < STILL_RANGE_G) & (sd_g < STILL_SD_G)).sum(1) >= STILL_AXES
    result: NDArray[np.bool_] = still | (count == 0)
    return result


def _moving_and_quiet(sd_g: NDArray[np.float64] | None, n: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """An axis moved in the last five minutes; two are quiet in 90 % of five. Without axes neither speaks against."""
    if sd_g is None:
        return np.ones(n, np.bool_), np.ones(n, np.bool_)
    share = rolling_mean(_quiet(sd_g).astype(np.float64), FIVE_MINUTES // 2, FIVE_MINUTES // 2 - 1, 1)
    moving = across(sd_g >= QUIET_SD_G).any(0).astype(np.float64)
    return rolling_mean(moving, FIVE_MINUTES, 0, 1) > 0, share >= QUIET_SHARE


def _quiet(sd_g: NDArray[np.float64]) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = across(sd_g < QUIET_SD_G).sum(0) >= STILL_AXES
    return result


def minute_sd_g(axes: AxisSums) -> NDArray[np.float64]:
    """(n, 3) g: sd of the minute around each epoch; 0 where nothing was recorded."""
    n = len(axes.count)
    starts = np.maximum(np.arange(n) - MINUTE // 2, 0)
    ends = np.minimum(np.arange(n) + MINUTE // 2, n)
    sd_g: NDArray[np.float64] = spreads(axes.count, axes.total, axes.squares, starts, ends)[2] * np.abs(axes.scale_g)
    return sd_g
