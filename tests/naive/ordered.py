"""A window in ascending order, slowly."""

from __future__ import annotations


def exchange(held: list[float], old: float, new: float) -> list[float]:
    kept = list(held)
    if old != float("inf"):
        kept.remove(old)
    return sorted([*kept, new] if new != float("inf") else kept)
