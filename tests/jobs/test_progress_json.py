"""Progress for programs: one JSON object a line, as it happens."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import get_args

import pytest

from engine import events
from engine.events import BatchFinished, Event
from jobs.progress_json import JsonProgress
from tests.jobs.conftest import Mill


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_becomes_a_line(kind: type[Event]) -> None:
    values: dict[str, object] = {"int": 1, "float": 0.5, "str": "x"}
    told = kind(*(values.get(str(field.type), {"ok": 1}) for field in fields(kind)))  # type: ignore[arg-type]
    sink = io.StringIO()
    with JsonProgress(sink) as listener:
        listener(told)
    line = json.loads(sink.getvalue())
    assert line.pop("event") == kind.__name__ in vars(events)
    assert line.pop("at").endswith("+00:00")
    assert list(line) == [field.name for field in fields(kind)]


def test_lines_come_one_by_one() -> None:
    sink = io.StringIO()
    for _ in range(2):
        JsonProgress(sink)(BatchFinished(1, 10, 0.1, {"ok": 1}, {}))
    assert [json.loads(line)["statuses"] for line in sink.getvalue().splitlines()] == [{"ok": 1}] * 2


def test_a_run_tells_its_progress(mill: Mill) -> None:
    told = ("-o", "out", "-m", mill.module, "--include", "*.txt", "--in-process", "--progress", "json", "--json")
    ended = mill("reprocess", "raw", *told)
    assert ended.returncode == 0
    lines = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines][:2] == ["InventoryTaken", "PlanMade"]
    assert lines[-1]["event"] == "RunFinished" and lines[-1]["statuses"] == {"ok": 6}
    assert json.loads(ended.stdout)["state"] == "finished"
