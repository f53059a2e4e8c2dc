"""How long a fresh worker takes to its first night, with kernels compiled before.

    python benchmarks/worker_ready.py [--rounds 5]

Each round starts a process as a worker is started (own interpreter, worker's environment), which starts its zygote and
has one 8-h night evaluated in a guarded child: wall seconds from the start of the process to the first result, and to
the result of the same night again, which says what of it was the night.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import argparse
import os
import statistics
import subprocess
import tempfile
import time

from cluster.environment import worker_environment
from engine.simulate import nights

WORKER = """
import sys, time
from engine import plan
from engine.guard import ForkGuard, Limits
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.storage import StoreOptions

works = list(plan.everything(take([InputSpec(sys.argv[1])], StoreOptions()), StoreOptions()).works())
guard = ForkGuard(refer("night", {})[0], Limits(60.0, 4000.0))
for _ in range(2):
    (result,) = guard.evaluate(works)
    print(time.time(), result.evaluation is not None, flush=True)
guard.close()
"""


def first_night(folder: str) -> tuple[float, float]:
    """Seconds to the first result, and between the two."""
    environment = {**os.environ, **worker_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    started = time.time()
    told = subprocess.run(
        [sys.executable, "-P", "-c", WORKER, folder], env=environment, check=True, capture_output=True, text=True
    ).stdout
    first, again = (line.split() for line in told.splitlines())
    if (first[1], again[1]) != ("True", "True"):
        raise RuntimeError(told)
    return float(first[0]) - started, float(again[0]) - float(first[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "1600000000_A00001.zip").write_bytes(nights.draw().zip(level=6))
        first_night(folder)  # fills the kernel cache
        found = [first_night(folder) for _ in range(options.rounds)]
    ready, night = (statistics.median(column) for column in zip(*found, strict=True))
    print(f"first night after {ready:.2f} s (median of {len(found)}), the same again {night:.2f} s")


if __name__ == "__main__":
    main()
