"""The container and its schema, against the usual library; and what the bytes may not make it do."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import numpy as np
import pytest

from engine.night.formats.avro import looks_like_avro, records
from engine.night.formats.avro_values import Damaged
from engine.night.formats.zips import Refused
from tests.engine.night.formats.avro_files import SCHEMA, packed, record
from tests.engine.night.formats.hostile import avro_of, zigzag


def plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def oracle(data: bytes) -> list[Any]:
    return list(fastavro.reader(io.BytesIO(data)))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_equal_to_the_oracle(codec: str) -> None:
    data = packed([record(20), record(7, 10**15)], codec=codec)
    found, hurt = records(data, 64)
    assert ([plain(one) for one in found], hurt) == (oracle(data), 0)
    assert looks_like_avro(data)
    assert {
        values.dtype.str for values in found[0]["rawData"]["accelerometer"].values() if hasattr(values, "dtype")
    } == {"<i4"}


EVERYTHING = {
    "type": "record",
    "name": "a.b.All",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "none", "type": "null"},
        {"name": "where", "type": {"type": "enum", "name": "Side", "symbols": ["LEFT", "RIGHT"]}},
        {"name": "other", "type": "a.b.Side"},
        {"name": "digest", "type": {"type": "fixed", "name": "Four", "size": 4}},
        {"name": "raw", "type": "bytes"},
        {"name": "double", "type": {"type": "double"}},
        {"name": "float", "type": "float"},
        {"name": "when", "type": {"type": "long", "logicalType": "local-timestamp"}},
        {"name": "notes", "type": {"type": "map", "values": ["null", "string"]}},
        {"name": "maybe", "type": ["null", {"type": "array", "items": "double"}]},
        {"name": "holes", "type": {"type": "array", "items": ["null", "float"]}},
        {"name": "texts", "type": {"type": "array", "items": "string"}},
        {"name": "longs", "type": {"type": "array", "items": "long"}},
        {"name": "next", "type": ["null", "All"]},
    ],
}


def test_every_type() -> None:
    one = {
        "flag": True,
        "none": None,
        "where": "RIGHT",
        "other": "LEFT",
        "digest": b"abcd",
        "raw": b"\x00\xff",
        "double": 1.1,
        "float": 0.5,
        "when": -(2**40),
        "notes": {"a": "ü", "b": None},
        "maybe": [1.5, -2.5],
        "holes": [0.5, None],
        "texts": ["x", ""],
        "longs": [2**62, -1],
        "next": None,
    }
    data = packed([{**one, "next": {**one, "maybe": None}}], EVERYTHING)
    found, hurt = records(data, 64)
    assert ([plain(made) for made in found], hurt) == (oracle(data), 0)


def test_the_writers_order_and_further_fields() -> None:
    raw = SCHEMA["fields"][-1]["type"]
    turned = [
        *raw["fields"][1:1],
        *reversed(SCHEMA["fields"][1:6]),
        {"name": "new", "type": {"type": "array", "items": "int"}},
    ]
    schema = {
        **SCHEMA,
        "fields": [
            SCHEMA["fields"][0],
            {"name": "algoVersion", "type": "Version"},
            *turned[:-1],
            SCHEMA["fields"][6],
            turned[-1],
        ],
    }
    schema["fields"].sort(key=lambda field: field["name"] == "fwVersion")
    data = packed([{**record(5), "algoVersion": {"major": 1, "minor": 2, "patch": 3}, "new": [1, 2]}], schema)
    found, _ = records(data, 64)
    assert [plain(one) for one in found] == oracle(data)


def test_arrays_in_several_blocks() -> None:
    kinds = [("int", zigzag(5) + zigzag(-6) + zigzag(7)), ("float", np.array([1, 2, 3], "<f4").tobytes())]
    for kind, items in kinds:
        half = len(zigzag(5)) if kind == "int" else 4
        body = zigzag(1) + items[:half] + zigzag(-2) + zigzag(len(items) - half) + items[half:] + zigzag(0)
        found, hurt = records(avro_of({"type": "array", "items": kind}, body), 64)
        assert (found[0]["x"].tolist(), hurt) == ([5, -6, 7] if kind == "int" else [1, 2, 3], 0)


def test_a_cut_keeps_what_lies_before_it() -> None:
    data = packed([record(20)])
    whole = plain(records(data, 64)[0][0])
    for cut in range(len(data) - 20, data.index(data[-16:]) + 20, -997):
        found, hurt = records(data[:cut], 64)
        assert hurt == 1
        for name, signal in (found[0].get("rawData") or {}).items() if found else ():
            for key, values in (signal or {}).items():
                kept = plain(values)
                known = whole["rawData"][name][key]
                assert (
                    kept == (known[: len(kept)] if isinstance(kept, list) else known)
                    or kept is None
                    or isinstance(kept, dict)
                )


def test_records_that_do_not_end_with_their_block_are_given_up() -> None:
    data = packed([record(20)])
    at = data.index(zigzag(64 * 20), 1500) + 20
    grown = data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
    assert records(grown, 64) == ([], 1)
    found, hurt = records(data[:-5] + b"?????", 64)
    assert (len(found), hurt) == (1, 1)
    two = packed([record(20), record(10)])
    at = two.rindex(two[-16:], 0, -16) - 200
    found, hurt = records(two[:at] + bytes([two[at] ^ 0x80]) + two[at + 1 :], 64)
    assert (len(found[-1]["rawData"]["bvp"]["values"]), hurt) == (640, hurt)


@pytest.mark.parametrize(
    "data",
    [
        b"Obj\x01",
        packed([record(1)])[:400],
        packed([record(1)]).replace(b"avro.codec", b"avro.kodec").replace(b"avro.schema", b"avro.skhema"),
        packed([record(1)], codec="deflate").replace(b"\x0edeflate", b"\x0esnappyx"),
        b"Obj\x01" + zigzag(1) + zigzag(11) + b"avro.schema" + zigzag(5000) + b"[" * 5000 + zigzag(0) + bytes(16),
    ],
)
def test_no_avro(data: bytes) -> None:
    with pytest.raises(Damaged):
        records(data, 64)


@pytest.mark.parametrize(
    "kind", ["nothing", {"type": "array", "items": "Unknown"}, {"type": "record", "name": "q"}, []]
)
def test_types_without_meaning(kind: object) -> None:
    assert records(avro_of(kind, zigzag(1)), 64) == ([], 1)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ({"type": "array", "items": "null"}, zigzag(2**40) + zigzag(0)),
        ({"type": "array", "items": {"type": "record", "name": "Nothing", "fields": []}}, zigzag(2**62) + zigzag(0)),
        ({"type": "array", "items": {"type": "fixed", "name": "No", "size": 0}}, zigzag(2**62) + zigzag(0)),
        ({"type": "array", "items": "int"}, zigzag(2_000_000) + bytes(2_000_000) + zigzag(0)),
        ({"type": "array", "items": "int"}, (zigzag(1) + b"\0") * 310_000 + zigzag(0)),
    ],
)
def test_bombs_are_refused(kind: object, body: bytes) -> None:
    with pytest.raises(Refused):
        records(avro_of(kind, body), 4)


def test_a_schema_that_holds_itself() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["null", "R"]}]}
    assert records(avro_of(["null", "R"], zigzag(1) * 100_000 + zigzag(0), name="R"), 4) == ([], 1)
    assert json.dumps(schema)
    deep: object = "int"
    for _ in range(60):
        deep = {"type": "array", "items": deep}
    with pytest.raises(Damaged):
        records(avro_of(deep, zigzag(0)), 4)


def test_huge_counts_cost_nothing() -> None:
    for kind in ("int", "long", "float", "double"):
        assert records(avro_of({"type": "array", "items": kind}, zigzag(2**62)), 4) == ([], 1)
    data = avro_of("int", zigzag(3))
    assert records(data.replace(zigzag(1) + zigzag(1) + zigzag(3), zigzag(2**40) + zigzag(1) + zigzag(3)), 4) == ([], 1)


def test_a_deflate_bomb_is_refused() -> None:
    with pytest.raises(Refused):
        records(avro_of("bytes", zigzag(40 << 20) + bytes(40 << 20), deflate=True), 32)
