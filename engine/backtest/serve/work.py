"""A contiguous range of series as a unit of work: reads what is stored of them and has tables made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.backtest.series.series import Series
from engine.backtest.series.store import thaw
from engine.backtest.serve.make import make
from engine.backtest.serve.mapped import Serve
from engine.backtest.serve.stored import ATTEMPT_COLUMNS, FIT_COLUMNS
from engine.backtest.tables import ATTEMPTS, FITS
from engine.module import Outcome
from engine.storage import Store, StoreOptions
from engine.tables.overlap import read_rows
from engine.work import Evaluation, FileRef, WithoutInputs
from engine.workers.telling import reading


@dataclass(frozen=True, slots=True)
class Frozen:
    """Rows first … stop − 1 of a part of frozen series."""

    path: str
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class ServeWork(WithoutInputs):
    """See `engine.work.Work`. series: in the order of (subject_id, vital), below `series_uri`. fits, attempts: parts
    that may hold their rows; they are not among `inputs`, since compaction changes parts, but no row."""

    key: str
    identity: str
    predicted_s: float
    subjects: tuple[str, str]
    series: tuple[Frozen, ...]
    fits: tuple[FileRef, ...]
    attempts: tuple[FileRef, ...]
    series_uri: str
    options: StoreOptions

    @property
    def known(self) -> Mapping[str, str | None]:
        first, last = self.subjects
        return {"subject_id": first if first == last else None}

    def evaluate(self, mapped: Serve) -> Evaluation:
        """Raises `InputUnreadable` where storage fails."""
        with reading():
            series = self._series()
            fits = read_rows(self.fits, self.options, FITS, FIT_COLUMNS, self.subjects)
            attempts = read_rows(self.attempts, self.options, ATTEMPTS, ATTEMPT_COLUMNS, self.subjects)
        return Evaluation(Outcome(make(mapped, series, fits, attempts, self.key)), {})

    def _series(self) -> list[Series]:
        store = Store(self.series_uri, self.options)
        return [one for part in self.series for one in thaw(store, part.path, range(part.first, part.stop))]
