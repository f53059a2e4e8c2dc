"""Garbage: found by kind, deleted by age, never what a reader or a driver at work needs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine import commit, gc
from engine.commit import Journal, recover
from engine.compact import compact
from engine.errors import ConfigError
from engine.gc import Waste
from engine.running.record import dictionary_change
from engine.storage import Store
from engine.tables import delta
from tests.engine.outputs import OUTPUTS, committer, digests, receipt, rows


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two commits that a compaction joined, and the parts of a batch whose driver died."""
    made = Store(tmp_path)
    journal = Journal(made, "r1", "here", 0)
    journal.post("start", [dictionary_change(made, OUTPUTS)])
    committer(made).commit([receipt(made, ["a"])])
    committer(made).commit([receipt(made, ["b"])])
    compact(Journal(made, "compact", "here", recover(made)), OUTPUTS)
    receipt(made, ["x"])
    return made


def _age(store: Store, hours: float) -> None:
    """Make every file so old; what a table removed counts from its removal, which no test can put back."""
    then = time.time() - 3600 * hours
    for path in Path(store.uri).rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def _kinds(found: list[Waste]) -> list[tuple[str, str]]:
    return sorted({(waste.kind, waste.table) for waste in found})


def test_orphans_and_halves_are_found_but_nothing_goes(store: Store) -> None:
    (Path(store.uri) / "nights" / ".x.parquet.0123.nightmill-unfinished").write_bytes(b"half")
    _age(store, 30)
    before = sorted(entry.path for entry in store.list())
    found = gc.find(store, 24)
    assert _kinds(found) == [("orphan", "epochs"), ("orphan", "nights"), ("unfinished", "nights")]
    assert all(waste.size_bytes > 0 for waste in found)
    assert sorted(entry.path for entry in store.list()) == before
    assert gc.find(store, 48) == []


def test_what_is_collected_is_what_was_found_and_rows_stay(store: Store) -> None:
    (Path(store.uri) / "_runs").mkdir()
    half = Path(store.uri) / "_runs" / ".inventory.parquet.0123.nightmill-unfinished"
    half.write_bytes(b"half")
    _age(store, 30)
    rows_before, files_before = digests(store), {entry.path for entry in store.list()}
    found = gc.find(store, 24)
    assert gc.collect(store, 24) == found
    gone = files_before - {entry.path for entry in store.list()}
    assert gone == {f"{waste.table}/{waste.path}" for waste in found if waste.kind == "orphan"}
    assert not half.exists()
    assert digests(store) == rows_before
    assert gc.find(store, 24) == []
    committer(store).commit([receipt(store, ["c"])])  # and life goes on
    assert rows(store, "nights").height == 3


def test_old_versions_are_told_from_orphans(store: Store) -> None:
    found = gc.find(store, 0, floor_h=0)
    assert _kinds(found) == [("old", "epochs"), ("old", "nights"), ("orphan", "epochs"), ("orphan", "nights")]
    gc.collect(store, 0, floor_h=0)
    assert {entry.path for entry in store.list("nights") if entry.path.endswith(".parquet")} == {
        f"nights/{found.part.path}" for found in delta.live(delta.open_table(store, "nights"), "nights")
    }


def test_young_files_may_belong_to_a_driver_at_work(store: Store) -> None:
    assert gc.find(store, 24) == []
    with pytest.raises(ConfigError, match="24 h is the least"):
        gc.find(store, 23)
    with pytest.raises(ConfigError, match="48 h is the least"):
        gc.collect(store, 24, floor_h=48)


def test_parts_of_an_interrupted_commit_are_no_garbage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect(store, 0, floor_h=0)
    one = committer(store)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(commit, "apply_change", killed)
        with pytest.raises(KeyboardInterrupt):
            one.commit([receipt(store, ["x"])])
    assert gc.find(store, 0, floor_h=0) == []
    assert gc.collect(store, 0, floor_h=0) == []
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "b", "x"]
