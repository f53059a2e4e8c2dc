"""`python -m tests.jobs.killed_backtest SOURCE OUTPUT COMMITS`: a backtest whose driver is killed at a commit."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from engine.commit import Committer
from tests.jobs.backtests import backtest


def main(source: str, output: str, commits: int) -> None:
    done, commit = 0, Committer.commit

    def counted(*args: Any, **kwargs: Any) -> int:
        nonlocal done
        if done == commits:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return commit(*args, **kwargs)

    Committer.commit = counted  # type: ignore[method-assign]
    backtest(Path(source), Path(output), commit={"seconds": 1e-6}, batch=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
