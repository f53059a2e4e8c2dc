from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from engine.errors import UserError
from engine.identity import facts_json, input_identity
from engine.inputs.calibrations import calibrations_of, read_calibrations
from engine.inventory import InputSpec, Inventory, take
from engine.module import Calibration, Source
from engine.plan import everything
from engine.work import Input
from tests.engine.trees import EVENING, NOON, OPTIONS, write_empty, write_tree

HEAD = "subject_id,device,valid_from,cal_id,coefficients\n"
LATER = NOON + 86400 * 30
TABLE = HEAD + 'S1,M 7,,one,{}\nS1,M 7,2020-05-01,two,{}\nS1,M 8,2020-05-01,eight,"[1,2]"\nS3,M 9,,nine,{}\n'


def sources(inventory: Inventory) -> dict[str, Source]:
    return {work.source.source_id: work.source for work in everything(inventory, OPTIONS).works()}  # type: ignore[attr-defined]


def taken(tmp_path: Path, table: str | None) -> Inventory:
    write_empty(tmp_path / "raw", f"S1_{EVENING}.zip", f"S1_{LATER}.zip", f"S2_{NOON}.zip")
    if table is not None:
        (tmp_path / "cal.csv").write_text(table)
    spec = InputSpec(str(tmp_path / "raw"), calibrations=str(tmp_path / "cal.csv") if table is not None else None)
    return take([spec], OPTIONS)


def test_a_source_has_those_in_force_when_it_began(tmp_path: Path) -> None:
    made = sources(taken(tmp_path, TABLE))
    assert made["S1/2020-04-14"].calibrations == (Calibration("M 7", "one", "{}"),)
    assert made["S1/2020-05-15"].calibrations == (Calibration("M 7", "two", "{}"), Calibration("M 8", "eight", "[1,2]"))
    assert made["S2/2020-04-15"].calibrations == ()


def test_only_sources_with_other_calibrations_have_another_identity(tmp_path: Path) -> None:
    def identities(table: str | None) -> dict[str, str]:
        return dict(taken(tmp_path, table).sources.select("source_id", "identity").iter_rows())

    none, some = identities(None), identities(TABLE)
    assert {name for name in none if none[name] != some[name]} == {"S1/2020-04-14", "S1/2020-05-15"}
    assert identities(HEAD) == none
    later = identities(TABLE.replace(",two,", ",zwei,"))
    assert {name for name in none if later[name] != some[name]} == {"S1/2020-05-15"}


def test_the_identity_of_a_table_is_that_of_the_source(tmp_path: Path) -> None:
    inventory = taken(tmp_path, TABLE)
    told = dict(inventory.sources.select("source_id", "identity").iter_rows())
    for work in everything(inventory, OPTIONS).works():
        assert work.identity == input_identity(work.source, work.inputs) == told[work.key]  # type: ignore[attr-defined]


def test_facts_and_identity_say_them_only_where_there_are_any() -> None:
    bare = Source("s", ("a",), "s")
    known = replace(bare, calibrations=(Calibration("M 7", "k", "{}"),))
    inputs: list[Input] = []
    assert input_identity(bare, inputs) != input_identity(known, inputs)
    assert "calibrations" not in facts_json(bare)
    assert calibrations_of('[["M 7","k","{}"]]') == known.calibrations
    assert calibrations_of(None) == ()


def test_an_inventory_of_before_has_none(tmp_path: Path) -> None:
    data = taken(tmp_path, None).frame.drop("calibrations").with_columns(why=pl.lit(None, pl.String))
    data.write_parquet(tmp_path / "old.parquet")
    again = Inventory.from_parquet((tmp_path / "old.parquet").read_bytes())
    assert again.sources.equals(taken(tmp_path, None).sources)


def test_the_table_is_no_raw_file(tmp_path: Path) -> None:
    write_tree(tmp_path, {"S1.zip": b"", "cal.csv": HEAD})
    inventory = take([InputSpec(str(tmp_path), calibrations=str(tmp_path / "cal.csv"), include=("*",))], OPTIONS)
    assert inventory.ignored["why"].to_list() == ["a table about subjects"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject_id,device\nS1,M\n", "needs a column cal_id"),
        (HEAD + "S1,,,k,{}\n", "column device has empty cells"),
        (HEAD + "S1,M,soon,k,{}\n", "column valid_from: cannot read 'soon'"),
        (HEAD + "S1,M,,k,{}\nS1,M,,l,{}\n", "'M' has several rows; tell them apart by valid_from"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cal.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_calibrations(str(tmp_path / "cal.csv"), OPTIONS)
