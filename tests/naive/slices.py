"""Slow, obvious twin of `kernels.slices`."""

from __future__ import annotations

from typing import Any

import numpy as np


def describe_slices(y: Any, observed: Any, start: Any, end: Any) -> tuple[Any, Any]:
    places, moments = [], []
    for a, b in zip(start, end, strict=True):
        some, seen = y[a:b], [j for j in range(a, b) if observed[j]]
        places.append([seen[0] if seen else -1, seen[-1] if seen else -1, len(seen)])
        sd = np.std(some, ddof=1) if len(some) > 1 else np.nan
        moments.append([min(some), max(some), np.mean(some), sd] if len(some) else [np.nan] * 4)
    return np.array(places), np.array(moments)
