from __future__ import annotations

import os
import string
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigError, UserError
from engine.identity import content_key, input_identity
from engine.inventory import InputSpec, Inventory, take, take_files
from engine.module import Source
from engine.work import FileRef, Input
from tests.engine.trees import OPTIONS, write_empty, write_tree

EVENING = 1586909000  # 2020-04-15 00:03:20 UTC, 2020-04-14 19:03:20 in Chicago
NOON = 1586952000  # 2020-04-15 12:00:00 UTC


def grouped(inventory: Inventory) -> dict[str, list[str]]:
    held = inventory.inputs.group_by("source_id").agg(pl.col("input").sort())
    return dict(zip(held["source_id"], held["input"].to_list(), strict=True))


def whys(inventory: Inventory) -> dict[str, str]:
    return {uri.rpartition("/")[2]: why for uri, _, why in inventory.ignored.iter_rows()}


def test_files_of_one_subject_night_are_one_source(tmp_path: Path) -> None:
    write_empty(
        tmp_path, f"S1/a_{NOON - 1}.zip", f"S1/b_{EVENING}.zip", f"S1/c_{NOON}.zip", f"S2/a_{NOON}.zip", "S3.zip"
    )
    assert grouped(take([InputSpec(str(tmp_path))], OPTIONS)) == {
        "S1/2020-04-14": [f"S1/a_{NOON - 1}.zip", f"S1/b_{EVENING}.zip"],
        "S1/2020-04-15": [f"S1/c_{NOON}.zip"],
        "S2/2020-04-15": [f"S2/a_{NOON}.zip"],
        "S3.zip": ["S3.zip"],
    }


