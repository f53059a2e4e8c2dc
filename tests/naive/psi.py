"""Population stability index, slowly."""

from __future__ import annotations

import math

import numpy as np


def psi(reference, test):  # type: ignore[no-untyped-def]
    total = 0.0
    for e, a in zip(reference, test, strict=True):
        was, now = max(float(e), 1e-4), max(float(a), 1e-4)
        total += (now - was) * math.log(now / was)
    return total


def inner_edges(reference):  # type: ignore[no-untyped-def]
    present = sorted(float(value) for value in reference if not math.isnan(value))
    return sorted({float(np.percentile(present, 10 * i)) for i in range(1, 10)}) if present else []


def shares(x, edges):  # type: ignore[no-untyped-def]
    counts = [0] * (len(edges) + 2)
    for value in x:
        counts[-1 if math.isnan(value) else sum(value > edge for edge in edges)] += 1
    return [count / max(len(x), 1) for count in counts]
