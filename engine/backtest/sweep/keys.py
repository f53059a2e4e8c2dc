"""What a fit is, as a hash: equal fits of any two sweeps have equal keys, and different ones have not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import COLD, Floats
from engine.backtest.grid import EXPANDING_H
from engine.backtest.sweep.requests import Request

KEY_LENGTH = 16
NO_FIT = "cold"


@dataclass(frozen=True, slots=True)
class Keys:
    """Of every fit of a `Request`: fit_id (16 hex digits) and data_hash (64), empty for fits that were not tried."""

    fit_id: tuple[str, ...]
    data_hash: tuple[str, ...]


def keys(request: Request, model_sha256: str, warm: Sequence[bool] | None = None) -> Keys:
    """Identities of all fits. A fit's key covers all that it depends on:

    - its slice: hours and values;
    - the model: reference, parameters and code;
    - the evaluation budget;
    - the key of the fit that chose its form, and of the fit that it starts from (its anchor).

    `warm`: for each fit of `request.fits`, whether it did start from its anchor; None = all that have one did.
    """
    fits = request.fits
    tried = request.tried.tolist()
    hashes = _slice_hashes(request)
    base = f"{model_sha256}\0{fits.evaluations}\0"
    made: list[str] = []
    repeats = (np.diff(request.tried, prepend=-1) == 0).tolist()
    started = [True] * len(tried) if warm is None else warm
    links = zip(fits.anchor.tolist(), fits.chosen.tolist(), hashes, started, strict=True)
    places = zip(request.train_start[tried].tolist(), request.cutoff[tried].tolist(), strict=True)
    for i, ((anchor, chosen, data, warmed), (first, cutoff)) in enumerate(zip(links, places, strict=True)):
        if repeats[i]:
            made.append(made[-1])
            continue
        start = made[anchor] if anchor != COLD and warmed else NO_FIT
        form = "own" if chosen == i else made[chosen] if chosen != COLD else fits.form[i]
        text = f"{base}{first}\0{cutoff}\0{data}\0{form}\0{start}"
        made.append(hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH])
    fit_id, data_hash = [""] * request.cutoff.size, [""] * request.cutoff.size
    for row, key, data in zip(tried, made, hashes, strict=True):
        fit_id[row], data_hash[row] = key, data
    return Keys(tuple(fit_id), tuple(data_hash))


def data_hash(values: Floats) -> str:
    """SHA-256 of values, (n,), as little-endian float64."""
    return hashlib.sha256(_bytes(values)).hexdigest()


def _slice_hashes(request: Request) -> list[str]:
    """`data_hash` of each tried slice. Slices of an expanding window grow: each adds to the hash of the one before."""
    data = _bytes(request.y)
    hashes, running, begun, done = list[str](), hashlib.sha256(), -1, 0
    expanding = (request.window_h[request.tried] == EXPANDING_H).tolist()
    for start, end, grows in zip(request.fits.start.tolist(), request.fits.end.tolist(), expanding, strict=True):
        if not grows:
            hashes.append(hashlib.sha256(data[8 * start : 8 * end]).hexdigest())
            continue
        if start != begun or end < done:
            running, begun, done = hashlib.sha256(), start, start
        running.update(data[8 * done : 8 * end])
        done = end
        hashes.append(running.hexdigest())
    return hashes


def _bytes(values: Floats) -> memoryview:
    return memoryview(np.ascontiguousarray(values, "<f8").tobytes())
