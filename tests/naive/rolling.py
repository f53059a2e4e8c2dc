"""Windows over a series, slowly. Missing values are NaN."""

from __future__ import annotations

import math
import statistics


def window(x, i, before, after):  # type: ignore[no-untyped-def]
    return [float(v) for v in x[max(i - before, 0) : i + after + 1] if not math.isnan(v)]


def rolling_median(x, before, after, least):  # type: ignore[no-untyped-def]
    near = [window(x, i, before, after) for i in range(len(x))]
    return [statistics.median(w) if len(w) >= least else math.nan for w in near]


def rolling_mean(x, before, after, least):  # type: ignore[no-untyped-def]
    near = [window(x, i, before, after) for i in range(len(x))]
    return [statistics.fmean(w) if len(w) >= least else math.nan for w in near]


def rolling_range(x, before, after):  # type: ignore[no-untyped-def]
    near = [window(x, i, before, after) for i in range(len(x))]
    return [min(w, default=math.nan) for w in near], [max(w, default=math.nan) for w in near]
