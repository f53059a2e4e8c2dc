from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa

from jobs.flat import as_json, flat

WHEN = datetime(2026, 3, 28, 22, tzinfo=UTC)
ENDS = pa.list_(pa.struct([("t", pa.timestamp("us", "UTC")), ("v", pa.binary())]))
ODD = pa.table(
    {
        "n": pa.array([1, 2]),
        "reasons": pa.array([["GAP", "SHORT"], []], pa.list_(pa.string())),
        "trace": pa.array([[1.5, None], None], pa.list_(pa.float32())),
        "ends": pa.array([[{"t": WHEN, "v": b"\xff"}], []], ENDS),
        "share": pa.array([[(1.0, Decimal("0.5"))], None], pa.map_(pa.float64(), pa.decimal128(3, 1))),
        "raw": pa.array([b"\x00\xff", None], pa.binary()),
    }
)


def test_every_column_can_be_written_as_csv() -> None:
    told = flat(pl.DataFrame(pl.from_arrow(ODD)))
    assert told.rows() == [
        (1, "GAP SHORT", "[1.5, null]", '[{"t": "2026-03-28T22:00:00+00:00", "v": "ff"}]', '{"1.0": "0.5"}', "00ff"),
        (2, "", None, "", None, None),
    ]
    assert len(told.write_csv().splitlines()) == 3


def test_every_column_can_be_written_as_json() -> None:
    told = json.loads(as_json(pl.DataFrame(pl.from_arrow(ODD))))
    assert told[0]["share"] == {"1.0": "0.5"} and told[0]["raw"] == "00ff" and told[0]["trace"] == [1.5, None]
    assert told[1] == {"n": 2, "reasons": [], "trace": None, "ends": [], "share": None, "raw": None}
