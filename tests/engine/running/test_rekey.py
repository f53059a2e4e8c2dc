from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from engine import ledger
from engine.commit import recover
from engine.identity import Identity
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.plan import Plan, make
from engine.running.rekey import Rekeyed, rekey
from engine.storage import Store, StoreOptions
from tests.engine.drive import REFERENCE, drive
from tests.engine.outputs import digests
from tests.engine.users import install_package


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten Sources of two files each, one file of them no zip; all processed into `out`."""
    install_package(tmp_path / "user", "killable", monkeypatch)
    for number in range(20):
        file = tmp_path / "raw" / f"P{number // 2}" / f"{1774645200 + number % 2}_A.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((b"bad" if number == 7 else b"PK") + b"." * number)
    drive(str(tmp_path / "raw"), Store(tmp_path / "out"))
    return tmp_path / "raw"


def planned(raw: Path, output: Store) -> tuple[Plan, Identity]:
    _, identity = refer(REFERENCE, {})
    inventory = take([InputSpec(str(raw), include=("**/*.zip",))], StoreOptions())
    return make(inventory, ledger.scan(output), identity, ledger.runs(output)), identity


def rekeyed(raw: Path, output: Store) -> Rekeyed:
    plan, identity = planned(raw, output)
    return rekey(plan, ledger.scan(output), output, identity.module_id, recover(output))


def copied(raw: Path) -> Path:
    """The same bytes elsewhere, with times of their own."""
    copy = raw.parent / "copy"
    shutil.copytree(raw, copy, copy_function=shutil.copyfile)
    for number, file in enumerate(sorted(copy.rglob("*.zip"))):
        os.utime(file, (number, number))
    return copy


def test_a_copy_is_re_keyed_and_nothing_is_left_to_do(raw: Path) -> None:
    output = Store(raw.parent / "out")
    before = digests(output, ["sizes"])
    entries = ledger.entries(output).sort("work_key", "file")
    copy = copied(raw)
    assert planned(copy, output)[0].count == 10
    assert rekeyed(copy, output) == Rekeyed(10, 0, sum(file.stat().st_size for file in copy.rglob("*.zip")))
    assert planned(copy, output)[0].count == 0
    assert planned(raw, output)[0].count == 10
    assert digests(output, ["sizes"]) == before
    after = ledger.entries(output).sort("work_key", "file")
    moved = ["uri", "content_key", "input_identity"]
    assert after.drop(moved).equals(entries.drop(moved))
    assert after["uri"].str.starts_with(str(copy)).all()


def test_only_what_comes_out_clean(raw: Path) -> None:
    output, copy = Store(raw.parent / "out"), copied(raw)
    (copy / "P0" / "1774645200_A.zip").write_bytes(b"PK other")
    (copy / "P1" / "1774645209_late.zip").write_bytes(b"PK late")
    found = rekeyed(copy, output)
    assert (found.same, found.different) == (8, 1)
    assert planned(copy, output)[0].stale["source_id"].to_list() == ["P0/2026-03-27", "P1/2026-03-27"]
    assert rekeyed(copy, output).same == 0
    drive(str(copy), output)
    assert planned(copy, output)[0].count == 0


def test_what_failed_is_not_re_keyed(raw: Path) -> None:
    output, copy = Store(raw.parent / "out"), copied(raw)
    plan, identity = planned(copy, output)
    unread = ledger.entries(output).with_columns(
        bytes_sha256=pl.when(pl.col("subject_id") == "P2").then(None).otherwise("bytes_sha256")
    )
    found = rekey(plan, unread.lazy(), output, identity.module_id, recover(output))
    assert (found.same, found.different) == (9, 1)


def test_files_that_vanish_meanwhile_are_left(raw: Path) -> None:
    output, copy = Store(raw.parent / "out"), copied(raw)
    plan, identity = planned(copy, output)
    shutil.rmtree(copy / "P3")
    assert rekey(plan, ledger.scan(output), output, identity.module_id, recover(output)).same == 9
