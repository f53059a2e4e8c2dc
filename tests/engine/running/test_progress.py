"""Progress: when commits go out, what they hold, and what a run leaves behind."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from engine import ledger
from engine.commit import Committer, Journal, recover
from engine.compact import Sizes
from engine.errors import InfrastructureError, SchemaChanged
from engine.events import BatchFinished, Committed, Compacted, Event, RunFinished
from engine.running.progress import CommitSettings, Progress
from engine.running.record import begin
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import last
from tests.engine.outputs import IDENTITY, NIGHTS, OUTPUTS, digests, receipt, rows


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def _progress(store: Store, events: list[Event], removals: Collection[str] = (), **settings) -> Progress:
    made = Progress(begin(IDENTITY, "{}"), store, recover(store), OUTPUTS, CommitSettings(**settings), events.append)
    made.start(removals, b"frozen")
    return made


def _itself(keys: Collection[str]) -> Collection[str]:
    return keys


def test_a_run_from_start_to_end(store: Store) -> None:
    events: list[Event] = []
    one = _progress(store, events)
    assert ledger.runs(store)["state"].to_list() == ["running"]
    assert rows(store, "nights").height == 0  # the table is there before its rows
    one.take(receipt(store, ["a", "b-2"]), _itself)
    one.take(receipt(store, ["c"], status="quarantined"), _itself)
    summary = one.end("finished")
    assert (summary.statuses, summary.rows) == ({"ok": 2, "quarantined": 1}, {"epochs": 6, "nights": 2})
    assert ledger.runs(store)["state"].to_list() == ["finished"]
    assert store.read(f"_runs/{summary.run_id}/inventory.parquet") == b"frozen"
    assert [type(event) for event in events] == [BatchFinished, BatchFinished, Committed, RunFinished]
    assert events[1].causes == {"timeout": 1}
    assert (events[2].files, events[2].parts) == (3, 3)


def test_commits_go_out_by_time_or_bytes(store: Store) -> None:
    events: list[Event] = []
    size_bytes = sum(part.size_bytes for part in receipt(store, ["a"]).parts)
    one = _progress(store, events, every_bytes=int(1.5 * size_bytes))
    for key in "abcdef":
        one.take(receipt(store, [key]), _itself)
    early = sum(isinstance(event, Committed) for event in events)
    assert early == 3
    assert rows(store, "files").height == sum(event.files for event in events if isinstance(event, Committed))
    one.end("interrupted")
    assert rows(store, "files").height == 6

    two = _progress(store, events, every_s=0.0)
    two.take(receipt(store, ["x"]), _itself)
    assert rows(store, "files").height == 7


def test_a_finished_run_compacts_and_others_leave_it(store: Store) -> None:
    events: list[Event] = []
    for state in ("interrupted", "finished"):
        one = _progress(store, events, every_s=0.0)
        for key in "ab" if state == "interrupted" else "cd":
            one.take(receipt(store, [key]), _itself)
        one.end(state)
        assert any(isinstance(event, Compacted) for event in events) is (state == "finished")
    assert Compacted("nights", 4, 1) in events


def test_a_crowded_partition_is_compacted_in_between(store: Store) -> None:
    events: list[Event] = []
    one = _progress(store, events, every_s=0.0, sizes=Sizes(many=3))
    for key in "abcdefg":
        one.take(receipt(store, [key]), _itself)
    assert [event.table for event in events if isinstance(event, Compacted)] == ["epochs", "nights"]
    assert rows(store, "nights").height == 7


def test_old_rows_go_with_the_new_and_the_rest_at_a_finished_end(store: Store) -> None:
    first = _progress(store, [])
    first.take(receipt(store, ["a", "b", "gone"], 40.0), _itself)
    first.end("finished")

    second = _progress(store, [], removals=["a", "gone"], every_s=0.0)
    second.take(receipt(store, ["a"], 60.0), _itself)
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "b", "gone"]
    second.end("stopped")
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "b", "gone"]

    third = _progress(store, [], removals=["gone"])
    third.end("finished")
    assert sorted(rows(store, "files")["work_key"]) == sorted(rows(store, "nights")["source_id"]) == ["a", "b"]


def test_a_work_superseded_twice_keeps_its_new_rows(store: Store) -> None:
    first = _progress(store, [])
    first.take(receipt(store, ["a"], 40.0), _itself)
    first.end("finished")
    second = _progress(store, [], removals=["a"], every_s=0.0)
    second.take(receipt(store, ["a"], 60.0), lambda keys: {"a"})
    second.take(receipt(store, ["c"], 60.0), lambda keys: {"a"})  # c took a file of a
    second.end("finished")
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "c"]


def test_a_failed_commit_is_not_repeated_with_its_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = _progress(store, [])
    one.take(receipt(store, ["a"]), _itself)
    with monkeypatch.context() as patch:
        patch.setattr(delta, "write", _failing)
        with pytest.raises(InfrastructureError):
            one.end("finished")
    one.end("stopped")
    assert rows(store, "files").height == rows(store, "nights").height == 1
    assert ledger.runs(store)["state"].to_list() == ["stopped"]


def _failing(*args: object) -> None:
    raise InfrastructureError("storage is out of order")


def test_another_type_is_refused_before_anything_is_written(store: Store) -> None:
    _progress(store, []).end("finished")
    number = last(store).number
    index = NIGHTS.schema.get_field_index("recorded_h")
    other = {
        "nights": type(NIGHTS)(
            NIGHTS.schema.set(index, NIGHTS.schema.field("source_id").with_name("recorded_h")), NIGHTS.key, NIGHTS.sort
        )
    }
    broken = Progress(begin(IDENTITY, "{}"), store, number, other, CommitSettings(), print)
    with pytest.raises(SchemaChanged, match="recorded_h"):
        broken.start((), None)
    assert last(store).number == number


def test_two_equal_runs_have_equal_digests(tmp_path: Path) -> None:
    stores = [Store(tmp_path / name) for name in ("one", "two")]
    for store, order in zip(stores, ("abc", "cab"), strict=True):
        one = _progress(store, [], every_s=0.0)
        for key in order:
            one.take(receipt(store, [key]), _itself)
        one.end("finished")
    assert digests(stores[0]) == digests(stores[1])


def test_the_committer_names_its_ledger(store: Store) -> None:
    """Other outputs than a reprocessing call it `work`."""
    Committer(Journal(store, "r", "h", 0), "m-1", {}, ledger="work").commit([receipt(store, ["a"], status="failed")])
    assert ledger.entries(store, "m-1", table="work").height == 1
