"""Blocks to runs, one block at a time."""

from __future__ import annotations

import math

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
