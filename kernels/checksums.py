"""CRC-32 of parts that follow each other: that of the whole, without a look at the bytes."""

from __future__ import annotations

from numba import njit

from kernels.arrays import Ints

POLYNOMIAL = 0xEDB88320  # of zlib, the lowest power first
ONE = 1 << 31  # x⁰ in that order
EIGHT_ZEROS = 1 << 23  # x⁸: a byte more behind
_INTS = "Array(int64, 1, 'C', readonly=True)"


@njit("i8(i8, i8)", cache=True)
def _times(a: int, b: int) -> int:
    """The product of two polynomials over GF(2), modulo POLYNOMIAL. Without branches, which nobody foresees: half the
    time."""
    product = 0
    for power in range(31, -1, -1):
        product ^= b & -(a >> power & 1)
        b = (b >> 1) ^ (POLYNOMIAL & -(b & 1))
    return product


@njit("i8(i8)", cache=True)
def _behind(size: int) -> int:
    """What a check sum is multiplied by when `size` bytes follow."""
    factor, square = ONE, EIGHT_ZEROS
    while size:
        if size & 1:
            factor = _times(factor, square)
        square = _times(square, square)
        size >>= 1
    return factor


@njit(f"i8({_INTS}, {_INTS})", cache=True)
def joined_crc32(sums: Ints, sizes: Ints) -> int:
    """CRC-32 (zlib) of the parts one behind the other.

    sums: (n,) int64, each part's CRC-32, 0 … 2³² − 1; sizes: (n,) bytes, ≥ 0. Raises nothing. The sum of a whole in
    which one part is damaged differs just where that part's own would: the polynomials are the same.

    >>> import zlib, numpy as np
    >>> parts = b"night", b"", b"mill"
    >>> sums, sizes = np.array([zlib.crc32(p) for p in parts]), np.array([len(p) for p in parts])
    >>> joined_crc32(sums, sizes) == zlib.crc32(b"nightmill")
    True
    """
    whole, last, factor = 0, -1, ONE
    for i in range(sums.size):
        if sizes[i] != last:
            last, factor = sizes[i], _behind(sizes[i])
        whole = _times(factor, whole) ^ sums[i]
    return whole
