from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kernels.gt3x import records, unpack_12_bit, unpack_16_bit
from tests.engine.night.formats.gt3x_files import record
from tests.naive import gt3x as naive

PIECES = st.one_of(
    st.binary(max_size=12),
    st.builds(record, st.integers(0, 30), st.integers(0, 2**32 - 1), st.binary(max_size=20)),
    st.just(b"\x1e\x00\x00"),
)


@given(st.lists(PIECES, max_size=8))
def test_any_bytes(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert [tuple(row) for row in records(np.frombuffer(data, np.uint8)).tolist()] == naive.records(data)


@given(st.binary(min_size=60, max_size=60), st.lists(st.integers(0, 5), max_size=4))
def test_samples(data: bytes, counts: list[int]) -> None:
    begins = np.arange(len(counts), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    for unpack, one in ((unpack_12_bit, naive.unpack_12_bit), (unpack_16_bit, naive.unpack_16_bit)):
        expected = [sample for k, count in enumerate(counts) for sample in one(data[k:], count)]
        assert unpack(np.frombuffer(data, np.uint8), begins, starts).T.tolist() == [list(xyz) for xyz in expected]


def test_known_samples() -> None:
    data = bytes.fromhex("006008EBD007009EBF007008EBF0")
    samples = unpack_12_bit(np.frombuffer(data, np.uint8), np.zeros(1, np.int64), np.array([0, 3]))
    assert samples.T.tolist() == [[8, 6, -323], [9, 7, -321], [8, 7, -321]]
    data = bytes.fromhex("0000000000003000ccff4201")
    samples = unpack_16_bit(np.frombuffer(data, np.uint8), np.zeros(1, np.int64), np.array([0, 2]))
    assert samples.T.tolist() == [[0, 0, 0], [48, -52, 322]]


def test_known_header() -> None:
    head = bytes.fromhex("1E0671E8B4547C00")
    data = record(6, 1_421_142_129, bytes(124))
    assert data[:8] == head
    assert records(np.frombuffer(data, np.uint8)).tolist() == [[6, 1_421_142_129, 8, 124]]
    assert str(np.datetime64(1_421_142_129, "s")) == "2015-01-13T09:42:09"
