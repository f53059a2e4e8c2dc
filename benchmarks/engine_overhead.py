"""What the engine costs over a plain for loop: 500 small generated files, the same module, in one run.

    python benchmarks/engine_overhead.py [--files 500] [--json FILE]

The loop reads each file, calls the module and writes each table once at the end: no ledger, no isolation, no resume.
The engine does all of that, and its time includes inventory, plan, commits and compaction.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
from engine.executors import DaskExecutor, Executor, InProcess

from engine import commit, ledger, plan
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.module import RawFile, Source
from engine.run import run
from engine.simulate import nights
from engine.storage import StoreOptions, open_store

REFERENCE = "engine.night.night:Night"
ZONE = "Europe/Zurich"
DISTINCT, HOURS = 10, 0.75


def generate(root: Path, files: int) -> None:
    """`files` zips of 45 min, one a subject; each of the distinct recordings serves many subjects."""
    source = root.parent / "distinct"
    truths = nights.write(source, users=min(files, DISTINCT), nights=1, hours=HOURS, level=6)
    originals = [source / name for night in truths.nights for name in night.files]
    for number in range(files):
        original = originals[number % len(originals)]
        target = root / f"S{number:04d}" / original.name
        target.parent.mkdir(parents=True)
        shutil.copy(original, target)


def plain_loop(root: Path, target: Path) -> int:
    """What one would write without nightmill. Returns the number of epochs."""
    module, _ = refer(REFERENCE, {})
    loaded = module.load()
    tables: dict[str, list[pa.Table]] = {}
    for path in sorted(root.rglob("*.zip")):
        subject, name = path.parent.name, path.relative_to(root).as_posix()
        source = Source(name, (name,), subject, ZONE)
        outcome = loaded([RawFile(name, path.read_bytes())], source)
        for table, rows in outcome.tables.items():
            tables.setdefault(table, []).append(rows)
    target.mkdir(parents=True)
    for table, parts in tables.items():
        pq.write_table(pa.concat_tables(parts), target / f"{table}.parquet", compression="zstd")
    return sum(part.num_rows for part in tables["epochs"])


def engine(root: Path, target: Path, executor: Executor) -> int:
    """The same by the engine, from the inventory to the last commit. Returns the number of epochs."""
    mapped, identity = refer(REFERENCE, {})
    output = open_store(target)
    after = commit.recover(output)
    inventory = take([InputSpec(str(root), zone=ZONE)], StoreOptions())
    todo = plan.make(inventory, ledger.entries(output), identity, ledger.runs(output))
    summary = run(identity, mapped, todo, output, executor, after=after, inventory=inventory.to_parquet())
    return summary.rows["epochs"]


def dask(root: Path, target: Path) -> int:
    """The engine on one Dask worker, guarded; starting the worker is not counted."""
    from cluster.workstation import Workstation

    with Workstation(workers=1).lend() as client:
        client.run(_warm)
        start = time.perf_counter()
        epochs = engine(root, target, DaskExecutor(client))
        dask.seconds = time.perf_counter() - start  # type: ignore[attr-defined]
    return epochs


def _warm() -> None:
    refer(REFERENCE, {})[0].load()


def timed(label: str, call: Callable[[], int]) -> dict[str, float | int | str]:
    start = time.perf_counter()
    epochs = call()
    return {"what": label, "seconds": time.perf_counter() - start, "epochs": epochs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root, out = Path(place) / "raw", Path(place) / "out"
        generate(root, options.files)
        plain_loop(Path(place) / "distinct", out / "warm-up")
        rows = [
            timed("plain for loop", lambda: plain_loop(root, out / "loop")),
            timed("engine, in process", lambda: engine(root, out / "inline", InProcess())),
            timed("engine, in process, guarded", lambda: engine(root, out / "guarded", InProcess(guarded=True))),
            timed("engine, one Dask worker, guarded", lambda: dask(root, out / "dask")),
            timed("plain for loop, again", lambda: plain_loop(root, out / "loop-again")),
        ]
    rows[3]["seconds"] = dask.seconds  # type: ignore[attr-defined]
    loop = min(float(rows[0]["seconds"]), float(rows[-1]["seconds"]))
    for row in rows:
        row["ratio"] = float(row["seconds"]) / loop
        row["ms_per_file"] = 1000 * float(row["seconds"]) / options.files
        print(f"{row['what']:34} {row['seconds']:8.2f} s {row['ms_per_file']:7.1f} ms a file   × {row['ratio']:.3f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
