from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from engine.drift.judge import MEASURES, judge


def row(what: str, back: int = 0, **told: Any) -> dict[str, Any]:
    one = {"kind": "value", "what": what, "window_d": 7, "back": back, "test": "ks", "statistic": 0.3, "p": 1e-6}
    return dict.fromkeys(MEASURES) | one | told


def judged(*rows: dict[str, Any]) -> pl.DataFrame:
    return judge(pl.DataFrame(rows, schema=MEASURES, orient="row"))


def test_one_act_is_no_alarm_two_windows_are() -> None:
    (one,) = judged(row("a"), row("a", 1, statistic=0.01)).to_dicts()
    assert (one["level"], one["before"], one["alarm"]) == ("act", "stable", False)
    (two,) = judged(row("a"), row("a", 1)).to_dicts()
    assert (two["before"], two["alarm"]) == ("act", True)
    assert not judged(row("a"), row("b", 1))["alarm"].any()
    assert not judged(row("a"), row("a", 1, by="firmware", group="1"))["alarm"].any()
    assert not judged(row("a", statistic=0.01), row("a", 1))["alarm"].any()


def test_two_tests_of_one_thing_that_act_are_an_alarm() -> None:
    psi = {"test": "psi", "p": None, "window_d": 7}
    assert judged(row("a"), row("a", **psi))["alarm"].all()
    assert not judged(row("a"), row("b", **psi))["alarm"].any()
    assert not judged(row("a"), row("a", window_d=1))["alarm"].any(), "one test in two windows that overlap"
    by_day = {"test": "page_hinkley", "window_d": None, "p": None, "statistic": 1.0}
    assert judged(row("a"), row("a", **by_day))["alarm"].to_list() == [True, True]
    assert not judged(row("a"), row("a", **by_day | {"statistic": 0.0}))["alarm"].any()


def test_p_is_corrected_within_a_window_and_only_where_many_columns_are_tested() -> None:
    many = [row(f"f{i}", p=0.5) for i in range(9)]
    found = judged(row("a", p=0.002), row("a", 1, p=0.002), *many, row("v", kind="vector", test="mmd", p=0.002))
    p = dict(found.select("what", "p").iter_rows())
    assert p["a"] == pytest.approx(0.02) and p["v"] == 0.002 and p["f0"] == 1
    told = dict(found.select("what", "level").iter_rows())
    assert (told["a"], told["v"]) == ("stable", "act")
    assert found.filter(what="a")["before"].to_list() == ["act"], "corrected for the one column of its own window"


def test_the_worst_come_first() -> None:
    found = judged(
        row("quiet", statistic=0.01), row("watched", statistic=0.06), row("large", statistic=0.9),
        row("alarmed", statistic=0.2), row("alarmed", 1), row("small"),
    )  # fmt: skip
    assert found["what"].to_list() == ["alarmed", "large", "small", "watched", "quiet"]
    assert judged().is_empty()
