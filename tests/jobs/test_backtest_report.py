from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from engine.backtest.scores.findings import Findings, find
from engine.errors import UserError
from engine.storage import Store
from jobs import backtest_report
from jobs.report import command
from tests.engine.backtest.scores.output import ASKED, frames
from tests.jobs.html import heads, is_whole


@pytest.fixture(scope="module")
def found() -> Findings:
    return find(frames(), ASKED)


@pytest.fixture(scope="module")
def page(found: Findings) -> str:
    return backtest_report.render(found, "Wave <2>", "s3://bucket/out")


def test_is_whole(page: str) -> None:
    is_whole(page)


def test_everything_is_there(page: str) -> None:
    assert heads(page) == [
        "Leaderboard", "Error curves", "Error by step and vital", "Cost", "Intervals", "Fits", "Differences",
        "Clinical agreement", "How to read this",
    ]  # fmt: skip
    assert page.count("<svg viewBox") > 12
    assert "ets 24/1" in page
    assert "ets all/1" in page


def test_texts_are_escaped(page: str) -> None:
    assert "Wave &lt;2&gt;" in page
    assert "did not converge &lt;at all&gt;" in page


def test_a_backtest_without_anything_to_draw() -> None:
    held = {name: frame.filter(pl.lit(False)) for name, frame in frames().items()}
    page = backtest_report.render(find(held, ASKED), "Nothing", "")
    assert "No configuration has a defined score" in page
    assert "Nothing to draw" in page


def _stored(folder: Path) -> None:
    for name, frame in frames().items():
        frame.collect().with_columns(module_id=pl.lit("serve-1")).write_delta(str(folder / name))
    dictionary = pl.DataFrame({"table": ["score_sums"], "column": ["n"]})
    dictionary.write_delta(str(folder / "dictionary"))


def test_command_writes_it_into_the_output_or_elsewhere(tmp_path: Path) -> None:
    _stored(tmp_path / "out")
    done = CliRunner().invoke(command, [str(tmp_path / "out")], standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 0
    assert "Leaderboard" in (tmp_path / "out" / "report.html").read_text()
    target = tmp_path / "elsewhere.html"
    flags = ["--to", str(target), "--title", "Mine"]
    CliRunner().invoke(command, [str(tmp_path / "out"), *flags], standalone_mode=False, catch_exceptions=False)
    assert "<h1>Mine</h1>" in target.read_text()


def test_what_is_no_backtest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no scores of a backtest"):
        backtest_report.make(Store(tmp_path))
