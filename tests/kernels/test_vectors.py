"""What is loaded in whole words goes round Numba's own check of bounds: here the page behind the data is forbidden."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
import pytest
from numba import njit

from kernels.deltas import unpack_deltas
from kernels.vectors import add_eight
from tests.naive import deltas as naive

NOTHING_ALLOWED = 0  # PROT_NONE


@njit("int32(uint8[::1], int64, int64, int32, int32, int32[::1], int64)")
def added(data, at, width, least, value, out, i):  # type: ignore[no-untyped-def]
    return add_eight(data, at, width, least, value, out, i)


def guarded() -> np.ndarray:
    """A page of bytes; who reads or writes behind its last one ends the process."""
    room = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(room))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(begin + mmap.PAGESIZE), mmap.PAGESIZE, NOTHING_ALLOWED) == 0
    return np.frombuffer(room, np.uint8, mmap.PAGESIZE)


@pytest.mark.parametrize("width", range(17))
@pytest.mark.parametrize(("least", "value"), [(0, 0), (-3, 7), (2**31 - 1, -(2**31)), (-(2**31), 2**31 - 1)])
def test_eight_sums_are_those_of_whole_numbers(width: int, least: int, value: int) -> None:
    numbers = np.random.default_rng(width).integers(0, 2**width, 8).tolist()
    packed = sum(one << (width * k) for k, one in enumerate(numbers)).to_bytes(width, "little")
    data = np.frombuffer(b"\xff" * 3 + packed + b"\xff" * 8, np.uint8).copy()
    out = np.full(12, 99, np.int32)
    last = added(data, 3, width, least, value, out, 2)
    sums = [naive._wrapped(value + sum(numbers[: k + 1]) + least * (k + 1)) for k in range(8)]
    assert out.tolist() == [99, 99, *sums, 99, 99]
    assert last == sums[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="pages are forbidden by mprotect")
@pytest.mark.parametrize("width", range(33))
@pytest.mark.parametrize("behind", [0, 7, 8, 9])
def test_nothing_behind_the_data_is_read_or_written(width: int, behind: int) -> None:
    """65 values: two parts of 32 differences, the last of which ends `behind` bytes before the forbidden page."""
    steps = np.array([0, 2**width - 1, *[min(1, 2**width - 1)] * 62])
    values = np.append(0, np.cumsum(steps)).astype(np.uint32).view(np.int32)
    data = np.frombuffer(naive.packed(values.tolist(), 128, 4) + bytes(behind), np.uint8)
    room, out = guarded()[-len(data) :], guarded()[-4 * len(values) :].view(np.int32)
    room[:] = data
    assert unpack_deltas(room, 0, out) == len(values)
    np.testing.assert_array_equal(out, values)
