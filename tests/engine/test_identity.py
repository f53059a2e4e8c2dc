from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ModuleError
from engine.identity import canonical_json, content_key, facts_json, input_identity, parameters_of, slug
from engine.module import Source
from engine.work import FileRef, Input

SOURCE = Source("s/d", ("a", "b"), "s", "Europe/Dublin", 0, date(2020, 1, 2), datetime(2020, 1, 3, tzinfo=UTC))
INPUTS = [Input(name, (FileRef(name, f"/raw/{name}", 10, "key"),)) for name in "ab"]


def changed_file(**changes: Any) -> list[Input]:
    return [INPUTS[0], Input("b", (replace(INPUTS[1].files[0], **changes),))]


def test_input_identity_ignores_order_and_place() -> None:
    expected = input_identity(SOURCE, INPUTS)
    assert len(expected) == 64
    assert input_identity(SOURCE, INPUTS[::-1]) == expected
    assert input_identity(SOURCE, changed_file(uri="s3://elsewhere/b")) == expected
    assert input_identity(replace(SOURCE, source_id="other"), INPUTS) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"subject_id": "t"},
        {"zone": "Europe/Paris"},
        {"zone": None},
        {"device_offset_s": None},
        {"device_offset_s": 3600},
        {"night_hint": date(2020, 1, 3)},
        {"received_at": None},
        {"received_at": datetime(2020, 1, 3, 0, 0, 0, 1, tzinfo=UTC)},
    ],
)
def test_a_fact_changes_it(change: dict[str, Any]) -> None:
    assert input_identity(replace(SOURCE, **change), INPUTS) != input_identity(SOURCE, INPUTS)


@pytest.mark.parametrize("change", [{"size_bytes": 11}, {"content_key": "new"}, {"name": "c"}])
def test_a_file_changes_it(change: dict[str, Any]) -> None:
    assert input_identity(SOURCE, changed_file(**change)) != input_identity(SOURCE, INPUTS)
    assert input_identity(SOURCE, INPUTS[:1]) != input_identity(SOURCE, INPUTS)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3)


@given(PAIRS, PAIRS)
def test_only_equal_files_have_equal_identities(one: list[tuple[str, str]], two: list[tuple[str, str]]) -> None:
    first, second = ([Input(n, (FileRef(n, "", 1, k),)) for n, k in pairs] for pairs in (one, two))
    assert (input_identity(SOURCE, first) == input_identity(SOURCE, second)) == (sorted(one) == sorted(two))


@given(st.text())
def test_slug(name: str) -> None:
    text = slug(name)
    assert 1 <= len(text) <= 32
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(text) == text


def test_facts_are_json() -> None:
    assert facts_json(SOURCE) == (
        '{"device_offset_s":0,"night_hint":"2020-01-02","received_at":"2020-01-03T00:00:00.000000Z","zone":"Europe/Dublin"}'
    )


def test_content_key_of_a_folder_covers_all_files() -> None:
    assert content_key(INPUTS[0]) == "key"
    folder = Input("f", tuple(FileRef(f"f/{n}", "", 1, "key") for n in "xy"))
    other = Input("f", (folder.files[0], replace(folder.files[1], content_key="new")))
    assert content_key(folder) == content_key(Input("f", folder.files[::-1]))
    assert content_key(folder) != content_key(other)


@dataclass(frozen=True)
class Fields:
    name = "fields"
    value: Any


@pytest.mark.parametrize("value", [Path("x"), {1: 2}, object(), float("nan"), [float("inf")], b"x", {"a": {"b": {3}}}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ModuleError, match="'fields': parameter value"):
        parameters_of(Fields(value))  # type: ignore[arg-type]


def test_canonical_json_sorts() -> None:
    assert canonical_json({"b": 1.0, "a": [None, "ü"]}) == '{"a":[null,"ü"],"b":1.0}'
