"""Wide clinical files: a table of all patients, a folder, a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from engine.backtest.series.clean import series_of
from engine.backtest.series.read import Kind, SeriesInput, kind_of
from engine.backtest.series.read import read as read_any
from engine.backtest.series.read_wide import WideColumns, read_wide
from engine.backtest.series.series import Series
from engine.errors import UserError

PATIENTS = {
    "p2": "HR|O2Sat|Temp|SaO2|ICULOS|SepsisLabel\n80|97|NaN|50|1|0\nNaN|98|37.5|NaN|2|0\n90|NaN|NaN|NaN|4|1\n",
    "p1": "HR|O2Sat|Temp|SaO2|ICULOS|SepsisLabel\n70|NaN|NaN|NaN|3|0\n71.5|NaN|NaN|NaN|4|0\n",
}
EXPECTED = {
    ("p1", "hr_bpm"): (3, [70.0, 71.5]),
    ("p2", "hr_bpm"): (1, [80.0, None, None, 90.0]),
    ("p2", "spo2_pct"): (1, [97.0, 98.0, None, None]),
    ("p2", "temp_c"): (1, [None, 37.5, None, None]),
}


def read(uri: Path | str, columns: WideColumns | None = None) -> list[Series]:
    return [series for frame in read_wide(str(uri), columns) for series in series_of(frame)]


def content(found: list[Series]) -> dict[tuple[str, str], tuple[int, list[float | None]]]:
    return {(s.subject_id, s.vital): (s.start, pl.Series(s.values).fill_nan(None).to_list()) for s in found}


def zipped(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "patients.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path, {f"set/{name}.psv": text for name, text in PATIENTS.items()} | {"README.txt": "no"})
    assert content(read(path)) == EXPECTED


def test_folder(tmp_path: Path) -> None:
    for name, text in PATIENTS.items():
        (tmp_path / f"{name}.psv").write_text(text)
    assert content(read(tmp_path)) == EXPECTED


def test_folder_of_csv(tmp_path: Path) -> None:
    for name, text in PATIENTS.items():
        (tmp_path / f"{name}.csv").write_text(text.replace("|", ","))
    assert content(read(tmp_path)) == EXPECTED


@pytest.mark.parametrize("name", ["all.parquet", "all.csv"])
def test_one_table(tmp_path: Path, name: str) -> None:
    frames = [
        pl.read_csv(text.encode(), separator="|").with_columns(pl.lit(patient).alias("pid"))
        for patient, text in PATIENTS.items()
    ]
    table = pl.concat(frames, how="diagonal_relaxed")
    path = tmp_path / name
    _ = table.write_parquet(path) if name.endswith("parquet") else table.write_csv(path)
    assert content(read(path, WideColumns("pid"))) == EXPECTED


@pytest.mark.parametrize("subject", ["subject_id", "pid", "Patient_ID"])
@pytest.mark.parametrize("time", ["ICULOS", "ts"])
def test_a_table_of_all_patients_is_known_by_its_columns(tmp_path: Path, subject: str, time: str) -> None:
    path = tmp_path / "all.parquet"
    pl.DataFrame({"HR": [80.0, 90.0], "Lactate": [1.0, 1.0], time: [1, 2], subject: ["p", "p"]}).write_parquet(path)
    assert kind_of(SeriesInput(str(path))) is Kind.WIDE
    (series,) = read_any(SeriesInput(str(path)))
    assert (series.subject_id, series.vital, series.values.tolist()) == ("p", "hr_bpm", [80.0, 90.0])


@pytest.mark.parametrize(("columns", "sentence"), [
    (("HR", "pid"), "which column is the ts? none is ICULOS, ts; there are HR, pid: say `kind: wide` and `columns:"),
    (("HR", "bed", "ICULOS"), "which column is the subject? none is subject_id, pid, Patient_ID"),
    (("HR", "pid", "subject_id", "ts"), "which column is the subject? subject_id and pid may each be it"),
    (("HR", "pid", "ICULOS", "ts"), "which column is the ts? ICULOS and ts may each be it"),
])  # fmt: skip
def test_columns_that_may_be_none_or_several(tmp_path: Path, columns: tuple[str, ...], sentence: str) -> None:
    path = tmp_path / "all.parquet"
    pl.DataFrame({name: [1.0] for name in columns}).write_parquet(path)
    with pytest.raises(UserError) as caught:
        list(read_any(SeriesInput(str(path))))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("columns", [("HR", "ts", "value"), ("HR", "ds", "y"), ("who", "when")])
def test_a_table_with_values_or_without_vitals_is_long(tmp_path: Path, columns: tuple[str, ...]) -> None:
    path = tmp_path / "all.parquet"
    pl.DataFrame({name: [1.0] for name in columns}).write_parquet(path)
    assert kind_of(SeriesInput(str(path))) is Kind.LONG


def test_a_vital_by_hand(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"p1.psv": "SaO2|ICULOS\n95|1\n"})
    (series,) = read(path, WideColumns(names={"SaO2": "spo2_pct"}))
    assert series.vital == "spo2_pct"


@pytest.mark.parametrize(("text", "sentence"), [
    ("HR|O2Sat\n80|97\n", "p1.psv: no column ICULOS; there are HR, O2Sat"),
    ("Lactate|ICULOS\n80|97\n", "no column is a known vital"),
    ("HR|heart_rate|ICULOS\n80|80|97\n", "two columns are the same vital"),
    ("HR|ICULOS\nhigh|1\n", "p1.psv: cannot be read"),
    ("HR|ICULOS\n80|\n", "a row has no time"),
    ("", "p1.psv: no column ICULOS"),
])  # fmt: skip
def test_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read(zipped(tmp_path, {"p1.psv": text}))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no \.psv, \.csv, \.tsv file"):
        read(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match="not a zip file"):
        read(tmp_path / "x.zip")
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "x.parquet")


def test_one_table_without_its_columns(tmp_path: Path) -> None:
    pl.DataFrame({"HR": [80.0]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"which column is the subject\? none is .*; there are HR:"):
        read(tmp_path / "x.parquet")


def test_garbage(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"garbage")
    with pytest.raises(UserError, match=r"x\.parquet: cannot be read"):
        read(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"x\.parquet: cannot be read"):
        kind_of(SeriesInput(str(tmp_path / "x.parquet")))


def test_two_files_of_one_patient(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a/p1.psv and b/p1.psv: two files of one patient"):
        read(zipped(tmp_path, {f"{folder}/p1.psv": PATIENTS["p1"] for folder in "ab"}))
