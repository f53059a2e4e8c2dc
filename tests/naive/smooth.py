"""Zero-phase low-pass, slowly: a list, the difference equation forwards, then backwards."""

from __future__ import annotations

import math


def once(run, cutoff):  # type: ignore[no-untyped-def]
    w = math.tan(math.pi * cutoff)
    a0 = 1 + math.sqrt(2) * w + w * w
    first = run[0]
    x1 = x2 = y1 = y2 = 0.0
    out = []
    for value in run:
        x = value - first
        y = (w * w * (x + 2 * x1 + x2) - 2 * (w * w - 1) * y1 - (1 - math.sqrt(2) * w + w * w) * y2) / a0
        x1, x2, y1, y2 = x, x1, y, y1
        out.append(y + first)
    return out


def lowpass(x, cutoff, padding):  # type: ignore[no-untyped-def]
    """One run without missing values."""
    values = [float(v) for v in x]
    pad = min(padding, len(values) - 1)
    head = [2 * values[0] - values[i] for i in range(pad, 0, -1)]
    tail = [2 * values[-1] - values[-1 - i] for i in range(1, pad + 1)]
    there = once(head + values + tail, cutoff)
    back = once(there[::-1], cutoff)[::-1]
    return back[pad : pad + len(values)]
