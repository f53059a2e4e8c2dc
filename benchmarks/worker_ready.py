"""How long a fresh worker takes to its first night, with kernels compiled before.

    python benchmarks/worker_ready.py [--rounds 5]

Each round starts a process as a worker is started (own interpreter, worker's environment, a pickled task), which starts
its zygote and has one 8-h night evaluated in a guarded child: wall seconds from the start of the process to the first
result, and from there to the same night again, which says what of it was the night.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import argparse
import os
import pickle
import statistics
import subprocess
import tempfile
import time

from cluster.environment import worker_environment
from engine import plan
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.simulate import nights
from engine.storage import StoreOptions

WORKER = """
import pickle, sys, time
from engine.guard import ForkGuard, Limits

mapped, works = pickle.load(open(sys.argv[1], "rb"))
guard = ForkGuard(mapped, Limits(60.0, 4000.0))
for _ in range(2):
    (result,) = guard.evaluate(works)
    print(time.time(), result.evaluation is not None, flush=True)
guard.close()
"""


def first_night(task: Path) -> tuple[float, float, float]:
    """Seconds to the first result, between the two, and CPU seconds of all processes."""
    environment = {**os.environ, **worker_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    started, before = time.time(), os.times()
    told = subprocess.run(
        [sys.executable, "-P", "-c", WORKER, str(task)], env=environment, check=True, capture_output=True, text=True
    ).stdout
    after = os.times()
    first, again = (line.split() for line in told.splitlines())
    if (first[1], again[1]) != ("True", "True"):
        raise RuntimeError(told)
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return float(first[0]) - started, float(again[0]) - float(first[0]), cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw, task = Path(folder) / "raw", Path(folder) / "task"
        raw.mkdir()
        (raw / "1600000000_A00001.zip").write_bytes(nights.draw().zip(level=6))
        works = list(plan.everything(take([InputSpec(str(raw))], StoreOptions()), StoreOptions()).works())
        task.write_bytes(pickle.dumps((refer("night", {})[0], works)))
        first_night(task)  # fills the kernel cache
        found = [first_night(task) for _ in range(options.rounds)]
    ready, night, cpu = (statistics.median(column) for column in zip(*found, strict=True))
    print(
        f"first night after {ready:.2f} s, the same again {night:.2f} s, {cpu:.2f} CPU s in all ({len(found)} rounds)"
    )


if __name__ == "__main__":
    main()
