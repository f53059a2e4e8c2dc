"""Which days are held against which: windows of the newest days, and the weeks before all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from engine.errors import UserError

REFERENCE_DAYS, WEEK = 28, 7
WINDOWS = (1, 7)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} – {self.last}"


@dataclass(frozen=True, slots=True)
class Days:
    """windows: their lengths in days. `newest`: the last tested day."""

    reference: Period
    newest: date
    windows: tuple[int, ...]

    @property
    def whole(self) -> Period:
        return Period(self.reference.first, self.newest)

    @property
    def tested(self) -> Period:
        return Period(_first_tested(self.newest, self.windows), self.newest)

    def window(self, length: int, back: int) -> Period:
        """The newest window of a length (back = 0), or the one before it (1)."""
        last = self.newest - timedelta(back * length)
        return Period(last - timedelta(length - 1), last)


def choose(newest: date, windows: tuple[int, ...], reference: Period | None = None) -> Days:
    """The reference is what is given, or the 28 days before the first tested one. `UserError` where they overlap.

    >>> str(choose(date(2026, 3, 31), (1, 7)).reference)
    '2026-02-18 – 2026-03-17'
    """
    first = _first_tested(newest, windows)
    if reference is None:
        reference = Period(first - timedelta(REFERENCE_DAYS), first - timedelta(1))
    if reference.first > reference.last:
        raise UserError(f"--reference {reference}: ends before it begins")
    if reference.last >= first:
        raise UserError(f"--reference {reference}: must end before {first}, the first tested day")
    return Days(reference, newest, windows)


def _first_tested(newest: date, windows: tuple[int, ...]) -> date:
    """Each window has one of the same length before it."""
    return newest - timedelta(2 * max(windows) - 1)
