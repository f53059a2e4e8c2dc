"""`python -m tests.jobs.killed_baselines OUTPUT COMMITS`: a step over nights whose driver is killed at a commit."""

from __future__ import annotations

import sys

from configs.read import load
from engine.events import ignore
from engine.longitudinal import plan
from engine.storage import Store
from jobs import baselines
from tests.jobs.killed import kill_after


def main(output: str, commits: int) -> None:
    kill_after(commits)
    plan.PERSONS_A_WORK = 3
    told = {"output": output, "cluster": "in-process", "commit": {"seconds": 1e-6}}
    baselines.hold(Store(output), load(None, told), ignore)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
