"""Series from the vitals of a reprocessing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from engine.backtest.series.read import Kind, SeriesInput, kind_of, read
from engine.errors import UserError
from engine.night.tables import VITALS
from engine.schemas import RUNS

from .rows import frame


def hour(h: float) -> datetime:
    return datetime.fromtimestamp(h * 3600, UTC)


def row(source: str, h: int, value: float, n: int, arrived: float | None, vital: str = "hr_bpm") -> dict[str, Any]:
    known = {"subject_id": "a", "source_id": source, "vital": vital, "ts": hour(h), "value": value, "n": n}
    return known | {"arrived_at": None if arrived is None else hour(arrived)}


def write(folder: Path, module_id: str, rows: list[dict[str, Any]], state: str = "finished", run: str = "1") -> None:
    if rows:
        table = pa.Table.from_pylist(rows, schema=VITALS.schema)
        table = table.append_column("module_id", pa.array([module_id] * len(rows)))
        write_deltalake(folder / "vitals", table, partition_by=["module_id"], mode="append")
    told = {"run_id": run, "module_id": module_id, "state": state}
    write_deltalake(folder / "runs", pa.Table.from_pylist([told], schema=RUNS.schema), mode="append")


def test_hours_of_several_sources_count_by_n_and_by_arrival(tmp_path: Path) -> None:
    write(tmp_path, "night-1", [row("x", 3, 60.0, 300, 9), row("y", 3, 80.0, 100, 12), row("x", 4, 61.0, 9, None)])
    assert kind_of(SeriesInput(str(tmp_path))) is Kind.OUTPUT
    (series,) = read(SeriesInput(str(tmp_path)))
    assert (series.start, series.values.tolist()) == (3, [65.0, 61.0])
    assert series.readings is not None
    assert series.readings.arrived.tolist() == [9, 12, 5]
    (series,) = read(SeriesInput(str(tmp_path), use_arrivals=False))
    assert (series.readings, series.values.tolist()) == (None, [65.0, 61.0])


def test_the_newest_finished_run_that_wrote_vitals(tmp_path: Path) -> None:
    told = [("night-1", 60.0), ("night-2", 70.0), ("night-3", 80.0), ("fits-4", None)]
    for run, (module, value) in enumerate(told):
        state = "stopped" if module == "night-3" else "finished"
        write(tmp_path, module, [] if value is None else [row("x", 3, value, 9, None)], state, str(run))
    (series,) = read(SeriesInput(str(tmp_path)))
    assert series.values.tolist() == [70.0]
    (series,) = read(SeriesInput(str(tmp_path), module_id="night-3"))
    assert series.values.tolist() == [80.0]
    with pytest.raises(UserError, match="no rows"):
        list(read(SeriesInput(str(tmp_path), module_id="night-9")))


def test_no_output(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no table vitals"):
        list(read(SeriesInput(str(tmp_path), Kind.OUTPUT)))


@pytest.mark.parametrize(("columns", "kind"), [
    (("subject_id", "vital", "ts", "value"), Kind.LONG), (("unique_id", "ds", "y"), Kind.LONG),
    (("pid", "HR", "ICULOS"), Kind.WIDE), (("id", "t", "y"), Kind.LONG),
])  # fmt: skip
def test_kinds_of_one_table(tmp_path: Path, columns: tuple[str, ...], kind: Kind) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",".join(columns) + "\n")
    assert kind_of(SeriesInput(str(path))) is kind


def test_kinds_of_places(tmp_path: Path) -> None:
    assert kind_of(SeriesInput(str(tmp_path))) is Kind.WIDE
    assert kind_of(SeriesInput(str(tmp_path / "x.zip"))) is Kind.WIDE
    with pytest.raises(UserError, match="no such file"):
        kind_of(SeriesInput(str(tmp_path / "x.csv")))


def test_some_vitals_and_lengths(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rows = frame([(0.0, 60.0), (47.0, 60.0)]).vstack(frame([(0.0, 60.0), (46.0, 60.0)], "rr_brpm"))
    rows.rename({"ts_us": "ts"}).with_columns(ts=rows["ts_us"] // 3_600_000_000).write_parquet(path)
    assert [one.vital for one in read(SeriesInput(str(path), at_least_h=48))] == ["hr_bpm"]
    assert [one.vital for one in read(SeriesInput(str(path), vitals=("rr_brpm",)))] == ["rr_brpm"]
    with pytest.raises(UserError, match="no series of rr_brpm with at least 48 hours"):
        list(read(SeriesInput(str(path), vitals=("rr_brpm",), at_least_h=48)))
