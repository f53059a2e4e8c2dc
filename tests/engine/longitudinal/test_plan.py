"""Ranges of persons: whole, stable when persons come and go, and of bounded size."""

from __future__ import annotations

import polars as pl
import pytest

from engine.longitudinal import plan as planning
from engine.longitudinal.plan import cut, subjects


def ledger(*rows: tuple[str, str, str]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=["subject_id", "input_identity", "status"], orient="row")


def ranges(names: list[str]) -> dict[str, list[str]]:
    found = list(cut(pl.DataFrame({"subject_id": sorted(names)}, schema={"subject_id": pl.String})))
    assert len({key for key, _ in found}) == len(found)
    return {key: rows["subject_id"].to_list() for key, rows in found}


def test_every_person_is_in_one_range_and_none_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"P{number:05}" for number in range(5000)]
    found = ranges(names)
    assert [name for one in found.values() for name in one] == names
    assert max(map(len, found.values())) <= planning.MOST_PERSONS
    assert ranges([]) == {}
    monkeypatch.setattr(planning, "MOST_PERSONS", 10_000)
    assert 5000 / 128 / 2 < len(ranges(names)) < 5000 / 128 * 2


def test_a_new_person_changes_few_ranges() -> None:
    names = [f"P{number:05}" for number in range(5000)]
    before, after = ranges(names), ranges([*names, "P02500x"])
    assert sum(before.get(key) != held for key, held in after.items()) <= 4


def test_a_digest_depends_on_what_gave_rows_and_not_on_order() -> None:
    a, b, c = ("P", "0" * 63 + "1", "ok"), ("P", "f" * 64, "partial"), ("P", "3" * 64, "rejected")
    whole = subjects(ledger(a, b, c))
    assert whole.equals(subjects(ledger(c, b, a)))
    assert whole.equals(subjects(ledger(a, b)))
    assert not whole.equals(subjects(ledger(a)))
    assert not whole.equals(subjects(ledger(a, ("P", "e" + "f" * 63, "partial"))))
    assert subjects(ledger(("Q", "1" * 64, "ok"), a))["subject_id"].to_list() == ["P", "Q"]
