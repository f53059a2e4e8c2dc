"""Samples of slots, slowly: each edge against each sample, in exact fractions."""

from __future__ import annotations

from fractions import Fraction


def first_samples(t0_us: int, fs_hz: float, size: int, start_us: int, step_us: int, slots: int) -> list[int]:
    places = [(start_us + k * step_us - t0_us) * Fraction(fs_hz) / 10**6 - Fraction(1, 10**6) for k in range(slots + 1)]
    return [sum(i < place for i in range(size)) for place in places]
