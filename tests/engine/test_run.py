"""Runs from listing to ledger over a user's module: budget, interruption, resumption, SIGKILL."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine import ledger
from engine.commit import recover
from engine.errors import BudgetExceeded, ConfigError, InfrastructureError, Interrupted, OutputBusy
from engine.executors import InProcess
from engine.identity import Identity
from engine.run import run
from engine.storage import Store
from tests.engine.drive import SETTINGS, drive
from tests.engine.loop import Loop
from tests.engine.outputs import digests, rows
from tests.engine.users import install_package

TABLES = ("sizes", "files")
FAILS_ON_EMPTY = """
def total(files):
    size = len(files[0].data)
    if size == 2:
        raise ValueError("empty")
    return size
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty-four files of ten subjects: most are ok, some rejected."""
    install_package(tmp_path / "user", "killable", monkeypatch)
    for number in range(24):
        file = tmp_path / "raw" / f"P{number % 10:02d}" / f"{1774645200 + 86400 * number}_A.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((b"bad" if number % 9 == 4 else b"PK") + b"." * number)
    return tmp_path / "raw"


@pytest.fixture
def output(tmp_path: Path) -> Store:
    return Store(tmp_path / "out")


def test_every_input_ends_in_the_ledger_once_and_a_second_run_does_nothing(source: Path, output: Store) -> None:
    executor = Loop()
    summary = drive(str(source), output, executor=executor)
    assert (summary.state, summary.statuses) == ("finished", {"ok": 21, "rejected": 3})
    assert summary.rows == {"sizes": 21}
    told = ledger.entries(output)
    assert told.height == told["file"].n_unique() == len(executor.done) == 24
    again = Loop()
    assert drive(str(source), output, executor=again).statuses == {}
    assert again.done == []
    assert ledger.runs(output)["state"].to_list() == ["finished", "finished"]


def test_a_changed_file_makes_its_source_stale_and_replaces_its_row(source: Path, output: Store) -> None:
    drive(str(source), output)
    changed = source / "P00" / "1774645200_A.zip"
    changed.write_bytes(b"PK" + b"." * 500)
    executor = Loop()
    drive(str(source), output, executor=executor)
    assert len(executor.done) == 1
    assert rows(output, "sizes").height == 21
    assert rows(output, "sizes")["size"].max() == 502
    assert rows(output, "files").height == 24


def test_a_changed_parameter_keeps_old_and_new_apart(source: Path, output: Store) -> None:
    drive(str(source), output)
    drive(str(source), output, factor=2.0)
    assert rows(output, "sizes").group_by("module_id").len()["len"].to_list() == [21, 21]


def test_the_budget_stops_a_run_after_committing_and_the_rest_is_done_later(source: Path, output: Store) -> None:
    for file in sorted(source.rglob("*.zip"))[:20]:
        file.write_bytes(b"PK")
    (source.parent / "user" / "killable" / "helper.py").write_text(FAILS_ON_EMPTY)
    with pytest.raises(BudgetExceeded, match=r"\d of \d+ files failed .* 4 allows"):
        drive(str(source), output, replace(SETTINGS, max_failures="4"))
    told = ledger.entries(output)
    assert 5 <= told.filter(told["status"] == "failed").height <= 7
    assert ledger.runs(output)["state"].to_list() == ["stopped"]
    assert drive(str(source), output).state == "finished"
    assert rows(output, "files").height == 24


def test_ctrl_c_finishes_what_runs_commits_and_resumes(source: Path, output: Store) -> None:
    executor = Loop(lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 5 else None)
    with pytest.raises(Interrupted, match="goes on from here"):
        drive(str(source), output, executor=executor)
    assert rows(output, "files").height == len(executor.done) == 18
    assert ledger.runs(output)["state"].to_list() == ["interrupted"]
    assert drive(str(source), output).state == "finished"
    assert rows(output, "files")["file"].n_unique() == rows(output, "files").height == 24


def test_a_second_ctrl_c_stops_at_once(source: Path, output: Store) -> None:
    def twice(number: int) -> None:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="at once"):
        drive(str(source), output, executor=Loop(twice))
    assert rows(output, "files").height == 6
    drive(str(source), output)
    assert ledger.runs(output)["state"].to_list() == ["interrupted", "finished"]


def test_ctrl_c_during_the_last_batch_changes_nothing(source: Path, output: Store) -> None:
    executor = Loop(lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 7 else None)
    assert drive(str(source), output, executor=executor).state == "finished"


def test_infrastructure_that_gives_up_stops_the_run_with_its_files_to_do(source: Path, output: Store) -> None:
    def failing(number: int) -> None:
        if number == 4:
            raise InfrastructureError("the cluster went away")

    with pytest.raises(InfrastructureError, match="went away"):
        drive(str(source), output, replace(SETTINGS, commits=replace(SETTINGS.commits, every_s=60.0)), Loop(failing))
    assert rows(output, "files").height == 12
    assert ledger.runs(output)["state"].to_list() == ["stopped"]
    drive(str(source), output)
    assert rows(output, "files").height == 24


def test_a_driver_that_another_overtook_stops_and_leaves_its_state_alone(source: Path, output: Store) -> None:
    def overtaken(number: int) -> None:
        if number == 3:
            drive(str(source), output)

    with pytest.raises(OutputBusy, match="commits to this output too"):
        drive(str(source), output, executor=Loop(overtaken))
    assert rows(output, "files")["file"].n_unique() == rows(output, "files").height == 24
    assert ledger.runs(output)["state"].to_list() == ["interrupted", "finished"]


def test_a_plan_made_before_another_commit_is_refused(source: Path, output: Store) -> None:
    stale = recover(output)
    drive(str(source), output)

    class Nothing:
        shared_removals, predicted_s = frozenset[str](), 0.0

        def removals_with(self, keys: object) -> frozenset[str]:
            return frozenset()

        def works(self) -> object:
            return iter(())

    from engine.load import refer

    mapped, identity = refer("killable.module:Sizes", {})
    assert isinstance(identity, Identity)
    with pytest.raises(OutputBusy):
        run(identity, mapped, Nothing(), output, Loop(), after=stale)  # type: ignore[arg-type]


def test_a_bad_budget_is_told_before_anything_happens(source: Path, output: Store) -> None:
    with pytest.raises(ConfigError, match="max_failures"):
        drive(str(source), output, replace(SETTINGS, max_failures="some"))
    assert recover(output) == 0


def test_batch_size_and_the_guarded_child_change_no_row(source: Path, tmp_path: Path) -> None:
    stores = [Store(tmp_path / name) for name in ("loop", "large", "child")]
    drive(str(source), stores[0])
    drive(str(source), stores[1], replace(SETTINGS, batch_works=None), InProcess())
    drive(str(source), stores[2], replace(SETTINGS, batch_works=64), InProcess(guarded=True))
    assert digests(stores[0], TABLES) == digests(stores[1], TABLES) == digests(stores[2], TABLES)
