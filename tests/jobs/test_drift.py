"""`nightmill drift` on the command line: what a person is told, what a machine is, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine.errors import UserError
from engine.storage import Store
from jobs import exits
from jobs.cli import cli
from jobs.drift_report import DRAWN
from tests.engine.drift.population import DECLARED, FEATURES, people, rows, since
from tests.engine.longitudinal.persons import commit, output
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.jobs.html import heads, is_whole

WARM = people(1, users=40).with_columns(
    wst_median=pl.col("wst_median") + 0.6 * ((pl.col("firmware") == "2.0") & since(14)).cast(pl.Float64)
)


def drift(store: Store, *flags: str) -> Result:
    return CliRunner().invoke(cli, ["drift", store.uri, *flags], standalone_mode=False, env={"COLUMNS": "160"})


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return output(tmp_path_factory.mktemp("warm"), rows(WARM), declared=DECLARED)


def test_an_alarm_is_told_with_what_to_do(warm: Store) -> None:
    done = drift(warm, "--by", "firmware", "--window", "7")
    assert done.exception is None and done.return_value == exits.BAD_FILES
    said = done.output
    assert "reference  2026-01-19 – 2026-02-15" in said
    assert "tested     2026-02-23 – 2026-03-01; before it 2026-02-16 – 2026-02-22" in said
    (first, *_) = (line for line in said.splitlines() if "ALARM" in line)
    assert "firmware 2.0" in first and "wst_median [Cel]" in first and "34.356 → 34.876" in first
    (advice, *_) = (line for line in said.splitlines() if line.startswith("next"))
    assert f'nightmill query {warm.uri} "select night_date, firmware, median(wst_median)' in advice
    query = advice.partition('"')[2].rstrip('"')
    asked = CliRunner().invoke(cli, ["query", warm.uri, query, "--json"], standalone_mode=False)
    assert len(json.loads(asked.output)) == 120


def test_json_holds_every_comparison_and_nothing_is_written(warm: Store) -> None:
    before = sorted(Path(warm.uri).rglob("*"))
    done = drift(warm, "--json", "--window", "7", "--by", "firmware")
    told = json.loads(done.output)
    assert told["reference"] == ["2026-01-19", "2026-02-15"] and told["newest"] == "2026-03-01"
    assert told["is_enough"] and told["alarms"] == sum(row["alarm"] for row in told["findings"]) > 0
    assert {row["level"] for row in told["findings"]} >= {"stable", "act"}
    assert [row["group"] for row in told["compared"]] == [None, "1.9", "2.0"]
    assert sorted(Path(warm.uri).rglob("*")) == before


def test_the_page_of_an_alarm(warm: Store, tmp_path: Path) -> None:
    target = tmp_path / "drift.html"
    before = sorted(Path(warm.uri).rglob("*"))
    done = drift(warm, "--by", "firmware", "--window", "7", "--report", str(target))
    assert done.return_value == exits.BAD_FILES and f"report     {target}" in done.output
    assert sorted(Path(warm.uri).rglob("*")) == before
    page = target.read_text()
    is_whole(page)
    assert heads(page) == ["Alarms", "What moved", "Groups", "To watch, and acts seen once", "How to read this"]
    assert "Of firmware, 2.0 moved and 1.9 did not." in page
    assert "Ask what changed with firmware 2.0" in page and "34.356 → 34.876" in page
    assert page.count("<h3>Before and now</h3>") == page.count("<h3>Day by day</h3>") == 2
    assert page.count("<h3>The test: ks</h3>") == 2 and "watch from 0.05, act from 0.1 on" in page
    assert not drift(warm, "--json", "--window", "7", "--report", str(target)).output.endswith(f"{target}\n")


def test_the_page_without_an_alarm_and_with_nothing_to_compare(warm: Store, tmp_path: Path) -> None:
    page = tmp_path / "drift.html"
    days = ("--until", "2026-02-15", "--window", "7", "--reference", "2026-01-02", "2026-01-31")
    assert drift(warm, *days, "--report", str(page)).return_value == exits.FINISHED
    is_whole(page.read_text())
    assert "No alarm." in page.read_text() and "<svg" not in page.read_text()
    few = output(tmp_path / "few", rows(people(2, users=3)), declared=DECLARED)
    drift(few, "--window", "1", "--report", str(page))
    is_whole(page.read_text())
    assert "Nothing could be compared." in page.read_text()


def test_the_page_of_many_alarms_draws_the_worst_and_folds_the_rest(tmp_path: Path) -> None:
    recent, every_other = since(14), pl.int_range(pl.len()) % 2 == 0
    moved = people(7, users=40).with_columns(
        *(pl.col(name) + 6 * recent.cast(pl.Float64) for name in FEATURES if name != "wst_median"),
        wst_median=pl.when(recent & (pl.int_range(pl.len()) % 3 == 0)).then(None).otherwise("wst_median"),
        band=pl.when(recent & every_other).then(pl.lit("D")).otherwise("band"),
        reasons=pl.when(recent & every_other).then(pl.lit(["FLAT", "x<y"])).otherwise("reasons"),
    )
    store, target = output(tmp_path / "out", rows(moved), declared=DECLARED), tmp_path / "drift.html"
    assert drift(store, "--by", "firmware", "--window", "7", "--report", str(target)).return_value == exits.BAD_FILES
    page = target.read_text()
    is_whole(page)
    assert page.count("<h3>Day by day</h3>") == DRAWN and "more without figures" in page
    assert re.search(r"<summary>\d+ more</summary>", page) and "x&lt;y" in page
    for told in ("band: A or B", "code: FLAT", "It means: 10 s or more", "missing: wst_median", "all moved: 1.9, 2.0"):
        assert told in page, told


def test_a_reference_and_a_last_day_can_be_given(warm: Store) -> None:
    until = ("--until", "2026-02-15", "--window", "7", "--json")
    done = drift(warm, *until, "--reference", "2026-01-02", "2026-01-31")
    told = json.loads(done.output)
    assert done.return_value == exits.FINISHED and told["alarms"] == 0 and told["findings"]
    assert told["reference"] == ["2026-01-02", "2026-01-31"]
    with pytest.raises(UserError, match="must end before 2026-02-02"):
        raise drift(warm, *until, "--reference", "2026-01-02", "2026-02-02").exception


def test_few_nights_are_told_and_give_no_figure(tmp_path: Path) -> None:
    few = output(tmp_path, rows(people(2, users=3)), declared=DECLARED)
    done = drift(few, "--window", "1")
    assert done.exception is None and done.return_value == exits.FINISHED
    assert "too few" in done.output and "(of 3) in the window of 1 day" in done.output
    assert "30 of each are needed" in done.output and "next       nightmill query" in done.output


@pytest.mark.parametrize(
    ("flags", "said"),
    [(("--by", "hardware"), "has no such column of text; it has"), (("--window", "0"), "0 is not in")],
)
def test_mistakes_are_told(warm: Store, flags: tuple[str, ...], said: str) -> None:
    error = drift(warm, *flags).exception
    assert said in (getattr(error, "message", "") or str(error))


@pytest.mark.s3
def test_an_output_on_s3(warm: Store, s3_store: Store) -> None:  # noqa: F811
    commit(s3_store, rows(WARM), declared=DECLARED)
    endpoint = s3_store.options.endpoint
    assert endpoint is not None
    there = drift(s3_store, "--json", "--window", "7", "--endpoint", endpoint)
    assert json.loads(there.output) == json.loads(drift(warm, "--json", "--window", "7").output)
