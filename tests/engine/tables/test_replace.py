"""Replacement: all old rows of a work go, all others stay, and only parts that hold such rows are touched."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.running.receipt import Part
from engine.storage import Store
from engine.tables import delta
from engine.tables.delta import LivePart
from engine.tables.replace import Owed, may_hold
from tests.engine.outputs import MODULE, committer, digests, receipt, rows


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def _paths(store: Store, name: str) -> set[str]:
    return {found.part.path for found in delta.live(delta.open_table(store, name), name, MODULE)}


def test_old_rows_go_and_neighbours_stay(store: Store) -> None:
    committer(store).commit([receipt(store, ["a", "b", "c-2"], 40.0), receipt(store, ["x", "y"], 40.0)])
    before = _paths(store, "epochs")
    committer(store).commit([receipt(store, ["b"], 60.0)], {"b"})
    heart = rows(store, "epochs").group_by("source_id").agg(pl.col("hr_bpm").min()).sort("source_id")
    assert heart["hr_bpm"].to_list() == [40.0, 60.0, 40.0, 40.0, 40.0]
    assert rows(store, "epochs").height == 15
    assert rows(store, "files")["work_key"].sort().to_list() == ["a", "b", "c-2", "x", "y"]
    assert len(before & _paths(store, "epochs")) == 2  # February's part and that of x and y


def test_a_work_can_leave_without_a_successor(store: Store) -> None:
    committer(store).commit([receipt(store, ["a", "b"])])
    committer(store).commit([], {"a", "never seen"})
    assert rows(store, "nights")["source_id"].to_list() == rows(store, "files")["work_key"].to_list() == ["b"]
    committer(store).commit([], {"b"})
    assert rows(store, "nights").height == rows(store, "files").height == 0


def test_rows_become_an_error_and_come_back(store: Store) -> None:
    committer(store).commit([receipt(store, ["a", "b"])])
    whole = digests(store)
    committer(store).commit([receipt(store, ["a"], status="failed")], {"a"})
    assert rows(store, "nights")["source_id"].to_list() == ["b"]
    committer(store).commit([receipt(store, ["a"])], {"a"})
    assert digests(store) == whole


def test_the_same_result_again_leaves_its_part_alone(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"])])
    before = _paths(store, "nights")
    version = delta.open_table(store, "nights").version()
    committer(store).commit([receipt(store, ["a"])], {"a"})
    assert _paths(store, "nights") == before
    assert delta.open_table(store, "nights").version() == version
    assert rows(store, "files").height == 1


@pytest.mark.parametrize(
    ("lowest", "highest", "held"),
    [("b", "d", True), ("c", "c", True), ("d", "z", False), ("a", "b", False), (None, None, True), ("a", "c", True)],
)
def test_bounds_tell_which_parts_to_read(lowest: str | None, highest: str | None, held: bool) -> None:
    part = Part("t", "p", 1, 1, {}, "")
    assert may_hold(LivePart(part, lowest, highest), ["c"]) is held


def test_what_is_shared_is_given_once() -> None:
    owed = Owed(["a", "b", "c"])
    assert owed.take(["a", "x"]) == {"a", "x"}
    assert owed.take(["a"]) == set()
    assert owed.rest() == {"b", "c"}
    assert owed.rest() == set()
