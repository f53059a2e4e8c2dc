from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from engine.errors import UserError
from engine.inputs.sources import SourceWork
from engine.inventory import InputSpec, Inventory, take, take_files
from engine.plan import everything
from engine.storage import Store, StoreOptions
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.engine.trees import NOON, OPTIONS, grouped, whys, write_empty, write_tree


def test_e4_folder_is_one_input_of_several_files(tmp_path: Path) -> None:
    write_empty(tmp_path, "flirt/empatica/ACC.csv", "flirt/empatica/BVP.csv", "flirt/empatica/notes.txt", "x/ACC.csv")
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    row = inventory.inputs.row(0, named=True)
    assert (row["input"], row["source_id"], row["subject_id"]) == ("flirt/empatica",) * 2 + ("flirt",)
    assert (row["files"], row["size_bytes"], row["uri"]) == (2, 2, f"{tmp_path}/flirt/empatica")
    assert inventory.files["file"].to_list() == ["flirt/empatica/ACC.csv", "flirt/empatica/BVP.csv"]
    assert set(whys(inventory)) == {"notes.txt", "ACC.csv"}


def test_root_that_is_itself_an_e4_folder(tmp_path: Path) -> None:
    write_empty(tmp_path / f"S1_{NOON}", "ACC.csv", "BVP.csv", "LICENSE")
    inventory = take([InputSpec(str(tmp_path / f"S1_{NOON}"))], OPTIONS)
    assert grouped(inventory) == {"S1/2020-04-15": [f"S1_{NOON}"]}
    assert inventory.files["file"].to_list() == [f"S1_{NOON}/ACC.csv", f"S1_{NOON}/BVP.csv"]


def test_candidates_and_ignored(tmp_path: Path) -> None:
    names = ["a.ZIP", "b.parquet", "manifest.parquet", "c.cwa", ".d.zip", "__MACOSX/e.zip", "f/.g/h.zip", "readme"]
    write_empty(tmp_path, *names)
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    assert inventory.inputs["input"].to_list() == ["a.ZIP", "b.parquet", "c.cwa"]
    assert set(whys(inventory)) == {"manifest.parquet", ".d.zip", "e.zip", "h.zip", "readme"}
    chosen = take([InputSpec(str(tmp_path), include=("*.cwa", "r*"))], OPTIONS)
    assert chosen.inputs["input"].to_list() == ["c.cwa", "readme"]
    assert whys(chosen)["b.parquet"] == "no include pattern matches it"


def test_exports_of_vitals_are_candidates_by_their_makers_names(tmp_path: Path) -> None:
    vitals = [
        "F/heart_rate-2026-03-27.json", "F/Heart Rate Variability Details - 2026-03-27.csv",
        "F/Device Temperature - 2026-03-27.csv", "A/apple_health_export/export.xml", "W/raw_sleep-monitor_hr.csv",
        "W/raw_bed_respiratory-rate.csv",
    ]  # fmt: skip
    others = ["F/steps-2026-03-27.json", "F/sleep.csv", "A/export_cda.xml", "W/raw_sleep-monitor_snoring.csv"]
    write_empty(tmp_path, *vitals, *others)
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    assert inventory.inputs["input"].to_list() == sorted(vitals)
    assert inventory.ignored.height == len(others)


