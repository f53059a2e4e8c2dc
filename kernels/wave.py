"""The wave of a window and the intervals of a night, described by single numbers."""

from __future__ import annotations

import numpy as np

from kernels.arrays import Flags, Floats


def kurtosis(x: Floats) -> float:
    """Pearson's kurtosis, (1/n)·Σ((x − mean)/sd)⁴ with sd over n: 3 of a normal distribution. x: (n,), no NaN.

    NaN where x is empty or constant. Elgendi 2016, doi 10.3390/bioengineering3040021.

    >>> round(kurtosis(np.array([1.0, 2.0, 3.0, 10.0])), 9)
    2.2304
    """
    squares = (x - x.mean()) ** 2 if len(x) else x
    variance = float(squares.mean()) if len(x) else 0.0
    return float((squares**2).mean()) / variance**2 if variance > 0 else np.nan


def crossings(x: Floats) -> int:
    """How often x changes its sign; a zero has the sign of what was before. x: (n,), no NaN.

    >>> crossings(np.array([0.0, 1.0, 0.0, 2.0, -1.0, 0.0, 3.0]))
    2
    """
    signs = np.sign(x[x != 0.0])
    return int((signs[1:] != signs[:-1]).sum())


def band_share(x: Floats, fs_hz: float, low_hz: float, high_hz: float, top_hz: float) -> float:
    """Power from low_hz to high_hz as a share of that up to top_hz, both ends included, 0–1; the mean is taken off.

    x: (n,), no NaN, fs_hz samples a second; periodogram with a Hann taper. NaN where there is no power.
    Elgendi 2016, doi 10.3390/bioengineering3040021.

    >>> round(band_share(np.sin(2 * np.pi * 1.5 * np.arange(640) / 64), 64.0, 1.0, 2.25, 8.0), 9)
    1.0
    """
    if not len(x):
        return np.nan
    power = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x) + 1)[:-1])) ** 2
    hz = np.fft.rfftfreq(len(x), 1.0 / fs_hz)
    every = float(power[hz <= top_hz].sum())
    return float(power[(hz >= low_hz) & (hz <= high_hz)].sum()) / every if every > 0 else np.nan


def steps_above(ibi_ms: Floats, valid: Flags, limits_ms: tuple[float, ...]) -> tuple[int, tuple[int, ...]]:
    """How many differences of successive intervals there are, and how many exceed each limit (strictly), to the µs.

    ibi_ms: (k,) ms; valid: (k,) NN. A difference is formed between neighbours in the array that are both valid, as for
    RMSSD: an interval after a hole must be invalid. Task Force 1996, doi 10.1161/01.CIR.93.5.1043.

    >>> steps_above(np.array([1000.0, 1100, 900, 1050, 1000, 960]), np.ones(6, np.bool_), (20.0, 50.0))
    (5, (5, 3))
    """
    both = valid[1:] & valid[:-1]
    step_ms = np.round(np.abs(np.diff(ibi_ms)[both]), 3)
    return len(step_ms), tuple(int((step_ms > limit).sum()) for limit in limits_ms)
