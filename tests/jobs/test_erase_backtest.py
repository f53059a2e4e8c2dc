"""Erasure from a backtest: no word of the subject is left, the others' fits stay, and the next run makes the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from engine import erase as erasure
from engine.backtest import erase
from engine.storage import Store
from jobs.sweep import FROZEN
from tests.jobs.backtests import backtest, digests, rows, run, write_series

STEPS = ["_without", "_forget_parts", "_cut_log"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backtest over P0, P1 and P2 in `o`, and one that never saw P1 in `other`, with their series."""
    folder = tmp_path_factory.mktemp("made")
    others = write_series(folder / "all.parquet").filter(pl.col("subject_id") != "P1")
    others.write_parquet(folder / "others.parquet")
    backtest(folder / "all.parquet", folder / "o")
    backtest(folder / "others.parquet", folder / "other")
    return folder


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "o", tmp_path / "o"))


def naming(output: Path, subject: str) -> Iterator[str]:
    """Files that hold the subject's name."""
    store = Store(output)
    for entry in store.list():
        data = store.read(entry.path)
        text = str(pl.read_parquet(data).rows()) if entry.path.endswith(".parquet") else data.decode()
        if subject in text:
            yield entry.path


def test_nothing_is_left_and_the_next_run_makes_what_was_mixed(made: Path, output: Path) -> None:
    assert f"{FROZEN}/index.parquet" in set(naming(output, "P1"))
    before = rows(output, "fits").filter(pl.col("subject_id") != "P1").sort("fit_id")
    told = erase.erase(Store(output), "P1", FROZEN)
    assert told.rows[FROZEN] == 1 and told.rows["fits"] == before.height // 2
    assert list(naming(output, "P1")) == []
    assert erase.find(Store(output), "P1", FROZEN) == {}
    assert rows(output, "fits").sort("fit_id").equals(before)
    assert rows(output, "forecasts").is_empty() and rows(output, "scores").is_empty()
    study, served = backtest(made / "others.parquet", output)
    assert study.todo.count == 0 and len(served.summaries) == 1
    assert digests(output) == digests(made / "other")


@pytest.mark.parametrize("calls", [0, 3])
@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_killed_is_completed(
    step: str, calls: int, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, counted = getattr(erasure, step), iter(range(1000))

    def killed(*args: object) -> object:
        if next(counted) == calls:
            raise KeyboardInterrupt
        return done(*args)

    with monkeypatch.context() as patch:
        patch.setattr(erasure, step, killed)
        with pytest.raises(KeyboardInterrupt):
            erase.erase(Store(output), "P1", FROZEN)
    erase.erase(Store(output), "P1", FROZEN)
    assert list(naming(output, "P1")) == []
    assert rows(output, "series").is_empty()


@pytest.mark.parametrize("operation", ["write", "delete"])
def test_series_that_were_half_forgotten_are_forgotten(
    operation: str, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = getattr(Store, operation)

    def killed(self: Store, path: str, *args: bytes) -> None:
        if path.startswith(FROZEN) and (operation == "delete" or path.endswith("index.parquet")):
            raise KeyboardInterrupt
        done(self, path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Store, operation, killed)
        with pytest.raises(KeyboardInterrupt):
            erase.erase(Store(output), "P1", FROZEN)
    assert list(naming(output, "P1"))
    erase.erase(Store(output), "P1", FROZEN)
    assert list(naming(output, "P1")) == []


def test_a_subject_that_nobody_knows_changes_no_row(made: Path, output: Path) -> None:
    assert erase.find(Store(output), "P", FROZEN) == {}
    assert erase.erase(Store(output), "P", FROZEN).rows == {}
    assert digests(output) == digests(made / "o")


def test_the_command_says_what_would_go_and_what_to_do_then(output: Path) -> None:
    assert json.loads(run("erase", str(output), "--subject", "P1", "--json")[1])["rows"]["fits"] == 192
    assert "nothing was erased" in run("erase", str(output), "--subject", "P1")[1]
    said = run("erase", str(output), "--subject", "P1", "--yes")[1]
    assert "the next backtest brings back" in said and "to serve and score the others" in said
