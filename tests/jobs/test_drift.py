"""`nightmill drift` on the command line: what a person is told, what a machine is, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine.errors import UserError
from engine.storage import Store
from jobs import exits
from jobs.cli import cli
from tests.engine.drift.population import DECLARED, people, rows, since
from tests.engine.longitudinal.persons import commit, output
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401

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
