"""`nightmill doctor`: is this machine, and this installation, fit to run?"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import psutil

from cluster import certificates
from jobs import exits
from jobs.kernel_cache import prepare
from jobs.options import as_json

ROOMS = ("kernels", "engine", "cluster", "configs", "jobs")
LIBRARIES = ("dask", "distributed", "numba", "numpy", "pyarrow", "polars", "deltalake", "duckdb", "isal", "obstore")
LEAST_MB_A_WORKER = 1500


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that doctor looked at: `good` is None where it only tells."""

    what: str
    good: bool | None
    found: str
    advice: str = ""


def look() -> Iterator[Check]:
    """All checks, cheapest first."""
    yield Check(
        "python", sys.version_info >= (3, 11), platform.python_version(), "nightmill needs Python 3.11 or newer"
    )
    yield from _rooms()
    yield Check("libraries", None, ", ".join(f"{name} {_version(name)}" for name in LIBRARIES))
    yield _machine()
    yield _writable("compiled kernels", prepare())
    yield _writable("temporary files", Path(tempfile.gettempdir()))
    if certificates.VARIABLE in os.environ:
        yield _certificates()
    threads = {name: os.environ.get(name, "unset") for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    yield Check(
        "thread variables", None, ", ".join(f"{k}={v}" for k, v in threads.items()) + " (pinned to 1 in workers)"
    )


def _rooms() -> Iterator[Check]:
    """Other distributions own similar names and can overwrite a room silently."""
    ours = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        origin = import_module(room).__file__
        good = origin is not None and Path(origin).resolve().parent.parent == ours
        advice = "another distribution has overwritten this package: reinstall nightmill in an environment of its own"
        yield Check(f"package {room}", good, str(origin), advice)


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free_mb = psutil.virtual_memory().available / 1e6
    found = f"{cores} cores, {free_mb:,.0f} MB free, {platform.machine()}, {platform.system()}"
    advice = f"fewer workers than cores fit: {LEAST_MB_A_WORKER} MB each"
    return Check("machine", free_mb >= cores * LEAST_MB_A_WORKER, found, advice)


def _writable(what: str, folder: Path) -> Check:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check(what, True, f"{folder} is writable")
    except OSError as error:
        return Check(what, False, f"{folder}: {error.strerror}", "set NUMBA_CACHE_DIR or TMPDIR to a writable folder")


def _certificates() -> Check:
    folder = os.environ[certificates.VARIABLE]
    try:
        certificates.tls_settings()
    except certificates.NoCertificates as error:
        return Check("certificates", False, str(error), "see `nightmill cluster --help`")
    if folder and certificates.exposed():
        key = Path(folder) / certificates.KEY
        return Check("certificates", False, f"{key}: other users may read it", f"chmod 600 {key}")
    return Check("certificates", True, f"{folder or 'none'} is usable")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


@click.command(epilog="Example: nightmill doctor --json")
@as_json
def command(as_json: bool) -> int:
    """Check this machine and this installation; exit code 2 where something must be mended."""
    checks = list(look())
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks]))
    else:
        for check in checks:
            mark = {True: "ok  ", False: "BAD ", None: "    "}[check.good]
            click.echo(f"{mark}{check.what:<18} {check.found}")
            if check.good is False:
                click.echo(f"{'':<22} → {check.advice}")
    return exits.USER if any(check.good is False for check in checks) else exits.FINISHED
