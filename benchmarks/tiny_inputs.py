"""100,000 tiny inputs through the whole pipeline: how fast, and does any process grow?

    python benchmarks/tiny_inputs.py [--files 100000] [--workers 2] [--json FILE]

Scheduler, workers and driver are processes of their own, as on several hosts. Each tiny file is a night of its own,
given to a module that does next to nothing, so all that is measured is the engine: inventory, plan, batches, guard,
parts, ledger, commits, compaction. Memory is sampled twice a second; `flat` compares the last tenth of the files
with the second. `peak` includes what comes after the last file: the compaction of the output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from textwrap import dedent

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from cluster.hosts import Hosts
from engine import commit, ledger, plan
from engine.batches import Batch
from engine.executors import DaskExecutor
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings
from engine.running.receipt import Receipt
from engine.storage import Store, StoreOptions

PORT = 18786
SUBJECTS = 1000
GROWTH_MB, GROWTH_SHARE = 20.0, 0.1
"""More than this, and more than this share, between the second tenth of a run and its last is a leak."""
MODULE = """
    from dataclasses import dataclass
    import pyarrow as pa
    from engine.module import Outcome, Table, column

    SIZES = Table(
        pa.schema([column("source_id", pa.string(), "1", "Source"), column("size", pa.int64(), "By", "bytes")]),
        key=("source_id",), sort=("source_id",),
    )

    @dataclass(frozen=True)
    class Tiny:
        name: str = "tiny"

        @property
        def outputs(self):
            return {"sizes": SIZES}

        def __call__(self, files, source):
            row = {"source_id": source.source_id, "size": sum(len(file.data) for file in files)}
            return Outcome({"sizes": pa.Table.from_pylist([row], SIZES.schema)})
"""


def generate(folder: Path, files: int) -> None:
    """`files` zips of ten bytes, one a night, of `SUBJECTS` subjects."""
    (folder / "user").mkdir()
    (folder / "user" / "tinymodule.py").write_text(dedent(MODULE))
    for number in range(files):
        subject = folder / "raw" / f"S{number % SUBJECTS:04d}"
        if number < SUBJECTS:
            subject.mkdir(parents=True)
        (subject / f"{1_600_000_000 + 86_400 * (number // SUBJECTS)}_A.zip").write_bytes(b"%010d" % number)


class Watch:
    """Resident memory of some processes in MB over time, with how many files were done then."""

    def __init__(self, **processes: psutil.Process) -> None:
        self._processes = processes
        self._stopped = threading.Event()
        self.files = 0
        self.samples: list[dict[str, float]] = []

    def __enter__(self) -> Watch:
        self._started = time.monotonic()
        threading.Thread(target=self._sample, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _sample(self) -> None:
        while not self._stopped.wait(0.5):
            memory = {name: one.memory_info().rss / 1e6 for name, one in self._processes.items()}
            self.samples.append({"s": time.monotonic() - self._started, "files": self.files, **memory})


class Counting:
    """An executor that tells a watch how far it is."""

    def __init__(self, executor: DaskExecutor, watch: Watch) -> None:
        self._executor, self._watch = executor, watch
        self.workers = executor.workers

    def run(self, spec, batches):  # type: ignore[no-untyped-def]
        told: tuple[Batch, Receipt]
        for told in self._executor.run(spec, batches):
            self._watch.files += len(told[0].works)
            yield told


def measure(folder: Path, address: str, scheduler: int) -> tuple[dict[str, object], Watch]:
    sys.path.insert(0, str(folder / "user"))
    started = time.monotonic()
    laps: dict[str, float] = {}

    def lap(name: str) -> None:
        laps[name] = round(time.monotonic() - started - sum(laps.values()), 2)

    mapped, identity = refer("tinymodule:Tiny", {})
    output = Store(folder / "out")
    with Hosts(address).lend() as client:
        workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
        lap("start")
        with Watch(
            driver=psutil.Process(), scheduler=psutil.Process(scheduler),
            **{f"worker {number}": one for number, one in enumerate(workers)},
        ) as watch:  # fmt: skip
            inventory = take([InputSpec(str(folder / "raw"))], StoreOptions())
            lap("inventory")
            after = commit.recover(output)
            made = plan.make(inventory, ledger.scan(output), identity, ledger.runs(output))
            lap("plan")
            settings = RunSettings(commits=CommitSettings(every_s=10))
            summary = run(identity, mapped, made, output, Counting(DaskExecutor(client), watch), settings, after=after)
            lap("run")
    return {"state": summary.state, "statuses": summary.statuses, "seconds": laps}, watch


def tenths(samples: list[dict[str, float]], files: int) -> list[dict[str, float]]:
    """The most memory of each process while the first, second, … tenth of the files was done."""
    names = [name for name in samples[0] if name not in ("s", "files")]
    found = []
    for tenth in range(1, 11):
        inside = [one for one in samples if (tenth - 1) * files <= 10 * one["files"] < tenth * files and one["files"]]
        found.append({name: round(max((one[name] for one in inside), default=0.0), 1) for name in names})
    return found


def verdict(by_tenth: list[dict[str, float]]) -> dict[str, bool]:
    """Flat or not, process by process."""
    second, last = by_tenth[1], by_tenth[-1]
    return {n: last[n] - second[n] <= max(GROWTH_MB, GROWTH_SHARE * second[n]) for n in second}


def peaks(samples: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(max(one[name] for one in samples), 1) for name in samples[0] if name not in ("s", "files")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    nightmill = [sys.executable, "-m", "jobs.cli", "cluster"]
    address = f"tcp://127.0.0.1:{PORT}"
    with tempfile.TemporaryDirectory(prefix="nightmill-tiny-") as name:
        folder = Path(name)
        generate(folder, told.files)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder / "user"), *filter(None, sys.path)])}
        quiet = {"env": environment, "stderr": subprocess.DEVNULL}
        scheduler = subprocess.Popen([*nightmill, "scheduler", "--host", "127.0.0.1", "--port", str(PORT)], **quiet)  # type: ignore[call-overload]
        workers = subprocess.Popen([*nightmill, "worker", address, "--workers", str(told.workers)], **quiet)  # type: ignore[call-overload]
        try:
            with Hosts(address, 60).lend() as client:
                client.wait_for_workers(told.workers)
                process = client.run_on_scheduler(os.getpid)
            result, watch = measure(folder, address, process)
        finally:
            for one in (workers, scheduler):
                one.terminate()
                one.wait()
    by_tenth = tenths(watch.samples, told.files)
    result |= {"files_a_s": round(told.files / result["seconds"]["run"], 1), "mb_by_tenth": by_tenth}  # type: ignore[index]
    result |= {"flat": verdict(by_tenth), "peak": peaks(watch.samples), "samples": watch.samples}
    print(json.dumps({key: value for key, value in result.items() if key != "samples"}, indent=1))
    if told.json:
        told.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
