"""Commits: whole or not at all, once, by one driver, whatever is killed and whenever."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from engine import commit, ledger
from engine.commit import Journal, recover
from engine.errors import InfrastructureError, OutputBusy, SchemaChanged
from engine.events import IntentReplayed
from engine.module import column
from engine.storage import Store
from engine.tables import delta, intents, replace
from tests.engine.outputs import EPOCHS, MODULE, OUTPUTS, committer, digests, receipt, rows


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out")


def test_a_commit_brings_rows_to_every_table_and_fills_the_ledger(store: Store) -> None:
    assert committer(store).commit([receipt(store, ["a", "b-2"]), receipt(store, ["c"])]) == 1
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "b-2", "c"]
    assert set(rows(store, "epochs")["month"]) == {"2026-01", "2026-02"}
    told = ledger.entries(store, MODULE)
    assert told["run_id"].unique().to_list() == ["r1"]
    assert told["committed_at"].null_count() == 0
    assert delta.open_table(store, "files").transaction_version(delta.APP) == 1


def test_without_a_ledger_there_are_no_entries_but_all_columns(store: Store) -> None:
    assert ledger.entries(store).columns[-2:] == ["committed_at", "module_id"]
    assert ledger.entries(store).height == ledger.runs(store).height == 0
    assert recover(store) == 0


STEPS = [
    (commit, "check_parts", 0),
    (commit, "write_ledger", 0),
    (replace, "change", 1),
    (intents, "put", 0),
    (commit, "apply_change", 0),
    (commit, "apply_change", 1),
    (commit, "apply_change", 2),
    (delta, "write", 0),
    (delta, "write", 1),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("place", "step", "nth"), STEPS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_killed_at_any_step_and_resumed_equals_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: object, step: str, nth: int, when: str
) -> None:
    undisturbed, disturbed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    for store in (undisturbed, disturbed):
        committer(store).commit([receipt(store, ["a", "b"], 40.0), receipt(store, ["c-2"], 40.0)])
    committer(undisturbed).commit([receipt(undisturbed, ["a", "d"], 60.0)], {"a"})

    with monkeypatch.context() as patch:
        patch.setattr(place, step, _killing(getattr(place, step), nth, when))
        with pytest.raises(Killed):
            committer(disturbed).commit([receipt(disturbed, ["a", "d"], 60.0)], {"a"})
    number = recover(disturbed)
    if number == 1:  # killed before the intent was put: the plan finds the works undone
        assert digests(disturbed)["files"].rows == 3
        committer(disturbed, "r2").commit([receipt(disturbed, ["a", "d"], 60.0)], {"a"})
    assert digests(disturbed) == digests(undisturbed)
    assert recover(disturbed) == 2
    assert digests(disturbed) == digests(undisturbed)


def _killing(step, nth: int, when: str):
    calls = iter(range(1000))

    def killed(*args, **kwargs):
        number = next(calls)
        if number == nth and when == "before":
            raise Killed
        result = step(*args, **kwargs)
        if number == nth:
            raise Killed
        return result

    return killed


def test_a_replay_is_told_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(commit, "apply_change", _killing(commit.apply_change, 1, "before"))
        with pytest.raises(Killed):
            committer(store, "r9").commit([receipt(store, ["a"])])
    events: list[object] = []
    assert recover(store, events.append) == recover(store, events.append) == 1
    assert events == [IntentReplayed(1, "r9")]


def test_storage_failing_in_the_middle_of_a_commit_is_made_good_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = committer(store)
    one.commit([receipt(store, ["a"])])
    with monkeypatch.context() as patch:
        patch.setattr(delta, "write", _failing)
        with pytest.raises(InfrastructureError, match="out of order"):
            one.commit([receipt(store, ["b"])])
    one.commit([receipt(store, ["c"])])
    assert sorted(rows(store, "files")["work_key"]) == sorted(rows(store, "nights")["source_id"]) == ["a", "b", "c"]


def _failing(*args: object) -> None:
    raise InfrastructureError("storage is out of order")


def test_the_second_driver_stops_and_names_the_first(store: Store) -> None:
    one, two = committer(store, "first"), committer(store, "second")
    one.commit([receipt(store, ["a"])])
    with pytest.raises(OutputBusy, match="run first on here"):
        two.commit([receipt(store, ["a"])])
    assert rows(store, "files").height == 1


def test_two_drivers_that_replay_at_once_apply_an_intent_once(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"])])
    change = replace.change(
        store, "nights", delta.layout(OUTPUTS["nights"]), MODULE, receipt(store, ["b"]).parts[1:], ()
    )
    intents.put(store, intents.Intent(2, "r1", "here", "rows", (change,)))
    start = threading.Barrier(4)
    told: list[int] = []

    def replay() -> None:
        start.wait()
        told.append(recover(store))

    threads = [threading.Thread(target=replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [2] * 4
    assert sorted(rows(store, "nights")["source_id"]) == ["a", "b"]


def test_a_conflict_with_a_foreign_writer_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer(store).commit([receipt(store, ["a"])])

    def conflict(*args: object) -> None:
        raise delta.Conflict("table epochs: somebody was faster")

    with monkeypatch.context() as patch:
        patch.setattr(delta, "write", conflict)
        with pytest.raises(InfrastructureError, match="somebody was faster"):
            committer(store).commit([receipt(store, ["b"])])
    assert recover(store) == 2
    assert rows(store, "files").height == 2


def test_a_part_rewritten_by_another_program_stops_the_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = committer(store)
    one.commit([receipt(store, ["a"]), receipt(store, ["b"])])
    with monkeypatch.context() as patch:
        patch.setattr(commit, "apply_change", _killing(commit.apply_change, 0, "before"))
        with pytest.raises(Killed):
            one.commit([receipt(store, ["a"], 70.0)], {"a"})
    delta.open_table(store, "epochs").optimize.compact()
    with pytest.raises(OutputBusy, match=r"epochs was rewritten by another program.*restore"):
        recover(store)


@pytest.mark.parametrize(("damage", "said"), [(b"", "has 0 bytes"), (None, "is missing")])
def test_a_part_that_is_not_as_reported_is_not_committed(store: Store, damage: bytes | None, said: str) -> None:
    told = receipt(store, ["a"])
    path = Path(store.delta_uri("nights")) / told.parts[1].path
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(InfrastructureError, match=said):
        committer(store).commit([told])
    assert intents.last(store) is None


def test_columns_are_only_added(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"])])
    added = column("rmssd_ms", pa.float64(), "ms", "variability", required=True)
    wider = dataclasses.replace(EPOCHS, schema=EPOCHS.schema.append(added))
    assert delta.is_narrower(store, "epochs", delta.layout(wider))
    journal = Journal(store, "r2", "here", recover(store))
    journal.post("start", [intents.Change("epochs", delta.layout(wider))])
    assert not delta.is_narrower(store, "epochs", delta.layout(wider))
    assert rows(store, "epochs")["rmssd_ms"].null_count() == 3
    committer(store, "r3").commit([receipt(store, ["b"])])  # the narrow module still writes
    assert rows(store, "epochs").height == 6


def test_another_type_or_partition_is_refused(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"])])
    index = EPOCHS.schema.get_field_index("hr_bpm")
    other = EPOCHS.schema.set(index, column("hr_bpm", pa.string(), "bpm", "heart rate"))
    with pytest.raises(SchemaChanged, match="epochs, column hr_bpm: it holds double and the module now gives string"):
        delta.is_narrower(store, "epochs", delta.layout(dataclasses.replace(EPOCHS, schema=other)))
    with pytest.raises(SchemaChanged, match="partitioned"):
        delta.is_narrower(store, "epochs", delta.layout(dataclasses.replace(EPOCHS, partition=None)))


def test_an_intent_survives_its_file(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"]), receipt(store, ["b-2"])])
    found = intents.last(store)
    assert found is not None
    assert intents.decode(intents.encode(found)) == found
    assert [change.table for change in found.changes] == ["epochs", "nights", "files"]


def test_an_intent_changes_a_table_once(store: Store) -> None:
    change = intents.Change("nights", delta.layout(OUTPUTS["nights"]))
    with pytest.raises(ValueError, match="two changes"):
        intents.Intent(1, "r1", "here", "rows", (change, change))


def test_a_put_whose_answer_was_lost_is_ours(store: Store) -> None:
    intent = intents.Intent(1, "r1", "here", "rows", ())
    intents.put(store, intent)
    intents.put(store, intent)
    with pytest.raises(OutputBusy):
        intents.put(store, intents.Intent(1, "r2", "there", "rows", ()))


def test_the_newest_intent_is_the_highest_number_not_the_last_name(store: Store) -> None:
    for number in (2, 9, 10):
        intents.put(store, intents.Intent(number, "r", "h", "rows", ()))
    found = intents.last(store)
    assert found is not None and found.number == 10


def test_another_modules_rows_stay(store: Store) -> None:
    committer(store).commit([receipt(store, ["a"])])
    other = "toy-ffffffffffff"
    committer(store, "r2", other).commit([receipt(store, ["a"], module_id=other)], {"a"})
    assert rows(store, "nights").group_by("module_id").len().sort("module_id")["len"].to_list() == [1, 1]
    assert ledger.entries(store, other).filter(pl.col("work_key") == "a").height == 1


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    store = Store(tmp_path / "my out, 50 % ü+#")
    committer(store).commit([receipt(store, ["a"])])
    committer(store).commit([receipt(store, ["a"], 60.0)], {"a"})
    assert ledger.entries(store)["work_key"].to_list() == ["a"]
    assert rows(store, "nights")["night_score"].to_list() == [60.0]
