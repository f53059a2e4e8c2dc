"""Beat-to-beat intervals and which of them are normal (DOMAIN C6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kernels.artefacts import EXTRA, MISSED, NORMAL, classify_runs

SHORTEST_MS, LONGEST_MS = 300.0, 2000.0
BRIDGED_S = 5.0


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats in time order. Differences of intervals may be formed between neighbours that are both valid, only.

    t_us: (k,) int64 UTC µs; ibi_ms: (k,) float64 since the beat before, NaN after a hole; valid: (k,) bool, the
    interval is normal (NN).
    """

    t_us: NDArray[np.int64]
    ibi_ms: NDArray[np.float64]
    valid: NDArray[np.bool_]


def clean_intervals(runs: Sequence[NDArray[np.int64]]) -> Beats:
    """Intervals of each unbroken run of beat times (UTC µs): range, contiguity, then artefacts marked invalid.

    An interval out of range breaks contiguity as a hole does: artefacts are classified between breaks.
    """
    t_us = np.concatenate([np.empty(0, np.int64), *runs])
    ibi_ms = np.diff(t_us, prepend=0) / 1000
    lengths = np.array([len(run) for run in runs], dtype=np.int64)
    ibi_ms[(np.cumsum(lengths) - lengths)[lengths > 0]] = np.nan
    valid = (ibi_ms >= SHORTEST_MS) & (ibi_ms <= LONGEST_MS)
    kept = np.flatnonzero(valid)
    breaks = np.flatnonzero(np.diff(kept) > 1) + 1
    offsets = np.concatenate([[0], breaks, [len(kept)]]).astype(np.int64)
    valid[kept] = classify_runs(ibi_ms[kept], offsets) == NORMAL
    return Beats(t_us, ibi_ms, valid)


def correct(t: NDArray[np.int64], kinds: NDArray[np.int8]) -> NDArray[np.int64]:
    """Beat times of one run with extra beats taken out and missed ones put in halfway, rounded down; for spectra only.

    t: (k,) int64 ascending, any unit; kinds: (k−1,) classes of its intervals. Beats of other classes stay.
    """
    intervals = np.arange(1, len(t))
    missed = intervals[kinds == MISSED]
    halfway = (t[missed - 1] + t[missed]) // 2
    return np.sort(np.concatenate([np.delete(t, intervals[kinds == EXTRA]), halfway]))


def spans(t_us: NDArray[np.int64], ibi_ms: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Index ranges [low, high) of intervals with at most BRIDGED_S between the end of one and the start of the next.

    t_us: (k,) int64 ascending, end of each interval; ibi_ms: (k,) its length. DOMAIN C7.
    """
    hole_us = np.diff(t_us) - 1000 * ibi_ms[1:]
    cuts = (np.flatnonzero(hole_us > BRIDGED_S * 1e6) + 1).tolist()
    return list(pairwise([0, *cuts, len(t_us)])) if len(t_us) else []
