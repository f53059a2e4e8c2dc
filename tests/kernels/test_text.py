from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels.text import MISSING, parse_rows
from tests.naive import text as naive

INT32, INT64 = 2**31 - 1, 2**62
SEPARATOR, POINT = b",", b"."


def parsed(
    text: bytes, decimals: int = 2, columns: int = 1, separator: bytes = SEPARATOR, point: bytes = POINT
) -> tuple[list[list[int]], int, int, int]:
    out = np.empty((columns, len(text) + 1), np.int32)
    with np.errstate(over="ignore"):  # of NumPy's own scalars, where the compiler is off
        rows, bad, nan, rounded = parse_rows(
            np.frombuffer(text, np.uint8), 0, decimals, separator[0], point[0], INT32, out
        )
    return out[:, :rows].T.tolist(), bad, nan, rounded


@pytest.mark.parametrize(
    ("text", "decimals", "expected", "counts"),
    [
        (b"-0.00\n0.25\n-12.50\n", 2, [0, 25, -1250], (0, 0, 0)),
        (b"32.000000\n31.5\n31\n+1.25\n.5\n7.\n", 2, [3200, 3150, 3100, 125, 50, 700], (0, 0, 0)),
        (b"0.285\n0.275\n-0.005\n0.2850001\n", 2, [28, 28, 0, 29], (0, 0, 4)),
        (b"1.5E+02\n-1e-2\n25E-1\n1e400\n1e-400\n", 2, [15000, -1, 250, MISSING, 0], (1, 0, 1)),
        (b'1\r\n2.5\r\r\n 3 \n"4"\n', 2, [100, 250, 300, 400], (0, 0, 0)),
        (b"1\n\n2\n\n\n", 0, [1, MISSING, 2], (1, 0, 0)),
        (b"1.00\nNaN\n-inf\nInfinity\nnat\n", 2, [100, MISSING, MISSING, MISSING, MISSING], (1, 3, 0)),
        (b"1.0\x000\n\x00\x00\n--1\n1.2.3\n1,5\n5 5\n", 2, [MISSING] * 6, (6, 0, 0)),
        (b"2147483647\n-2147483647\n2147483648\n-2147483648\n", 0, [INT32, -INT32, MISSING, MISSING], (2, 0, 0)),
        (b"00000000000000000000012\n99999999999999999999\n" + b"9" * 400 + b"\n", 0, [12, MISSING, MISSING], (2, 0, 0)),
        (b"0." + b"0" * 300 + b"1\n", 2, [0], (0, 0, 1)),
        (b"1.00\n2.00\n3.0", 2, [100, 200], (0, 0, 0)),
        (b"", 2, [], (0, 0, 0)),
        (b"\n\n", 2, [], (0, 0, 0)),
        (b"5", 2, [], (0, 0, 0)),
    ],
)
def test_known_rows(text: bytes, decimals: int, expected: list[int], counts: tuple[int, int, int]) -> None:
    values, *found = parsed(text, decimals)
    assert [row[0] for row in values] == expected
    assert tuple(found) == counts


def test_three_columns() -> None:
    text = b"-61,25,6\n64, 0, 0\n1,2\n1,2,3,4\n,,\n1,x,3\n-128,127,0\r\n1.0,2.5,3\n1,2,nan\n"
    values, bad, nan, rounded = parsed(text, 0, 3)
    lost = [MISSING] * 3
    assert values == [[-61, 25, 6], [64, 0, 0], lost, lost, lost, lost, [-128, 127, 0], [1, 2, 3], lost]
    assert (bad, nan, rounded) == (4, 1, 1)


def test_decimal_comma() -> None:
    assert parsed(b"-1,25\n3,5\n1.5\n", 2, 1, b";", b",")[0] == [[-125], [350], [MISSING]]
    assert parsed(b"1,5;2\n", 1, 2, b";", b",")[0] == [[15, 20]]


def test_int64_holds_unix_time_in_microseconds() -> None:
    out = np.empty((1, 4), np.int64)
    text = np.frombuffer(b"1586886626.123456\n1e300\n-5\n", np.uint8)
    assert parse_rows(text, 0, 6, 44, 46, INT64, out) == (3, 1, 0, 0)
    assert out[0, :3].tolist() == [1586886626123456, MISSING, -5_000_000]


def test_capacity_is_never_passed() -> None:
    out = np.full((1, 3), 7, np.int32)
    assert parse_rows(np.frombuffer(b"1\n2\n3\n4\n", np.uint8), 0, 0, 44, 46, INT32, out[:, :2].copy())[0] == 2
    assert parse_rows(np.frombuffer(b"1\n2\n3\n4\n", np.uint8), 6, 0, 44, 46, INT32, out)[0] == 1


LIKE_ROWS = st.lists(
    st.sampled_from([b"1", b"23", b"-", b"+", b".", b",", b";", b"\n", b"\r\n", b" ", b"0", b"9999999999", b"e", b"E5",
                     b"-3", b"nan", b"inf", b"\x00", b"\xff", b'"', b"5\n", b"12.50\n", b"-61,25,6\n"]),
    max_size=30,
).map(b"".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(LIKE_ROWS, st.binary(max_size=60)), st.sampled_from([0, 2, 6]), st.sampled_from([1, 2, 3]))
@example(b"-\n", 0, 1)
@example(b"-" + b"\n" * 5, 2, 3)
@example(b"1,-", 0, 2)
@example(b"1e\n1e+\n", 2, 1)
@example(b"0e99999999999\n1e99999999999\n1e-99999999999\n", 2, 1)
def test_equals_the_naive_twin(text: bytes, decimals: int, columns: int) -> None:
    assert parsed(text, decimals, columns) == naive.rows(text, decimals, columns, SEPARATOR, POINT, INT32)


@settings(max_examples=100, deadline=None)
@given(LIKE_ROWS)
def test_equals_the_naive_twin_with_a_decimal_comma(text: bytes) -> None:
    assert parsed(text, 2, 2, b";", b",") == naive.rows(text, 2, 2, b";", b",", INT32)


@pytest.mark.slow
@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="this is the run without the compiler")
def test_without_the_compiler_where_indices_are_checked() -> None:
    here = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    run = subprocess.run(
        here, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
