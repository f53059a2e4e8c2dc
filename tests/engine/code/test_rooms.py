from __future__ import annotations

import pytest

from engine.code.rooms import check_rooms
from engine.errors import StaleWorker


def test_rooms_are_ours_or_refused() -> None:
    check_rooms()
    with pytest.raises(StaleWorker, match=r"'json' is .*json"):
        check_rooms(["engine", "json"])
    with pytest.raises(StaleWorker, match="missing"):
        check_rooms(["no_such_room"])
