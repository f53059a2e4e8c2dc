"""Compaction: fewer and sorted parts, the same rows, at any crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from engine import commit, compact
from engine.commit import Journal, recover
from engine.compact import Sizes, compact_table, crumbs
from engine.events import Compacted
from engine.module import column
from engine.running.receipt import Part
from engine.storage import Store
from engine.tables import delta, intents, parts
from engine.tables.delta import LivePart
from tests.engine.outputs import EPOCHS, committer, digests, receipt, rows

TABLES = ["epochs", "nights", "files", "absent"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Nine batches in two commits, the last letters first, over three months."""
    made = Store(tmp_path)
    batches = [[f"{letter}-1", f"{letter}-{2 + ord(letter) % 2}"][: 1 + ord(letter) % 2] for letter in "ihgfedcba"]
    committer(made).commit([receipt(made, keys) for keys in batches[:5]])
    committer(made, "r2").commit([receipt(made, keys) for keys in batches[5:]])
    return made


def _journal(store: Store) -> Journal:
    return Journal(store, "compact", "here", recover(store))


def test_many_crumbs_become_one_sorted_part_a_partition_with_the_same_rows(store: Store) -> None:
    before, events = digests(store), list[object]()
    compact.compact(_journal(store), TABLES, events.append)
    assert digests(store) == before
    assert Compacted("nights", 9, 1) in events
    for name, key in (("nights", "source_id"), ("files", "work_key")):
        assert rows(store, name)[key].is_sorted()
    months = rows(store, "epochs")["month"].n_unique()
    assert len(delta.live(delta.open_table(store, "epochs"), "epochs")) == months


def test_a_compact_table_is_left_alone(store: Store) -> None:
    compact.compact(_journal(store), TABLES)
    number, events = recover(store), list[object]()
    compact.compact(_journal(store), TABLES, events.append)
    assert (recover(store), events) == (number, [])


def test_bounds_stay_for_readers_that_prune(store: Store) -> None:
    compact.compact(_journal(store), ["nights"])
    found = delta.live(delta.open_table(store, "nights"), "nights")[0]
    assert (found.lowest, found.highest) == ("a-1", "i-3")


def test_replacement_works_after_compaction(store: Store) -> None:
    compact.compact(_journal(store), TABLES)
    committer(store).commit([receipt(store, ["c-1"], 99.0)], {"c-1"})
    assert rows(store, "nights").filter(pl.col("source_id") == "c-1")["night_score"].to_list() == [99.0]
    assert rows(store, "nights").height == rows(store, "files").height


@pytest.mark.parametrize("step", ["put", "apply_change"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_compacting(store: Store, monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    before = digests(store)
    place = intents if step == "put" else commit
    done = getattr(place, step)

    def killed(*args: object) -> None:
        if when == "after":
            done(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, step, killed)
        with pytest.raises(KeyboardInterrupt):
            compact.compact(_journal(store), TABLES)
    assert digests(store) == before
    recover(store)
    assert digests(store) == before
    compact.compact(_journal(store), TABLES)
    assert digests(store) == before
    assert len(delta.live(delta.open_table(store, "nights"), "nights")) == 1


def test_changed_rows_are_never_committed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(store)

    def losing(store: Store, table: str, rows: pa.Table, *rest: object) -> Part:
        return parts.write_part(store, table, rows.slice(1), *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(compact, "write_part", losing)
        with pytest.raises(RuntimeError, match="nothing was committed"):
            compact.compact(_journal(store), TABLES)
    assert digests(store) == before


def test_narrow_old_parts_get_nulls(store: Store) -> None:
    added = column("rmssd_ms", pa.float64(), "ms", "variability")
    wider = delta.layout(replace(EPOCHS, schema=EPOCHS.schema.append(added)))
    _journal(store).post("start", [intents.Change("epochs", wider)])
    before = digests(store)
    compact.compact(_journal(store), ["epochs"])
    assert digests(store) == before
    assert rows(store, "epochs")["rmssd_ms"].null_count() == rows(store, "epochs").height


def test_large_parts_are_split_at_whole_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    committer(store).commit([receipt(store, [letter]) for letter in "abcdefghij"])
    monkeypatch.setattr(compact, "STEP_ROWS", 4)
    size = max(found.part.size_bytes for found in delta.live(delta.open_table(store, "epochs"), "epochs"))
    done = compact_table(_journal(store), "epochs", Sizes(part_bytes=3 * size, group_bytes=100 * size))
    assert done == Compacted("epochs", 10, 3)
    assert [found.part.rows for found in delta.live(delta.open_table(store, "epochs"), "epochs")].count(12) == 2


def _live(name: str, size_bytes: int, month: str = "2026-01") -> LivePart:
    return LivePart(Part("epochs", name, size_bytes, 1, {"month": month}, ""), name, name)


def test_crumbs_are_grouped_by_partition_within_the_bound() -> None:
    sizes = Sizes(part_bytes=100, group_bytes=100)
    small = [_live(name, 40) for name in "dcba"] + [_live("big", 60), _live("alone", 1, "2026-02")]
    assert [[part.path for part in group] for group in crumbs(small, sizes)] == [["a", "b"], ["c", "d"]]
    assert crumbs([_live("a", 49), _live("b", 51)], sizes) == []


def test_parts_of_a_fair_size_are_spared_while_they_are_few() -> None:
    sizes = Sizes(part_bytes=100, group_bytes=10_000, spared_bytes=20)
    fair = [_live(f"fair{number:02}", 30) for number in range(sizes.many - 2)]
    tiny = [_live("a", 3), _live("b", 19)]
    assert [[part.path for part in group] for group in crumbs([*fair, *tiny], sizes)] == [["a", "b"]]
    crowded = crumbs([*fair, *tiny, _live("one more", 30)], sizes)
    assert [len(group) for group in crowded] == [len(fair) + len(tiny) + 1]


def test_few_small_parts_may_be_left() -> None:
    few = [_live(name, 3) for name in "abc"]
    assert crumbs(few, Sizes(fewest=4)) == []
    assert [len(group) for group in crumbs(few, Sizes(fewest=3))] == [3]


def test_a_group_is_bounded_by_rows_too() -> None:
    """A part of a megabyte may hold a hundred times as much in memory."""
    found = crumbs([_live(name, 3) for name in "abcde"], Sizes(group_rows=2))
    assert [[part.path for part in group] for group in found] == [["a", "b"], ["c", "d"]]
