"""The same work by the usual libraries: zipfile with polars, NumPy with SciPy. What nightmill is measured against."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter, find_peaks, sosfiltfilt

Channels = dict[str, NDArray[np.float64]]
PULSE_HZ, MOTION_HZ = 64, 32


def inflate(data: bytes) -> dict[str, bytes]:
    """Every member of the zip, by the standard library."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def parse(members: dict[str, bytes]) -> Channels:
    """The regular channels as float64 arrays, by polars' CSV reader. Expects a flawless export."""
    channels = {}
    for name in ("ACC", "BVP", "EDA", "TEMP"):
        table = pl.read_csv(members[f"{name}.csv"], has_header=False, skip_rows=2)
        channels[name] = table.to_numpy().astype(np.float64).squeeze()
    return channels


def pulse(channels: Channels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Band-pass 0.5–8 Hz over the whole night, peaks, and RMSSD of each minute: (beat times s, RMSSD ms)."""
    bands = butter(2, (0.5, 8.0), "bandpass", fs=PULSE_HZ, output="sos")
    filtered = sosfiltfilt(bands, -channels["BVP"])
    peaks, _ = find_peaks(filtered, distance=PULSE_HZ // 3, prominence=0.5 * filtered.std())
    beats = peaks / PULSE_HZ
    squares = (np.diff(beats, n=2) * 1000) ** 2
    minute = (beats[2:] // 60).astype(np.int64)
    count = np.bincount(minute)
    return beats, np.sqrt(np.bincount(minute, squares) / np.maximum(count, 1))


def motion(channels: Channels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ENMO of each 10 s in mg, and the z-angle of each 5 s from the rolling median of each axis, in degrees."""
    g = channels["ACC"] / 64
    whole = len(g) // (10 * MOTION_HZ) * 10 * MOTION_HZ
    norm = np.sqrt(np.einsum("ij,ij->i", g, g))
    enmo = np.maximum(norm - 1, 0)[:whole].reshape(-1, 10 * MOTION_HZ).mean(axis=1) * 1000
    x, y, z = (median_filter(g[:, axis], 5 * MOTION_HZ + 1) for axis in range(3))
    angle = np.degrees(np.arctan2(z, np.hypot(x, y)))[:whole].reshape(-1, 5 * MOTION_HZ).mean(axis=1)
    return enmo, angle
