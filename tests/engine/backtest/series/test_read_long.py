"""Long tables: mapped columns, times of every kind, and one clear sentence for what cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.backtest.series.buckets import buckets
from engine.backtest.series.clean import series_of
from engine.backtest.series.names import READINGS
from engine.backtest.series.read_long import Columns, read_long
from engine.backtest.series.series import Series
from engine.errors import UserError


def write(folder: Path, name: str = "x.parquet", **columns: Any) -> str:
    path = folder / name
    table = pl.DataFrame(columns)
    if name.endswith(".parquet"):
        table.write_parquet(path)
    else:
        table.write_csv(path)
    return str(path)


def read(uri: str, columns: Columns | None = None) -> list[Series]:
    return [series for frame in read_long(uri, columns) for series in series_of(frame)]


def simple(**more: Any) -> dict[str, Any]:
    return {"subject_id": ["a", "a"], "vital": ["HR", "HR"], "ts": [5, 6], "value": [60.0, 61.0]} | more


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_defaults(tmp_path: Path, name: str) -> None:
    (series,) = read(write(tmp_path, name, **simple()))
    assert (series.subject_id, series.vital, series.start) == ("a", "hr_bpm", 5)
    assert (series.values.tolist(), series.readings) == ([60.0, 61.0], None)


@pytest.mark.parametrize("ts", [
    [datetime(1970, 1, 1, 5), datetime(1970, 1, 1, 6, 30)],
    [datetime(1970, 1, 1, 5, tzinfo=UTC), datetime(1970, 1, 1, 6, tzinfo=UTC)],
    ["1970-01-01T05:00:00Z", "1970-01-01T07:30:00+01:00"],
    ["1970-01-01 05:00:00", "1970-01-01 06:59:59.5"],
    [5.25, 6.0],
])  # fmt: skip
def test_times(tmp_path: Path, ts: list[Any]) -> None:
    (series,) = read(write(tmp_path, **simple(ts=ts)))
    assert (series.start, series.values.tolist()) == (5, [60.0, 61.0])


def test_days(tmp_path: Path) -> None:
    (series,) = read(write(tmp_path, **simple(ts=[date(1970, 1, 2), date(1970, 1, 3)])))
    assert (series.start, len(series.values)) == (24, 25)


@pytest.mark.parametrize(("unit", "an_hour"), [("min", 60), ("s", 3600), ("ms", 3_600_000), ("us", 3_600_000_000)])
def test_units(tmp_path: Path, unit: str, an_hour: int) -> None:
    uri = write(tmp_path, **simple(ts=[5 * an_hour, 6 * an_hour + an_hour // 2]))
    assert read(uri, Columns(unit=unit))[0].start == 5


def test_the_zone_is_utc_when_clocks_change(tmp_path: Path) -> None:
    ts = pl.Series(["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]).str.to_datetime(time_zone="Europe/Zurich")
    (series,) = read(write(tmp_path, **simple(ts=ts)))
    assert series.values.tolist() == [60.0, 61.0]


def test_m4(tmp_path: Path) -> None:
    (series,) = read(write(tmp_path, unique_id=["H1"] * 3, ds=[1, 2, 4], y=[0.0, -5.0, 1e6]))
    assert (series.subject_id, series.vital, series.start) == ("H1", "value", 1)
    assert series.values[[0, 1, 3]].tolist() == [0.0, -5.0, 1e6]


def test_mapped(tmp_path: Path) -> None:
    uri = write(tmp_path, pid=[7, 7, 7], Parameter=["Temp", "Glucose", "TEMP"], min=[0, 60, 60], Value=[98.6, 100, 33])
    columns = Columns("pid", "Parameter", "min", "Value", None, "min")
    (series,) = read(uri, columns)
    assert (series.subject_id, series.vital, series.values.tolist()) == ("7", "temp_c", [pytest.approx(37.0)])
    named = Columns("pid", "Parameter", "min", "Value", None, "min", {"Glucose": "glucose_mgdl", "TEMP": "skin_temp_c"})
    assert [one.vital for one in read(uri, named)] == ["glucose_mgdl", "skin_temp_c", "temp_c"]


def test_arrivals(tmp_path: Path) -> None:
    arrived = [datetime(1970, 1, 1, 9, 0, 1), None]
    (series,) = read(write(tmp_path, **simple(arrived_at=arrived)))
    assert series.readings is not None
    assert series.readings.arrived.tolist() == [10, 7]


def test_arrivals_can_be_left_out(tmp_path: Path) -> None:
    (series,) = read(write(tmp_path, **simple(arrived_at=[99, 99])), Columns(arrived=None))
    assert series.readings is None


@pytest.mark.parametrize(("columns", "sentence"), [
    (simple(ts=["yesterday", "1970-01-01"]), "cannot read ts: yesterday as a time; give ISO 8601"),
    (simple(ts=["01/02/1970", "02/02/1970"]), "cannot read ts: 01/02/1970 as a time"),
    (simple(ts=[None, 6]), "a row has no time"),
    (simple(ts=[True, False]), "column ts: Boolean is not a time"),
    (simple(arrived_at=["1970-01-01", "soon"]), "cannot read arrived_at: soon as a time"),
    (simple(subject_id=[None, "a"]), "a row has no subject"),
    (simple(value=["high", "low"]), "column value holds String, not numbers"),
    (simple(vital=["Puls", "Druck"]), "no vital is known; there are Druck, Puls"),
    ({"subject_id": ["a"], "when": [1], "value": [1.0]}, "no column vital, ts; there are subject_id, when, value"),
])  # fmt: skip
def test_one_sentence(tmp_path: Path, columns: dict[str, Any], sentence: str) -> None:
    uri = write(tmp_path, **columns)
    with pytest.raises(UserError) as caught:
        read(uri)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("x.csv", b"", "no such file, or an empty one"),
    ("x.csv", b"subject_id,vital,ts,value\n", "no rows"),
    ("x.parquet", b"garbage", "cannot be read"),
    ("x.xlsx", b"", "readings in long form are one of"),
])  # fmt: skip
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read(str(tmp_path / name))


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(str(tmp_path / name))


def test_an_unknown_unit(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unit: 'days' is none of h, min, s, ms, us"):
        read(write(tmp_path, **simple()), Columns(unit="days"))


def test_buckets_hold_whole_subjects() -> None:
    rows = pl.DataFrame({"subject_id": ["b", "a", "c", "a", "d"] * 3, "ts_us": range(15)}).with_columns(
        vital=pl.lit("hr_bpm"), value=1.0, weight=0, arrived=None, unread=pl.lit(None, pl.String)
    )
    found = list(buckets("here", rows.lazy(), bucket_rows=5))
    assert pl.concat(found).sort("ts_us")["ts_us"].to_list() == list(range(15))
    assert [sorted(set(frame["subject_id"])) for frame in found] == [["a"], ["b", "c"], ["d"]]
    assert all(frame.schema == READINGS for frame in found)
