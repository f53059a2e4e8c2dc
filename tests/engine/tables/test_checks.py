from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from engine.module import Outcome, Status, Table, Verdict
from engine.tables.checks import ContractBreach, check_outcome, check_table
from engine.tables.coded import CODED
from engine.work import FileRef, Input

SCHEMA = pa.schema(
    [
        pa.field("source_id", pa.string()),
        pa.field("ts", pa.timestamp("us", tz="UTC")),
        pa.field("x", pa.float64()),
        pa.field("n", pa.int8(), nullable=False),
        pa.field("many", pa.list_(pa.float32())),
    ]
)
DECLARED = Table(SCHEMA, ("source_id", "ts"), ("ts",))
INPUTS = (Input("e4", (FileRef("e4/ACC.csv", "/e4/ACC.csv", 1, "k"),)),)


def table(**changed: Any) -> pa.Table:
    good = {
        "source_id": ["s", "s"],
        "ts": [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)],
        "x": [1.0, None],
        "n": [1, 2],
        "many": [[1.0], None],
    }
    return pa.table(good | changed, SCHEMA)


def test_good_tables_pass() -> None:
    check_table("t", table(), DECLARED, "s")
    check_table("t", SCHEMA.empty_table(), DECLARED, "s")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (table(x=[float("nan"), 1.0]), "'x' holds NaN"),
        (table(x=[float("inf"), 1.0]), "'x' holds NaN or infinity"),
        (table(many=[[1.0, float("nan")], []]), "'many' holds NaN"),
        (table(ts=[None, datetime(2020, 1, 1, tzinfo=UTC)]), "'ts' must not be null"),
        (table(ts=[datetime(2020, 1, 1, tzinfo=UTC)] * 2), r"key \(source_id, ts\) is not unique"),
        (table(source_id=["s", "other"]), "'source_id' must be 's'"),
        (table().drop_columns("x"), r"columns missing: \['x'\]"),
        (table().append_column("y", pa.array([1, 2])), r"undeclared: \['y'\]"),
        (table().select(["ts", "source_id", "x", "n", "many"]), "another order"),
        (table().cast(SCHEMA.set(2, pa.field("x", pa.float32()))), "'x' is float, declared double"),
        (table().cast(SCHEMA.set(1, pa.field("ts", pa.timestamp("ms", tz="UTC")))), r"'ts' is timestamp\[ms"),
        (table().cast(SCHEMA.set(3, pa.field("n", pa.int8()))), "'n' is int8, declared int8 not null"),
    ],
)
def test_breaches_are_named(rows: pa.Table, said: str) -> None:
    with pytest.raises(ContractBreach, match=said):
        check_table("t", rows, DECLARED, "s")


def test_a_key_may_hold_nulls_that_it_declares() -> None:
    rows = table(x=[None, 1.0])
    with pytest.raises(ContractBreach, match="'x' must not be null"):
        check_table("t", rows, Table(SCHEMA, ("source_id", "x"), ("ts",)), "s")
    check_table("t", rows, Table(SCHEMA, ("source_id", "x"), ("ts",), nullable_key=("x",)), "s")
    with pytest.raises(ContractBreach, match="not unique"):
        check_table("t", table(x=[None, None]), Table(SCHEMA, ("source_id", "x"), ("ts",), nullable_key=("x",)), "s")


def _coded(texts: list[str | None], codes: list[int | None]) -> pa.Table:
    """The good table, its source_id as codes."""
    held = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(texts, pa.string()), safe=False)
    return table().set_column(0, pa.field("source_id", CODED), held)


def test_texts_may_be_codes() -> None:
    check_table("t", _coded(["other", "s"], [1, 1]), DECLARED, "s")
    check_table("t", _coded(["other", "s"], [1, 1]).slice(0, 0), DECLARED, "s")
    pieces = [_coded(["s"], [0, 0]).slice(0, 1), _coded(["other", "s"], [1, 1]).slice(1)]
    check_table("t", pa.concat_tables(pieces), DECLARED, "s")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (_coded(["s", "other"], [0, 1]), "'source_id' must be 's'"),
        (_coded(["s"], [0, None]), "'source_id' must not be null"),
        (_coded(["s"], [0, 1]), "out of bounds|index"),
        (_coded(["s", None], [0, 0]), "codes for null, or two for one text"),
        (_coded(["s", "s"], [0, 1]), "codes for null, or two for one text"),
        (_coded(["s"], [0, 0]).set_column(1, SCHEMA.field(1), table()["ts"].take([0, 0])), "not unique"),
        (_coded(["s"], [0, 0]).cast(SCHEMA.set(0, pa.field("source_id", pa.dictionary(pa.int8(), pa.string())))),
         "'source_id' is dictionary"),
    ],
)  # fmt: skip
def test_codes_are_checked_as_texts_are(rows: pa.Table, said: str) -> None:
    with pytest.raises(ContractBreach, match=said):
        check_table("t", rows, DECLARED, "s")


def test_a_broken_array_is_a_breach() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    rows = table().slice(0, 1).set_column(0, SCHEMA.field(0), broken)
    with pytest.raises(ContractBreach, match="UTF8"):
        check_table("t", rows, DECLARED, "s")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, "returned NoneType"),
        (Outcome({"other": table()}), "'other' is not among"),
        (Outcome({"t": [1]}), "is a list, not a pyarrow.Table"),  # type: ignore[dict-item]
        (Outcome({}, (Verdict("elsewhere", Status.OK),)), "'elsewhere', which is not an input"),
        (Outcome({}, (Verdict("e4", Status.FAILED),)), "'failed': a module says ok, partial, rejected"),
        (Outcome({}, (Verdict("e4", "fine"),)), "'fine'"),  # type: ignore[arg-type]
    ],
)
def test_outcomes_that_break_the_contract(outcome: Any, said: str) -> None:
    with pytest.raises(ContractBreach, match=said):
        check_outcome(outcome, {"t": DECLARED}, "s", INPUTS)


def test_verdicts_become_plain() -> None:
    said = Outcome({}, (Verdict("e4/ACC.csv", "partial", ["A"], "half"),))  # type: ignore[arg-type]
    (verdict,) = check_outcome(said, {"t": DECLARED}, "s", INPUTS).verdicts
    assert verdict == Verdict("e4/ACC.csv", Status.PARTIAL, ("A",), "half")
    assert type(verdict.status) is Status
