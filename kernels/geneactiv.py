"""Pages of 300 samples in hexadecimal, as GENEActiv writes them (DOMAIN A5)."""

from __future__ import annotations

import numpy as np
from numba import njit, types

SAMPLES, DIGITS = 300, 12
COLUMNS = 5
_VALUES = np.full(256, -1, np.int32)
"""Of each letter as a hexadecimal digit; negative for what is none, and then whatever it becomes part of."""
for _digit in range(16):
    _VALUES[ord(f"{_digit:x}")] = _VALUES[ord(f"{_digit:X}")] = _digit
_TEXT = types.Array(types.uint8, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C")


@njit(types.Tuple((types.Array(types.int32, 2, "C"), types.Array(types.boolean, 1, "C")))(_TEXT, _INTS), cache=True)
def unpack_pages(text, begins):  # type: ignore[no-untyped-def]
    """Samples of pages: 12 bits each of x, y and z in two's complement, 10 bits of light, button, one bit reserved.

    text: (n,) uint8, read-only; begins: (m,) where each page's digits begin. Returns (5, 300·m) int32: x, y, z, light,
    button (0 or 1); and (m,) bool: the page has its 3600 digits and then none. Other pages' samples are not set.
    """
    pages = begins.size
    out = np.empty((COLUMNS, SAMPLES * pages), np.int32)
    whole = np.zeros(pages, np.bool_)
    for page in range(pages):
        begin, end = begins[page], begins[page] + SAMPLES * DIGITS
        if end > text.size or (end < text.size and text[end] > 32):
            continue
        worst = np.int32(0)
        for i in range(SAMPLES):
            at, k = page * SAMPLES + i, begin + i * DIGITS
            for axis in range(3):
                value = _VALUES[text[k]] << 8 | _VALUES[text[k + 1]] << 4 | _VALUES[text[k + 2]]
                worst = min(worst, value)
                out[axis, at] = (value ^ 0x800) - 0x800
                k += 3
            rest = _VALUES[text[k]] << 8 | _VALUES[text[k + 1]] << 4 | _VALUES[text[k + 2]]
            worst = min(worst, rest)
            out[3, at] = rest >> 2
            out[4, at] = (rest >> 1) & 1
        whole[page] = worst >= 0
    return out, whole
