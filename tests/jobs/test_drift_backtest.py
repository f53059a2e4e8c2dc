"""`nightmill drift` of a backtest: weeks against weeks."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine.errors import UserError
from jobs import exits
from jobs.cli import cli
from tests.engine.backtest.scores.test_weeks import sums
from tests.jobs.html import heads, is_whole


def drift(folder: Path, *flags: str) -> Result:
    return CliRunner().invoke(cli, ["drift", str(folder), *flags], standalone_mode=False)


def stored(folder: Path, origin_sums: pl.LazyFrame) -> Path:
    tables = {
        "origin_sums": origin_sums.collect().with_columns(module_id=pl.lit("serve-1")),
        "work": pl.DataFrame({"module_id": ["serve-1"]}),
        "dictionary": pl.DataFrame({"table": ["origin_sums"], "column": ["back_h"]}),
    }
    for name, frame in tables.items():
        frame.write_delta(str(folder / name))
    return folder


def test_a_model_that_got_worse_ends_with_an_alarm(tmp_path: Path) -> None:
    folder = stored(tmp_path, sums(10, worse=2))
    done = drift(folder)
    assert done.exception is None and done.return_value == exits.BAD_FILES
    assert "1 alarm" in done.output and "theta" in done.output and "too few" not in done.output
    told = json.loads(drift(folder, "--json").output)
    assert (told["module_id"], told["alarms"]) == ("serve-1", 1)
    assert [(row["model"], row["alarm"]) for row in told["weeks"]] == [("theta", True), ("ets", False)]


@pytest.mark.parametrize(("weeks_of_data", "worse", "told"), [
    (10, 2, "Two weeks above their limit: theta"),
    (10, 0, "No alarm."),
    (3, 0, "8 weeks before the newest two are needed"),
])  # fmt: skip
def test_the_page(tmp_path: Path, weeks_of_data: int, worse: int, told: str) -> None:
    target = tmp_path / "weeks.html"
    done = drift(stored(tmp_path / "out", sums(weeks_of_data, worse)), "--report", str(target))
    assert f"report     {target}" in done.output
    page = target.read_text()
    is_whole(page)
    assert told in page and page.count("<svg") == 2
    assert heads(page) == ["Configurations", "Week by week", "How to read this"]


def test_few_weeks_and_flags_of_nights_are_told(tmp_path: Path) -> None:
    folder = stored(tmp_path, sums(3))
    done = drift(folder)
    assert done.return_value == exits.FINISHED
    assert "too few    2 configurations with up to 1 week before the newest two; 8 are needed" in done.output
    with pytest.raises(UserError, match="--by, --reference, --until are of nights"):
        raise drift(folder, "--by", "firmware").exception
