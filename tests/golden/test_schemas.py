"""The schemas of all tables, and which bit is which reason, are frozen in schemas.txt: there may only come more.

A line that is gone breaks whoever reads that column: take it away only with a new major version. A new column is
frozen by its line, which the test's message gives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from engine.night.reasons import CODES
from jobs.dictionary_page import chapters

FROZEN = Path(__file__).with_name("schemas.txt").read_text().splitlines()
FIRST = "0.1.0"
DOCUMENTED = (b"unit", b"meaning", b"since")


def lines() -> Iterator[str]:
    for _, tables in chapters():
        for name, table in tables.items():
            yield f"{name}: key {', '.join(table.key)}"
            yield from (f"{name}.{line(field)}" for field in table.schema)
    yield from (f"reasons, bit {bit}: {code}" for bit, code in enumerate(CODES))


def line(field: pa.Field) -> str:
    unit, since = (field.metadata[note].decode() for note in (b"unit", b"since"))
    return f"{field.name}: {field.type}{'' if field.nullable else ' not null'}, {unit}, since {since}"


def test_no_column_is_gone_or_another() -> None:
    assert [one for one in FROZEN if one not in set(lines())] == []


def test_every_column_is_frozen() -> None:
    assert [one for one in lines() if one not in set(FROZEN)] == []


def test_each_is_frozen_once_and_since_a_version_that_was() -> None:
    assert len(set(FROZEN)) == len(FROZEN)
    versions = {one.rpartition(", since ")[2] for one in FROZEN if ", since " in one}
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert versions <= {FIRST, project["project"]["version"]}


def test_every_column_has_a_unit_a_meaning_and_a_version() -> None:
    bare = []
    for _, tables in chapters():
        for name, table in tables.items():
            told = [(field.name, field.metadata or {}) for field in table.schema]
            bare += [f"{name}.{one}" for one, notes in told if not all(notes.get(key) for key in DOCUMENTED)]
    assert bare == []