def test_the_zone_decides_the_night(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1_{NOON}.zip")
    hints = {
        zone: take([InputSpec(str(tmp_path), zone=zone)], OPTIONS).sources["night_hint"].item()
        for zone in (None, "America/Chicago", "Europe/Zurich", "Pacific/Auckland")
    }
    assert hints == {
        None: date(2020, 4, 15),
        "America/Chicago": date(2020, 4, 14),
        "Europe/Zurich": date(2020, 4, 15),
        "Pacific/Auckland": date(2020, 4, 15),
    }


def test_subjects_table_goes_before_the_input(tmp_path: Path) -> None:
    write_empty(tmp_path / "raw", f"S1_{EVENING}.zip", f"S1_{NOON + 86400 * 30}.zip", f"S2_{NOON}.zip", "S1.zip")
    table = tmp_path / "subjects.csv"
    table.write_text(
        "subject_id,zone,valid_from,device_offset_s,received_at\n"
        "S1,Europe/Zurich,,3600,2020-04-20\n"
        "S1,Asia/Tokyo,2020-05-01,,2020-06-01T10:00:00+02:00\n"
    )
    inventory = take([InputSpec(str(tmp_path / "raw"), zone="UTC", device_offset_s=7, subjects=str(table))], OPTIONS)
    found = inventory.sources.select("source_id", "zone", "device_offset_s", "received_at").rows()
    assert found == [
        ("S1.zip", "Asia/Tokyo", 7, datetime(2020, 6, 1, 8, tzinfo=UTC)),
        ("S1/2020-04-14", "Europe/Zurich", 3600, datetime(2020, 4, 20, tzinfo=UTC)),
        ("S1/2020-05-15", "Asia/Tokyo", 7, datetime(2020, 6, 1, 8, tzinfo=UTC)),
        ("S2/2020-04-15", "UTC", 7, None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,zone\nS1,UTC\n", "needs a column subject_id; it has subject, zone"),
        ("subject_id,zone\nS1,Europe/Dublim\n", "'Europe/Dublim'; did you mean Europe/Dublin"),
        ("subject_id,device_offset_s\nS1,one hour\n", "column device_offset_s: cannot read 'one hour'"),
        ("subject_id,received_at\nS1,yesterday\n", "column received_at: cannot read 'yesterday'"),
        ("subject_id,zone\nS1,UTC\nS1,Europe/Paris\n", "'S1' has several rows; tell them apart by valid_from"),
        ("", "not a readable table"),
    ],
)
def test_wrong_subjects_table(tmp_path: Path, text: str, message: str) -> None:
    write_tree(tmp_path, {"S1.zip": b"", "subjects.csv": text})
    with pytest.raises(UserError, match=message):
        take([InputSpec(str(tmp_path), subjects=str(tmp_path / "subjects.csv"))], OPTIONS)


def test_missing_subjects_table(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1.zip")
    with pytest.raises(UserError, match="there is no such table"):
        take([InputSpec(str(tmp_path), subjects=str(tmp_path / "nobody.csv"))], OPTIONS)


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
    assert inventory.inputs["input"].to_list() == ["a.ZIP", "b.parquet"]
    assert set(whys(inventory)) == {"manifest.parquet", "c.cwa", ".d.zip", "e.zip", "h.zip", "readme"}
    chosen = take([InputSpec(str(tmp_path), include=("*.cwa", "r*"))], OPTIONS)
    assert chosen.inputs["input"].to_list() == ["c.cwa", "readme"]
    assert whys(chosen)["b.parquet"] == "no include pattern matches it"


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


def test_template_ignores_what_lies_elsewhere(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1/{NOON}_A.zip", f"old/S1/{NOON}_A.zip")
    inventory = take([InputSpec(str(tmp_path), template="{subject}/{start}_{serial}.zip")], OPTIONS)
    assert grouped(inventory) == {"S1/2020-04-15": [f"S1/{NOON}_A.zip"]}
    assert inventory.ignored["why"].to_list() == ["the template does not match it"]
    with pytest.raises(UserError, match=r"none of its 2 files is a candidate.*template does not match"):
        take([InputSpec(str(tmp_path), template="{subject}/{start}.bin")], OPTIONS)
    with pytest.raises(ConfigError, match="braces"):
        take([InputSpec(str(tmp_path), template="S1")], OPTIONS)


def test_wall_clock_in_the_zone(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1_20200415T003000.zip")
    template = "{subject}_{start:%Y%m%dT%H%M%S}.zip"
    inventory = take([InputSpec(str(tmp_path), template=template, zone="America/Chicago")], OPTIONS)
    row = inventory.inputs.row(0, named=True)
    assert (row["start"], row["night_hint"]) == (datetime(2020, 4, 15, 5, 30, tzinfo=UTC), date(2020, 4, 14))


def test_same_names_in_two_inputs_get_their_roots(tmp_path: Path) -> None:
    write_empty(tmp_path / "a" / "raw", "S01.zip", "S02.zip")
    write_empty(tmp_path / "b" / "raw", "S01.zip", "S03.zip")
    specs = [InputSpec(str(tmp_path / name / "raw")) for name in "ab"]
    inventory = take(specs, OPTIONS)
    assert inventory.inputs["input"].to_list() == ["S02.zip", "S03.zip", "a/raw/S01.zip", "b/raw/S01.zip"]
    assert inventory.files["file"].to_list() == inventory.files["input"].to_list()
    assert take(specs[:1], OPTIONS).inputs["input"].to_list() == ["S01.zip", "S02.zip"]


def test_nested_inputs_hold_each_file_once(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1/a.zip", "S2/b.zip")
    inventory = take([InputSpec(str(tmp_path)), InputSpec(str(tmp_path / "S1"))], OPTIONS)
    assert inventory.inputs["input"].to_list() == ["S1/a.zip", "S2/b.zip"]
    assert whys(inventory) == {"a.zip": "an earlier input has it"}


def test_inputs_merge_over_nights(tmp_path: Path) -> None:
    write_empty(tmp_path / "first", f"S1/a_{NOON}.zip")
    write_empty(tmp_path / "again", f"S1/b_{NOON + 60}.zip")
    specs = [InputSpec(str(tmp_path / "first"), zone="UTC"), InputSpec(str(tmp_path / "again"), zone="Europe/Paris")]
    sources = take(specs, OPTIONS).sources
    assert sources["inputs"].to_list() == [2]
    assert sources["zone"].to_list() == ["UTC"]  # of the earlier file


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


def test_frozen_and_back(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1_{NOON}.zip", "n/ACC.csv", "n/BVP.csv", "x.txt")
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    again = Inventory.from_parquet(inventory.to_parquet())
    for name in ("frame", "ignored", "sources", "inputs", "files"):
        assert getattr(again, name).equals(getattr(inventory, name))


def test_identity_is_that_of_the_contract(tmp_path: Path) -> None:
    write_empty(tmp_path, f"é/b_{NOON}.zip", f"é/a_{NOON}.zip", "n/ACC.csv", "n/BVP.csv")
    (tmp_path / "subjects.csv").write_text(
        "subject_id,zone,device_offset_s,received_at\né,Europe/Paris,-5,2020-05-01\n"
    )
    inventory = take([InputSpec(str(tmp_path), subjects=str(tmp_path / "subjects.csv"))], OPTIONS)
    for row in inventory.sources.iter_rows(named=True):
        held = inventory.files.filter(pl.col("source_id") == row["source_id"])
        inputs = [
            Input(name, tuple(FileRef(f["file"], f["uri"], f["size_bytes"], f["content_key"]) for f in part.to_dicts()))
            for (name,), part in held.partition_by("input", as_dict=True).items()
        ]
        known = {name: row[name] for name in ("subject_id", "zone", "device_offset_s", "night_hint", "received_at")}
        assert row["identity"] == input_identity(Source(row["source_id"], tuple(held["file"]), **known), inputs)
        keys = dict(inventory.inputs.select("input", "content_key").rows())
        assert {one.name: content_key(one) for one in inputs}.items() <= keys.items()


def test_named_files_group_as_their_folder_does(tmp_path: Path) -> None:
    names = [f"S1_{NOON}.zip", f"S1_{NOON + 60}.zip", "S2.zip", "n/ACC.csv", "n/BVP.csv"]
    write_empty(tmp_path, *names)
    paths = [str(tmp_path / name) for name in [*names[:3], "n"]]
    whole = take([InputSpec(str(tmp_path), zone="Europe/Dublin")], OPTIONS)
    named = take_files(reversed(paths), OPTIONS, zone="Europe/Dublin")
    assert named.sources.equals(whole.sources)
    assert named.files.equals(whole.files)


def test_named_files_with_facts(tmp_path: Path) -> None:
    write_empty(tmp_path, "a/x.bin", "b/x.bin")
    paths = [str(tmp_path / name) for name in ("a/x.bin", "b/x.bin")]
    received_at = datetime(2020, 2, 1, tzinfo=UTC)
    named = take_files(paths, OPTIONS, subject="P", night=date(2020, 1, 1), received_at=received_at)
    assert grouped(named) == {"P/2020-01-01": ["a/x.bin", "b/x.bin"]}
    assert named.sources["received_at"].to_list() == [received_at]
    assert grouped(take_files(paths, OPTIONS, root=str(tmp_path))) == {"a/x.bin": ["a/x.bin"], "b/x.bin": ["b/x.bin"]}


def test_named_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in ("nowhere.zip", "empty"):
        with pytest.raises(UserError, match="there is no such file, nor a folder with the csv files of an E4"):
            take_files([str(tmp_path / path)], OPTIONS)
    with pytest.raises(UserError, match="is not below"):
        take_files([str(tmp_path / "x.zip")], OPTIONS, root=str(tmp_path / "empty"))
    with pytest.raises(UserError, match="no file is given"):
        take_files([], OPTIONS)


PART = st.text(string.ascii_letters + string.digits + " ._-#%=+é\n'\"{}[]*?", min_size=1, max_size=8).filter(
    lambda part: part not in (".", "..")
)
NAME = st.one_of(
    PART.map("{}.zip".format),
    st.integers(1_500_000_000, 1_500_200_000).map("x_{}.zip".format),
    st.sampled_from(["ACC.csv", "BVP.csv", "IBI.csv", "2017-07-14"]),
    PART,
)
PATH = st.builds(lambda folders, name: "/".join([*folders, name]), st.lists(st.sampled_from("ab"), max_size=2), NAME)


@settings(max_examples=60, deadline=None)
@given(st.lists(PATH, min_size=1, max_size=12, unique=True), st.sampled_from([(), ("**",)]))
def test_every_file_is_in_one_source_or_ignored(paths: list[str], include: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = set()
        for path in paths:
            target = Path(folder, path)
            if not any(target.is_relative_to(other) or other.is_relative_to(target) for other in written):
                write_empty(Path(folder), path)
                written.add(target)
        spec = InputSpec(folder, zone="Europe/Zurich", include=include)
        try:
            inventory = take([spec], OPTIONS)
        except UserError as error:
            assert "is a candidate" in str(error)
            return
        kept, ignored = inventory.files["uri"].to_list(), inventory.ignored["uri"].to_list()
        assert sorted(kept + ignored) == sorted(map(str, written))
        assert inventory.inputs["input"].is_unique().all()
        assert inventory.files["file"].is_unique().all()
        assert inventory.sources["inputs"].sum() == inventory.inputs.height
        assert inventory.sources["files"].sum() == inventory.files.height
        per_input = inventory.files.group_by("input").agg(pl.col("source_id").n_unique())
        assert per_input["source_id"].eq(1).all()


@pytest.mark.real
def test_real_recordings(shared_data: Path) -> None:
    specs = [
        InputSpec(str(shared_data / "nurse_e4"), zone="America/Chicago"),
        InputSpec(str(shared_data / "stress_predict" / "raw"), zone="Europe/Dublin"),
    ]
    inventory = take(specs, OPTIONS)
    assert inventory.inputs.height == 71
    assert inventory.sources["inputs"].sum() == 71
    assert set(inventory.inputs["subject_id"]) == {"5C", "6D", "7E", *(f"S0{n}" for n in range(1, 9))}
    zoo = take([InputSpec(str(shared_data / "formats_zoo"))], OPTIONS)
    assert zoo.inputs["input"].to_list() == ["flirt_mit/empatica", "uniba_e4_mit"]
