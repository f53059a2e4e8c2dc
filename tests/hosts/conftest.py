"""A small cluster of its own: one host with the scheduler and the driver, two hosts with a worker each."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.hosts.lab import NETWORK, SCHEDULER, Host, why_not

MODULE = """
    from __future__ import annotations
    import os, time
    from dataclasses import dataclass
    import pyarrow as pa
    from engine.module import Outcome, Table, column

    SIZES = Table(
        pa.schema([column("source_id", pa.string(), "1", "Source"), column("size", pa.int64(), "By", "bytes")]),
        key=("source_id",), sort=("source_id",),
    )

    @dataclass(frozen=True)
    class Slow:
        name: str = "slow"

        @property
        def outputs(self):
            return {"sizes": SIZES}

        def __call__(self, files, source):
            time.sleep(float(os.environ.get("NAP_S", "0")))  # impure, so that a test can be quick where it may
            row = {"source_id": source.source_id, "size": len(files[0].data)}
            return Outcome({"sizes": pa.Table.from_pylist([row], SIZES.schema)})
"""
NAP_S = "0.1"
FILES = 70


@dataclass
class Lab:
    folder: Path
    hub: Host
    hosts: list[Host]

    @property
    def user(self) -> Path:
        return self.folder / "user"

    def start_scheduler(self) -> None:
        self.hub.start("cluster", "scheduler", "--host", f"{NETWORK}.1")

    def start_workers(self, host: Host, user: Path | None = None) -> None:
        told = ("cluster", "worker", SCHEDULER, "--workers", "1", "--memory-mb", "2000")
        host.start(*told, path=[user or self.user], NAP_S=NAP_S)

    def drive(self, output: Path, *more: str, hub: bool = True) -> subprocess.Popen[str]:
        """`nightmill reprocess` on the hub."""
        told = ("reprocess", str(self.folder / "raw"), "-o", str(output), "-m", "napping.module:Slow")
        where = ("--cluster", SCHEDULER, "--batch", "2")
        return self.hub.start(*told, *(where if hub else ("--in-process",)), *more, path=[self.user])


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"several hosts on one machine: {reason}")
    folder = tmp_path_factory.mktemp("hosts")
    write_user(folder / "user")
    for number in range(FILES):
        file = folder / "raw" / f"P{number % 9}" / f"{1774645200 + 86400 * number}_A.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"." * number)
    hosts: list[Host] = []
    try:
        hosts.append(Host(f"nm{os.getpid()}-1", 1, folder))
        hosts += [Host(f"nm{os.getpid()}-{number}", number, folder, hosts[0]) for number in (2, 3)]
        made = Lab(folder, hosts[0], hosts[1:])
        made.start_scheduler()
        for host in made.hosts:
            made.start_workers(host)
        yield made
    finally:
        for host in reversed(hosts):
            host.remove()


def write_user(folder: Path, more: str = "") -> Path:
    """The user's package, as it lies on each host."""
    package = folder / "napping"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "module.py").write_text(dedent(MODULE) + more)
    return folder


def until(done: Callable[[], object], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
