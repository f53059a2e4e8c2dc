"""What S3 costs: the same recordings read from and written to a local disk and an S3 server on loopback, and equal.

    python benchmarks/s3_cost.py RECORDINGS [--workers 2] [--repeat 3] [--json FILE]

RECORDINGS is a folder of E4 zips, which is copied to the server first. Each run is the whole pipeline on its own
workers; start and warming of the workers are not in the time. Order alternates, the best of each kind counts.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import polars as pl
import pytest

from cluster.workstation import Workstation
from engine import commit, ledger, plan
from engine.executors import DaskExecutor, Executor
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.run import run
from engine.schemas import RUN_TIME_COLUMNS
from engine.storage import Store, StoreOptions
from engine.tables import delta
from engine.tables.digest import Digest, digest
from tests.engine.s3_server import KEYS, serve

REFERENCE, ZONE = "engine.night.night:Night", "America/Chicago"


def upload(source: Store, target: Store) -> int:
    """Copies every zip; how many."""
    names = [entry.path for entry in source.list() if entry.path.endswith(".zip")]
    for name in names:
        target.write(name, source.read(name))
    return len(names)


def reprocess(executor: Executor, raw: Store, output: Store) -> float:
    """Wall seconds from the listing to the last commit."""
    mapped, identity = refer(REFERENCE, {})
    started = time.monotonic()
    inventory = take([InputSpec(raw.uri, zone=ZONE, include=("**/*.zip",))], raw.options)
    after = commit.recover(output)
    made = plan.make(inventory, ledger.scan(output), identity, ledger.runs(output), (), raw.options)
    summary = run(identity, mapped, made, output, executor, after=after)
    assert summary.state == "finished"
    return time.monotonic() - started


def shared(output: Store) -> dict[str, Digest]:
    """What outputs on two kinds of storage have in common (DESIGN, section 1): all but when, how and where."""
    found = {}
    for name in (*refer(REFERENCE, {})[0].load().outputs, "files"):
        handle = delta.open_table(output, name)
        assert handle is not None
        rows = pl.scan_delta(handle, storage_options=output.delta_options()).collect()
        found[name] = digest(rows.drop(*RUN_TIME_COLUMNS, "content_key", "input_identity", "uri", strict=False))
    return found


def compare(
    recordings: Path, folder: Path, options: StoreOptions, executor: Executor, repeat: int = 1
) -> dict[str, object]:
    """The same recordings from and to both kinds of storage; the first turn only warms up."""
    near, far = Store(recordings), Store(f"s3://test/{secrets.token_hex(4)}", options)
    files = upload(near, far)
    seconds: dict[str, list[float]] = {"disk": [], "s3": []}
    digests: list[dict[str, Digest]] = []
    for turn in range(repeat + 1):
        for kind, raw, output in (
            ("disk", near, Store(folder / f"out-{turn}")),
            ("s3", far, Store(f"{far.uri}-out-{turn}", options)),
        ):
            took = reprocess(executor, raw, output)
            digests.append(shared(output))
            if turn:
                seconds[kind].append(round(took, 2))
    best = {kind: min(times) for kind, times in seconds.items()}
    return {
        "files": files,
        "seconds": seconds,
        "ratio": round(best["s3"] / best["disk"], 3),
        "equal": all(one == digests[0] for one in digests),
        "rows": {name: one.rows for name, one in digests[0].items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightmill-s3-") as name, pytest.MonkeyPatch.context() as patch:
        for key, value in KEYS.items():
            patch.setenv(key, value)
        (Path(name) / "server").mkdir()
        with serve(Path(name) / "server") as endpoint:
            options = StoreOptions(endpoint=endpoint)
            with Workstation(told.workers).lend() as client:
                result = compare(told.recordings, Path(name), options, DaskExecutor(client), told.repeat)
    print(json.dumps(result, indent=1))
    if told.json:
        told.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
