from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
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

VOID = {"meta", "circle", "path", "link", "br"}


@pytest.fixture(scope="module")
def found() -> Findings:
    return find(frames(), ASKED)


@pytest.fixture(scope="module")
def page(found: Findings) -> str:
    return backtest_report.render(found, "Wave <2>", "s3://bucket/out")


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag


def test_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"(src|href)\s*=|@import|url\(|<script|<link", page)
    assert not re.search(r"https?://", page)


def test_is_well_formed(page: str) -> None:
    parser = _Balanced()
    parser.feed(page)
    assert parser.stack == []
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)


def test_everything_is_there(page: str) -> None:
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads == [
        "Leaderboard", "Error curves", "Error by step and vital", "Cost", "Intervals", "Fits", "Differences",
        "Clinical agreement", "How to read this",
    ]  # fmt: skip
    assert page.count("<svg viewBox") > 12
    assert "ets 24/1" in page
    assert "ets all/1" in page
    assert re.findall(r"\b(nan|inf|None)\b", page) == []


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
