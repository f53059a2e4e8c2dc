from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.avro import quantise, varints
from tests.naive import avro as naive


def run(data: bytes, at: int, count: int, bits: int) -> tuple[list[int], int]:
    out = np.empty(count, np.dtype(f"i{bits // 8}"))
    done, after = varints(np.frombuffer(data, np.uint8), at, out)
    return out[:done].tolist(), after


@given(st.binary(max_size=60), st.integers(0, 5), st.integers(0, 30), st.sampled_from([32, 64]))
def test_any_bytes(data: bytes, at: int, count: int, bits: int) -> None:
    at = min(at, len(data))
    assert run(data, at, count, bits) == naive.varints(data, at, count, bits)


@pytest.mark.parametrize(
    ("number", "data"), [(0, "00"), (-1, "01"), (1, "02"), (-64, "7f"), (64, "8001"), (2048, "8020")]
)
def test_known_numbers(number: int, data: str) -> None:
    assert run(bytes.fromhex(data), 0, 1, 32) == ([number], len(data) // 2)


def test_ends_of_the_ranges() -> None:
    for bits in (32, 64):
        low = bytes.fromhex("ff" * (bits // 7) + ("0f" if bits == 32 else "01"))
        assert run(low, 0, 1, bits) == ([-(2 ** (bits - 1))], len(low))
    assert run(bytes.fromhex("808080801000"), 0, 1, 32) == ([], -1)
    assert run(b"\x80" * 12, 0, 1, 64) == ([], -1)
    assert run(b"\x02\x80", 0, 2, 64) == ([1], 1)


@given(st.lists(st.floats(width=32), max_size=20), st.sampled_from([1.0, 2.0**16, 2.0**20, 0.1]))
def test_quantised(values: list[float], per_unit: float) -> None:
    expected = naive.quantise(values, per_unit)
    for kind in (np.float32, np.float64):
        array = np.array(values, kind)
        array.flags.writeable = False
        whole, lost = quantise(array, per_unit)
        assert whole.tolist() == expected
        assert lost >= sum(number == -(2**31) for number in expected)
