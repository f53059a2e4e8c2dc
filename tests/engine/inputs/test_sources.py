from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from engine.batches import Batch
from engine.errors import InputUnreadable
from engine.guard import InlineGuard
from engine.identity import input_identity
from engine.inputs.sources import SourceWork, digest
from engine.inventory import InputSpec, Inventory, take
from engine.load import refer
from engine.module import Outcome, RawFile, Source
from engine.plan import everything, make
from engine.planning.staleness import LEDGER_COLUMNS
from engine.task import TaskSpec, run_batch
from tests.engine.trees import NOON, OPTIONS, write_tree
from tests.engine.users import write_package

A, B = f"S1/a_{NOON}.zip", f"S1/b_{NOON + 60}.zip"


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    """One night of two files, one folder, one file without a start."""
    files = {A: b"PK1", B: b"PK22", "n/ACC.csv": b"a", "n/BVP.csv": b"b", "S3.zip": b"no zip"}
    return take([InputSpec(str(write_tree(tmp_path / "raw", files)), zone="Europe/Dublin")], OPTIONS)


def works(inventory: Inventory) -> dict[str, SourceWork]:
    found = list(everything(inventory, OPTIONS).works())
    return {work.key: work for work in found if isinstance(work, SourceWork)}


class Remembering:
    """A module that keeps what it was called with."""

    name = "remembering"
    outputs = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.calls: list[tuple[Sequence[RawFile], Source]] = []

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
        self.calls.append((files, source))
        return Outcome({})


def test_it_reads_hashes_and_calls(inventory: Inventory) -> None:
    work = pickle.loads(pickle.dumps(works(inventory)["S1/2020-04-15"]))
    module = Remembering()
    evaluation = work.evaluate(module)
    files, source = module.calls[0]
    assert list(files) == [RawFile(A, b"PK1"), RawFile(B, b"PK22")]
    assert source.files == (A, B)
    assert (source.subject_id, source.zone, str(source.night_hint)) == ("S1", "Europe/Dublin", "2020-04-15")
    assert evaluation.bytes_sha256 == {file.name: digest([file]) for file in files}
    assert (work.hint, work.known["source_id"], work.known["subject_id"]) == ("2020-04", "S1/2020-04-15", "S1")


def test_a_folder_is_one_input_of_several_files(inventory: Inventory) -> None:
    work = works(inventory)["n"]
    module = Remembering()
    evaluation = work.evaluate(module)
    assert [file.name for file in module.calls[0][0]] == ["n/ACC.csv", "n/BVP.csv"]
    assert evaluation.bytes_sha256.keys() == {"n"}
    assert work.hint == ""


def test_digest_of_a_folder_is_of_names_and_bytes_not_of_place() -> None:
    files = [RawFile("n/ACC.csv", b"a"), RawFile("n/BVP.csv", b"b")]
    assert digest(files) == digest([RawFile("elsewhere/BVP.csv", b"b"), RawFile("elsewhere/ACC.csv", b"a")])
    assert digest(files) != digest([RawFile("n/ACC.csv", b"b"), RawFile("n/BVP.csv", b"a")])


def test_pieces_keep_key_and_identity(inventory: Inventory) -> None:
    whole = works(inventory)["S1/2020-04-15"]
    piece = whole.only([B])
    assert (piece.key, piece.identity) == (whole.key, whole.identity)
    assert piece.predicted_s < whole.predicted_s
    assert [one.name for one in piece.inputs] == [B]
    assert piece.source.files == (B,)
    assert whole.identity == input_identity(whole.source, whole.inputs)


def test_a_file_that_is_gone_is_unreadable(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "raw/S3.zip").unlink()
    with pytest.raises(InputUnreadable, match=r"S3\.zip"):
        works(inventory)["S3.zip"].evaluate(Remembering())


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write_package(tmp_path, "mapped_pkg")
    for name in [name for name in sys.modules if name.partition(".")[0] == "mapped_pkg"]:
        del sys.modules[name]


def test_a_users_module_from_listing_to_ledger(inventory: Inventory, users: Path, tmp_path: Path) -> None:
    ref, identity = refer("mapped_pkg.module:Sizes", {"factor": 2})
    ledger = pl.DataFrame(
        schema={**dict.fromkeys(LEDGER_COLUMNS, pl.String), "seconds": pl.Float64, "size_bytes": pl.Int64}
    )
    runs = pl.DataFrame(schema={"run_id": pl.String, "module_id": pl.String})
    plan = make(inventory, ledger, identity, runs, (), OPTIONS)
    spec = TaskSpec(ref, str(tmp_path / "out"))
    receipt = run_batch(spec, Batch(0, tuple(plan.works())), InlineGuard(ref))
    rows = pl.read_ipc_stream(io.BytesIO(receipt.ledger))
    assert dict(rows.select("file", "status").rows()) == {A: "ok", B: "ok", "n": "rejected", "S3.zip": "rejected"}
    (part,) = receipt.parts
    found = pl.read_parquet(tmp_path / "out" / "sizes" / part.path, hive_partitioning=False)
    assert found.rows() == [("S1/2020-04-15", 14.0)]
    after = rows.with_columns(module_id=pl.lit(ref.module_id), run_id=pl.lit("r1"))
    assert make(inventory, after, identity, runs).count == 0
