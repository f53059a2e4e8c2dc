"""Dask preload: Ctrl-C reaches every process of the terminal, but only the driver decides what it means."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(worker: Any) -> None:  # noqa: ARG001
    signal.signal(signal.SIGINT, signal.SIG_IGN)
