"""Zig-zag numbers of seven bits a byte, one at a time."""

from __future__ import annotations

import numpy as np


def varints(data: bytes, at: int, count: int, bits: int) -> tuple[list[int], int]:
    """The numbers, and where the next byte lies: where the first number begins that is cut; −1 where one is wrong."""
    numbers: list[int] = []
    while len(numbers) < count:
        begin, groups = at, []
        while not groups or groups[-1] > 127:
            if at == len(data):
                return numbers, begin
            if len(groups) == 10:
                return numbers, -1
            groups.append(data[at])
            at += 1
        value = sum((group & 127) << 7 * i for i, group in enumerate(groups)) % 2**64
        number = value // 2 if value % 2 == 0 else -(value + 1) // 2
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            return numbers, -1
        numbers.append(number)
    return numbers, at


def quantise(values: list[float], per_unit: float) -> list[int]:
    """Multiples of 1/per_unit; −2³¹ for what is no number or too large."""
    made = []
    for value in values:
        scaled = value * per_unit
        fits = np.isfinite(scaled) and abs(round(scaled)) < 2**31
        made.append(round(scaled) if fits else -(2**31))
    return made
