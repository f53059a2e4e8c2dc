"""`python -m tests.jobs.killed_baselines OUTPUT COMMITS`: a step over nights whose driver is killed at a commit."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from configs.read import load
from engine.commit import Committer
from engine.events import ignore
from engine.longitudinal import plan
from engine.storage import Store
from jobs import baselines


def main(output: str, commits: int) -> None:
    done, commit = 0, Committer.commit

    def counted(*args: Any, **kwargs: Any) -> int:
        nonlocal done
        if done == commits:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return commit(*args, **kwargs)

    Committer.commit = counted  # type: ignore[method-assign]
    plan.PERSONS_A_WORK = 3
    told = {"output": output, "cluster": "in-process", "commit": {"seconds": 1e-6}}
    baselines.hold(Store(output), load(None, told), ignore)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
