"""The libraries that a result depends on, and whether two processes have the same."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from engine.errors import StaleWorker

LIBRARIES = ("nightmill", "numpy", "numba", "pyarrow", "polars", "dask", "distributed", "deltalake", "isal")


def versions() -> dict[str, str]:
    """Of Python and of the installed `LIBRARIES`."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check_versions(drivers: Mapping[str, str]) -> None:
    """Raises `StaleWorker` naming what this process has in another version than the driver."""
    mine = versions()
    odd = sorted(name for name in drivers.keys() | mine.keys() if drivers.get(name) != mine.get(name))
    if odd:
        told = ", ".join(f"{name} {mine.get(name, 'missing')}, not {drivers.get(name, 'missing')}" for name in odd)
        raise StaleWorker(
            f"{socket.gethostname()} (process {os.getpid()}) has {told} as the driver: "
            "install the same lock on all machines and restart the workers"
        )
