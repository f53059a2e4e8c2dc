"""From three axes of acceleration to movement and posture of each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_S, EPOCH_US, Grid
from engine.night.recording import Channel, Recording, Segment
from kernels.angle import slot_angles
from kernels.edges import first_samples
from kernels.movement import CLIPPED, COUNT, HIGH, LOW, SQUARES, SUM, deviation, movement

AXES = ("acc_x", "acc_y", "acc_z")
SLOTS = 2
"""Five-second slots in an epoch; posture and sleep are judged on them."""
SLOT_US = EPOCH_US // SLOTS
LEAST_SHARE = 0.9
CLIP_SHARE_OF_RANGE = 0.9375
"""An axis is clipped within 6 % of its range: beyond 7.5 of 8 g."""
MOST_CLIPPED = 0.3
STILL_SD_G, STILL_MEAN_G = 0.013, 2.0
"""A window is still where each axis's sd is below 13 mg and its mean below 2 g (van Hees 2014)."""
CALIBRATION_US = 10_000_000


@dataclass(frozen=True, slots=True)
class AxisSums:
    """Exact sums of raw values over each epoch, for windows of any length. scale: (3,) g a step.

    count: (n,) samples; total, squares, low, high: (n, 3) int64; low > high where there is no sample.
    """

    count: NDArray[np.int64]
    total: NDArray[np.int64]
    squares: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    scale_g: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionEpochs:
    """(n,) float64 an epoch, NaN = missing. angle5_deg: (n, 2), the mean of each five seconds.

    present: share of samples recorded; q_acc: share recorded and not clipped; cal_error_mg: |‖mean‖ − 1 g| where still.
    """

    enmo_mg: NDArray[np.float64]
    mad_mg: NDArray[np.float64]
    angle_z_deg: NDArray[np.float64]
    angle5_deg: NDArray[np.float64]
    present: NDArray[np.float64]
    q_acc: NDArray[np.float64]
    cal_error_mg: NDArray[np.float64]
    axes: AxisSums


@dataclass(frozen=True, slots=True)
class Triple:
    """Three axes sampled together; values: three (n,) int32."""

    t0_us: int
    fs_hz: float
    values: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]

    def bounds(self, start_us: int, step_us: int, n: int) -> NDArray[np.int64]:
        """(n + 1,) int64: the first sample at or after each edge; a sample on an edge belongs to what follows."""
        found: NDArray[np.int64] = first_samples(self.t0_us, self.fs_hz, len(self.values[0]), start_us, step_us, n)
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    """Sums of a stretch, as `kernels.movement` gives them, over epochs from `low` on; bounds: of these in samples."""

    triple: Triple
    low: int
    bounds: NDArray[np.int64]
    floats: NDArray[np.float64]
    integers: NDArray[np.int64]


def measure(recording: Recording, grid: Grid) -> MotionEpochs | None:
    """Movement of each epoch (DOMAIN C3); None where an axis is absent.

    ENMO and MAD from samples, the angle from medians of five seconds (van Hees 2015, 10.1371/journal.pone.0142533). An
    epoch needs 90 % of its samples and at most 30 % of them clipped.

    Departure from B4: one median a slot, and interpolated within its step. Rolling medians of an E4 that lies near a
    border between two of its steps of 1/64 g jump by 0.9° as chance goes, more than any threshold of stillness, and
    whole postures were lost: on 6 of 24 generated nights the sleep period was 5 to 166 min off, now on none (at most
    0.8 min). Tried a threshold of 0.5° for coarse devices: as good, but a different rule for each device.
    """
    channels = [recording.channels[name] for name in AXES if name in recording.channels]
    if len(channels) < len(AXES):
        return None
    scale = np.array([c.scale for c in channels])
    offset = np.array([c.offset for c in channels])
    clip_g = _clip_g(channels)
    expected, sums = np.zeros(grid.n), np.zeros((grid.n, 3))
    integers = np.zeros((grid.n, 14), np.int64)
    integers[:, LOW : LOW + 3], integers[:, HIGH : HIGH + 3] = 2**31, -(2**31)
    angles, counts = np.zeros(SLOTS * grid.n), np.zeros(SLOTS * grid.n, np.int64)
    parts = []
    for triple in _triples(channels):
        low, high = _span(triple, grid)
        slots = triple.bounds(grid.start_us + low * EPOCH_US, SLOT_US, SLOTS * (high - low))
        bounds = slots[::SLOTS].copy()
        part = _Part(triple, low, bounds, *movement(*triple.values, scale, offset, bounds, clip_g))
        parts.append(part)
        sums[low:high, :2] += part.floats[:, :2]
        _add(integers[low:high], part.integers)
        expected[low:high] = np.maximum(expected[low:high], triple.fs_hz * EPOCH_S)
        degrees, samples = slot_angles(*triple.values, scale, offset, slots)
        angles[SLOTS * low : SLOTS * high] += degrees * samples
        counts[SLOTS * low : SLOTS * high] += samples
    for part in parts:
        own = slice(part.low, part.low + len(part.floats))
        sums[own, 2] += _deviations(part, sums[own, 0], integers[own, COUNT], scale, offset)
    return _epochs(sums, integers, angles, counts, expected, scale, offset)


