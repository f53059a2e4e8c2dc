"""Frames drawn for a person."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
from rich.console import Console

from engine.module import Table, column
from jobs.show import draw, units


def drawn(frame: pl.DataFrame, unit: dict[str, str] | None = None, rows: int = 20) -> str:
    stream = io.StringIO()
    draw(Console(file=stream, width=200, color_system=None), frame, "a title", unit or {}, rows)
    return stream.getvalue()


def test_units_stand_under_the_names_and_missing_is_a_dash() -> None:
    said = drawn(pl.DataFrame({"hr_bpm": [61.25, None], "band": ["A", "D"]}), {"hr_bpm": "bpm"})
    assert "a title" in said and "hr_bpm" in said and "bpm" in said.split("hr_bpm")[1]
    assert "61.25" in said and "–" in said


def test_long_frames_say_how_much_is_left_out() -> None:
    assert "… 15 more rows" in drawn(pl.DataFrame({"x": list(range(20))}), rows=5)


def test_wide_frames_stand_up() -> None:
    said = drawn(pl.DataFrame({f"c{i}": [i] for i in range(30)}))
    assert all(f"c{i} " in said for i in range(30)) and "value" in said


def test_units_come_from_the_schemas() -> None:
    schema = pa.schema([column("hr_bpm", pa.float64(), "bpm", "rate"), column("band", pa.string(), "1", "band")])
    assert units({"nights": Table(schema, ("band",), ("band",))}) == {"hr_bpm": "bpm"}
