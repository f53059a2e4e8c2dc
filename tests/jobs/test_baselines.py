"""`nightmill baselines` over outputs: incremental, repeatable, resumable, beside its nights and of them alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from engine import ledger
from engine.erase import erase
from engine.longitudinal import plan as planning
from engine.longitudinal.make import make
from engine.results.open import current, newest, tables
from engine.results.query import query
from engine.schemas import RUN_TIME_COLUMNS
from engine.storage import Store
from engine.tables.digest import Digest, digest
from jobs import exits
from jobs.baselines import OLD, are_old
from jobs.cli import cli
from tests.engine.longitudinal.persons import NIGHTS_ID, output, random_nights, rows, series, table

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("baselines", "shifts", "work")
NIGHTS = random_nights(1, subjects=9, most=20)


@pytest.fixture(autouse=True)
def _small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PERSONS_A_WORK", 3)


def hold(store: Store, *flags: str) -> dict[str, object]:
    done = CliRunner().invoke(cli, ["baselines", store.uri, "--in-process", "--json", *flags], standalone_mode=False)
    assert done.exception is None, done.output
    assert done.return_value == exits.FINISHED
    told: dict[str, object] = json.loads(done.stdout)
    return told


def digests(store: Store) -> dict[str, Digest]:
    return {name: digest(rows(store, name).drop(RUN_TIME_COLUMNS, strict=False)) for name in NAMES}


def written(store: Store) -> set[Path]:
    return {path for path in Path(store.uri).rglob("*") if path.is_file()}


def test_it_writes_what_the_step_makes_of_all_nights_at_once(tmp_path: Path) -> None:
    store = output(tmp_path, NIGHTS)
    told = hold(store)
    assert told["reads_from"] == NIGHTS_ID
    assert ledger.entries(store, table="work")["work_key"].n_unique() > 1
    for name, whole in make(table(NIGHTS), "w").items():
        frame = pl.DataFrame(pl.from_arrow(whole)).drop("work_key")
        assert rows(store, name).select(frame.columns).sort(frame.columns[:3]).equals(frame.sort(frame.columns[:3]))
    assert {"baselines", "shifts", "work", "nights", "files"} <= set(tables(store))


def test_views_show_nights_and_their_baselines_together(tmp_path: Path) -> None:
    store = output(tmp_path, NIGHTS)
    told = hold(store)
    assert newest(store) == NIGHTS_ID
    assert current(store) == sorted([NIGHTS_ID, str(told["module_id"])])
    joined = query(store, "select count(*) n from baselines join nights using (subject_id, night_date, source_id)")
    assert joined.to_pylist()[0]["n"] == rows(store, "baselines").height
    output(tmp_path, NIGHTS, "night-ffffffffffff")
    assert query(store, "select count(*) n from baselines").to_pylist() == [{"n": 0}], "baselines of other nights"
    other = hold(store)
    assert other["module_id"] != told["module_id"]
    assert query(store, "select distinct module_id from baselines").to_pylist() == [{"module_id": other["module_id"]}]


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    store = output(tmp_path, NIGHTS)
    hold(store)
    before = written(store)
    assert hold(store)["run"] is None
    assert written(store) == before


def test_only_ranges_whose_nights_changed_are_done_again(tmp_path: Path) -> None:
    store = output(tmp_path, NIGHTS)
    hold(store)
    before = ledger.entries(store, table="work")
    one = next(row for row in NIGHTS if row["subject_id"] == "P4")
    changed = [one | {"rhr_p10": 99.0} if row is one else row for row in NIGHTS]
    output(tmp_path, [row for row in changed if row["source_id"] == one["source_id"]])
    hold(store)
    after = ledger.entries(store, table="work")
    assert before.height == after.height
    assert after.filter(pl.col("run_id") != before["run_id"][0]).height == 1
    fresh = output(tmp_path / "fresh", changed)
    hold(fresh)
    assert digests(store) == digests(fresh)


def test_an_output_says_that_its_baselines_are_of_earlier_nights(tmp_path: Path) -> None:
    def told() -> bool:
        hinted = OLD in CliRunner().invoke(cli, ["status", store.uri], standalone_mode=False).stdout
        assert hinted is are_old(store)
        return hinted

    store = output(tmp_path, NIGHTS)
    assert not told(), "nobody has asked for any"
    hold(store)
    assert not told()
    output(tmp_path, [NIGHTS[0]])
    assert not told(), "the same night again"
    output(tmp_path, [NIGHTS[0] | {"rhr_p10": 99.0}])
    assert told()
    hold(store)
    assert not told()
    output(tmp_path, NIGHTS, "night-ffffffffffff")
    assert told(), "other nights altogether"


def test_a_new_person_and_one_erased_leave_no_row_behind(tmp_path: Path) -> None:
    """Borders of ranges come and go with persons."""
    less = [row for row in NIGHTS if row["subject_id"] not in ("P1", "P5")]
    store = output(tmp_path, less)
    hold(store)
    output(tmp_path, [row for row in NIGHTS if row not in less])
    hold(store)
    whole = output(tmp_path / "whole", NIGHTS)
    hold(whole)
    assert digests(store) == digests(whole)
    for subject in ("P1", "P5"):
        assert erase(store, subject).rows["baselines"] > 0
    assert not {"P1", "P5"} & set(rows(store, "baselines")["subject_id"])
    assert "P1" not in str(rows(store, "work").to_dicts()), "the keys of ranges name nobody"
    hold(store)
    fresh = output(tmp_path / "fresh", less)
    hold(fresh)
    assert digests(store) == digests(fresh)


def test_a_killed_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    store, whole = output(tmp_path / "out", NIGHTS), output(tmp_path / "whole", NIGHTS)
    hold(whole)
    command = [sys.executable, "-m", "tests.jobs.killed_baselines", store.uri, "2"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert ledger.entries(store, table="work").height == 2
    hold(store)
    assert digests(store) == digests(whole)


@pytest.mark.slow
def test_a_cluster_gives_the_same(tmp_path: Path) -> None:
    one, other = output(tmp_path / "one", NIGHTS), output(tmp_path / "other", NIGHTS)
    hold(one)
    done = CliRunner().invoke(cli, ["baselines", other.uri, "--workers", "2"], standalone_mode=False)
    assert done.return_value == exits.FINISHED, done.output
    assert digests(one) == digests(other)


def test_a_planted_shift_is_found_and_told(tmp_path: Path) -> None:
    warm = [34.0 + 0.01 * (day % 5) + (0.4 if day >= 14 else 0.0) for day in range(28)]
    store = output(tmp_path, series("P1", warm) + series("P2", [34.0 + 0.01 * (day % 5) for day in range(28)]))
    done = CliRunner().invoke(cli, ["baselines", store.uri, "--in-process"], standalone_mode=False)
    assert "wst_p99_stable" in done.output
    assert "1 shift of temperature" in done.output
    found = rows(store, "shifts").row(0, named=True)
    assert (found["night_date"].day, found["reported_date"].day, round(found["rise"], 2)) == (15, 17, 0.36)


def test_the_other_commands_still_read_the_output(tmp_path: Path) -> None:
    store = output(tmp_path, NIGHTS)
    hold(store)
    output(tmp_path, NIGHTS, "night-ffffffffffff")
    told = CliRunner().invoke(cli, ["compare", store.uri, NIGHTS_ID, "night-f", "--json"], standalone_mode=False)
    assert '"nights"' in told.stdout
    assert "baselines" not in told.stdout, "neither version wrote them"
    for words in (["status"], ["errors"], ["tables"], ["tables", "baselines"], ["gc"], ["compact"]):
        done = CliRunner().invoke(cli, [words[0], store.uri, *words[1:]], standalone_mode=False)
        assert done.exception is None, (words, done.output)


def test_without_nights_it_says_what_makes_them(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["baselines", str(tmp_path)], standalone_mode=False)
    assert "nightmill reprocess" in str(done.exception)
