"""Parts: bytes that depend on rows only, and statistics that every reader may prune by."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.storage import Store
from engine.tables.coded import coded
from engine.tables.parts import ROW_GROUP_ROWS, decode, encode, part_path, statistics, write_part

ROWS = pa.table(
    {
        "source_id": ["a", "b", None],
        "ts": pa.array(
            [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, 0, 0, 1, 5, tzinfo=UTC), None],
            pa.timestamp("us", "UTC"),
        ),
        "day": [date(2020, 1, 1), None, None],
        "hr_bpm": [50.0, None, 60.5],
    }
)


def test_a_part_is_written_whole_and_named_by_its_bytes(tmp_path: Path) -> None:
    part = write_part(Store(tmp_path), "vitals", ROWS, ["source_id"], {"module_id": "m-1"})
    data = (tmp_path / "vitals" / part.path).read_bytes()
    assert part.path == part_path({"module_id": "m-1"}, data)
    assert (part.size_bytes, part.rows, part.table) == (len(data), 3, "vitals")
    assert decode(data).equals(ROWS)


def test_the_same_rows_give_the_same_bytes_whatever_their_chunks() -> None:
    chunked = pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1)])
    assert encode(chunked) == encode(ROWS)


def test_statistics_are_exact_over_the_keys_only() -> None:
    told = json.loads(statistics(encode(ROWS), ["source_id", "ts", "day", "absent"]))
    assert told == {
        "numRecords": 3,
        "minValues": {"source_id": "a", "ts": "2020-01-01T00:00:00.000000Z", "day": "2020-01-01"},
        "maxValues": {"source_id": "b", "ts": "2020-01-02T00:00:01.000005Z", "day": "2020-01-01"},
        "nullCount": {"source_id": 1, "ts": 1, "day": 2},
    }


@pytest.mark.parametrize("rows", [ROWS.slice(0, 0), pa.table({"source_id": pa.array([None, None], pa.string())})])
def test_without_values_there_are_no_bounds(rows: pa.Table) -> None:
    told = json.loads(statistics(encode(rows), ["source_id"]))
    assert told["minValues"] == told["maxValues"] == {}
    assert told["numRecords"] == rows.num_rows


def test_codes_become_text_and_each_row_group_has_its_own_texts_only() -> None:
    n = ROW_GROUP_ROWS + 10
    texts, codes = (
        [f"text {i}" for i in range(100)],
        np.where(np.arange(n) < ROW_GROUP_ROWS, 0, np.arange(n) % 50 - 1),
    )
    rows = pa.table({"name": coded(texts, codes), "n": np.arange(n)})
    plain = pa.table({"name": rows["name"].cast(pa.string()), "n": np.arange(n)})
    data = encode(rows)
    assert decode(data).equals(plain)
    assert decode(data).schema.equals(decode(encode(plain)).schema, check_metadata=True)
    assert pl.read_parquet(data).schema["name"] == pl.String
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=["name"])
    held = [file.read_row_group(number)["name"].chunk(0).dictionary.to_pylist() for number in range(2)]
    assert held == [["text 0"], plain["name"].slice(ROW_GROUP_ROWS).unique().to_pylist()]
    assert encode(pa.concat_tables([rows.slice(0, 7), rows.slice(7)])) == data


def test_row_groups_have_statistics_of_keys_only() -> None:
    footer = pq.read_metadata(pa.BufferReader(encode(ROWS, ["ts"]))).row_group(0)
    assert [footer.column(i).is_stats_set for i in range(footer.num_columns)] == [False, True, False, False]


def test_row_groups_of_long_lists_have_fewer_rows() -> None:
    rows = pa.table({"n": np.arange(1000), "path": pa.array([[0.5] * 1311] * 1000)})
    footer = pq.read_metadata(pa.BufferReader(encode(rows)))
    assert [footer.row_group(g).num_rows for g in range(footer.num_row_groups)] == [99] * 10 + [10]
    assert decode(encode(rows)).equals(rows)


def test_only_floats_that_hardly_repeat_have_no_dictionary() -> None:
    n = 1000
    rows = pa.table({
        "text": ["a"] * n,
        "same": [1.5, 2.5] * (n // 2),
        "new": [i * 0.1 for i in range(n)],
        "codes": [["A", "B"]] * n,
        "path": pa.array([[i * 0.1, i * 0.3] for i in range(n)]),
    })  # fmt: skip
    footer = pq.read_metadata(pa.BufferReader(encode(rows))).row_group(0)
    columns = [footer.column(i) for i in range(footer.num_columns)]
    without = [one.path_in_schema for one in columns if not one.has_dictionary_page]
    assert without == ["new", "path.list.element"]
    assert decode(encode(rows)).equals(rows)


def test_few_rows_have_no_dictionary_of_what_hardly_repeats() -> None:
    rows = pa.table({"name": ["P01"] * 16, "ts": range(16), "state": [0, 1] * 8, "value": [1.5] * 16})
    for some, expected in ((rows, ["name", "state", "value"]), (rows.slice(0, 1), [])):
        footer = pq.read_metadata(pa.BufferReader(encode(some)))
        columns = [footer.row_group(0).column(i) for i in range(footer.num_columns)]
        assert [one.path_in_schema for one in columns if one.has_dictionary_page] == expected