def _deviations(
    part: _Part,
    total: NDArray[np.float64],
    count: NDArray[np.int64],
    scale: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(m,) Σ |‖a‖ − mean ‖a‖| over the part's samples. total, count: (m,) of all parts, which may share an epoch."""
    own = part.integers[:, COUNT]
    around = part.floats[:, 2].copy()
    for e in np.flatnonzero((own > 0) & (own < count)).tolist():
        x, y, z = (axis[part.bounds[e] : part.bounds[e + 1]] for axis in part.triple.values)
        around[e] = deviation(x, y, z, scale, offset, total[e] / count[e])
    return around


def _epochs(
    sums: NDArray[np.float64],
    integers: NDArray[np.int64],
    angles: NDArray[np.float64],
    counts: NDArray[np.int64],
    expected: NDArray[np.float64],
    scale: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> MotionEpochs:
    count = integers[:, COUNT]
    filled = np.maximum(count, 1)
    present = np.minimum(count / np.maximum(expected, 1.0), 1.0)
    clipped = integers[:, CLIPPED] / filled
    usable = (present >= LEAST_SHARE) & (clipped <= MOST_CLIPPED)
    by_slot, in_slot = angles.reshape(-1, SLOTS), counts.reshape(-1, SLOTS)
    enough = in_slot >= LEAST_SHARE / SLOTS * expected[:, None]
    axes = AxisSums(
        count,
        integers[:, SUM : SUM + 3],
        integers[:, SQUARES : SQUARES + 3],
        integers[:, LOW : LOW + 3],
        integers[:, HIGH : HIGH + 3],
        scale,
    )
    return MotionEpochs(
        enmo_mg=_where(usable, 1000.0 * sums[:, 1] / filled),
        mad_mg=_where(usable, 1000.0 * sums[:, 2] / filled),
        angle_z_deg=_where(usable, across(by_slot).sum(0) / filled),
        angle5_deg=_where(enough & (in_slot > 0) & usable[:, None], by_slot / np.maximum(in_slot, 1)),
        present=present,
        q_acc=_where(count > 0, present * (1.0 - clipped) * (clipped <= MOST_CLIPPED), 0.0),
        cal_error_mg=_calibration_error_mg(axes, offset, usable),
        axes=axes,
    )


def _calibration_error_mg(
    axes: AxisSums, offset: NDArray[np.float64], usable: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """|‖mean‖ − 1 g| of each still epoch, in mg; NaN where it moves."""
    filled = np.maximum(axes.count, 1)[:, None]
    mean_raw = axes.total / filled
    sd_g = np.sqrt(np.maximum(axes.squares / filled - mean_raw**2, 0.0)) * np.abs(axes.scale_g)
    mean_g = mean_raw * axes.scale_g + offset
    still = usable & across((sd_g < STILL_SD_G) & (np.abs(mean_g) < STILL_MEAN_G)).all(0)
    return _where(still, 1000.0 * np.abs(np.sqrt(across(mean_g**2).sum(0)) - 1.0))


def across(values: NDArray[Any]) -> NDArray[Any]:
    """(k, n) of (n, k), k small: NumPy reduces the first axis of one in a tenth of the time of the other's second."""
    return np.ascontiguousarray(values.T)


def _add(into: NDArray[np.int64], row: NDArray[np.int64]) -> None:
    into[:, :LOW] += row[:, :LOW]
    np.minimum(into[:, LOW:HIGH], row[:, LOW:HIGH], out=into[:, LOW:HIGH])
    np.maximum(into[:, HIGH:], row[:, HIGH:], out=into[:, HIGH:])


def _where(condition: NDArray[np.bool_], values: NDArray[np.float64], otherwise: float = np.nan) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.where(condition, values, otherwise)
    return result


def _clip_g(channels: list[Channel]) -> float:
    """The acceleration from which an axis counts as clipped; infinite where the device states no range."""
    ranges = [c.info.get("sensor_range") for c in channels]
    stated = [float(r) for r in ranges if isinstance(r, int | float) and r > 0]
    return CLIP_SHARE_OF_RANGE * min(stated) if stated else np.inf


def _span(triple: Triple, grid: Grid) -> tuple[int, int]:
    end_us = triple.t0_us + round((len(triple.values[0]) - 1) * 1e6 / triple.fs_hz)
    low, high = ((t_us - grid.start_us) // EPOCH_US for t_us in (triple.t0_us, end_us))
    return max(low, 0), min(high + 1, grid.n)


def _triples(channels: list[Channel]) -> Iterator[Triple]:
    """Stretches where all three axes have samples at one rate, aligned to the nearest sample."""
    places = [0, 0, 0]
    while all(place < len(channel.segments) for place, channel in zip(places, channels, strict=True)):
        here = [channel.segments[place] for place, channel in zip(places, channels, strict=True)]
        triple = _overlap(here)
        if triple is not None:
            yield triple
        ends = [segment.end_us for segment in here]
        for axis in range(len(AXES)):
            places[axis] += ends[axis] == min(ends)


def _overlap(segments: list[Segment]) -> Triple | None:
    fs_hz = segments[0].fs_hz
    start_us = max(s.t0_us for s in segments)
    if any(s.fs_hz != fs_hz for s in segments):
        return None
    skip = [round((start_us - s.t0_us) * fs_hz / 1e6) for s in segments]
    length = min(len(s.values) - k for s, k in zip(segments, skip, strict=True))
    if length <= 0:
        return None
    x, y, z = (np.ascontiguousarray(s.values[k : k + length]) for s, k in zip(segments, skip, strict=True))
    return Triple(start_us, fs_hz, (x, y, z))