def test_include_chooses_e4_folders_whole(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1/n/ACC.csv", "S1/n/BVP.csv", "S1/n/IBI.csv", "S2/n/ACC.csv", "S2/n/BVP.csv", "S1/a.zip")
    for include, expected in {
        ("*.zip",): ["S1/a.zip"],
        ("S1/**",): ["S1/a.zip", "S1/n"],
        ("BVP.csv",): ["S1/n", "S2/n"],
        ("S1/n/IBI.csv",): ["S1/n"],
    }.items():
        found = take([InputSpec(str(tmp_path), include=include)], OPTIONS)
        assert found.inputs["input"].to_list() == expected
        assert found.inputs.filter(pl.col("input") == "S1/n")["files"].to_list() in ([3], [])


def test_manifest(tmp_path: Path) -> None:
    write_empty(tmp_path, f"raw/S1_{NOON}.zip", "raw/x.dat", "elsewhere/y.zip", "raw/unnamed.zip")
    (tmp_path / "list.csv").write_text(
        "uri,subject_id,start,night,zone,received_at\n"
        f"raw/S1_{NOON}.zip,,,,,\n"
        f"raw/x.dat,007,{NOON},,America/Chicago,2020-05-01\n"
        f"{tmp_path}/elsewhere/y.zip,P,,2020-01-01,,\n"
        "raw/gone.zip,,,,,\n"
    )
    inventory = take([InputSpec(str(tmp_path / "list.csv"), zone="UTC")], OPTIONS)
    assert grouped(inventory) == {
        "raw/2020-04-15": [f"raw/S1_{NOON}.zip"],
        "007/2020-04-14": ["raw/x.dat"],
        "P/2020-01-01": ["elsewhere/y.zip"],
    }
    assert inventory.sources.sort("source_id")["zone"].to_list() == ["America/Chicago", "UTC", "UTC"]
    assert whys(inventory) == {"gone.zip": "the manifest names it; it is not there"}
    frame = pl.DataFrame({"uri": ["raw/x.dat"], "start": [datetime(2020, 4, 15, 12)]})
    frame.write_parquet(tmp_path / "list.parquet")
    assert "raw/2020-04-15" in grouped(take([InputSpec(str(tmp_path / "list.parquet"))], OPTIONS))


def test_manifest_of_nothing(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.csv": "path\nx.zip\n", "b.csv": "uri\nx.zip\n"})
    with pytest.raises(UserError, match="a manifest needs a column uri; it has path"):
        take([InputSpec(str(tmp_path / "a.csv"))], OPTIONS)
    with pytest.raises(UserError, match=r"none of the 1 files that it names exists, such as .*x\.zip"):
        take([InputSpec(str(tmp_path / "b.csv"))], OPTIONS)


def test_one_file_as_input(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1_{NOON}.zip", "other.zip")
    assert grouped(take([InputSpec(str(tmp_path / f"S1_{NOON}.zip"))], OPTIONS)) == {
        "S1/2020-04-15": [f"S1_{NOON}.zip"]
    }


def test_nothing_there(tmp_path: Path) -> None:
    for spec, message in [
        (InputSpec(str(tmp_path / "nowhere")), "there is no such folder or file"),
        (InputSpec(str(tmp_path)), "there are no files in it"),
        (InputSpec(str(tmp_path), zone="Mars/Base"), "there are no files in it"),
    ]:
        with pytest.raises(UserError, match=message):
            take([spec], OPTIONS)
    write_empty(tmp_path, "a.zip")
    with pytest.raises(UserError, match="no IANA time zone is called 'Mars/Base'"):
        take([InputSpec(str(tmp_path), zone="Mars/Base")], OPTIONS)
    with pytest.raises(UserError, match="no input is given"):
        take([], OPTIONS)


def test_a_name_that_no_table_holds_is_ignored_and_counted(tmp_path: Path) -> None:
    write_empty(tmp_path, "a.zip")
    (tmp_path / os.fsdecode(b"\xff.zip")).write_bytes(b"x")
    assert whys(take([InputSpec(str(tmp_path))], OPTIONS)) == {"\\xff.zip": "its name is not UTF-8"}


@pytest.mark.s3
def test_s3_groups_as_a_disk_does(s3_store: Store, tmp_path: Path) -> None:  # noqa: F811
    files = {
        f"S1/a b_{NOON}.zip": b"1",
        f"S1/é=+%_{NOON + 5}.zip": b"22",
        "n/ACC.csv": b"3",
        "n/BVP.csv": b"4",
        "x.txt": b"",
    }
    for name, data in files.items():
        s3_store.write(f"raw/{name}", data)
    s3_store.write("subjects.csv", b"subject_id,zone\nS1,America/Chicago\n")
    s3_store.write("list.csv", f"uri\nraw/n/ACC.csv\nraw/n/BVP.csv\nraw/S1/a b_{NOON}.zip\n".encode())
    options, root = s3_store.options, s3_store.uri
    there = take([InputSpec(f"{root}/raw/", subjects=f"{root}/subjects.csv")], options)
    (tmp_path / "subjects.csv").write_text("subject_id,zone\nS1,America/Chicago\n")
    here = take([InputSpec(str(write_tree(tmp_path / "raw", files)), subjects=str(tmp_path / "subjects.csv"))], OPTIONS)
    assert there.sources.drop("identity").equals(here.sources.drop("identity"))
    assert there.files.drop("uri", "content_key").equals(here.files.drop("uri", "content_key"))
    assert there.ignored["why"].to_list() == here.ignored["why"].to_list()
    names = {work.key: [file.data for file in work.read()] for work in _works(there, options)}
    assert names == {work.key: [file.data for file in work.read()] for work in _works(here, OPTIONS)}
    listed = take([InputSpec(f"{root}/list.csv")], options)
    assert listed.inputs["input"].to_list() == [f"raw/S1/a b_{NOON}.zip", "raw/n"]
    named = take_files([f"{root}/raw/S1/a b_{NOON}.zip", f"{root}/raw/n"], options, zone="America/Chicago")
    assert named.sources["source_id"].to_list() == ["a b/2020-04-14", "n"]
    assert take([InputSpec(f"{root}/raw/S1/a b_{NOON}.zip")], options).inputs.height == 1
    whole = take([InputSpec("s3://test", include=("*.zip",))], options)
    assert whole.inputs.height >= 2
    with pytest.raises(UserError, match="there are no files in it"):
        take([InputSpec(f"{root}/nowhere")], options)


def _works(inventory: Inventory, options: StoreOptions) -> list[SourceWork]:
    return [work for work in everything(inventory, options).works() if isinstance(work, SourceWork)]


def test_a_manifest_row_that_names_a_folder_says_it_of_all_candidates_below(tmp_path: Path) -> None:
    write_empty(
        tmp_path, "raw/S1/a.zip", "raw/S1/deep/b.zip", "raw/S1/notes.txt", "raw/S1/e/ACC.csv", "raw/S1/e/BVP.csv"
    )
    (tmp_path / "list.csv").write_text("uri,subject_id,zone\nraw/S1,P7,Asia/Tokyo\nraw/S1/deep/b.zip,P8,\nraw/S2,,\n")
    inventory = take([InputSpec(str(tmp_path / "list.csv"), zone="UTC")], OPTIONS)
    told = inventory.inputs.select("input", "subject_id", "zone").rows()
    assert told == [
        ("raw/S1/a.zip", "P7", "Asia/Tokyo"), ("raw/S1/deep/b.zip", "P8", "UTC"), ("raw/S1/e", "P7", "Asia/Tokyo")
    ]  # fmt: skip
    assert whys(inventory) == {
        "S2": "the manifest names it; it is not there",
        "notes.txt": "neither *.zip, *.parquet, *.cwa, *.bin, *.edf, *.avro, *.gt3x nor in an E4 folder",
    }


@pytest.mark.s3
def test_s3_folders_are_listed_each_once(s3_store: Store) -> None:  # noqa: F811
    names = [f"one/two/S{n:02}/{night}.zip" for n in range(20) for night in range(3)]
    for name in [*names, "one/two/top.zip"]:
        s3_store.write(name, b"x")
    found = take([InputSpec(s3_store.uri)], s3_store.options)
    assert sorted(found.files["file"]) == sorted([*names, "one/two/top.zip"])
    folders, files = s3_store.children("one/two")
    assert (len(folders), [entry.path for entry in files]) == (20, ["one/two/top.zip"])
