"""A worker killed at any of its write boundaries costs time only: the run goes on and gives the same rows."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import Client

from cluster.workstation import Workstation
from engine import ledger
from engine.executors import DaskExecutor, InProcess
from engine.running.retries import Patience
from engine.storage import Store, StoreOptions
from tests.engine.crash_workers import POINTS, arm
from tests.engine.drive import SETTINGS, drive
from tests.engine.outputs import digests
from tests.engine.s3_server import KEYS, s3_endpoint  # noqa: F401
from tests.engine.users import write_package

pytestmark = pytest.mark.slow
TABLES = ("sizes", "files")
BATCHED = replace(SETTINGS, batch_works=2)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Twelve files, and their module where workers find it."""
    folder = tmp_path_factory.mktemp("workers")
    write_package(folder / "user", "killable")
    for number in range(12):
        file = folder / "raw" / f"P{number:02d}" / f"{1774645200 + 86400 * number}_A.zip"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"PK" + b"." * number)
    for name in [name for name in sys.modules if name.partition(".")[0] == "killable"]:
        del sys.modules[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "user"))
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield folder / "raw"


@pytest.fixture(scope="module")
def client(raw: Path) -> Iterator[Client]:
    with Workstation(workers=2, memory_mb=4000).lend() as client:
        yield client


@pytest.fixture(scope="module")
def whole(raw: Path) -> Store:
    store = Store(raw.parent / "whole")
    drive(str(raw), store, BATCHED, InProcess())
    return store


@pytest.fixture(params=["local", pytest.param("remote", marks=pytest.mark.s3)])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(tmp_path / "out")
    options = StoreOptions(endpoint=request.getfixturevalue("s3_endpoint"), attempts=2, timeout_s=20)
    return Store(f"s3://test/{secrets.token_hex(6)}", options)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_write_boundary(
    point: str, output: Store, raw: Path, whole: Store, client: Client, tmp_path: Path
) -> None:
    client.wait_for_workers(2, timeout=60)
    flag = tmp_path / "one died"
    client.run(arm, point, str(flag))
    executor = DaskExecutor(client, patience=Patience(pause_s=0.1, longest_pause_s=0.5))
    assert drive(str(raw), output, BATCHED, executor).statuses == {"ok": 12}
    assert flag.exists()
    assert digests(output, TABLES) == digests(whole, TABLES)
    assert ledger.runs(output)["state"].to_list() == ["finished"]
