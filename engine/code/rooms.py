"""Are the packages that this process would import ours? Others own similar names and overwrite silently."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from engine.errors import StaleWorker

ROOMS = ("kernels", "engine", "cluster", "configs", "jobs")


def check_rooms(rooms: Sequence[str] = ROOMS) -> None:
    """Raises `StaleWorker` naming the first room that lies elsewhere than this one. Imports nothing."""
    ours = Path(__file__).resolve().parents[2]
    for room in rooms:
        spec = find_spec(room)
        origin = None if spec is None else spec.origin
        if origin is None or Path(origin).resolve().parent.parent != ours:
            raise StaleWorker(f"package {room!r} is {origin or 'missing'}, not the one beside {ours / 'engine'}")
