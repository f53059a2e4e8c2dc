"""Files that change under a run, files that come twice, and names with every odd character, on disk and on S3."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from s3fs import S3FileSystem

from engine import ledger
from engine.commit import recover
from engine.errors import InputUnreadable, UserError
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.plan import Plan, make
from engine.run import run
from engine.running.progress import RunSummary
from engine.storage import Store, StoreOptions
from engine.stores import disk
from tests.engine.drive import SETTINGS
from tests.engine.loop import Loop
from tests.engine.outputs import rows
from tests.engine.s3_server import KEYS, s3_endpoint, s3_options  # noqa: F401
from tests.engine.users import install_package

ODD = (
    "a b.zip", "-rf.zip", "--help.zip", "it's \"quoted\".zip", "new\nline.zip", "tab\t.zip", "100%.zip", "%2e%2e.zip",
    "month=2020-01.zip", "a,b;c.zip", "#?&+.zip", "[x]*{y}.zip", "$HOME`id`.zip", "back\\slash.zip", "\u00e9.zip",
    "e\u0301.zip", "夜😀.zip", "~.zip", "P 1/1600000000_ä.zip", "P=2/%/x.zip",
)  # fmt: skip

NOT_ON_S3 = ("new\nline.zip", "tab\t.zip", "back\\slash.zip")
"""The client cannot address the first two; the server makes a folder of the third."""


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Store]:
    """Stores by name, side by side on disk or on S3; the user's package can be imported."""
    install_package(tmp_path / "user", "killable", monkeypatch)
    if request.param == "disk":
        return lambda name: Store(tmp_path / name)
    options = request.getfixturevalue("s3_options")
    return lambda name: Store(f"s3://test/{tmp_path.name}/{name}", options)


def planned(raw: Store, output: Store) -> tuple[Plan, Callable[[], RunSummary]]:
    """A plan, and a function that carries it out."""
    after = recover(output)
    mapped, identity = refer("killable.module:Sizes", {})
    plan = make(
        take([InputSpec(raw.uri)], raw.options), ledger.scan(output), identity, ledger.runs(output), (), raw.options
    )
    return plan, lambda: run(identity, mapped, plan, output, Loop(), SETTINGS, after=after)


def test_odd_names_come_through(place: Callable[[str], Store]) -> None:
    raw, output = place("raw"), place("out")
    names = [name for name in ODD if raw.is_local or name not in NOT_ON_S3]
    for number, name in enumerate(names):
        raw.write(name, b"PK" + b"." * number)
    assert planned(raw, output)[1]().statuses == {"ok": len(names)}
    told = ledger.entries(output)
    assert sorted(told["file"]) == sorted(names)
    sizes = {name: 2 + number for number, name in enumerate(names)}
    assert dict(told.select("file", "size_bytes").iter_rows()) == sizes
    assert sorted(rows(output, "sizes")["size"]) == sorted(map(float, sizes.values()))
    assert planned(raw, output)[0].count == 0


@pytest.mark.s3
def test_an_object_that_cannot_be_addressed_is_named(s3_options: StoreOptions, tmp_path: Path) -> None:  # noqa: F811
    raw = Store(f"s3://test/{tmp_path.name}", s3_options)
    secret = {"key": KEYS["AWS_ACCESS_KEY_ID"], "secret": KEYS["AWS_SECRET_ACCESS_KEY"]}
    S3FileSystem(endpoint_url=s3_options.endpoint, **secret).pipe(f"test/{tmp_path.name}/new\nline.zip", b"PK")
    with pytest.raises(UserError, match=r"'new\\nline.zip' .*: rename that object"):
        take([InputSpec(raw.uri)], s3_options)


def test_a_file_that_changed_since_the_listing_is_done_again(place: Callable[[str], Store]) -> None:
    raw, output = place("raw"), place("out")
    raw.write("a.zip", b"PK")
    raw.write("b.zip", b"PK")
    _, carry_out = planned(raw, output)
    raw.write("a.zip", b"PK, and more")
    carry_out()
    again, carry_out = planned(raw, output)
    assert again.count == 1
    carry_out()
    assert sorted(rows(output, "sizes")["size"]) == [2.0, 12.0]
    assert rows(output, "files").height == 2
    assert planned(raw, output)[0].count == 0


def test_the_same_upload_twice_is_two_inputs_with_one_content(place: Callable[[str], Store]) -> None:
    raw, output = place("raw"), place("out")
    for name in ("P1/1600000000_A.zip", "P1/1600000000_A (1).zip"):
        raw.write(name, b"PK same")
    planned(raw, output)[1]()
    told = ledger.entries(output)
    assert told.height == 2
    assert told["bytes_sha256"].n_unique() == 1


def test_a_file_is_read_again_when_it_changes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "REREAD_AFTER_S", (0.0, 0.0, 0.0))
    file, reads = tmp_path / "a", 0
    file.write_bytes(b"half")
    stat = os.fstat

    def meddling(descriptor: int) -> os.stat_result:
        nonlocal reads
        reads += 1
        if reads in whens:
            with file.open("ab") as more:
                more.write(b"+")
            os.utime(file, ns=(time.time_ns(), 10**18 + reads))
        return stat(descriptor)

    monkeypatch.setattr(disk.os, "fstat", meddling)
    whens = {2}
    assert Store(tmp_path).read("a") == b"half+"
    whens = set(range(100))
    with pytest.raises(InputUnreadable, match="changes while it is read"):
        Store(tmp_path).read("a")


def test_names_that_are_not_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "good.zip").write_bytes(b"PK")
    with Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.zip")).open("wb") as file:
        file.write(b"PK")
    inventory = take([InputSpec(str(tmp_path))], Store(tmp_path).options)
    assert inventory.inputs["input"].to_list() == ["good.zip"]
    assert inventory.ignored.select(pl.col("uri").str.ends_with("bad\\xff.zip"), "why").row(0) == (
        True,
        "its name is not UTF-8",
    )
