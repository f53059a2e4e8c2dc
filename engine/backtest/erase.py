"""Erasure of one subject from a backtest: rows, frozen series, and what was made of several people together.

Units of serving have many people, and sums of their errors cannot be taken apart: all rows of a unit with the subject
go, and `scores` goes whole. The next `nightmill backtest` serves and scores the others again; their fits stay.
"""

from __future__ import annotations

from dataclasses import replace

from engine import erase as erasure
from engine.backtest.series.store import forget, held
from engine.erase import Erased, Kind
from engine.storage import Store

BACKTEST = Kind("series", ("scores",), "where the series came from: the next backtest brings back whom it still holds")


def find(store: Store, subject: str, frozen: str) -> dict[str, int]:
    """Rows that `erase` would take out of each table, and frozen series below `frozen`; empty where there are none."""
    return _with_frozen(erasure.find(store, subject, BACKTEST), frozen, held(store, frozen, subject))


def erase(store: Store, subject: str, frozen: str) -> Erased:
    """Take one subject out of everything. The same call completes one that was killed. Raises `OutputBusy`."""
    count = held(store, frozen, subject)
    told = erasure.erase(store, subject, BACKTEST)
    forget(store, frozen, subject)
    return replace(told, rows=_with_frozen(told.rows, frozen, count))


def _with_frozen(rows: dict[str, int], frozen: str, count: int) -> dict[str, int]:
    return rows | ({frozen: count} if count else {})
