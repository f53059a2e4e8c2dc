"""What one bad file costs the others, and what the guard costs all of them.

    python benchmarks/guard.py [--files 400] [--workers 2] [--batch 20] [--json FILE]

A module that burns 30 ms of CPU a file runs over tiny files, one a night: all harmless, then with one of them in the
middle that ends its process, crashes it, never ends (asleep, in compiled code), or eats memory. Told are the statuses,
what the one was found guilty of, and the wall time over that of the harmless run just before, with and without the
time limit that a loop must be given. The guard's overhead is what ForkGuard adds to InlineGuard, the best of five
alternating rounds, in wall time and in CPU time, which other processes on the machine distort less.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import argparse
import json
import os
import tempfile
import time
from textwrap import dedent

import psutil

from cluster.workstation import Workstation
from engine import commit, ledger, plan
from engine.executors import DaskExecutor
from engine.guard import ForkGuard, Guard, InlineGuard, Limits
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings
from engine.storage import Store, StoreOptions

LIMITS = Limits(seconds=3.0, memory_mb=600.0)
BAD = {"exit": "exit", "SIGSEGV": "crash", "hang": "hang", "compiled loop": "loop", "memory eater": "eat"}
TIMED = ("hang", "compiled loop")
CLOCKS = ("wall", "cpu")
REFERENCE = "burning:Burning"
MODULE = """
    import ctypes, os, time
    from dataclasses import dataclass
    import numba
    import pyarrow as pa
    from engine.module import Outcome, Table, column

    SIZES = Table(
        pa.schema([column("source_id", pa.string(), "1", "Source"), column("size", pa.int64(), "By", "bytes")]),
        key=("source_id",), sort=("source_id",),
    )

    @numba.njit("int64(int64)", cache=True)
    def spin(start):
        total = start
        while total != -1:
            total = (total + 3) % 1000003
        return total

    def misbehave(word):
        if word == b"exit":
            os._exit(3)
        if word == b"crash":
            ctypes.string_at(0)
        if word == b"loop":
            spin(1)
        while word == b"hang":
            time.sleep(1)
        eaten = []
        while word == b"eat":
            eaten.append(b"x" * 10_000_000)

    @dataclass(frozen=True)
    class Burning:
        name: str = "burning"
        cpu_s: float = 0.03

        @property
        def outputs(self):
            return {"sizes": SIZES}

        def __call__(self, files, source):
            until = time.process_time() + self.cpu_s
            while time.process_time() < until:
                pass
            misbehave(files[0].data)
            row = {"source_id": source.source_id, "size": sum(len(file.data) for file in files)}
            return Outcome({"sizes": pa.Table.from_pylist([row], SIZES.schema)})
"""


def generate(folder: Path, files: int) -> Path:
    """`files` harmless zips of a few bytes; returns the one in the middle."""
    (folder / "user").mkdir()
    (folder / "user" / "burning.py").write_text(dedent(MODULE))
    for number in range(files):
        target = folder / "raw" / f"S{number % 20:02d}" / f"{1_600_000_000 + 86_400 * (number // 20)}_A.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"%05d" % number)
    return folder / "raw" / "S10" / f"{1_600_000_000 + 86_400 * (files // 40)}_A.zip"


def processed(folder: Path, name: str, executor: DaskExecutor, batch: int) -> dict[str, object]:
    """One run into an output of its own: wall seconds, statuses, and what the ledger says of all that is not ok."""
    mapped, identity = refer(REFERENCE, {})
    output = Store(folder / "out" / name)
    after = commit.recover(output)
    inventory = take([InputSpec(str(folder / "raw"))], StoreOptions())
    made = plan.make(inventory, ledger.scan(output), identity, ledger.runs(output))
    settings = RunSettings(LIMITS, CommitSettings(every_s=10), batch_works=batch)
    started = time.monotonic()
    summary = run(identity, mapped, made, output, executor, settings, after=after)
    wall_s = time.monotonic() - started
    entries = ledger.entries(output, mapped.module_id)
    bad = entries.filter(entries["status"] != "ok")
    told = bad.select("file", "status", "cause", "signal", "exit_code", "fingerprint", "peak_memory_mb").to_dicts()
    return {"wall_s": round(wall_s, 2), "statuses": summary.statuses, "not_ok": told}


def poisoned(folder: Path, victim: Path, workers: int, batch: int) -> dict[str, dict[str, object]]:
    """All cases on one cluster, so that starting it is in none of them; each is held against a harmless run before."""
    harmless = victim.read_bytes()
    found = {}
    with Workstation(workers=workers).lend() as client:
        executor = DaskExecutor(client)
        processed(folder, "warm-up", executor, batch)
        for name, word in BAD.items():
            victim.write_bytes(harmless)
            clean = processed(folder, f"before-{word}", executor, batch)
            victim.write_text(word)
            case = processed(folder, word, executor, batch)
            clean_s, wall_s = float(clean["wall_s"]), float(case["wall_s"])  # type: ignore[arg-type]
            case |= {"clean_wall_s": clean_s, "clean_statuses": clean["statuses"], "ratio": round(wall_s / clean_s, 3)}
            case["ratio_without_limit"] = round((wall_s - LIMITS.seconds * (name in TIMED)) / clean_s, 3)
            found[name] = case
            print(f"{name:14}{json.dumps(case)}", flush=True)
    return found


def overhead(folder: Path, rounds: int = 5) -> dict[str, float]:
    """ms a file of a module that does nothing: what the guard adds to them is the same whatever a module does."""
    mapped, _ = refer(REFERENCE, {"cpu_s": 0.0})
    inventory = take([InputSpec(str(folder / "raw"))], StoreOptions())
    works = list(plan.everything(inventory, StoreOptions()).works())[:200]
    guards: dict[str, Guard] = {"inline": InlineGuard(mapped), "fork": ForkGuard(mapped, LIMITS)}
    best: dict[str, float] = {}
    for guard in guards.values():
        list(guard.evaluate(works[:20]))
    for _ in range(rounds):
        for name, guard in guards.items():
            began = {"wall": time.monotonic(), "cpu": cpu_s()}
            for first in range(0, len(works), 20):
                list(guard.evaluate(works[first : first + 20]))
            for clock, now in {"wall": time.monotonic(), "cpu": cpu_s()}.items():
                spent_ms = 1000 * (now - began[clock]) / len(works)
                best[f"{name}_{clock}_ms"] = min(best.get(f"{name}_{clock}_ms", spent_ms), spent_ms)
    for guard in guards.values():
        guard.close()
    added_ms = {clock: best[f"fork_{clock}_ms"] - best[f"inline_{clock}_ms"] for clock in CLOCKS}
    added = {f"{clock}_share_of_30_ms": added_ms[clock] / 30 for clock in CLOCKS}
    return {name: round(value, 4) for name, value in (best | added).items()}


def cpu_s() -> float:
    """CPU seconds of this process and those that it started, also the ended ones."""
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (me, *me.children(recursive=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightmill-guard-") as name:
        folder = Path(name)
        victim = generate(folder, told.files)
        sys.path.insert(0, str(folder / "user"))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        result = {"overhead": overhead(folder)}
        print(f"{'overhead':14}{json.dumps(result['overhead'])}", flush=True)
        result |= poisoned(folder, victim, told.workers, told.batch)  # type: ignore[arg-type]
    if told.json:
        told.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
