"""Where late data changes what was known: each fit gets its own copy of the hours that it and its origins see.

A fit sees its slice as it was known at the cutoff, and after it what was known at each origin. Origins that disagree
about the hours between are served by repeats of the fit, which equal it since they learn from equal values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from engine.backtest.contract import COLD, Fits, Floats, Ints
from engine.backtest.sweep.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Unrolled:
    """y: the timeline's values, then the copies. fits: over y, repeats behind their fit. of: (fits,), which fit of the
    batch given each one is or repeats. sooner: (forecasts,), hours by which a path begins before the newest hour that
    its origin knows of, since a later one was withdrawn after the fit."""

    y: Floats
    fits: Fits
    of: Ints
    sooner: Ints


@dataclass
class _Copies:
    """Copies so far. of, start, end: by fit of the new batch; lengths: forecasts of each."""

    size: int
    parts: list[Floats] = field(default_factory=list)
    of: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def add(self, fit: int, slice_: Floats, afters: list[Floats]) -> None:
        """One fit with what each of its origins, in order, has seen after the slice. The rows keep their order."""
        held = list[Floats]()
        for after in [*afters, None]:
            if held and (after is None or not _begins_with(after, held[-1])):
                self._close(fit, slice_, held)
                held = []
            if after is not None:
                held.append(after)
        if not afters:
            self._close(fit, slice_, [slice_[:0]], 0)

    def _close(self, fit: int, slice_: Floats, held: list[Floats], n: int | None = None) -> None:
        end = self.size + slice_.size
        self.of.append(fit)
        self.start.append(self.size)
        self.end.append(end)
        self.lengths.append(len(held) if n is None else n)
        self.at += [end + after.size for after in held][: self.lengths[-1]]
        self.parts += [slice_, held[-1]]
        self.size = end + held[-1].size


def unroll(timeline: Timeline, fits: Fits) -> Unrolled:
    """`fits` over the timeline's values, where `at` may lie in a later state than the slice."""
    y, copies = timeline.values, _Copies(timeline.values.size)
    first = fits.first.tolist()
    known = timeline.hours[fits.at - 1] - np.repeat(timeline.hours[fits.end - 1], np.diff(fits.first))
    for i, (start, end) in enumerate(zip(fits.start.tolist(), fits.end.tolist(), strict=True)):
        rows = slice(first[i], first[i + 1])
        seen = zip(fits.at[rows].tolist(), np.maximum(known[rows], 0).tolist(), strict=True)
        copies.add(i, y[start:end], [y[at - n : at] for at, n in seen])
    of = np.array(copies.of, np.int64)
    leads = np.searchsorted(of, np.arange(fits.end.size))  # the first copy of each fit
    place = np.append(leads, COLD)
    batch = replace(
        fits,
        start=np.array(copies.start, np.int64),
        end=np.array(copies.end, np.int64),
        first=np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(copies.lengths, np.int64))]),
        at=np.array(copies.at, np.int64),
        anchor=place[fits.anchor[of]],
        chosen=place[fits.chosen[of]],
        form=tuple(fits.form[i] for i in copies.of),
    )
    return Unrolled(np.concatenate([y, *copies.parts]), batch, of, np.maximum(-known, 0))


def _begins_with(longer: Floats, shorter: Floats) -> bool:
    return longer.size >= shorter.size and np.array_equal(longer[: shorter.size], shorter)
