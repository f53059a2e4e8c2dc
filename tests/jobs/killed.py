"""A driver that is killed at a commit."""

from __future__ import annotations

import os
import signal
from typing import Any

from engine.commit import Committer


def kill_after(commits: int) -> None:
    """This process kills itself where it would make the commit after so many."""
    done, commit = 0, Committer.commit

    def counted(*args: Any, **kwargs: Any) -> int:
        nonlocal done
        if done == commits:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return commit(*args, **kwargs)

    Committer.commit = counted  # type: ignore[method-assign]
