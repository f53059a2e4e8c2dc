"""`python -m tests.jobs.killed_backtest SOURCE OUTPUT COMMITS`: a backtest whose driver is killed at a commit."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.jobs.backtests import backtest
from tests.jobs.killed import kill_after


def main(source: str, output: str, commits: int) -> None:
    kill_after(commits)
    backtest(Path(source), Path(output), commit={"seconds": 1e-6}, batch=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
