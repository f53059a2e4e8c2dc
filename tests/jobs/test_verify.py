"""`verify` on the command line: equal, different code, different values, changed and missing inputs."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.commit import Journal, recover
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.parts import decode, write_part
from tests.jobs.conftest import Mill

ALL = ("verify", "out", "--sample", "1", "--in-process")


@pytest.fixture
def done(mill: Mill) -> Mill:
    mill.file("P03/1774645200_A1.txt", "")  # rejected
    told = ("-o", "out", "-m", mill.module, "--include", "*.txt", "--in-process", "--set", "factor=2")
    assert mill("reprocess", "raw", *told).returncode == 0
    return mill


def _tamper(mill: Mill, column: str, value: pa.Array) -> None:
    """Another program's rows in the place of ours."""
    store = Store(mill.folder / "out")
    handle = delta.open_table(store, "words")
    layout, old = delta.layout_of(handle), [found.part for found in delta.live(handle, "words")]
    rows = decode(store.read(f"words/{old[0].path}"))
    rows = rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), value(rows[column]))
    new = write_part(store, "words", rows, layout.key, old[0].partition)
    Journal(store, "other", "here", recover(store)).post("rows", [Change.exchange("words", layout, [new], old)])


def test_what_was_committed_is_what_comes_out_again(done: Mill) -> None:
    ended = done(*ALL)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "7 Sources recomputed: equal, bit for bit" in ended.stdout
    assert "1 Source recomputed: equal" in done("verify", "out", "--in-process").stdout


def test_the_last_bit_is_found(done: Mill) -> None:
    def nudged(values: pa.ChunkedArray) -> pa.Array:
        return pa.array([1e-15 + values[0].as_py() * (1 + 3e-16), *values[1:].to_pylist()])

    _tamper(done, "mean_length", nudged)
    ended = done(*ALL, "--json")
    assert ended.returncode == 3
    (found,) = json.loads(ended.stdout)["differences"]
    assert (found["table"], found["column"], found["rows"], found["example"]) == (
        "words", "mean_length", 1, "P01/2026-03-27",
    )  # fmt: skip
    assert found["committed"] != found["recomputed"]
    assert "they differ" in done(*ALL).stdout


def test_a_missing_row_is_found(done: Mill) -> None:
    _tamper(done, "source_id", lambda values: pc.replace_substring(values, "P02", "P99"))
    (found,) = json.loads(done(*ALL, "--json").stdout)["differences"]
    assert (found["column"], found["rows"], found["committed"], found["recomputed"]) == ("(row)", 3, "missing", "there")


def test_other_code_is_refused_with_both_names(done: Mill) -> None:
    ended = done(*ALL, "--set", "factor=3")
    assert ended.returncode == 2
    assert ended.stderr.count("words-") == 2 and "other parameters" in ended.stderr
    done.write_module(length="len(word) + 1")
    ended = done.apart(*ALL)
    assert ended.returncode == 2
    assert f"changed: {done.package}.words" in ended.stderr


def test_changed_and_missing_inputs_are_counted(done: Mill) -> None:
    changed = done.file("P01/1774645200_A1.txt", "other words")
    assert json.loads(done(*ALL, "--json").stdout) == {"sources": 6, "left_out": 1, "differences": []}
    changed.unlink()
    assert "1 Source left out: an input changed since, or is gone" in done(*ALL).stdout
