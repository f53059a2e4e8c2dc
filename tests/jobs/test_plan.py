"""`nightmill plan` in one process, on a user's own module."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine.errors import UserError
from engine.planning import pilot
from engine.workers.guards import close_guards
from jobs import estimates
from jobs.cli import cli
from tests.engine.inputs.test_s3_inventory import in_csv
from tests.engine.users import write_package

Plan = Callable[..., Result]
COMMON = ("--in-process", "--include", "*.zip", "--module", "planned.module:Sizes")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Twelve files of twelve subjects, and a way to type commands beside them."""
    write_package(tmp_path / "user", "planned")
    monkeypatch.syspath_prepend(str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "planned"]:
        monkeypatch.delitem(sys.modules, name)
    for number in range(12):
        file = tmp_path / "raw" / f"P{number:02}" / "1774645200_A.zip"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"PK" + b"." * number)

    def typed(*arguments: str, command: str = "plan") -> Result:
        done = CliRunner().invoke(cli, [command, "raw", "-o", "out", *COMMON, *arguments], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return typed


def told(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_pilot_says_time_memory_output_and_price_with_intervals(plan: Plan) -> None:
    try:
        found = told(plan("--pilot", "--price-per-hour", "0.5", "--json"))
        assert found["works_measured"] == 12
        for name in ("seconds", "core_seconds", "memory_mb", "output_bytes", "price"):
            assert 0 < found[name]["low"] <= found[name]["likely"] <= found[name]["high"], name
        assert found["price"]["likely"] == pytest.approx(found["core_seconds"]["likely"] * 0.5 / 3600)
        assert found["limits"]["seconds"] == 60.0
        screen = plan("--pilot", "--price-per-hour", "0.5", "--limit-seconds", "7").stdout
        assert "12 units of work measured" in screen and "output about" in screen and "price about" in screen
        assert "limits     7.0 s and 1,024 MB" in screen
        assert screen.count("\n") < 24
    finally:
        close_guards()
    assert not Path("out").exists()


def test_without_a_pilot_the_guess_says_so(plan: Plan) -> None:
    assert "guessed; --pilot measures" in plan().stdout
    assert told(plan("--json"))["measured"] is False


def test_a_sample_is_reused_and_earlier_files_are_measured(plan: Plan) -> None:
    sample = told(plan("--sample", "0.4", "--json"))
    assert 0 < sample["files"] < 12
    assert "a sample of 0.4 of the subjects" in plan("--sample", "0.4").stdout
    plan("--sample", "0.4", command="reprocess")
    whole = told(plan("--json"))
    assert (whole["done_files"], whole["to_do"]["files"]) == (sample["files"], 12 - sample["files"])
    assert whole["measured"] and whole["works_measured"] == sample["files"]
    assert told(plan("--sample", "0.4", "--json"))["to_do"]["files"] == 0


def test_more_files_than_told_or_known_are_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="12 files are to do, and max_files allows 5"):
        plan("--max-files", "5", command="reprocess")
    assert not Path("out").exists()
    assert "refused    12 files" in plan("--max-files", "5").stdout
    plan("--sample", "0.2", command="reprocess")
    monkeypatch.setattr(estimates, "LEAST_SURPRISE", 5)
    monkeypatch.setattr(estimates, "SURPRISE", 2)
    with pytest.raises(UserError, match=r"more than 2 times the .* that this output knows.*--max-files"):
        plan(command="reprocess")
    plan("--max-files", "12", command="reprocess")
    assert told(plan("--json"))["to_do"]["files"] == 0


def test_a_first_run_of_many_works_begins_with_a_pilot(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "PILOT_FROM", 10)
    try:
        assert "pilot      trying 12 units of work" in plan(command="reprocess").stdout
    finally:
        close_guards()
    assert told(plan("--json"))["done_files"] == 12


def test_what_fits_no_worker_is_refused_before_the_first_file(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"size_bytes": [2, 9], "seconds": [0.1, 0.2], "peak_mb": [700.0, 900.0], "output_bytes": [1.0, 2.0]}
    found = pl.DataFrame(large | {"cause": [None, None], "drawn": [True, True]})
    monkeypatch.setattr(pilot, "fly", lambda *_: found)
    monkeypatch.setattr(estimates, "PILOT_FROM", 10)
    with pytest.raises(UserError, match="12 of 12 units of work need more memory than one may use"):
        plan("--limit-memory-mb", "500", command="reprocess")
    assert not Path("out").exists()
    one_eater = found.with_columns(cause=pl.Series([None, "memory"]), message=pl.Series([None, "more than [900] MB"]))
    monkeypatch.setattr(pilot, "fly", lambda *_: one_eater)
    screen = plan("--limit-memory-mb", "900", "--pilot").stdout
    assert (
        "1 of 2 failed or were stopped, such as: more than [900] MB" in screen
        and "from 1 unit of work measured" in screen
    )
    monkeypatch.setattr(pilot, "fly", lambda *_: found.with_columns(cause=pl.lit("memory")))
    with pytest.raises(UserError, match="2 of 2 units of work tried were stopped at 900 MB"):
        plan("--limit-memory-mb", "900", "--pilot")


def test_an_s3_inventory_is_an_input(plan: Plan, tmp_path: Path) -> None:
    name = in_csv(tmp_path / "listed")
    found = told(plan(f"{name}#raw", "--json"))
    assert found["files"] == 12 + 2


def test_by_content_after_a_copy(plan: Plan) -> None:
    plan(command="reprocess")
    for number, file in enumerate(sorted(Path("raw").rglob("*.zip"))):
        os.utime(file, (number, number))
    Path("raw/P00/1774645200_A.zip").write_bytes(b"PK other")
    assert told(plan("--json"))["to_do"]["files"] == 12
    screen = plan("--by-content").stdout
    assert "by content 11 Sources moved or copied, now up to date · 1 left to do" in screen
    assert told(plan("--json"))["to_do"]["files"] == 1


def test_rows_of_files_that_are_gone_stay_and_the_plan_says_so(plan: Plan, tmp_path: Path) -> None:
    try:
        plan(command="reprocess")
        assert told(plan("--json"))["gone"] == 0 and "gone" not in plan().stdout
        (tmp_path / "raw/P03/1774645200_A.zip").unlink()
        assert told(plan("--json"))["gone"] == 1
        again = plan(command="reprocess").stdout
        assert "1 Source of 1 subject no longer in the input: the rows stay; `nightmill erase`" in again
        assert "nothing to do" in again
        assert told(plan("--sample", "0.5", "--json"))["gone"] == 0
    finally:
        close_guards()


def test_what_is_stale_is_read_at_80_columns(plan: Plan) -> None:
    shown = plan("--stale").stdout
    assert "source_id" in shown and "night_hint" not in shown
    assert max(len(line) for line in shown.partition("stale")[2].splitlines()) <= 80
