from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from engine.errors import ConfigError
from engine.inputs.template import compile_template, glob, read_names


def read(path: str, template: str | None = None, is_folder: bool = False) -> dict[str, Any]:
    frame = pl.DataFrame({"path": [path], "is_folder": [is_folder]})
    compiled = None if template is None else compile_template(template)
    return read_names(frame, compiled).row(0, named=True)


START = datetime(2020, 4, 14, 17, 50, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "is_folder", "subject", "start"),
    [
        ("5C/5C_1586886626.zip", False, "5C", START),
        ("a/b/1586886626_A01.zip", False, "b", START),
        ("5C_1586886626.zip", False, "5C", START),
        ("1586886626_A01.zip", False, "A01", START),
        ("x_1586886626_y.nrf.parquet", False, "x_y", START),
        ("1586886626_A01.zip.nrf.parquet", False, "A01", START),
        ("1586886626_A01.zip-2.nrf.parquet", False, "A01", START),
        ("session.1.nrf.parquet", False, "session.1", None),
        ("S01.v2.bin.parquet", False, "S01.v2.bin", None),
        ("1586886626.zip", False, "1586886626", START),
        ("S01.zip", False, "S01", None),
        ("S01.v2.zip", False, "S01.v2", None),
        ("night 2020010122.zip", False, "night 2020010122", None),
        ("11586886626.zip", False, "11586886626", None),
        ("S1/1586886626_A01", True, "S1", START),
        ("session.1", True, "session.1", None),
        ("ü ber/né\nw_1586886626.zip", False, "ü ber", START),
    ],
)
def test_habit_of_the_e4(path: str, is_folder: bool, subject: str, start: datetime | None) -> None:
    found = read(path, None, is_folder)
    assert (found["subject"], found["start"], found["matched"]) == (subject, start, True)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("{subject}/{start}_{serial}.zip", "S1/1586886626_A.zip", {"subject": "S1", "start": START}),
        ("{subject}/{start}_{serial}.zip", "S1/158688662_A.zip", None),
        ("{subject}/{start}_{serial}.zip", "x/S1/1586886626_A.zip", None),
        ("**/{subject}/{start}_*.zip", "x/y/S1/1586886626_A.zip", {"subject": "S1"}),
        ("{subject}-{start}.bin", "S1-1586886626000.bin", {"start": START}),
        ("{start:%Y%m%dT%H%M%SZ}.zip", "20200414T175026Z.zip", {"start": START, "start_wall": None}),
        ("{start:%Y%m%dT%H%M%S%z}.zip", "20200414T195026+0200.zip", {"start": START}),
        ("{start:%Y%m%dT%H%M%S}.zip", "20200414T175026.zip", {"start": None, "start_wall": START.replace(tzinfo=None)}),
        ("{start:%Y%m%dT%H%M%S}.zip", "20201414T175026.zip", None),
        ("{subject}_{night}.zip", "S_1_2020-04-14.zip", {"subject": "S_1", "night": date(2020, 4, 14)}),
        ("{subject}_{night}.zip", "S_1_2020-04-31.zip", None),
        ("{subject}_{night:%d.%m.%y}.zip", "S_14.04.20.zip", {"night": date(2020, 4, 14)}),
        ("{zone}/{subject}.zip", "Europe/Dublin/S1.zip", {"name_zone": "Europe/Dublin", "subject": "S1"}),
        ("night {session}/?.zip", "night 3/a.zip", {"subject": "night 3"}),
        ("{subject}(1).zip", "S1(1).zip", {"subject": "S1"}),
    ],
)
def test_templates(template: str, path: str, expected: dict[str, Any] | None) -> None:
    found = read(path, template)
    assert found["matched"] == (expected is not None)
    assert {name: found[name] for name in expected or {}} == (expected or {})


def test_a_folder_matches_a_template_for_files() -> None:
    assert read("S1/1586886626_A", "{subject}/{start}_{serial}.zip", is_folder=True)["subject"] == "S1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain.zip", "write fields in braces"),
        ("{subject/{start}", "write fields in braces"),
        ("{subject}/{start}}", "write fields in braces"),
        ("{}/{start}", "needs a name of its own"),
        ("{subject}/{subject}", "needs a name of its own"),
        ("{two words}", "needs a name of its own"),
        ("{subject:%Y}", "only start and night take a format"),
        ("{start:%Q}", "format '%Q' does not say a whole date"),
        ("{start:%H%M}", "does not say a whole date"),
        ("{night:%d}", "does not say a whole date"),
    ],
)
def test_wrong_templates(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compile_template(text)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.zip", "a.zip", "a/b.zip"),
        ("**/*.zip", "a/b/c.zip", "a/b.zip2"),
        ("a/**", "a/b/c", "ab"),
        ("[x]+?.zip", "[x]+1.zip", "x.zip"),
    ],
)
def test_glob(pattern: str, yes: str, no: str) -> None:
    assert re.fullmatch(glob(pattern), yes)
    assert not re.fullmatch(glob(pattern), no)
