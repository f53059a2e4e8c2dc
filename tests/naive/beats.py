"""Beat detectors, as their papers describe them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def scalogram_peaks(x: Floats, fs_hz: float, edges: Ints, margin: int) -> list[int]:
    found = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        low = max(0, start - margin)
        window = x[low : end + margin]
        scales = min(int(2.0 * fs_hz / 2), (len(window) - 1) // 2)
        if scales < 1:
            continue
        place = np.arange(len(window)) - (len(window) - 1) / 2
        window = (window - (place @ window) / (place @ place) * place).astype(np.float32)
        counts = [
            sum(window[i] > window[i - k] and window[i] > window[i + k] for i in range(k, len(window) - k))
            for k in range(1, scales + 1)
        ]
        best = counts.index(max(counts)) + 1
        for i in range(len(window)):
            around = [j for k in range(1, best + 1) for j in (i - k, i + k) if 0 <= j < len(window)]
            if all(window[i] > window[j] for j in around) and start <= low + i < end:
                found.append(low + i)
    return found


def moving_mean(x: Floats, width: int) -> list[float]:
    half = width // 2
    return [float(np.mean(x[max(i - half, 0) : i + half + 1])) for i in range(len(x))]


def event_peaks(x: Floats, fs_hz: float, edges: Ints) -> list[int]:
    power = np.where(x > 0, x, 0.0) ** 2
    short, long = (int(seconds * fs_hz / 2) * 2 + 1 for seconds in (0.111, 0.667))
    offset = np.zeros(len(x))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        offset[low:high] = 0.02 * power[low:high].mean()
    above = np.array(moving_mean(power, short)) > np.array(moving_mean(power, long)) + offset
    found = []
    i = 0
    while i < len(x):
        j = i
        while j < len(x) and above[j]:
            j += 1
        if j - i >= short:
            found.append(i + int(np.argmax(x[i:j])))
        i = j + 1
    return found


def refine(x: Floats, rough: Ints, reach: int, fs_hz: float) -> list[float]:
    tops: list[int] = []
    for r in rough.tolist():
        around = range(max(r - reach, 0), min(r + reach + 1, len(x)))
        top = max(around, key=lambda i: (x[i], i == r, -i))
        if top in (0, len(x) - 1) or x[top - 1] > x[top] or x[top + 1] > x[top]:
            continue
        if tops and top - tops[-1] < 0.3 * fs_hz:
            if x[top] <= x[tops[-1]]:
                continue
            tops.pop()
        tops.append(top)
    fine = []
    for top in tops:
        a, b, c = x[top - 1], x[top], x[top + 1]
        bend = a - 2 * b + c
        beside = 0.5 * (a - c) / bend if bend < 0 else 0.0
        fine.append(top + round(beside * 2**27) / 2**27)
    return fine
