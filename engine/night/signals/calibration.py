"""Autocalibration of the accelerometer (DOMAIN C2): a wrist held still feels 1 g, however it is turned."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.module import Calibration, Source
from engine.night.grid import EPOCH_US, Grid
from engine.night.recording import Recording
from engine.night.signals import motion
from engine.night.signals.motion import AXES, LEAST_SHARE, STILL_MEAN_G, STILL_SD_G, AxisSums, MotionEpochs, across
from kernels.sphere import distance, fit_sphere
from kernels.wear import spreads

OWN_FIT_EPOCHS = 72 * 3600 * 1_000_000 // EPOCH_US
"""A recording with so many epochs of acceleration is calibrated by itself."""
LEAST_WINDOWS = 10
LEAST_SPREAD_G = 0.3
MOST_END_ERROR_MG = 10.0
DECIMALS = 6
"""Of the coefficients, so that their hash does not hang on the last bit of a sum."""

Floats = NDArray[np.float64]
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Correction:
    """Makes (measured + offset_g)·scale of each axis. cal_id: a hash of both; `identity` for none."""

    cal_id: str
    scale: Three
    offset_g: Three


IDENTITY = Correction("identity", (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Fit:
    """An accepted fit. Errors: mean |‖a‖ − 1 g| over its n windows before and after, in mg."""

    correction: Correction
    start_error_mg: float
    end_error_mg: float
    n: int


def fit(still_g: Floats) -> Fit | None:
    """Coefficients from means of still windows, (n, 3) g; None where the rule does not accept them.

    The rule: 10 windows; each axis below −0.3 g and above 0.3 g; the error after below 10 mg, and below the one before.
    Source: van Hees 2014, 10.1152/japplphysiol.00421.2014. Departure: no term for the sensor's temperature.
    """
    points = np.ascontiguousarray(still_g)
    if (
        len(points) < LEAST_WINDOWS
        or (points.min(0) >= -LEAST_SPREAD_G).any()
        or (points.max(0) <= LEAST_SPREAD_G).any()
    ):
        return None
    scale, offset = (np.round(found, DECIMALS) for found in fit_sphere(points))
    before, after = (1000.0 * distance(points, *pair) for pair in ((np.ones(3), np.zeros(3)), (scale, offset)))
    if not (after < MOST_END_ERROR_MG and after < before):
        return None
    return Fit(correction(scale.tolist(), offset.tolist()), before, after, len(points))


def correction(scale: list[float], offset_g: list[float]) -> Correction:
    (sx, sy, sz), (ox, oy, oz) = scale, offset_g
    values = Correction("", (sx, sy, sz), (ox, oy, oz))
    return replace(values, cal_id=hashlib.sha256(coefficients(values).encode()).hexdigest()[:12])


def coefficients(values: Correction) -> str:
    """As text, for a table of calibrations."""
    return json.dumps({"offset_g": values.offset_g, "scale": values.scale})


def read(calibration: Calibration) -> Correction:
    """Raises `ValueError` for coefficients that are not `coefficients` wrote them, or are no gain near 1."""
    try:
        told = json.loads(calibration.coefficients)
        made = correction(*([float(value) for value in told[name]] for name in ("scale", "offset_g")))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"calibration {calibration.cal_id} of {calibration.device}: {error!r}") from error
    if not all(0.5 <= value <= 2.0 for value in made.scale) or not all(abs(value) <= 1.0 for value in made.offset_g):
        raise ValueError(f"calibration {calibration.cal_id} of {calibration.device}: {calibration.coefficients}")
    return replace(made, cal_id=calibration.cal_id)


def device_of(recording: Recording, subject_id: str) -> str:
    """The device's name: vendor, model and serial number, or for want of one whose device it is."""
    device = recording.device
    return " ".join(filter(None, (device.vendor, device.model, device.serial or f"of {subject_id}")))


def in_force(recording: Recording, grid: Grid, source: Source) -> Correction:
    """A long recording's own fit, else the device's as the Source brings it, else the identity."""
    if grid.n >= OWN_FIT_EPOCHS:
        moved = motion.measure(recording, grid)
        if moved is not None and (moved.present >= LEAST_SHARE).sum() >= OWN_FIT_EPOCHS:
            own = still_g(moved, recording)
            found = fit(own[np.isfinite(own[:, 0])])
            if found is not None:
                return found.correction
    name = device_of(recording, source.subject_id)
    return next((read(one) for one in source.calibrations if one.device == name), IDENTITY)


def corrected(recording: Recording, values: Correction) -> Recording:
    """The same samples, whose scale and offset now make calibrated accelerations."""
    if values is IDENTITY or not all(name in recording.channels for name in AXES):
        return recording
    channels = dict(recording.channels)
    for name, scale, offset_g in zip(AXES, values.scale, values.offset_g, strict=True):
        channel = channels[name]
        channels[name] = replace(channel, scale=channel.scale * scale, offset=(channel.offset + offset_g) * scale)
    return replace(recording, channels=channels)


def still_g(moved: MotionEpochs, recording: Recording) -> Floats:
    """(n, 3) float64 g: the mean of each still epoch, NaN where it moves. recording: as read, without correction, so
    that windows, and what is estimated from them, do not depend on the calibration in force."""
    sums: AxisSums = moved.axes
    scale = np.array([recording.channels[name].scale for name in AXES])
    offset = np.array([recording.channels[name].offset for name in AXES])
    each = np.arange(len(sums.count))
    _, mean, sd = spreads(sums.count, sums.total, sums.squares, each, each + 1)
    mean_g, sd_g = mean * scale + offset, sd * np.abs(scale)
    still = (moved.present >= LEAST_SHARE) & across((sd_g < STILL_SD_G) & (np.abs(mean_g) < STILL_MEAN_G)).all(0)
    result: Floats = np.where(still[:, None], mean_g, np.nan)
    return result
