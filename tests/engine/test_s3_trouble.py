"""Runs whose S3 server is killed and started again in the middle, or answers slowly: the tables are the same."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.errors import InfrastructureError
from engine.running.progress import RunSummary
from engine.storage import Store, StoreOptions
from tests.engine.drive import drive
from tests.engine.loop import Loop
from tests.engine.outputs import digests
from tests.engine.s3_server import KEYS, free_port, s3_endpoint, s3_options, s3_store, serve  # noqa: F401
from tests.engine.users import install_package

pytestmark = [pytest.mark.s3, pytest.mark.slow]
TABLES = ("sizes", "files")
SLOW_S = 0.02


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Nine files of nine subjects."""
    install_package(tmp_path / "user", "killable", monkeypatch)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for number in range(9):
        file = tmp_path / "raw" / f"P{number}" / f"{1774645200 + 86400 * number}_A.zip"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"PK" + b"." * number)
    return str(tmp_path / "raw")


class Restarting(Loop):
    """Kills the server after the second batch, and has it back a second later."""

    def __init__(self, folder: Path, port: int, life: ExitStack) -> None:
        super().__init__()
        self.folder, self.port, self.life = folder, port, life
        self.restarts = 0

    def run(self, spec, batches):  # type: ignore[no-untyped-def]
        for number, done in enumerate(super().run(spec, batches)):
            if number == 1 and not self.restarts:
                self.restarts += 1
                self.life.close()
                threading.Timer(1.0, self._start).start()
            yield done

    def _start(self) -> None:
        self.life.enter_context(serve(self.folder, self.port))


def test_a_server_that_restarts_in_mid_run_costs_no_row(tmp_path: Path, source: str) -> None:
    undisturbed = Store(tmp_path / "out")
    drive(source, undisturbed)
    (tmp_path / "s3").mkdir()
    port = free_port()
    with ExitStack() as life:
        endpoint = life.enter_context(serve(tmp_path / "s3", port))
        output = Store("s3://test/out", StoreOptions(endpoint=endpoint, attempts=5, timeout_s=20))
        executor = Restarting(tmp_path / "s3", port, life)
        summary = _until_finished(source, output, executor)
        assert (summary.state, executor.restarts) == ("finished", 1)
        assert digests(output, TABLES) == digests(undisturbed, TABLES)


def _until_finished(source: str, output: Store, executor: Loop, tries: int = 5) -> RunSummary:
    """The same command again, as exit code 4 asks for, while the server comes back."""
    for _ in range(tries):
        try:
            return drive(source, output, executor=executor)
        except InfrastructureError:
            time.sleep(2.0)
    raise AssertionError(f"not finished after {tries} tries")


def test_a_slow_server_changes_nothing(tmp_path: Path, source: str, s3_store: Store) -> None:  # noqa: F811
    undisturbed = Store(tmp_path / "out")
    drive(source, undisturbed)
    server = urlsplit(s3_store.options.endpoint or "")
    with slowly(server.port or 80) as (endpoint, asked):
        output = Store(s3_store.uri, StoreOptions(endpoint=endpoint, attempts=2, timeout_s=20))
        assert drive(source, output).state == "finished"
        assert digests(output, TABLES) == digests(undisturbed, TABLES)
    assert len(asked) > 0


@contextmanager
def slowly(port: int) -> Iterator[tuple[str, list[int]]]:
    """A way to the server at `port` on which every piece waits `SLOW_S`; its URL, and the sizes of the pieces."""
    passed: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as front:
        threading.Thread(target=_accept, args=(front, port, passed), daemon=True).start()
        yield f"http://127.0.0.1:{front.getsockname()[1]}", passed


def _accept(front: socket.socket, port: int, passed: list[int]) -> None:
    while True:
        try:
            near, _ = front.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=_pass, args=(one, other, passed), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket, passed: list[int]) -> None:
    with one, other:
        try:
            while piece := one.recv(1 << 16):
                time.sleep(SLOW_S)
                other.sendall(piece)
                passed.append(len(piece))
        except OSError:
            return
