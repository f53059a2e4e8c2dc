"""When failures stop a run."""

from __future__ import annotations

import pytest

from engine.budget import Budget
from engine.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "bad", "files", "over"),
    [
        ("20%", 19, 19, False),  # too few files to speak of a share
        ("20%", 4, 20, False),
        ("20%", 5, 20, True),
        ("5%", 51, 1000, True),
        ("5 %", 50, 1000, False),
        ("0%", 1, 20, True),
        ("100%", 20, 20, False),
        ("0", 1, 1, True),
        ("3", 3, 4, False),
    ],
)
def test_exceeded(text: str, bad: int, files: int, over: bool) -> None:
    assert Budget.parse(text).exceeded(bad, files) is over


@pytest.mark.parametrize("text", ["", "%", "many", "-1", "5.5%", "101%", "5%%", "1e3"])
def test_anything_else_is_a_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match="max_failures"):
        Budget.parse(text)
