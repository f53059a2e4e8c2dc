"""What the engine costs over a plain for loop: 500 generated files, the same module, in one run.

    python benchmarks/engine_overhead.py [--files 500] [--hours 1.5] [--repeats 3] [--json FILE]

All take turns; the ratio is the median over the repeats of a case's CPU seconds over those of the loop beside it, and
the loop against itself says how far the ratios can be trusted.
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
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from cluster.workstation import Workstation
from engine import commit, ledger, plan
from engine.executors import DaskExecutor, Executor, InProcess
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.module import RawFile, Source
from engine.run import run
from engine.simulate import nights
from engine.storage import Store, StoreOptions

REFERENCE = "engine.night.night:Night"
ZONE = "Europe/Zurich"
DISTINCT = 10
Timed = tuple[float, float, int]
"""CPU seconds, wall seconds, and the number of epochs that came out: equal for all, or the comparison is void."""


def generate(root: Path, files: int, hours: float) -> None:
    """`files` zips of so many hours, one a subject; each of the distinct recordings serves many subjects."""
    source = root.parent / "distinct"
    truths = nights.write(source, users=min(files, DISTINCT), nights=1, hours=hours, level=6)
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
    output = Store(target)
    after = commit.recover(output)
    inventory = take([InputSpec(str(root), zone=ZONE)], StoreOptions())
    todo = plan.make(inventory, ledger.entries(output), identity, ledger.runs(output))
    summary = run(identity, mapped, todo, output, executor, after=after, inventory=inventory.to_parquet())
    return summary.rows["epochs"]


def in_process(root: Path, target: Path) -> Timed:
    return timed(lambda: engine(root, target, InProcess()))


def guarded(root: Path, target: Path) -> Timed:
    return timed(lambda: engine(root, target, InProcess(guarded=True)))


def on_dask(root: Path, target: Path) -> Timed:
    """One guarded worker; starting it and importing the module there is not counted."""
    with Workstation(workers=1).lend() as client:
        client.run(warm)
        return timed(lambda: engine(root, target, DaskExecutor(client)))


def loop(root: Path, target: Path) -> Timed:
    return timed(lambda: plain_loop(root, target))


def warm() -> None:
    refer(REFERENCE, {})[0].load()


def timed(call: Callable[[], int]) -> Timed:
    start, spent = time.perf_counter(), cpu_s()
    epochs = call()
    return cpu_s() - spent, time.perf_counter() - start, epochs


def cpu_s() -> float:
    """CPU seconds of this process and all it ever started: what a machine that others use too does not distort."""
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (me, *me.children(recursive=True)))


CASES: tuple[tuple[str, Callable[[Path, Path], Timed]], ...] = (
    ("plain for loop", loop),
    ("engine, in process", in_process),
    ("engine, in process, guarded", guarded),
    ("engine, one Dask worker, guarded", on_dask),
    ("plain for loop, again", loop),
)


def measured(root: Path, out: Path) -> list[Timed]:
    """One round of all cases; what it wrote is removed."""
    found = [call(root, out / str(number)) for number, (_, call) in enumerate(CASES)]
    shutil.rmtree(out)
    return found


def summary(case: int, rounds: Sequence[Sequence[Timed]]) -> dict[str, Any]:
    """Medians over the rounds. The loop of a round is the mean of its first and last case, between which all others
    ran; the last case is held against the first."""
    loops = [one[0][0] if case == len(CASES) - 1 else (one[0][0] + one[-1][0]) / 2 for one in rounds]
    ratios = [one[case][0] / loop_s for one, loop_s in zip(rounds, loops, strict=True)]
    return {
        "what": CASES[case][0],
        "cpu_s": statistics.median(one[case][0] for one in rounds),
        "wall_s": statistics.median(one[case][1] for one in rounds),
        "epochs": rounds[0][case][2],
        "ratio": statistics.median(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--hours", type=float, default=1.5, help="length of a recording")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root, out = Path(place) / "raw", Path(place) / "out"
        generate(root, options.files, options.hours)
        plain_loop(Path(place) / "distinct", out / "warm-up")
        rounds = [measured(root, out / str(number)) for number in range(options.repeats)]
    rows = [summary(number, rounds) for number in range(len(CASES))]
    print(f"{'':34}{'CPU s':>8}{'wall s':>8}{'ms a file':>11}{'epochs':>9}   CPU over the loop's")
    for row in rows:
        ms, ratio = 1000 * row["cpu_s"] / options.files, row["ratio"]
        print(f"{row['what']:34}{row['cpu_s']:8.2f}{row['wall_s']:8.2f}{ms:11.1f}{row['epochs']:9}   × {ratio:.3f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
