"""Series read from, and frozen on, an S3 server are those of a local disk."""

from __future__ import annotations

import io

import polars as pl
import pytest

from engine.backtest.series.read import SeriesInput, read
from engine.backtest.series.read_wide import WideColumns
from engine.backtest.series.store import freeze, thaw
from engine.storage import Store
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401

from .test_read_wide import PATIENTS
from .test_store import same

pytestmark = pytest.mark.s3


def test_from_s3_and_back(s3_store: Store) -> None:  # noqa: F811
    table = pl.DataFrame({"subject_id": ["a", "a"], "vital": "HR", "ts": [5, 7], "value": [60.0, 61.0]})
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    s3_store.write("long.parquet", buffer.getvalue())
    s3_store.write("long.csv", table.write_csv().encode())
    for name, text in PATIENTS.items():
        s3_store.write(f"wide/{name}.psv", text.encode())
    uri, options = s3_store.uri, s3_store.options
    (one,) = read(SeriesInput(f"{uri}/long.parquet"), options)
    (other,) = read(SeriesInput(f"{uri}/long.csv"), options)
    wide = list(read(SeriesInput(f"{uri}/wide", wide=WideColumns()), options))
    assert same(one, other)
    assert [series.subject_id for series in wide] == ["p1", "p2", "p2", "p2"]
    index = freeze([one, *wide], s3_store, "frozen")
    assert all(map(same, thaw(s3_store, index["path"][0]), [one, *wide]))
