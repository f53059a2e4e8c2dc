"""Holm's correction, slowly: of each p value the largest that stepping down has met until there."""

from __future__ import annotations

import math


def holm(p):  # type: ignore[no-untyped-def]
    known = sorted(float(one) for one in p if not math.isnan(one))
    steps = [one * (len(known) - i) for i, one in enumerate(known)]
    return [math.nan if math.isnan(one) else min(1.0, max(steps[: known.index(one) + 1])) for one in map(float, p)]
