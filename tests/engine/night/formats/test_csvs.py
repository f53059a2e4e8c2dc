from __future__ import annotations

import codecs
from collections import Counter

import numpy as np
import pytest

from engine.night.formats.csvs import Table
from engine.night.recording import MISSING

PLAIN = b"1600000000.00\n64.000000\n-0.25\n1.50\n100.00\n"


def column(raw: bytes) -> tuple[int | None, int | None, list[int], dict[str, int]]:
    codes: Counter[str] = Counter()
    table = Table.of(raw)
    rows = table.rows(2, 2, 1, np.int32, codes, 1000)
    return table.first_number(0), table.first_number(1), rows[0].tolist(), dict(+codes)


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        PLAIN.replace(b"\n", b"\r\r\n"),
        codecs.BOM_UTF8 + PLAIN,
        PLAIN.decode().encode("utf-16"),
        PLAIN.replace(b".", b","),
        PLAIN.replace(b".000000", b"").replace(b".00", b""),
        PLAIN.replace(b"1.50", b"1.5E+00"),
        PLAIN + b"\n\n",
    ],
)
def test_spellings_of_one_table(raw: bytes) -> None:
    assert column(raw) == (1_600_000_000_000_000, 64_000_000, [-25, 150, 10_000], {})


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_separators(separator: str) -> None:
    raw = "1600000000.0, 1600000000.0\n32.0, 32.0\n1,2\n-3,4\n".replace(", ", ",").replace(",", separator).encode()
    codes: Counter[str] = Counter()
    table = Table.of(raw)
    assert table.first_number(1) == 32_000_000
    assert table.rows(2, 0, 2, np.int32, codes, 1000).tolist() == [[1, -3], [2, 4]]
    assert not +codes


def test_semicolons_with_decimal_commas() -> None:
    codes: Counter[str] = Counter()
    table = Table.of(b"1600000000,5;IBI\n3,5;0,84375\n")
    assert table.first_number(0) == 1_600_000_000_500_000
    assert table.rows(1, 6, 2, np.int64, codes, 1000).tolist() == [[3_500_000], [843_750]]


def test_a_cut_last_row_is_dropped_and_counted() -> None:
    assert column(PLAIN + b"99.")[2:] == ([-25, 150, 10_000], {"ROW_BAD": 1})


def test_bad_rows_keep_their_place() -> None:
    found = column(PLAIN.replace(b"1.50", b"1\x00\x00.5") + b"nan\n")
    assert found[2:] == ([-25, MISSING, 10_000, MISSING], {"ROW_BAD": 1, "NANV": 1})


@pytest.mark.parametrize("raw", [b"", b"\n", b"abc", b"abc\n", b"\xff\xfe", b"\xff\xfe\x00", b",\n,\n", b"1" * 9000])
def test_anything_is_a_table(raw: bytes) -> None:
    start, rate, rows, _ = column(raw)
    assert (start, rate, rows) == (None, None, [])
