"""The live bar says files, rate, failures by class and the remaining time; without a terminal, in plain lines."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from engine.events import BatchFinished, BatchRetried, IntentReplayed, PlanMade, WorkersReady
from jobs import progress
from jobs.progress import RunProgress


def heard(*events: object, terminal: bool = False) -> str:
    stream = io.StringIO()
    with RunProgress(Console(file=stream, width=160, force_terminal=terminal, color_system=None)) as listener:
        for event in events:
            listener(event)  # type: ignore[arg-type]
    return stream.getvalue()


def batch(files: int, **causes: int) -> BatchFinished:
    return BatchFinished(files, files * 1_000_000, 1.0, {"ok": files}, causes)


def test_plain_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    said = heard(PlanMade(10, 10, 10_000_000, 0), WorkersReady(2, 1.3), batch(4, timeout=1), batch(6, module=2))
    lines = said.splitlines()
    assert lines[0] == "2 workers ready in 1.3 s"
    assert lines[1].startswith("4/10 files · ") and "files/s" in lines[1] and "left" in lines[1]
    assert "failures: timeout 1" in lines[1]
    assert lines[2].startswith("10/10 files · ") and "failures: module 2, timeout 1" in lines[2]
    assert "left" not in lines[2] and "\x1b" not in said


def test_plain_lines_are_few() -> None:
    said = heard(PlanMade(100, 100, 100_000_000, 0), *(batch(1) for _ in range(100)))
    assert len(said.splitlines()) == 1


def test_a_terminal_gets_a_bar() -> None:
    said = heard(PlanMade(10, 10, 10_000_000, 0), batch(10), terminal=True)
    assert "10/10 files" in said


def test_remaining_time_goes_by_bytes() -> None:
    listener = RunProgress(Console(file=io.StringIO()))
    listener(PlanMade(2, 2, 10_000_000, 0))
    assert listener.remaining_s(1.0) is None
    listener(BatchFinished(0, 100, 1.0, {}, {}))
    assert listener.remaining_s(1.0) is None
    listener(BatchFinished(1, 2_500_000, 1.0, {"ok": 1}, {}))
    assert listener.remaining_s(10.0) == pytest.approx(30.0, rel=1e-3)


def test_trouble_is_told() -> None:
    said = heard(IntentReplayed(7, "run-a"), BatchRetried(3, 2, "worker lost"))
    assert "completed commit 7 that run run-a had begun" in said
    assert "3 units of work run again (attempt 2): worker lost" in said


def test_files_without_a_byte_are_no_reason_to_stop() -> None:
    said = heard(PlanMade(1, 2, 0, 0), BatchFinished(1, 0, 0.1, {"rejected": 1}, {}), terminal=True)
    assert "1/2 files" in said
