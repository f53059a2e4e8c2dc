"""Number tables as devices and spreadsheets write them: byte-order marks, line ends, separators and decimal commas."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kernels.text import parse_rows

MICRO = 6
_INT32_MOST, _INT64_MOST = 2**31 - 1, 2**62
_HEAD_BYTES = 4096
Whole = TypeVar("Whole", np.int32, np.int64)


@dataclass(frozen=True, slots=True)
class Table:
    """Text with line feeds, and the bytes that part its cells and stand for the decimal point."""

    text: bytes
    separator: int
    point: int

    @classmethod
    def of(cls, raw: bytes) -> Table:
        """Normalise: byte-order mark and UTF-16 to plain text, CR and CRLF to LF; guess separator and point."""
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raw = raw.decode("utf-16", "replace").encode("ascii", "replace")
        raw = raw.removeprefix(codecs.BOM_UTF8)
        head = raw[:_HEAD_BYTES]
        if b"\r" in head:
            raw = raw.translate(None, b"\r") if b"\n" in head else raw.replace(b"\r", b"\n")
        separator = b";" if b";" in head else b"\t" if b"\t" in head else b","
        lone_comma = b"," in head and b"." not in head and (separator != b"," or not _several(head))
        return cls(raw, separator[0], (b"," if lone_comma else b".")[0])

    def first_number(self, line: int) -> int | None:
        """The first cell of a line in millionths; None where it is no number."""
        begin = self._line(line)
        end = self.text.find(b"\n", begin)
        if begin < 0 or end < 0 or end - begin > _HEAD_BYTES:
            return None
        cell = self.text[begin:end]
        if self.separator != self.point:
            cell = cell.split(bytes([self.separator]), 1)[0]
        out = np.empty((1, 1), np.int64)
        found = self._parse(cell + b"\n", 0, MICRO, _INT64_MOST, out)
        return int(out[0, 0]) if found[0] == 1 and not found[1] and not found[2] else None

    def rows(
        self, line: int, decimals: int, columns: int, kind: type[Whole], codes: Counter[str], most: int
    ) -> NDArray[Whole] | None:
        """(columns, rows) of the lines from `line` on, in units of 10^−decimals; MISSING where a row is bad; None
        where there are more than `most`: text of one digit a row would take twice its own size.

        Counts `ROW_BAD` (unreadable rows and a last row that lacks its line feed) and `NANV` in `codes`.
        """
        begin = self._line(line)
        if begin < 0:
            return np.empty((columns, 0), kind)
        out = np.empty((columns, min((len(self.text) - begin) // 2, most) + 1), kind)
        limit = _INT32_MOST if kind is np.int32 else _INT64_MOST
        rows, bad, nan, _ = self._parse(self.text, begin, decimals, limit, out)
        if rows > most:
            return None
        cut = bool(self.text[max(begin, self.text.rfind(b"\n") + 1) :].strip(b" \t\r"))
        codes["ROW_BAD"] += bad + cut
        codes["NANV"] += nan
        return out[:, :rows]

    def _parse(
        self, text: bytes, begin: int, decimals: int, limit: int, out: NDArray[Whole]
    ) -> tuple[int, int, int, int]:
        data = np.frombuffer(text, np.uint8)
        return parse_rows(data, begin, decimals, self.separator, self.point, limit, out)  # type: ignore[no-any-return]

    def _line(self, line: int) -> int:
        """Where a line begins; −1 past the end."""
        begin = 0
        for _ in range(line):
            begin = self.text.find(b"\n", begin) + 1
            if begin == 0:
                return -1
        return begin


def _several(head: bytes) -> bool:
    """Whether commas part cells: a line has two of them, or a blank or letter follows one.

    >>> _several(b"1586886626,50\\n64\\n-1,25"), _several(b"-5,23,60"), _several(b"1586886626, IBI\\n12,1")
    (False, True, True)
    """
    return any(line.count(b",") > 1 or b", " in line for line in head.splitlines())
