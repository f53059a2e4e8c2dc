"""Csv exports with named columns, a line a row: each line is read by itself, so that damage stays in its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from engine.night.formats.readings import Collector

LONGEST_LINE = 1 << 20


def header(data: bytes) -> tuple[str, ...]:
    """Names of the columns, in lower case; empty where the first line is none.

    >>> header(b"Timestamp,rmssd\\n1,2\\n")
    ('timestamp', 'rmssd')
    """
    return _names(data[:4096].decode("utf-8-sig", "replace").partition("\n")[0])


def lines(data: bytes, found: Collector, is_cut_unless_ended: bool = True) -> Iterator[Mapping[str, str]]:
    """Cells by column. A line with other than the header's cells counts as a bad row, and so does a last line without
    an end where a cut number would pass for a whole one (`is_cut_unless_ended`)."""
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "replace", newline=None)
    names = _names(text.readline(LONGEST_LINE))
    while line := text.readline(LONGEST_LINE):
        cells = _cells(line)
        if not line.strip():
            continue
        if len(cells) != len(names) or (is_cut_unless_ended and not line.endswith("\n")):
            found.bad()
        else:
            yield dict(zip(names, cells, strict=True))


def _names(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().lower() for cell in _cells(line))


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []
