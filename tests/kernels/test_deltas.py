from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.deltas import unpack_deltas
from tests.naive import deltas as naive

INTS = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(-5, 5), st.sampled_from([-(2**31), 2**31 - 1]))


def unpacked(data: bytes, most: int) -> list[int] | None:
    out = np.full(most + 1, 99, np.int32)
    found = unpack_deltas(np.frombuffer(data, np.uint8), 0, out[:most])
    assert out[most] == 99
    return None if found < 0 else out[:found].tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(INTS, max_size=300), st.sampled_from([(128, 4), (128, 1), (256, 2)]))
def test_what_the_naive_twin_packs(values: list[int], shape: tuple[int, int]) -> None:
    assert unpacked(naive.packed(values, *shape), len(values)) == values


@pytest.mark.parametrize("width", range(1, 33))
def test_every_width(width: int) -> None:
    steps = [0, 2**width - 1, 1] * 60
    values = [int(one) for one in np.cumsum(steps).astype(np.uint32).view(np.int32)]
    assert unpacked(naive.packed(values), len(values)) == values


def test_the_example_of_parquets_description() -> None:
    """7, 5, 3, 1, 2, 3, 4, 5: least difference -2, the others in two bits."""
    header = bytes([128, 1, 4, 8, 14])
    assert unpacked(header + bytes([3, 2, 0, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0]), 8) == [7, 5, 3, 1, 2, 3, 4, 5]


def test_more_than_there_is_room_for() -> None:
    assert unpacked(naive.packed(list(range(10))), 9) is None


@pytest.mark.parametrize(
    "header",
    [(0, 0, 1, 0), (128, 0, 1, 0), (4, 128, 1, 0), (2**40, 2, 9, 0), (2**62, 2**61, 9, 0), (128, 4, 2**63, 0)],
)
def test_senseless_headers(header: tuple[int, ...]) -> None:
    assert unpacked(b"".join(map(naive._varint, header)) + bytes(40), 9) is None


def test_damage_never_reaches_outside() -> None:
    random = np.random.default_rng(0)
    data = naive.packed(random.integers(-500, 500, 200).tolist())
    for at in range(len(data)):
        assert unpacked(data[:at], 200) is None
        unpacked(data[:at] + random.bytes(1) + data[at + 1 :], 200)
        unpacked(random.bytes(at), 200)
