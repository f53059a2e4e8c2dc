"""Runs, spreads, latch and islands, slowly."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np


def runs(flag):  # type: ignore[no-untyped-def]
    at, found = 0, []
    for value, group in groupby(flag):
        n = len(list(group))
        if value:
            found.append((at, at + n))
        at += n
    return found


def long_runs(flag, least):  # type: ignore[no-untyped-def]
    return [any(a <= i < b and b - a >= least for a, b in runs(flag)) for i in range(len(flag))]


def spreads(samples, starts, ends):  # type: ignore[no-untyped-def]
    """samples: of each epoch, (k, axes)."""
    windows = [np.concatenate([samples[0][:0], *samples[a:b]]) for a, b in zip(starts, ends, strict=True)]
    none = np.zeros((1, samples[0].shape[1]))
    filled = [own if len(own) else none for own in windows]
    return [len(own) for own in windows], [own.mean(axis=0) for own in filled], [own.std(axis=0) for own in filled]


def latch(off, on):  # type: ignore[no-untyped-def]
    state, out = False, []
    for is_off, is_on in zip(off, on, strict=True):
        state = True if is_off else (False if is_on else state)
        out.append(state)
    return out


def islands(nonwear, long, long_share, short, short_share):  # type: ignore[no-untyped-def]
    out = [bool(v) for v in nonwear]
    found = runs(out)
    for (a, b), (c, d) in pairwise(found):
        worn, beside = c - b, (b - a) + (d - c)
        if (worn < long and worn < long_share * beside) or (worn < short and worn < short_share * beside):
            out[b:c] = [True] * worn
    return out
