"""The shape of the pulse wave, in NumPy's words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def agreement(a: Floats, b: Floats) -> float:
    if not len(a) + len(b):
        return 0.0
    left = sorted(b.tolist())
    same = 0
    for beat in sorted(a.tolist()):
        near = [other for other in left if abs(other - beat) <= 0.15]
        if near:
            left = [other for other in left if other > near[0]]
            same += 1
    return 2 * same / (len(a) + len(b))


def skewness(x: Floats) -> float:
    if not len(x) or np.all(x == x[0]):
        return float("nan")
    return float(np.mean(((x - x.mean()) / x.std()) ** 3))


def feasible(beats: Floats, start: float, end: float) -> tuple[bool, bool]:
    gaps = np.diff(np.concatenate([[start], beats, [end]]))
    if len(beats) < 3 or gaps[0] > 3 or gaps[-1] > 3:
        return False, False
    ibi = np.diff(beats)
    return bool(30 <= 60 / ibi.mean() <= 180 and ibi.max() <= 3), bool(ibi.max() <= 2.2 * ibi.min())


def template_correlation(x: Floats, beats: Floats) -> float:
    if len(beats) < 3:
        return float("nan")
    half = int(np.median(np.diff(beats)) / 2)
    tops = np.floor(beats + 0.5).astype(int)
    cut = [x[top - half : top + half + 1] for top in tops if top - half >= 0 and top + half + 1 <= len(x)]
    if len(cut) < 3 or any(np.ptp(beat) == 0 for beat in cut):
        return float("nan")
    template = np.mean(cut, axis=0)
    return float(np.mean([np.corrcoef(beat, template)[0, 1] for beat in cut]))


def flat_share(x: Floats, edges: NDArray[np.int64], least: int) -> list[float]:
    shares = []
    for low, high in pairwise(edges):
        window = x[low:high]
        runs = np.split(window, np.flatnonzero(np.diff(window)) + 1)
        flat = sum(len(run) for run in runs if len(run) >= least)
        shares.append(flat / len(window) if len(window) else 0.0)
    return shares


def pulse_heights(x: Floats, beats: Floats) -> list[float]:
    tops = np.floor(beats + 0.5).astype(int)
    return [float("nan")] * min(len(beats), 1) + [float(x[b] - min(x[a : b + 1])) for a, b in pairwise(tops)]
