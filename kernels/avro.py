"""Arrays of numbers as Avro writes them: variable-length integers, and floats to be held as integers (DOMAIN A2)."""

from __future__ import annotations

import numpy as np
from numba import int64, njit, types, uint64

_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_INT32, _INT64 = types.Array(types.int32, 1, "C"), types.Array(types.int64, 1, "C")
_PLACE = types.UniTuple(types.int64, 2)
_FLOAT32 = types.Array(types.float32, 1, "C", readonly=True, aligned=False)
_FLOAT64 = types.Array(types.float64, 1, "C", readonly=True, aligned=False)
_QUANTISED = types.Tuple((_INT32, types.int64))
_MISSING = -(2**31)


@njit([_PLACE(_BYTES, types.int64, _INT32), _PLACE(_BYTES, types.int64, _INT64)], cache=True)
def varints(data, at, out):  # type: ignore[no-untyped-def]
    """Fill `out` with zig-zag numbers of seven bits a byte, the lowest first, from data[at] on.

    data: (n,) uint8, read-only; out: (m,) int32 or int64. Returns how many whole numbers there were and where the next
    byte lies; −1 where a number has more than ten bytes or does not fit.

    >>> data = np.frombuffer(bytes([0, 1, 2, 0x80, 0x20]), np.uint8)
    >>> out = np.empty(4, np.int32)
    >>> varints(data, 0, out), out.tolist()
    ((4, 5), [0, -1, 1, 2048])
    """
    for i in range(out.size):
        begin, shift, value = at, uint64(0), uint64(0)
        while True:
            if at >= data.size:
                return i, begin
            byte = uint64(data[at])
            at += 1
            value |= (byte & uint64(127)) << shift
            if byte < uint64(128):
                break
            shift += uint64(7)
            if shift > uint64(63):
                return i, -1
        number = int64(value >> uint64(1)) ^ -int64(value & uint64(1))
        out[i] = number
        if out[i] != number:
            return i, -1
    return out.size, at


@njit([_QUANTISED(_FLOAT32, types.float64), _QUANTISED(_FLOAT64, types.float64)], cache=True)
def quantise(values, per_unit):  # type: ignore[no-untyped-def]
    """(n,) int32: values·per_unit rounded to the nearest, ties to even; −2³¹ where that is none or does not fit; and
    how many are so.

    values: (n,) float32 or float64, read-only and unaligned.
    """
    out = np.empty(values.size, np.int32)
    lost = 0
    for i in range(values.size):
        whole = np.rint(np.float64(values[i]) * per_unit)
        if abs(whole) < 2147483648.0:
            out[i] = np.int32(whole)
        else:
            out[i] = _MISSING
            lost += 1
    return out, lost
