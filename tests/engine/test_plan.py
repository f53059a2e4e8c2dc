from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.identity import Identity, content_key
from engine.inventory import InputSpec, Inventory, take
from engine.plan import GUESSED_S_PER_MB, Plan, Rate, make
from engine.planning.staleness import LEDGER_COLUMNS
from engine.tables.replace import Owed
from tests.engine.trees import NOON, OPTIONS, write_empty, write_tree

OLD = Identity("night-000000000000", "0" * 64, "a.b:C", '{"high_hz":4.0,"low_hz":0.5}', {"a.b": "1", "a.gone": "1"})
NOW = Identity("night-111111111111", "1" * 64, "a.b:C", '{"high_hz":5.0,"low_hz":0.5}', {"a.b": "2", "a.fresh": "1"})
OTHER = Identity("night-two-222222222222", "2" * 64, "a.b:D", "{}", {})
SCHEMA: dict[str, Any] = dict.fromkeys(LEDGER_COLUMNS, pl.String) | {"seconds": pl.Float64, "size_bytes": pl.Int64}
NOTHING = pl.DataFrame(schema=SCHEMA)
NO_RUNS = pl.DataFrame(schema=dict.fromkeys(("run_id", "module_id", "closure", "parameters"), pl.String))


def ran(plan: Plan, identity: Identity, status: str = "ok", run_id: str = "r1", seconds: float = 1.0) -> pl.DataFrame:
    """The ledger's rows after all works of a plan."""
    uris = dict(plan.inventory.inputs.select("input", "uri").rows())
    rows = [
        {
            "module_id": identity.module_id,
            "work_key": work.key,
            "file": one.name,
            "uri": uris[one.name],
            "facts": work.known["facts"],
            "input_identity": work.identity,
            "status": status,
            "content_key": content_key(one),
            "run_id": run_id,
            "seconds": seconds,
            "size_bytes": one.size_bytes,
        }
        for work in plan.works()
        for one in work.inputs
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def steps(ledger: pl.DataFrame, plan: Plan, identity: Identity = NOW) -> Iterator[pl.DataFrame]:
    """The ledger after each commit of a run that commits every work by itself, last work first."""
    owed, rows = Owed(plan.shared_removals), ran(plan, identity, run_id="r2")
    for key in plan.stale["source_id"].reverse():
        due = owed.take(plan.removals_with([key]))
        gone = (pl.col("module_id") == identity.module_id) & pl.col("work_key").is_in(list(due))
        ledger = pl.concat([ledger.filter(~gone), rows.filter(pl.col("work_key") == key)])
        yield ledger
    assert not owed.rest()


def removed(plan: Plan) -> frozenset[str]:
    """Keys of all works whose earlier rows go in a run of the plan."""
    return plan.removals_with(plan.stale["source_id"].to_list()) | plan.shared_removals


class Study:
    """A folder of raw files and its ledger, as the tests below change them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = NOTHING
        self.zone: str | None = "UTC"
        write_empty(
            folder, f"S1/a_{NOON}.zip", f"S1/b_{NOON + 60}.zip", f"S2/c_{NOON}.zip", "S3.zip", "n/ACC.csv", "n/BVP.csv"
        )

    def inventory(self) -> Inventory:
        table = self.folder / "subjects.csv"
        return take(
            [InputSpec(str(self.folder), zone=self.zone, subjects=str(table) if table.exists() else None)], OPTIONS
        )

    def plan(self, identity: Identity = NOW, runs: pl.DataFrame = NO_RUNS, retry: Collection[str] = ()) -> Plan:
        return make(self.inventory(), self.ledger, identity, runs, retry, OPTIONS)

    def run(self, identity: Identity = NOW) -> None:
        alive = self.inventory().inputs["input"].to_list()
        for ledger in steps(self.ledger, self.plan(identity), identity):
            mine = ledger.filter(pl.col("file").is_in(alive), pl.col("module_id") == identity.module_id)
            assert mine["file"].is_unique().all()
            self.ledger = ledger


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """All files processed once by the module as it is."""
    study = Study(tmp_path / "raw")
    study.run()
    return study


def whys(plan: Plan) -> dict[str, tuple[str, str | None]]:
    return {row["source_id"]: (row["why"], row["detail"]) for row in plan.stale.iter_rows(named=True)}


def test_everything_is_new_at_first(tmp_path: Path) -> None:
    plan = Study(tmp_path).plan()
    assert whys(plan) == dict.fromkeys(["S1/2020-04-15", "S2/2020-04-15", "S3.zip", "n"], ("new", None))
    assert (plan.count, plan.files, plan.size_bytes, plan.done_files) == (4, 5, 6, 0)
    assert plan.summary.rows() == [("new", None, 4, 5, 6)]
    assert removed(plan) == frozenset()


def test_a_second_run_does_nothing(study: Study) -> None:
    plan = study.plan()
    assert (plan.count, plan.files, plan.done_files, plan.predicted_s) == (0, 0, 5, 0.0)
    assert list(plan.works()) == []
    assert plan.summary.is_empty()


def test_touched_file_makes_its_source_stale(study: Study) -> None:
    os.utime(study.folder / f"S1/b_{NOON + 60}.zip", ns=(1, 1))
    plan = study.plan()
    assert whys(plan) == {"S1/2020-04-15": ("input changed", f"changed S1/b_{NOON + 60}.zip")}
    assert removed(plan) == {"S1/2020-04-15"}
    assert plan.removals_with(["S1/2020-04-15", "x"]) == {"S1/2020-04-15"}
    assert plan.removals_with(["S2/2020-04-15"]) == frozenset()


def test_another_study_of_the_same_names_shows_where_the_rows_came_from(study: Study, tmp_path: Path) -> None:
    other = write_tree(tmp_path / "other", {"S3.zip": b"of somebody else"})
    plan = make(take([InputSpec(str(other), zone="UTC")], OPTIONS), study.ledger, NOW, NO_RUNS)
    assert whys(plan) == {"S3.zip": ("input changed", f"changed S3.zip; was at {study.folder}/S3.zip")}


def test_change_in_an_e4_folder(study: Study) -> None:
    (study.folder / "n/IBI.csv").write_text("late")
    assert whys(study.plan()) == {"n": ("input changed", "changed n")}


def test_late_and_lost_files(study: Study) -> None:
    write_empty(study.folder, *(f"S1/late{n}_{NOON}.zip" for n in range(5)))
    detail = ", ".join(f"S1/late{n}_{NOON}.zip" for n in range(3))
    assert whys(study.plan()) == {"S1/2020-04-15": ("files added", f"+ {detail} and 2 more")}
    study.run()
    (study.folder / f"S1/late3_{NOON}.zip").unlink()
    assert whys(study.plan()) == {"S1/2020-04-15": ("files removed", f"− S1/late3_{NOON}.zip")}


def test_a_source_that_is_gone_keeps_its_rows(study: Study) -> None:
    (study.folder / "S3.zip").unlink()
    plan = study.plan()
    assert (plan.count, removed(plan)) == (0, frozenset())


def test_changed_facts_are_named_old_and_new(study: Study) -> None:
    (study.folder / "subjects.csv").write_text(
        "subject_id,zone,device_offset_s,received_at\nS2,Europe/Paris,60,2020-05-01\n"
    )
    detail = "zone UTC → Europe/Paris; device_offset_s unknown → 60; received_at unknown → 2020-05-01T00:00:00.000000Z"
    assert whys(study.plan()) == {"S2/2020-04-15": ("facts changed", detail)}
    study.run()
    assert study.plan().count == 0


def test_a_corrected_zone_regroups(study: Study) -> None:
    (study.folder / "subjects.csv").write_text("subject_id,zone\nS2,America/Chicago\n")
    plan = study.plan()
    assert whys(plan) == {"S2/2020-04-14": ("re-grouped", "was in S2/2020-04-15")}
    assert plan.removals_with(["S2/2020-04-14"]) == plan.shared_removals == {"S2/2020-04-15"}
    study.run()
    assert study.plan().count == 0
    assert sorted(study.ledger["file"]) == sorted(study.inventory().inputs["input"])


def test_a_split_source_goes_with_whichever_taker_comes_first(study: Study) -> None:
    late = study.folder / f"S1/b_{NOON + 60}.zip"
    late.rename(study.folder / f"S1/b_{NOON + 86400}.zip")
    (study.folder / "subjects.csv").write_text("subject_id,zone\nS1,America/Chicago\n")
    plan = study.plan()
    assert whys(plan)["S1/2020-04-14"] == ("re-grouped", "was in S1/2020-04-15")
    assert whys(plan)["S1/2020-04-15"][0] == "files added"
    # Else its old rows would stand beside those of the taker between two commits.
    assert plan.removals_with(["S1/2020-04-14"]) == plan.removals_with(["S1/2020-04-15"]) == {"S1/2020-04-15"}


def test_retry(study: Study) -> None:
    study.ledger = study.ledger.with_columns(
        status=pl.when(pl.col("file") == "S3.zip").then(pl.lit("failed")).otherwise("status")
    )
    assert study.plan().count == 0
    plan = study.plan(retry=["failed", "quarantined"])
    assert whys(plan) == {"S3.zip": ("retry", "asked for: failed, quarantined")}
    assert removed(plan) == {"S3.zip"}


def test_a_changed_module_says_what_changed(study: Study) -> None:
    study.ledger = ran(make(study.inventory(), NOTHING, OLD, NO_RUNS), OLD)
    assert {why for why, _ in whys(study.plan()).values()} == {"module changed"}
    runs = pl.DataFrame(
        [
            {"run_id": run_id, "module_id": OLD.module_id, "closure": json.dumps(files), "parameters": OLD.parameters}
            for run_id, files in [("r0", {}), ("r1", dict(OLD.closure))]
        ]
    )
    plan = study.plan(runs=runs)
    said = "parameter high_hz: 4.0 → 5.0; code a.b changed; code a.fresh is new; code a.gone is gone"
    assert plan.summary.rows() == [("module changed", said, 4, 5, 6)]
    assert removed(plan) == frozenset()
    study.run()
    assert study.plan(runs=runs).count == 0
    assert study.plan(OLD, runs).count == 0
    assert set(whys(study.plan(OTHER, runs)).values()) == {("new", None)}


def test_moved_files_of_one_name_and_time_are_no_news(study: Study, tmp_path: Path) -> None:
    study.folder = study.folder.rename(tmp_path / "moved")
    assert study.plan().count == 0


def test_order_is_by_month_subject_night(tmp_path: Path) -> None:
    months = [NOON + 86400 * days for days in (40, 0, 1)]
    write_empty(tmp_path, *(f"{subject}/x_{start}.zip" for subject in ("b", "a") for start in months), "c.zip")
    plan = make(take([InputSpec(str(tmp_path))], OPTIONS), NOTHING, NOW, NO_RUNS)
    works = list(plan.works())
    assert [work.key for work in works] == [
        "c.zip",
        *("a/2020-04-15", "a/2020-04-16", "b/2020-04-15", "b/2020-04-16", "a/2020-05-25", "b/2020-05-25"),
    ]
    assert [work.hint for work in works] == ["", *["2020-04"] * 4, *["2020-05"] * 2]


def test_rate_is_measured_where_the_module_ran_before(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.zip": b"x" * 2_000_000, "b.zip": b"x" * 1_000_000})
    inventory = take([InputSpec(str(tmp_path))], OPTIONS)
    first = make(inventory, NOTHING, NOW, NO_RUNS)
    assert first.rate == Rate(GUESSED_S_PER_MB, measured=False)
    assert first.predicted_s == pytest.approx(sum(work.predicted_s for work in first.works()))
    of_old = make(inventory, ran(first, OLD, seconds=3.0), NOW, NO_RUNS)
    assert of_old.rate == Rate(2.0, measured=True)
    both = pl.concat([ran(first, OLD, seconds=3.0), ran(first, NOW, seconds=1.5), ran(first, OTHER, seconds=9.0)])
    assert make(inventory, both, NOW, NO_RUNS).rate == Rate(1.0, measured=True)
    assert replace(of_old, rate=Rate(1.0, True)).predicted_s == pytest.approx(3.0)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "touch", "zone"]), st.integers(0, 5), st.integers(0, 3)), max_size=6
)


@settings(max_examples=15, deadline=None)
@given(CHANGES, CHANGES)
def test_whatever_happens_every_file_ends_in_the_ledger_once(first: list[Any], second: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder, "raw"))
        study.run()
        for changes in (first, second):
            for number, (what, night, hour) in enumerate(changes):
                path = study.folder / f"S1/x_{NOON + night * 86400 + hour * 3600}.zip"
                if what == "add" or (what == "touch" and path.exists()):
                    path.write_bytes(b"x" * (number + 1))
                elif what == "remove":
                    path.unlink(missing_ok=True)
                elif what == "zone":
                    study.zone = ["UTC", "America/Chicago", "Asia/Tokyo", None][hour]
            study.run()
            assert study.plan().count == 0
            alive = study.inventory().inputs["input"].to_list()
            held = study.ledger.filter(pl.col("file").is_in(alive))
            assert sorted(held["file"]) == sorted(alive)
