"""What every test of the engine may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.guard import ForkGuard
from tests.engine.toy import SHORT, ToyMapped


@pytest.fixture(scope="module")
def forked() -> Iterator[ForkGuard]:
    """A guard with short limits over the toy module."""
    guard = ForkGuard(ToyMapped(), SHORT)
    yield guard
    guard.close()
