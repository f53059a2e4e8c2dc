from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.errors import ConfigError, UserError
from engine.inventory import InputSpec, Inventory, take, take_files
from tests.engine.trees import NOON, OPTIONS, grouped, whys, write_empty


def test_template_ignores_what_lies_elsewhere(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1/{NOON}_A.zip", f"old/S1/{NOON}_A.zip")
    inventory = take([InputSpec(str(tmp_path), template="{subject}/{start}_{serial}.zip")], OPTIONS)
    assert grouped(inventory) == {"S1/2020-04-15": [f"S1/{NOON}_A.zip"]}
    assert inventory.ignored["why"].to_list() == ["the template does not match it"]
    with pytest.raises(UserError, match=r"none of its 2 files is a candidate.*template does not match"):
        take([InputSpec(str(tmp_path), template="{subject}/{start}.bin")], OPTIONS)
    with pytest.raises(ConfigError, match="braces"):
        take([InputSpec(str(tmp_path), template="S1")], OPTIONS)


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


def test_frozen_and_back(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1_{NOON}.zip", "n/ACC.csv", "n/BVP.csv", "x.txt")
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    again = Inventory.from_parquet(inventory.to_parquet())
    for name in ("frame", "ignored", "sources", "inputs", "files"):
        assert getattr(again, name).equals(getattr(inventory, name))


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
    held = [name for name in zoo.inputs["input"] if not name.lower().endswith((".cwa", ".bin", ".edf"))]
    assert [name for name in held if "." not in name] == ["flirt_mit/empatica", "uniba_e4_mit"]
    vitals = {"heart_rate-1995-06-24.json", "raw_sleep-monitor_hr.csv", "raw_sleep-monitor_respiratory-rate.csv"}
    assert {name.rpartition("/")[2] for name in held if "." in name} == vitals
