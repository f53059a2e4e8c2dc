"""Draws a run as it goes: a live bar on a terminal, plain lines elsewhere. It only listens; the engine never prints."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from engine.events import (
    BatchFinished,
    BatchRetried,
    Committed,
    Compacted,
    Event,
    IntentReplayed,
    PlanMade,
    WorkersReady,
)
from jobs.show import count, size, span

QUIET_S = 5.0
"""Least seconds between two plain lines."""

TELLING_SHARE = 0.03
"""Share of the bytes from which the remaining time is told: the first batches may be a few empty files."""


class RunProgress:
    """A listener of the engine's events; a context manager, so that the bar leaves the terminal clean."""

    def __init__(self, console: Console, noun: str = "file") -> None:
        self.console = console
        self.noun = noun
        self.files = self.bytes = self.done_files = self.done_bytes = 0
        self.causes: Counter[str] = Counter()
        self.started = time.monotonic()
        self.spoken = self.started
        self.bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=28),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None

    def __enter__(self) -> RunProgress:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case PlanMade():
                self._begin(event)
            case BatchFinished():
                self._advance(event)
            case WorkersReady():
                self.console.print(f"{count(event.workers, 'worker')} ready in {span(event.seconds)}")
                self.started = time.monotonic()
            case IntentReplayed():
                self.console.print(f"completed commit {event.number} that run {event.run_id} had begun")
            case BatchRetried():
                works = count(event.works, "unit of work", "units of work")
                self.console.print(f"{works} run again (attempt {event.attempt}): {event.why}", style="yellow")
            case Committed() | Compacted() | _:
                pass

    def _begin(self, event: PlanMade) -> None:
        self.files, self.bytes = event.files, event.bytes
        self.done_files = self.done_bytes = 0
        self.started = time.monotonic()
        if event.files and self.task is None:
            self.task = self.bar.add_task(self.line())
        if self.task is not None:
            self.bar.update(self.task, total=max(event.bytes or event.files, 1), completed=0, description=self.line())

    def _advance(self, event: BatchFinished) -> None:
        self.done_files += event.files
        self.done_bytes += event.bytes
        self.causes.update(event.causes)
        now = time.monotonic()
        if self.task is not None:
            self.bar.update(self.task, completed=self.done, description=self.line())
        if not self.console.is_terminal and (now - self.spoken >= QUIET_S or self.done_files >= self.files):
            self.spoken = now
            self.console.print(self.line())

    def line(self) -> str:
        """Files, rate, failures by class, remaining time."""
        elapsed = time.monotonic() - self.started
        words = [f"{self.done_files:,}/{count(self.files, self.noun)}"]
        if self.done_files and elapsed > 0:
            words.append(f"{self.done_files / elapsed:.1f} {self.noun}s/s")
        if self.done_bytes and elapsed > 0:
            words.append(f"{size(self.done_bytes / elapsed)}/s")
        if self.causes:
            worst = ", ".join(f"{cause} {number}" for cause, number in sorted(self.causes.items()))
            words.append(f"failures: {worst}")
        left = self.remaining_s(elapsed)
        if left is not None:
            words.append(f"about {span(left)} left")
        return " · ".join(words)

    def remaining_s(self, elapsed_s: float) -> float | None:
        """By bytes, since files differ by orders of magnitude; None until they say something, and after the last."""
        whole = self.bytes or self.files
        if self.done <= TELLING_SHARE * whole or self.done_files >= self.files:
            return None
        return elapsed_s * max(whole - self.done, 0) / self.done

    @property
    def done(self) -> int:
        """Bytes, or units of work where there are none."""
        return self.done_bytes if self.bytes else self.done_files
