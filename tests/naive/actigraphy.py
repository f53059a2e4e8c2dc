"""Sleep scores from activity counts, slowly."""

from __future__ import annotations

import math
import statistics

WEIGHTS = {-4: 106, -3: 54, -2: 58, -1: 76, 0: 230, 1: 74, 2: 67}


def cole_kripke(activity):  # type: ignore[no-untyped-def]
    def score(i: int) -> float:
        if i < 4 or i + 2 >= len(activity):
            return math.nan
        return 0.001 * sum(weight * float(activity[i + lag]) for lag, weight in WEIGHTS.items())

    return [score(i) for i in range(len(activity))]


def sadeh(counts):  # type: ignore[no-untyped-def]
    def score(i: int) -> float:
        if i < 5 or i + 5 >= len(counts):
            return math.nan
        window = [float(c) for c in counts[i - 5 : i + 6]]
        if any(math.isnan(c) for c in window):
            return math.nan
        window = [min(c, 300.0) for c in window]
        middling = sum(50 <= c < 100 for c in window)
        spread = statistics.stdev(window[:6])
        mean = statistics.fmean(window)
        return 7.601 - 0.065 * mean - 1.08 * middling - 0.056 * spread - 0.703 * math.log(window[5] + 1)

    return [score(i) for i in range(len(counts))]
