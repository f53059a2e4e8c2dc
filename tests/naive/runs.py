"""Blocks to runs, one block at a time."""

from __future__ import annotations

import math
from itertools import pairwise

SECOND_US = 10**6
FALLS = ((0, 1_104_537_600), (1_262_304_000, 1_264_982_400))
Block = tuple[int, float, int, bool]


def follow(blocks: list[Block]) -> tuple[list[int], list[int], int, int]:
    """blocks: (t0_us, fs_hz, samples, forced). Run and skipped samples of each; resets; steps back."""
    runs: list[int] = []
    skips: list[int] = []
    resets = backs = 0
    end_us: int | None = None
    for t0_us, fs_hz, size, forced in blocks:
        step_us = 0 if end_us is None else t0_us - end_us
        back = end_us is not None and step_us < -SECOND_US / fs_hz
        reset = end_us is not None and step_us < -2 * SECOND_US
        resets += reset
        backs += back and not reset
        skip = math.ceil(-step_us * fs_hz / SECOND_US) if back and not reset else 0
        fallen = reset and any(low <= t0_us / SECOND_US < high for low, high in FALLS)
        if fallen or skip >= size:
            runs.append(-1)
        else:
            new = end_us is None or back or reset or forced or step_us > SECOND_US / fs_hz
            runs.append(max([-1, *runs]) + new)
            end_us = t0_us + round(skip * SECOND_US / fs_hz) + round((size - skip) * SECOND_US / fs_hz)
        skips.append(min(skip, size))
    return runs, skips, resets, backs


def unbroken(blocks: list[Block]) -> bool:
    """Whether they are one run at the rate that they state, to less than half a sample for each."""
    rates = {fs_hz for _, fs_hz, *_ in blocks}
    if len(rates) != 1 or not all(0 <= t0_us < 4_102_444_800 * SECOND_US for t0_us, *_ in blocks):
        return False
    (fs_hz,) = rates
    runs, skips, resets, _ = follow(blocks)
    if any(runs) or any(skips) or resets:
        return False
    first_us, largest, before = blocks[0][0], max(size for *_, size, _ in blocks), 0
    for (t0_us, _, size, _), (next_us, *_) in pairwise(blocks):
        before += size
        ratio = (next_us - t0_us) * fs_hz / (size * SECOND_US)
        if next_us <= t0_us or abs(ratio - 1) * largest > 0.5:
            return False
        if abs((next_us - first_us) * fs_hz / SECOND_US - before) > 1.0:
            return False
    return True
