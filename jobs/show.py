"""Draws frames, counts and times for a person: units in the header, a dash for missing, few digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.module import Table as OutputTable
from jobs.flat import told

MANY = 8
"""Columns up to which a table that is too wide is folded instead of stood up."""

LONGEST = 40
"""Characters of a cell that count for its width; longer ones are folded."""


def units(outputs: Mapping[str, OutputTable]) -> dict[str, str]:
    """Column to unit, over all tables of a module; columns without a unit are left out."""
    fields: list[pa.Field] = [field for table in outputs.values() for field in table.schema]
    named = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in fields}
    return {name: unit for name, unit in named.items() if unit not in ("", "1")}


def draw(console: Console, frame: pl.DataFrame, title: str, unit: Mapping[str, str], rows: int = 20) -> None:
    """A line a row; but many columns that do not fit stand up, one line a column, with the rows that fit."""
    console.print(title, style="bold", soft_wrap=True)
    if frame.is_empty():
        return
    shown = frame.head(rows)
    cells = [[text(value) for value in frame[name].head(rows)] for name in frame.columns]
    heads = [f"{name}\n{unit[name]}" if name in unit else name for name in frame.columns]
    widths = [max(map(len, [*head.split("\n"), *column])) + 3 for head, column in zip(heads, cells, strict=True)]
    if frame.width > MANY and sum(widths) + 1 > console.width:
        drawn = _standing(console, frame.columns, cells, unit)
    else:
        drawn = shown.height
        table = Table(header_style="bold")
        for name, head in zip(frame.columns, heads, strict=True):
            table.add_column(head, justify="right" if frame[name].dtype.is_numeric() else "left", overflow="fold")
        for row in zip(*cells, strict=True):
            table.add_row(*map(escape, row))
        console.print(table)
    if frame.height > drawn:
        console.print(f"  … {count(frame.height - drawn, 'more row')}")


def _standing(console: Console, names: Sequence[str], cells: Sequence[Sequence[str]], unit: Mapping[str, str]) -> int:
    """Draws as many rows as fit side by side, and says how many."""
    left = console.width - max(map(len, names)) - max(map(len, ["unit", *unit.values()])) - 8
    widths = [max(min(max(map(len, row)), LONGEST), len("row 1")) + 3 for row in zip(*cells, strict=True)]
    fitting = max(1, sum(1 for total in accumulate(widths) if total <= left)) if widths else 0
    table = Table(header_style="bold")
    table.add_column("column", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for index in range(fitting):
        table.add_column(f"row {index + 1}" if fitting > 1 else "value", justify="right", overflow="fold")
    for name, column in zip(names, cells, strict=True):
        table.add_row(name, unit.get(name, ""), *map(escape, column[:fitting]))
    console.print(table)
    return fitting


def text(value: Any) -> str:
    """One cell.

    >>> text(61.23456), text(None), text(["GAP", "SHORT"]), text(0.5), text(1774644905.25)
    ('61.235', '–', 'GAP SHORT', '0.5', '1774644905')
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.5g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, pl.Series):
        return text(value.to_list())
    if isinstance(value, list | dict | bytes):
        return told(value) or "–"
    return str(value)


def size(count: float) -> str:
    """Bytes for a person.

    >>> size(999), size(1_500_000), size(0)
    ('999 B', '1.5 MB', '0 B')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """A duration for a person.

    >>> span(0.04), span(12.34), span(125), span(7322)
    ('0.0 s', '12.3 s', '2 min 5 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min {int(seconds % 60)} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "file"), count(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
