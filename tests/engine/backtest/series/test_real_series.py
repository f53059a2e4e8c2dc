"""Real intensive care stays and M4."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.backtest.grid import Grid
from engine.backtest.series.asof import states
from engine.backtest.series.clean import series_of
from engine.backtest.series.origins import judge, origins
from engine.backtest.series.read import SeriesInput, read
from engine.backtest.series.read_long import Columns
from engine.backtest.series.scale import scales
from engine.backtest.series.segments import Flag

pytestmark = pytest.mark.real


def test_psv_and_parquet_of_the_same_patients_are_the_same_series(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "vitals_sepsis2019"
    psv = list(read(SeriesInput(str(folder / "psv_first400.zip"))))
    patients = sorted({series.subject_id for series in psv})
    some = tmp_path / "some.parquet"
    pl.scan_parquet(folder / "setB_dev.parquet").filter(pl.col("pid").is_in(patients)).sink_parquet(some)
    table = list(read(SeriesInput(str(some))))
    assert len(patients) == 400
    assert [(s.subject_id, s.vital, s.start, s.corrections) for s in psv] == [
        (s.subject_id, s.vital, s.start, s.corrections) for s in table
    ]
    assert all(a.values.tobytes() == b.values.tobytes() for a, b in zip(psv, table, strict=True))
    for one in psv[::40]:  # whatever a stay holds can be looked at
        found = states(one, origins(one.start, one.end, Grid((), evaluate_h=None)))
        assert len(judge(found).status) == len(scales(found, 24).n) == len(one.values) - 1


def test_a_patient_by_hand(shared_data: Path) -> None:
    with zipfile.ZipFile(shared_data / "vitals_sepsis2019" / "psv_first400.zip") as archive:
        name = archive.namelist()[1]
        lines = archive.read(name).decode().split()
    column = lines[0].split("|").index("HR")
    expected = [float(line.split("|")[column]) for line in lines[1:]]
    zipped = SeriesInput(str(shared_data / "vitals_sepsis2019" / "psv_first400.zip"), vitals=("hr_bpm",))
    series = next(one for one in read(zipped) if f"{one.subject_id}.psv" == Path(name).name)
    assert np.array_equal(series.values, expected, equal_nan=True)


def test_irregular_stays_lose_their_garbage(shared_data: Path) -> None:
    uri = str(shared_data / "vitals_icu2012" / "set_a_first1000.parquet")
    columns = Columns("pid", "Parameter", "min", "Value", None, "min")
    found = list(read(SeriesInput(uri, long=columns)))
    assert {series.vital for series in found} == {
        "hr_bpm", "temp_c", "dbp_mmhg", "sbp_mmhg", "map_mmhg", "rr_brpm"
    }  # fmt: skip
    temperatures = np.concatenate([series.values for series in found if series.vital == "temp_c"])
    assert np.nanmin(temperatures) >= 30.0
    assert sum(series.corrections.implausible for series in found) > 100
    assert all(len(series.values) <= 49 for series in found)
    series = next(series for series in found if series.vital == "hr_bpm")
    raw = pl.read_parquet(uri).filter(pid=int(series.subject_id), Parameter="HR")
    by_hour = raw.group_by(pl.col("min") // 60).agg(pl.col("Value").median()).sort("min")
    assert series.values[np.isfinite(series.values)].tolist() == by_hour["Value"].to_list()


def test_m4_is_taken_as_it_is(shared_data: Path) -> None:
    uri = str(shared_data / "forecast" / "m4_hourly_train.parquet")
    found = list(read(SeriesInput(uri, long=Columns("id", None, "t", "y", None))))
    assert len(found) == 414
    raw = pl.read_parquet(uri).filter(pl.col("id") == found[7].subject_id).sort("t")
    assert found[7].values.tolist() == raw["y"].to_list()
    assert all(series.corrections.hours == series.corrections.readings == len(series.values) for series in found)


def test_most_of_what_is_filled_is_said(shared_data: Path) -> None:
    """Temperature is 66 % missing: its segments are mostly filled, and every filled hour carries its flag."""
    zipped = SeriesInput(str(shared_data / "vitals_sepsis2019" / "psv_first400.zip"), vitals=("temp_c",))
    for series in read(zipped):
        for state in states(series, np.array([series.end])):
            for segment in state.known.segments:
                observed = state.known.values[segment.start - state.known.start : segment.end - state.known.start]
                assert np.array_equal(np.isfinite(observed), segment.flags == Flag.OBSERVED)


def test_nothing_changes_when_rows_are_shuffled(shared_data: Path) -> None:
    uri = shared_data / "vitals_icu2012" / "set_a_first1000.parquet"
    raw = pl.read_parquet(uri).filter(pl.col("Parameter").is_in(["HR", "SysABP", "DiasABP"])).head(20_000)
    names = {"HR": "hr_bpm", "SysABP": "sbp_mmhg", "DiasABP": "dbp_mmhg"}
    rows = raw.select(
        subject_id=pl.col("pid").cast(pl.String),
        vital=pl.col("Parameter").replace_strict(names),
        ts_us=pl.col("min").cast(pl.Int64) * 60_000_000,
        value="Value",
        weight=pl.lit(0, pl.Int64),
        arrived=pl.lit(None, pl.Int64),
    )
    a, b = series_of(rows), series_of(rows.sample(fraction=1.0, shuffle=True, seed=0))
    assert all(x.values.tobytes() == y.values.tobytes() for x, y in zip(a, b, strict=True))
