"""What is written about runs, and when another driver on this host is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from engine import ledger
from engine.commit import Journal, recover
from engine.errors import ModuleError, OutputBusy
from engine.module import column
from engine.running import record
from engine.running.record import RunRecord, all_tables, begin, dictionary_change, refuse_if_running, runs_change
from engine.storage import Store
from engine.tables.delta import open_table
from tests.engine.outputs import EPOCHS, IDENTITY, OUTPUTS, rows


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def _note(store: Store, *records: RunRecord) -> None:
    for one in records:
        Journal(store, one.run_id, "here", recover(store)).post("start", [runs_change(store, one)])


def test_a_run_has_one_row_whatever_its_state(store: Store) -> None:
    one = begin(IDENTITY, '{"workers": 2}')
    _note(store, one, one.ended("finished", {"ok": 2, "failed": 1}))
    row = ledger.runs(store).row(0, named=True)
    assert ledger.runs(store).height == 1
    assert (row["state"], row["config"], json.loads(row["counts"])) == (
        "finished",
        '{"workers": 2}',
        {"failed": 1, "ok": 2},
    )
    assert row["ended_at"] >= row["started_at"]
    assert json.loads(row["versions"]).keys() >= {"python", "nightmill", "numpy"}


def test_dead_runs_become_interrupted(store: Store) -> None:
    first, second = begin(IDENTITY, "{}"), begin(IDENTITY, "{}")
    first = replace(first, run_id="20200101T000000.000-a")
    _note(store, first, second)
    assert ledger.runs(store)["state"].to_list() == ["interrupted", "running"]


def test_run_ids_are_unique_and_sort_by_start() -> None:
    made = [begin(IDENTITY, "{}").run_id for _ in range(20)]
    assert len(set(made)) == 20
    assert [one[:19] for one in made] == sorted(one[:19] for one in made)


def _machine(process: subprocess.Popen[bytes]) -> str:
    about = record.machine()
    return json.dumps({**about, "pid": process.pid, "pid_started": record.psutil.Process(process.pid).create_time()})


def test_a_living_driver_of_this_host_is_respected_until_it_dies(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        _note(store, replace(begin(IDENTITY, "{}"), machine=_machine(process)))
        with pytest.raises(OutputBusy, match=f"process {process.pid}"):
            refuse_if_running(store)
        process.kill()
        process.wait()
        refuse_if_running(store)


def test_a_driver_that_finished_or_whose_number_was_reused_is_no_obstacle(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        machine = _machine(process)
        reused = json.dumps({**json.loads(machine), "pid_started": 5.0})
        _note(store, replace(begin(IDENTITY, "{}"), machine=reused))
        refuse_if_running(store)
        _note(store, replace(begin(IDENTITY, "{}"), machine=machine).ended("finished", {}))
        refuse_if_running(store)
        process.kill()


def test_the_dictionary_keeps_what_older_results_have(store: Store) -> None:
    journal = Journal(store, "r", "here", 0)
    wider = replace(EPOCHS, schema=EPOCHS.schema.append(column("old_ms", pa.float64(), "ms", "of an older version")))
    journal.post("start", [dictionary_change(store, {"epochs": wider})])
    journal.post("start", [dictionary_change(store, OUTPUTS)])
    told = {(row["table"], row["column"]): row for row in rows(store, "dictionary").iter_rows(named=True)}
    assert told["epochs", "old_ms"]["meaning"] == "of an older version"
    assert told["nights", "recorded_h"]["unit"] == "h"
    assert told["epochs", "hr_bpm"]["minimum_data"] is None
    assert told["epochs", "month"]["meaning"]
    version = open_table(store, "dictionary").version()
    journal.post("start", [dictionary_change(store, OUTPUTS)])
    assert open_table(store, "dictionary").version() == version + 1  # the number, no file
    assert rows(store, "dictionary").height == len(told)


def test_a_module_cannot_take_the_engines_tables() -> None:
    with pytest.raises(ModuleError, match="called files"):
        all_tables({"files": EPOCHS})
