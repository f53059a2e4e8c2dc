from __future__ import annotations

import zlib

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels.checksums import joined_crc32
from tests.naive import checksums as naive


def joined(parts: list[bytes]) -> int:
    sums, sizes = [zlib.crc32(part) for part in parts], [len(part) for part in parts]
    return joined_crc32(np.array(sums, np.int64), np.array(sizes, np.int64))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=70), max_size=12))
@example([])
@example([b""] * 3)
@example([bytes(100_000), b"\xff" * 7_680, b"\xff" * 7_680])
def test_as_the_naive_twin(parts: list[bytes]) -> None:
    assert joined(parts) == naive.joined_crc32(parts)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6), st.integers(0), st.integers(1, 255))
def test_a_damaged_part_is_felt(parts: list[bytes], place: int, flipped: int) -> None:
    whole = bytearray(b"".join(parts))
    whole[place % len(whole)] ^= flipped
    assert joined(parts) != zlib.crc32(whole)
