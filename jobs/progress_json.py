"""A run's progress as JSON lines, one an event, for programs that watch it; and the choice between them and the bar."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

import click
from rich.console import Console

from engine.events import Event
from jobs.progress import RunProgress

BAR, JSON = "bar", "json"
progress_option = click.option(
    "--progress",
    type=click.Choice([BAR, JSON]),
    default=BAR,
    show_default=True,
    help="json: a line an event, on stderr.",
)


class JsonProgress:
    """A listener of the engine's events: {"at": …, "event": "BatchFinished", …its fields}, flushed line by line."""

    def __init__(self, sink: TextIO | None = None) -> None:
        self._sink = sink or sys.stderr

    def __enter__(self) -> JsonProgress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is held."""

    def __call__(self, event: Event) -> None:
        told = {"at": datetime.now(UTC).isoformat(), "event": type(event).__name__, **asdict(event)}
        self._sink.write(json.dumps(told) + "\n")
        self._sink.flush()


def shown(how: str, console: Console, noun: str = "file") -> RunProgress | JsonProgress:
    """The listener that `--progress` asks for. `noun`: what is counted."""
    return JsonProgress() if how == JSON else RunProgress(console, noun)
