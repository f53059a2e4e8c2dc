"""Blocks of 512 bytes, as Axivity's AX3 and AX6 write them: check sums and samples (DOMAIN A3)."""

from __future__ import annotations

import numpy as np
from numba import int32, njit, types, uint32

WORDS, STRIDE = 256, 128
"""16-bit and 32-bit words in a block."""
FIRST = 15
"""The 16-bit word at which a block's 480 bytes of samples begin."""
_BLOCKS = types.Array(types.uint16, 2, "C", readonly=True)
_PACKED = types.Array(types.uint32, 1, "C", readonly=True, aligned=False)
_INTS = types.Array(types.int64, 1, "C")
_SAMPLES = types.Array(types.int32, 2, "C")


@njit(types.Array(types.boolean, 1, "C")(_BLOCKS), cache=True)
def sound(words):  # type: ignore[no-untyped-def]
    """(n,) bool: the block's words sum to 0 modulo 2¹⁶. words: (n, 256) uint16, read-only.

    >>> blocks = np.zeros((2, 256), np.uint16)
    >>> blocks[:, 0], blocks[:, 255], blocks[1, 7] = 40000, 25536, 1
    >>> blocks.flags.writeable = False
    >>> sound(blocks).tolist()
    [True, False]
    """
    out = np.empty(words.shape[0], np.bool_)
    for block in range(words.shape[0]):
        total = np.int64(0)
        for word in range(WORDS):
            total += np.int64(words[block, word])
        out[block] = total % 65536 == 0
    return out


@njit(_SAMPLES(_PACKED, _INTS, _INTS), cache=True)
def unpack_packed(packed, rows, starts):  # type: ignore[no-untyped-def]
    """Samples of three axes that share 32 bits: 10 bits each, x lowest, and an exponent of two in the top two bits.

    packed: (n,) uint32, read-only and unaligned: the file from the first block's first sample on, so that block k's
    begin at 128·k. rows: (m,) blocks to take; starts: (m + 1,) ascending, at most 120 apart: where each one's samples
    go. Returns (3, starts[m]) int32 in 1/256 g. Tried pairs of aligned 16-bit words: not vectorised, +80 %.
    """
    out = np.empty((3, starts[-1]), np.int32)
    for k in range(rows.size):
        at, count = starts[k], starts[k + 1] - starts[k]
        block = packed[STRIDE * rows[k] : STRIDE * rows[k] + count]
        x, y, z = out[0, at : at + count], out[1, at : at + count], out[2, at : at + count]
        for i in range(count):
            sample = block[i]
            exponent = int32(sample >> uint32(30))
            x[i] = (int32(sample << uint32(22)) >> int32(22)) << exponent
            y[i] = (int32(sample << uint32(12)) >> int32(22)) << exponent
            z[i] = (int32(sample << uint32(2)) >> int32(22)) << exponent
    return out


@njit(_SAMPLES(_BLOCKS, _INTS, _INTS, types.int64), cache=True)
def unpack_int16(words, rows, starts, axes):  # type: ignore[no-untyped-def]
    """Samples of `axes` interleaved int16. words: (n, 256) uint16, read-only; rows, starts: as in `unpack_packed`, at
    most 240 // axes apart. Returns (axes, starts[m]) int32."""
    out = np.empty((axes, starts[-1]), np.int32)
    for k in range(rows.size):
        row, at, count = rows[k], starts[k], starts[k + 1] - starts[k]
        for axis in range(axes):
            for i in range(count):
                out[axis, at + i] = np.int16(words[row, FIRST + axis + axes * i])
    return out
