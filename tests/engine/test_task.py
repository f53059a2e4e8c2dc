from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine import task
from engine.batches import Batch
from engine.errors import InfrastructureError, InputUnreadable
from engine.guard import InlineGuard, Limits
from engine.module import Status, Table, Verdict
from engine.running.receipt import Receipt
from engine.schemas import FILES, RUN_TIME_COLUMNS
from engine.storage import Store
from engine.tables.parts import decode
from engine.task import TaskSpec, run_batch, split_months
from engine.work import Evaluation, FileRef, Input
from engine.workers.guards import close_guards
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.engine.toy import SCHEMA, ToyMapped, ToyWork, works

MAPPED = ToyMapped()


@pytest.fixture(scope="module", autouse=True)
def guards() -> Iterator[None]:
    yield
    close_guards()


def do(folder: Path, *some: Any, mapped: ToyMapped = MAPPED) -> Receipt:
    spec = TaskSpec(mapped, str(folder))
    return run_batch(spec, Batch(0, some), InlineGuard(mapped))


def rows(receipt: Receipt) -> list[dict[str, Any]]:
    return pa.ipc.open_stream(receipt.ledger).read_all().to_pylist()  # type: ignore[no-any-return, unused-ignore]


def test_rows_are_written_by_table_and_month(tmp_path: Path) -> None:
    receipt = do(tmp_path, *works("bb", "a"))
    months = {(part.table, part.partition.get("month")): part.rows for part in receipt.parts}
    assert months == {("texts", "2020-01"): 4, ("texts", "2020-02"): 2, ("totals", None): 6}
    for part in receipt.parts:
        data = Store(tmp_path).read(f"{part.table}/{part.path}")
        assert len(data) == part.size_bytes
        folder, _, name = part.path.rpartition("/")
        assert name == f"{hashlib.sha256(data).hexdigest()}.parquet"
        month = f"/month={part.partition['month']}" if "month" in part.partition else ""
        assert folder == f"module_id={MAPPED.module_id}{month}"
        assert not {"module_id", "month"} & set(decode(data).column_names)
    assert {entry.path for entry in Store(tmp_path).list()} == {f"{part.table}/{part.path}" for part in receipt.parts}


def test_rows_are_sorted_and_typed_as_declared(tmp_path: Path) -> None:
    receipt = do(tmp_path, *reversed(works("bb", "a")))
    (first, *_) = (part for part in receipt.parts if part.table == "texts")
    found = decode(Store(tmp_path).read(f"texts/{first.path}"))
    assert found.schema.equals(SCHEMA)
    order = list(zip(found["ts"].to_pylist(), found["source_id"].to_pylist(), strict=True))
    assert order == sorted(order)
    told = json.loads(first.statistics)
    assert told["numRecords"] == first.rows
    assert told["minValues"] == {"source_id": "w000", "file": "f000.txt", "ts": "2020-01-30T23:00:00.000000Z"}
    assert told["maxValues"]["ts"] == "2020-01-31T23:00:00.000000Z"


def test_the_same_batch_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = works("a", "bb", "raise hell", "reject")
    first = do(tmp_path / "a", *some)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    time.sleep(0.01)
    again = run_batch(TaskSpec(MAPPED, str(tmp_path / "b")), Batch(7, tuple(reversed(some))), attempt=5)
    assert again.parts == first.parts
    assert [_lasting(row) for row in rows(again)] == [_lasting(row) for row in rows(first)]
    assert {row["host"] for row in rows(again)} == {"elsewhere"}
    assert {row["attempt"] for row in rows(again)} == {5}


@pytest.mark.parametrize("texts", [("coded", "coded"), ("plain", "coded")])
def test_texts_as_codes_are_written_as_texts(tmp_path: Path, texts: tuple[str, ...]) -> None:
    receipt = do(tmp_path, *works(*texts))
    apart = run_batch(TaskSpec(MAPPED, str(tmp_path / "b")), Batch(0, works(*texts)))
    assert apart.parts == receipt.parts  # through a child's pipe too
    plain = do(tmp_path / "c", *works("plain", "plain"))
    for mine, other in zip(receipt.parts, plain.parts, strict=True):
        stores = ((Store(tmp_path), mine), (Store(tmp_path / "c"), other))
        found, wanted = (decode(store.read(f"{part.table}/{part.path}")) for store, part in stores)
        assert found.schema.equals(wanted.schema, check_metadata=True)
        assert found.equals(wanted)
        assert mine.statistics == other.statistics


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in RUN_TIME_COLUMNS}


def test_every_input_has_one_row(tmp_path: Path) -> None:
    pair = ToyWork("pair", (("x", "raise it"), ("y", "fine")))
    found = {row["file"]: row for row in rows(do(tmp_path, *works("fine", "reject", "nan", "memory error"), pair))}
    fates = {name: (row["status"], row["cause"]) for name, row in found.items()}
    assert fates == {
        "f000.txt": ("ok", None),
        "f001.txt": ("rejected", "data"),
        "f002.txt": ("failed", "contract"),
        "f003.txt": ("quarantined", "memory"),
        "x": ("failed", "module"),
        "y": ("ok", None),
    }
    row = found["f001.txt"]
    assert (row["reasons"], row["message"]) == (["FORMAT_UNKNOWN"], "not for us")
    assert row["bytes_sha256"] == hashlib.sha256(b"reject").hexdigest()
    assert (row["work_key"], row["source_id"], row["subject_id"], row["facts"]) == ("w001", "w001", "s1", "{}")
    assert (row["uri"], row["content_key"], row["size_bytes"]) == ("/f001.txt", "k", 6)
    assert found["x"]["traceback"] is not None
    assert found["x"]["bytes_sha256"] is None
    assert found["x"]["input_identity"] == found["y"]["input_identity"] == pair.identity


