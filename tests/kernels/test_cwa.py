from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.cwa import STRIDE, sound, unpack_int16, unpack_packed
from tests.naive import cwa as naive

ONE = st.binary(min_size=512, max_size=512)


def words(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<u2").reshape(-1, 256)


def packed_words(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<u4", len(data) // 512 * STRIDE - 8, 30)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0x83DFCFFA, (-24, -52, 244)),
        (0x300FFD00, (256, -1, -256)),
        (0x9FFE7064, (400, -400, 2044)),
        (0, (0, 0, 0)),
        (0xFFFFFFFF, (-8, -8, -8)),
        (0xE0080200, (-4096, -4096, -4096)),
    ],
)
def test_known_packed_samples(word: int, expected: tuple[int, int, int]) -> None:
    data = bytes(1054 - 1024) + struct.pack("<I", word) * 120 + bytes(2)
    out = unpack_packed(packed_words(data), np.array([0]), np.array([0, 120]))
    assert out[:, 0].tolist() == list(expected) == list(naive.packed(word))
    assert (out == out[:, :1]).all()


@given(st.lists(ONE, min_size=1, max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_equal_to_the_naive_twin(blocks: list[bytes], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(blocks) - 1), max_size=4))
    raw = b"".join(blocks)
    for axes, most in ((0, 120), (3, 80), (6, 40)):
        counts = data.draw(st.lists(st.integers(0, most), min_size=len(rows), max_size=len(rows)))
        starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        at = np.array(rows, np.int64)
        plain = (packed_words(raw), at, starts)
        out = unpack_packed(*plain) if axes == 0 else unpack_int16(words(raw), at, starts, axes)
        for k, row in enumerate(rows):
            expected = naive.unpacked(blocks[row], axes, counts[k])
            assert out[:, starts[k] : starts[k + 1]].tolist() == (expected or [[]] * (axes or 3))


@given(ONE)
def test_check_sums(block: bytes) -> None:
    mended = block[:510] + struct.pack("<H", -sum(struct.unpack("<255H", block[:510])) % 65536)
    assert sound(words(block + mended)).tolist() == [naive.is_sound(block), True]
    assert naive.is_sound(mended)


def test_no_block() -> None:
    none = np.zeros(0, np.int64)
    assert sound(words(b"")).shape == (0,)
    assert unpack_int16(words(b""), none, np.zeros(1, np.int64), 3).shape == (3, 0)
