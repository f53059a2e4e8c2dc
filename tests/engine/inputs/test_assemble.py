"""An inventory in many chunks is the same as one in a single chunk."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine import plan as planning
from engine.errors import UserError
from engine.inputs.assemble import assemble
from engine.inputs.listing import list_input
from engine.inventory import InputSpec, Inventory, take
from engine.plan import everything, make
from tests.engine.test_plan import NO_RUNS, NOTHING, NOW, ran, removed
from tests.engine.trees import NOON, OPTIONS, write_empty

DAY = 86_400


def in_chunks(specs: list[InputSpec], rows: int) -> Inventory:
    return Inventory(*assemble([(spec, list_input(spec.uri, OPTIONS)) for spec in specs], OPTIONS, rows))


@pytest.fixture
def specs(tmp_path: Path) -> list[InputSpec]:
    """Two inputs that share names, one of them also inside a third; E4 folders, undated files, what is ignored."""
    for site in "ab":
        nights = [f"S{subject}/x_{NOON + night * DAY}.zip" for subject in range(3) for night in (0, 1, 40)]
        parts = [f"e{n}/{name}.csv" for n in range(2) for name in ("ACC", "BVP", "IBI")]
        write_empty(tmp_path / site / "raw", *nights, *parts, f"{site}.zip", "S0/z.zip", "readme.txt")
    return [InputSpec(str(tmp_path / "a" / "raw"), zone="UTC"), InputSpec(str(tmp_path / "b"), zone="Asia/Tokyo"),
            InputSpec(str(tmp_path / "b" / "raw" / "S1"), zone="UTC")]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_chunks_hold_whole_sources_in_the_plans_order(specs: list[InputSpec], rows: int) -> None:
    whole = take(specs[:2], OPTIONS)
    cut = in_chunks(specs[:2], rows)
    assert len(whole.chunks) == 1 < len(cut.chunks)
    assert cut.frame.equals(whole.frame)
    assert cut.counts == whole.counts
    assert cut.ignored.sort("uri").equals(whole.ignored.sort("uri"))
    assert cut.sources.equals(whole.sources) and cut.inputs.equals(whole.inputs)
    held = pl.concat([rows.select("source_id").unique() for rows in cut.frames()])
    assert held["source_id"].is_unique().all()
    assert pl.concat(list(cut.frames()))["position"].is_sorted()
    some = pl.Series([1, 3], dtype=pl.UInt32)
    assert pl.concat(list(cut.at(some))).equals(pl.concat(list(whole.at(some))))


def test_a_file_of_several_inputs_is_taken_once(specs: list[InputSpec]) -> None:
    cut = in_chunks(specs, 3)
    assert cut.frame.equals(in_chunks(specs[:2], 3).frame)
    assert cut.ignored.filter(pl.col("why") == "an earlier input has it").height == 3


def test_plans_over_chunks_and_lots_agree(specs: list[InputSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    before = take(specs[:2], OPTIONS)
    ledger = ran(everything(before, OPTIONS), NOW)
    Path(specs[0].uri, "a.zip").write_bytes(b"changed")
    Path(specs[0].uri, "S2", f"x_{NOON}.zip").rename(Path(specs[0].uri, "S2", f"y_{NOON}.zip"))
    write_empty(Path(specs[0].uri), f"S0/late_{NOON}.zip", f"S9/x_{NOON}.zip")
    specs[1] = InputSpec(specs[1].uri, zone="America/Chicago")
    whole = make(take(specs[:2], OPTIONS), ledger, NOW, NO_RUNS)
    monkeypatch.setattr(planning, "LOT_SOURCES", 1)
    cut = make(in_chunks(specs[:2], 2), ledger, NOW, NO_RUNS)
    assert {"input changed", "files added", "new", "facts changed", "re-grouped"} <= set(whole.stale["why"])
    assert cut.stale.equals(whole.stale)
    assert removed(cut) == removed(whole) != frozenset()
    keys = whole.stale["source_id"].to_list()
    assert [cut.removals_with([key]) for key in keys] == [whole.removals_with([key]) for key in keys]
    assert list(cut.works()) == list(whole.works())
    assert cut.first_stale(2).equals(whole.stale.head(2))


def test_beyond_the_first_changed_sources_a_word_is_said(
    specs: list[InputSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ran(everything(take(specs[:2], OPTIONS), OPTIONS), NOW)
    root = Path(specs[0].uri)
    (root / "a.zip").write_bytes(b"changed")
    (root / "S1" / f"x_{NOON}.zip").unlink()
    write_empty(root, f"S0/late_{NOON}.zip")
    specs[0] = InputSpec(specs[0].uri, zone="Europe/London")
    inventory = in_chunks(specs[:2], 2)
    exact = make(inventory, ledger, NOW, NO_RUNS)
    monkeypatch.setattr(planning, "TOLD_SOURCES", 2)
    brief = make(inventory, ledger, NOW, NO_RUNS)
    assert {"input changed", "files added", "files removed", "facts changed"} <= set(exact.stale["why"])
    assert brief.stale.drop("detail").equals(exact.stale.drop("detail"))
    assert brief.stale["detail"].null_count() == brief.count - 2
    assert removed(brief) == removed(exact)


def test_names_that_cannot_be_told_apart(tmp_path: Path) -> None:
    write_empty(tmp_path, "a/x/f.zip", "b/x/f.zip", "b/x/a/x/f.zip")
    with pytest.raises(UserError, match=r"two inputs have a file called 'a/x/f\.zip'"):
        in_chunks([InputSpec(str(tmp_path / "a" / "x")), InputSpec(str(tmp_path / "b" / "x"))], 1)


def test_empty_ledger_and_everything_agree(specs: list[InputSpec]) -> None:
    inventory = in_chunks(specs[:2], 4)
    assert everything(inventory, OPTIONS).stale.equals(make(inventory, NOTHING, NOW, NO_RUNS).stale)
