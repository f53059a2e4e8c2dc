from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.night.formats.parquet_pages import Chunk, deltas, pages_agree, row_groups
from tests.engine.night.formats.hostile import in_footer, run_lengths

TABLE = pa.table(
    {
        "whole": pa.array([i * i % 57 for i in range(3000)]),
        "word": pa.array([str(i % 9) for i in range(3000)]),
        "list": pa.array([[1, 2, None], None, []] * 1000, pa.list_(pa.int32())),
    }
)


def written(**options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, **options)
    return sink.getvalue()


def by_polars() -> bytes:
    sink = io.BytesIO()
    pl.DataFrame(TABLE).write_parquet(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        written(),
        written(data_page_version="2.0", compression="none"),
        written(use_dictionary=False, write_page_checksum=True),
        written(use_dictionary=False, column_encoding={"whole": "DELTA_BINARY_PACKED"}),
        written(row_group_size=77, data_page_size=100, write_page_index=True),
        by_polars(),
    ],
)
def test_what_others_write_agrees(data: bytes) -> None:
    groups = row_groups(data)
    told = pq.ParquetFile(pa.BufferReader(data)).metadata
    assert groups is not None
    assert [group.rows for group in groups] == [told.row_group(i).num_rows for i in range(told.num_row_groups)]
    assert [chunk.path for chunk in groups[0].chunks] == ["whole", "word", told.row_group(0).column(2).path_in_schema]
    assert all(pages_agree(data, chunk) for group in groups for chunk in group.chunks)


def test_a_footer_that_tells_of_fewer_values_than_the_pages_hold() -> None:
    data = run_lengths(50_000)
    groups = row_groups(data)
    assert groups is not None
    assert {chunk.path: pages_agree(data, chunk) for chunk in groups[0].chunks if chunk.path.startswith("values")} == {
        "values.list.element": False
    }


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(20) + b"PAR1", in_footer(written(), 3000, 2999)[:-9]])
def test_no_footer(data: bytes) -> None:
    assert row_groups(data) is None


def test_columns_outside_the_file() -> None:
    data = written()
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert row_groups(data[:4] + data[begin:]) is None


def test_columns_that_share_their_bytes_are_refused() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(range(5000)) for name in "ab"}), sink, use_dictionary=False)
    (group,) = row_groups(sink.getvalue()) or ()
    first, second = group.chunks
    together = in_footer(sink.getvalue(), second.begin, first.begin)
    assert row_groups(in_footer(together, first.packed, 2 * first.packed)) is None


DELTAS = {"a.list.element": "DELTA_BINARY_PACKED"}
SMALL = {"data_page_size": 200, "write_batch_size": 100}


def lists(values: pa.Array, **options: Any) -> tuple[bytes, Chunk]:
    sink = io.BytesIO()
    plan = {
        "use_dictionary": False,
        "column_encoding": {"a.list.element": "DELTA_BINARY_PACKED"},
        "compression": "zstd",
    }
    pq.write_table(pa.table({"a": values}), sink, **{**plan, **options})
    groups = row_groups(sink.getvalue())
    assert groups is not None
    return sink.getvalue(), groups[0].chunks[0]


@pytest.mark.parametrize("options", [{}, SMALL, {"write_page_checksum": True}])
def test_packed_differences_are_the_values(options: dict[str, Any]) -> None:
    values = np.random.default_rng(1).integers(-(2**31), 2**31, 3000).astype(np.int32)
    found = np.empty(3000, np.int32)
    assert deltas(*lists(pa.array(np.split(values, 60), pa.list_(pa.int32())), **options), found)
    assert np.array_equal(found, values)


@pytest.mark.parametrize(
    ("rows", "kind", "options"),
    [
        ([[1, None, 3]], pa.int32(), {}),
        ([[1, 2], None], pa.int32(), {}),
        ([[1, 2], []], pa.int32(), {}),
        ([[1, 2]], pa.int64(), {}),
        ([[1, 2]], pa.int32(), {"compression": "none"}),
        ([[1, 2]], pa.int32(), {"column_encoding": {"a.list.element": "PLAIN"}}),
        ([[1, 2]], pa.int32(), {"data_page_version": "2.0"}),
        ([[1, 2]], pa.int32(), {"use_dictionary": True, "column_encoding": None}),
    ],
)
def test_what_is_left_to_arrow(rows: list[Any], kind: pa.DataType, options: dict[str, Any]) -> None:
    data, chunk = lists(pa.array(rows, pa.list_(kind)), **options)
    assert not deltas(data, chunk, np.empty(chunk.values, np.int32))
