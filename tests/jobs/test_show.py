"""Frames drawn for a person."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
from rich.console import Console

from engine.module import Table, column
from jobs.show import draw, units


def drawn(frame: pl.DataFrame, unit: dict[str, str] | None = None, rows: int = 20, width: int = 200) -> str:
    stream = io.StringIO()
    draw(Console(file=stream, width=width, color_system=None), frame, "a title", unit or {}, rows)
    return stream.getvalue()


def test_units_stand_under_the_names_and_missing_is_a_dash() -> None:
    said = drawn(pl.DataFrame({"hr_bpm": [61.25, None], "band": ["A", "D"]}), {"hr_bpm": "bpm"})
    assert "a title" in said and "hr_bpm" in said and "bpm" in said.split("hr_bpm")[1]
    assert "61.25" in said and "–" in said


def test_long_frames_say_how_much_is_left_out() -> None:
    assert "… 15 more rows" in drawn(pl.DataFrame({"x": list(range(20))}), rows=5)


def test_wide_frames_stand_up_with_the_rows_that_fit() -> None:
    said = drawn(pl.DataFrame({f"c{i}": [i, 2 * i, 3 * i] for i in range(60)}), width=36)
    assert all(f"c{i} " in said for i in range(60)) and "row 2" in said and "row 3" not in said
    assert "… 1 more row" in said and max(map(len, said.splitlines())) <= 36


def test_a_frame_without_rows_is_its_title() -> None:
    assert drawn(pl.DataFrame({"x": []})) == "a title\n"


def test_what_looks_like_markup_is_text() -> None:
    assert "[red]x[/red]" in drawn(pl.DataFrame({"message": ["[red]x[/red]"]}))


def test_units_come_from_the_schemas() -> None:
    schema = pa.schema([column("hr_bpm", pa.float64(), "bpm", "rate"), column("band", pa.string(), "1", "band")])
    assert units({"nights": Table(schema, ("band",), ("band",))}) == {"hr_bpm": "bpm"}
