"""Whole generated inputs: seeded, laid out like real exports, with truth and dirt where they belong."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.simulate import nights
from engine.simulate.dirt import KINDS

HOURS = 1.5


def everything(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        nights.write(tmp_path / name, users=1, nights=1, hours=HOURS, seed=seed)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert everything(tmp_path / "a").keys() != everything(tmp_path / "c").keys()


def test_a_night_does_not_depend_on_how_many_others_are_written(tmp_path: Path) -> None:
    few = nights.write(tmp_path / "few", users=1, nights=1, hours=HOURS)
    many = nights.write(tmp_path / "many", users=2, nights=2, hours=HOURS)
    (name,) = few.nights[0].files
    assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
    assert len(many.nights) == 4
    assert {night.subject_id for night in many.nights} == {"P01", "P02"}


def test_layouts_name_subject_start_and_serial(tmp_path: Path) -> None:
    first = nights.write(tmp_path / "a", users=1, nights=1, hours=HOURS).nights[0]
    second = nights.write(tmp_path / "b", 1, 1, HOURS, layout="{subject}/{subject}_{start}.zip").nights[0]
    start = first.start_us // 1_000_000
    (serialled,) = first.files
    assert serialled.startswith(f"P01/{start}_A")
    assert second.files == (f"P01/P01_{start}.zip",)


def test_the_night_of_the_clock_change_starts_at_the_persons_bedtime() -> None:
    before = nights.draw(night_date=date(2026, 3, 27), hours=8)
    after = nights.draw(night_date=date(2026, 3, 29), hours=8)
    apart_h = (after.truth.start_us - before.truth.start_us) / 3.6e9
    assert apart_h == pytest.approx(47, abs=0.7)


def test_truth_is_saved_beside_the_input_and_reads_back(tmp_path: Path) -> None:
    truths = nights.write(tmp_path / "raw", users=1, nights=2, hours=HOURS, dirt=("garbage",))
    truths.save(tmp_path / "truth")
    saved = {path.stem: pl.read_parquet(path) for path in (tmp_path / "truth").iterdir()}
    assert saved["nights"].equals(truths.table())
    assert saved["epochs"].equals(truths.epochs())
    assert saved["strays"]["kind"].to_list() == ["garbage"]
    assert saved["beats"].group_by("night_date").len()["len"].min() > 60 * 40
    assert not list((tmp_path / "raw").rglob("*.parquet"))


def test_every_kind_of_dirt_leaves_its_mark_and_only_there(tmp_path: Path) -> None:
    clean = nights.write(tmp_path / "clean", users=2, nights=4, hours=HOURS)
    dirty = nights.write(tmp_path / "dirty", users=2, nights=4, hours=HOURS, dirt=KINDS)
    a, b = everything(tmp_path / "clean"), everything(tmp_path / "dirty")
    by_kind = {night.dirt[0]: night for night in dirty.nights if night.dirt}
    untouched = [night.files[0] for night in dirty.nights if not night.dirt]
    assert len(untouched) == 2
    assert all(a[name] == b[name] for name in untouched)
    assert {name for night in dirty.nights for name in night.files} | set(dirty.strays) == set(b)
    assert sorted(dirty.strays.values()) == ["bomb", "garbage"]

    whole = {night.night_date: night for night in clean.nights if night.subject_id == "P02"}
    cut = by_kind["truncated"].files[0]
    assert a[cut].startswith(b[cut])
    assert len(b[cut]) < len(a[cut])
    first, copy = by_kind["duplicate"].files
    assert b[first] == b[copy]
    assert len(by_kind["restart"].files) == 2
    members = {kind: zipfile.ZipFile(io.BytesIO(b[by_kind[kind].files[0]])) for kind in ("empty", "missing")}
    assert members["empty"].getinfo("IBI.csv").file_size == 0
    assert "TEMP.csv" not in members["missing"].namelist()
    assert set(whole) >= {by_kind["truncated"].night_date}


def test_a_bomb_is_small_and_unpacks_big(tmp_path: Path) -> None:
    truths = nights.write(tmp_path, users=1, nights=1, hours=HOURS, dirt=("bomb",))
    path = tmp_path / next(iter(truths.strays))
    (member,) = zipfile.ZipFile(path).infolist()
    assert path.stat().st_size < 200_000
    assert member.file_size / member.compress_size > 200
    assert member.file_size > 64 * 2**20


def test_two_sessions_of_a_restart_hold_the_same_samples_as_the_whole() -> None:
    session = nights.draw(hours=HOURS).session
    first, second = session.between(0, 2000), session.between(2000, session.duration_s)
    assert np.array_equal(np.concatenate([first.acc, second.acc]), session.acc)
    assert np.array_equal(np.concatenate([first.bvp, second.bvp]), session.bvp)
    assert second.start_s == session.start_s + 2000
    assert len(first.beats_s) + len(second.beats_s) == len(session.beats_s)


def test_mistakes_of_the_caller_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown dirt"):
        nights.write(tmp_path, dirt=("mud",))
    with pytest.raises(ValueError, match="under 30 min of sleep"):
        nights.draw(hours=0.5)