def test_the_ledger_has_the_columns_of_files(tmp_path: Path) -> None:
    told = pa.ipc.open_stream(do(tmp_path, *works("a")).ledger).read_all()
    wanted = [field for field in FILES.schema if field.name not in ("run_id", "committed_at")]
    assert told.schema.equals(pa.schema(wanted))


def test_a_receipt_is_small(tmp_path: Path) -> None:
    receipt = do(tmp_path, *works(*["fine", "raise " + "x" * 300] * 16))
    assert len(receipt.ledger) + sum(len(repr(part)) for part in receipt.parts) < 32 * 1000


def test_failures_leave_no_rows(tmp_path: Path) -> None:
    receipt = do(tmp_path, *works("nan", "raise it", "reject"))
    assert receipt.parts == ()
    assert list(Store(tmp_path).list()) == []


def test_infrastructure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable):
        do(tmp_path, *works("fine", "unreadable"))
    assert list(Store(tmp_path).list()) == []


def test_storage_that_gives_up_is_infrastructure(tmp_path: Path) -> None:
    (tmp_path / "texts").write_bytes(b"a file where a folder must be")
    with pytest.raises(InfrastructureError):
        do(tmp_path, *works("fine"))


def test_guarded_equals_inline(tmp_path: Path) -> None:
    some = [*works("a", "raise it", "reject", "nan"), ToyWork("pair", (("x", "fine"), ("y", "raise me")))]
    spec = TaskSpec(MAPPED, str(tmp_path), limits=Limits(20, 2000))
    inline, guarded = (
        run_batch(spec, Batch(0, tuple(some)), InlineGuard(MAPPED)),
        run_batch(spec, Batch(0, tuple(some))),
    )
    assert guarded.parts == inline.parts
    assert [_lasting(row) for row in rows(guarded)] == [_lasting(row) for row in rows(inline)]


@pytest.mark.s3
def test_the_same_parts_on_s3(tmp_path: Path, s3_store: Store) -> None:  # noqa: F811
    batch = Batch(0, tuple(works("a", "bb")))
    remote = run_batch(TaskSpec(MAPPED, s3_store.uri, s3_store.options), batch, InlineGuard(MAPPED))
    assert remote.parts == do(tmp_path, *batch.works).parts
    assert sorted(entry.path for entry in s3_store.list()) == sorted(entry.path for entry in Store(tmp_path).list())


def fate_of(one: Input, *verdicts: Verdict) -> dict[str, Any]:
    class Said(ToyWork):
        inputs = (one, Input("other", (FileRef("other", "/other", 1, "k"),)))

        def evaluate(self, mapped: Any) -> Evaluation:
            empty = ToyWork(self.key, ()).evaluate(mapped)
            return replace(empty, outcome=replace(empty.outcome, verdicts=verdicts))

    spec = TaskSpec(MAPPED, "/nowhere")
    return rows(run_batch(spec, Batch(0, (Said("w", ()),)), InlineGuard(MAPPED)))[0]


FOLDER = Input("e4", (FileRef("e4/ACC.csv", "/r/e4/ACC.csv", 4, "k1"), FileRef("e4/BVP.csv", "/r/e4/BVP.csv", 5, "k2")))


@pytest.mark.parametrize(
    ("said", "status", "reasons"),
    [
        ([], "ok", []),
        ([("e4", Status.PARTIAL, ("A",))], "partial", ["A"]),
        ([("e4/ACC.csv", Status.OK, ()), ("e4/BVP.csv", Status.REJECTED, ("B",))], "rejected", ["B"]),
        ([("e4/BVP.csv", Status.REJECTED, ("B", "A")), ("e4", Status.PARTIAL, ("A",))], "rejected", ["B", "A"]),
        ([("other", Status.OK, ())], "failed", []),
    ],
)
def test_the_worst_word_on_a_folder_counts(said: list[Any], status: str, reasons: list[str]) -> None:
    row = fate_of(FOLDER, *(Verdict(*one) for one in said))
    assert (row["status"], row["reasons"]) == (status, reasons)
    assert (row["file"], row["uri"], row["size_bytes"]) == ("e4", "/r/e4", 9)


def test_texts_that_are_no_utf8_are_stored_as_far_as_they_go() -> None:
    row = fate_of(FOLDER, Verdict("e4", Status.PARTIAL, ("A\udcff",), "half\udcff a word"))
    assert (row["reasons"], row["message"]) == (["A?"], "half? a word")


def test_months_come_in_order_and_lose_no_row() -> None:
    table = pa.table({"d": pa.array([18293, 18292, 18262, 18293], pa.int32()).cast(pa.date32())})
    declared = Table(table.schema, ("d",), ("d",), "d")
    months = split_months(table, declared)
    assert [(partition["month"], some.num_rows) for partition, some in months] == [("2020-01", 2), ("2020-02", 2)]
    assert split_months(table, replace(declared, partition=None)) == [({}, table)]


def test_the_task_knows_nothing_of_the_cluster() -> None:
    assert "distributed" not in vars(task)
