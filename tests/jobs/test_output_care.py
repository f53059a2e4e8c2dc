"""`gc`, `erase` and two drivers on one output, on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import ledger
from engine.storage import Store
from jobs.gc import floor_h
from tests.jobs.conftest import Mill


@pytest.fixture
def done(mill: Mill) -> Mill:
    assert _reprocess(mill) == 0
    return mill


def _reprocess(mill: Mill, *more: str) -> int:
    told = ("-o", "out", "-m", mill.module, "--include", "*.txt", "--in-process", *more)
    return mill("reprocess", "raw", *told).returncode


def _make_old(folder: Path, hours: float) -> None:
    then = time.time() - 3600 * hours
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def test_gc_shows_and_only_deletes_when_told(done: Mill) -> None:
    orphan = done.folder / "out" / "words" / "orphan.parquet"
    orphan.write_bytes(b"left by a killed worker")
    assert "no garbage" in done("gc", "out").stdout
    _make_old(done.folder / "out", 200)
    (waste,) = json.loads(done("gc", "out", "--json").stdout)
    assert (waste["kind"], waste["table"], waste["path"]) == ("orphan", "words", "orphan.parquet")
    assert "nothing was deleted" in done("gc", "out").stdout
    assert orphan.exists()
    assert "deleted" in done("gc", "out", "--yes").stdout
    assert not orphan.exists()
    assert done("gc", "out", "--older-than", "1").returncode == 2
    both = done("gc", "out", "--older-than", "48", "--params-days", "1")
    assert both.returncode == 2 and "--params-days takes no --older-than" in both.stderr


def test_the_age_floor_follows_the_longest_limit(done: Mill) -> None:
    store = Store(done.folder / "out")
    assert floor_h(store) == 24
    done.file("P03/1774645200_A1.txt", "one more")
    assert _reprocess(done, "--limit-seconds", "3600") == 0
    assert floor_h(store) == 64 * 3


def test_erase_shows_and_only_erases_when_told(done: Mill) -> None:
    assert json.loads(done("erase", "out", "--subject", "P01", "--json").stdout)["rows"] == {"words": 3, "files": 3}
    shown = done("erase", "out", "--subject", "P01").stdout
    assert "nothing was erased" in shown and "3 rows" in shown
    for yes in ([], ["--yes"]):
        assert done("erase", "out", "--subject", "P99", *yes).stdout == "no rows of P99\n"
    assert "raw files" in done("erase", "out", "--subject", "P01", "--yes").stdout
    assert set(ledger.entries(Store(done.folder / "out"))["subject_id"]) == {"P02"}


def test_a_run_that_was_killed_before_its_end_is_ended_by_the_next_command(
    done: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.running.progress import Progress

    done.file("P03/1774645200_A1.txt", "one more")

    def killed(self: Progress, state: str) -> None:
        self._commit()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "end", killed)
        assert _reprocess(done) == 130
    store = Store(done.folder / "out")
    assert ledger.entries(store).height == 7
    assert ledger.runs(store)["state"].to_list() == ["finished", "running"]
    assert _reprocess(done) == 0
    assert ledger.runs(store)["state"].to_list() == ["finished", "interrupted", "finished"]
    told = ("reprocess", "raw", "-o", "out", "-m", done.module, "--include", "*.txt", "--in-process")
    assert "nothing to do" in done(*told).stdout


@pytest.mark.slow
def test_the_second_driver_on_one_output_stops_with_a_clear_message(mill: Mill) -> None:
    """The first one sleeps over its files meanwhile."""
    mill.write_module(length="[__import__('time').sleep(0.3), len(word)][1]")
    command = [sys.executable, "-m", "jobs.cli", "reprocess", "raw", "-o", "out", "-m", mill.module]
    command += ["--include", "*.txt", "--in-process", "--batch", "1"]
    with subprocess.Popen(command, cwd=mill.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        try:
            store = Store(mill.folder / "out")
            end = time.monotonic() + 60
            while ledger.runs(store).is_empty() and time.monotonic() < end:
                time.sleep(0.05)
            told = ("-o", "out", "-m", mill.module, "--include", "*.txt", "--in-process")
            second = mill("reprocess", "raw", *told)
            said, _ = first.communicate(timeout=60)
        finally:
            if first.poll() is None:
                first.send_signal(signal.SIGKILL)
    assert second.returncode == 2
    assert f"(process {first.pid}) is at work on this output" in second.stderr
    assert first.returncode == 0, said
    assert ledger.runs(store)["state"].to_list() == ["finished"]
    assert ledger.entries(store).height == 6


def test_an_output_that_readers_cannot_cope_with_is_refused(mill: Mill) -> None:
    told = ("-m", mill.module, "--include", "*.txt", "--in-process", "-o")
    ended = mill("reprocess", "raw", *told, "project=x/out")
    assert ended.returncode == 2 and "'project=x/out'" in ended.stderr
    assert not (mill.folder / "project=x").exists()
    assert mill("reprocess", "raw", *told, "my out 50 %").returncode == 0
    assert mill("query", "my out 50 %", "select count(*) n from words", "--json").stdout.strip() == '[{"n":6}]'
