"""Past errors of configurations, as far as known at an origin: weights and exclusions are learned from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Floats, Ints
from kernels.past_errors import gather_errors, sum_windows


@dataclass(frozen=True, slots=True)
class Known:
    """(c, n) each, of errors whose target was observed and known at the origin, within a window before it.

    n: how many. mae: their mean absolute value. n_paired, ratio: rows that seasonal naive has as well and whose scale
    is defined, and the MASE over that of seasonal naive on them. NaN where there are none.
    """

    n: Ints
    mae: Floats
    n_paired: Ints
    ratio: Floats


@dataclass(frozen=True, slots=True)
class Past:
    """Sums of absolute errors by the origin at which they become known: (5, c, n), see `kernels.past_errors`."""

    origins: Ints
    sums: Floats

    def within(self, window_h: int | None) -> Known:
        """Errors that became known in the last `window_h` hours before each origin; all where None."""
        first = np.zeros(len(self.origins), np.int64)
        if window_h is not None:
            first = np.searchsorted(self.origins, self.origins - window_h, side="right").astype(np.int64)
        out = np.empty_like(self.sums)
        sum_windows(self.sums, first, out)
        with np.errstate(invalid="ignore", divide="ignore"):
            mae, ratio = out[0] / out[1], out[2] / out[3]
        return Known(out[1].astype(np.int64), mae, out[4].astype(np.int64), ratio)


def past(errors: Floats, reference: Floats, scale: Floats, origins: Ints, known_from: Ints) -> Past:
    """errors: (c, n, steps), NaN = none; reference: (n, steps) errors of seasonal naive; scale: (n,); known_from: (n,
    steps) index of the first origin that knows the target."""
    sums = np.zeros((5, errors.shape[0], errors.shape[1]))
    gather_errors(errors, reference, scale, known_from, sums)
    return Past(origins, sums)
