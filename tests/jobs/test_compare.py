"""`compare` on the command line: features, bands, statuses, versions by a part of their names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from engine.results import compare
from tests.jobs.conftest import Mill


@pytest.fixture
def twice(mill: Mill) -> Mill:
    for factor in (1, 2):
        told = ("-o", "out", "-m", mill.module, "--include", "*.txt", "--in-process", "--set", f"factor={factor}")
        assert mill("reprocess", "raw", *told).returncode == 0
        mill.file("P03/1774645200_A1.txt", "only the second has this night")
    return mill


def _versions(mill: Mill) -> list[str]:
    status = json.loads(mill("status", "out", "--json").stdout)
    return [run["module_id"] for run in sorted(status["runs"], key=lambda run: run["run_id"])]


def test_features_of_two_versions(twice: Mill) -> None:
    a, b = _versions(twice)
    told = json.loads(twice("compare", "out", a[-12:], b, "--json").stdout)
    assert (told["a"], told["b"]) == (a, b)
    words = told["tables"]["words"]
    assert (words["pairs"], words["only_a"], words["only_b"]) == (6, 0, 1)
    features = {row["feature"]: row for row in words["features"]}
    assert features["words"]["changed"] == features["words"]["median"] == 0
    assert features["mean_length"]["changed"] == 1
    assert features["mean_length"]["median"] == pytest.approx(3.0, abs=1)
    assert told["statuses"] == [{"before": None, "after": "ok", "rows": 1}]
    shown = twice("compare", "out", a, b).stdout
    assert "mean_length" in shown and "only in A" in shown


def test_versions_are_named_where_one_is_not_clear(twice: Mill) -> None:
    a, b = _versions(twice)
    for unclear in ("words-", "zzz"):
        ended = twice("compare", "out", a, unclear)
        assert ended.returncode == 2 and a in ended.stderr and b in ended.stderr
    assert twice("compare", "out", a, b, "--table", "no").returncode == 2


def test_each_kind_of_column() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    pairs = pl.DataFrame(
        {
            "hr": [60.0, 61.0, None, 50.0], "hr:b": [60.0, 62.0, 55.0, None],
            "start": [start] * 4, "start:b": [start, start, start, start + timedelta(seconds=90)],
            "band": ["A", "A", "B", "C"], "band:b": ["A", "B", "B", "B"],
            "reasons": [["GAP"], [], None, None], "reasons:b": [["GAP"], ["SHORT"], None, None],
        }
    )  # fmt: skip
    told = {row["feature"]: row for row in compare.features(pairs).to_dicts()}
    assert told["hr"] == {
        "feature": "hr", "rows": 2, "changed": 0.75, "median": 0.5, "p95": 0.95, "gained": 1, "lost": 1,
    }  # fmt: skip
    assert (told["start"]["changed"], told["start"]["median"]) == (0.25, 0)
    assert told["start"]["p95"] == pytest.approx(76.5)
    assert (told["band"]["changed"], told["band"]["median"], told["reasons"]["changed"]) == (0.5, None, 0.25)
    assert compare.moves(pairs, "band").rows() == [("A", "B", 1), ("C", "B", 1)]
    assert compare.features(pairs.clear())["rows"].sum() == 0
