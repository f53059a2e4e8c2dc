"""A contiguous range of series as a unit of work: read their attempts, serve, score, and make tables of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.backtest.series import describe
from engine.backtest.series.series import Series
from engine.backtest.series.store import thaw
from engine.backtest.serve.mapped import Serve
from engine.backtest.serve.observed import Observed, observe
from engine.backtest.serve.output import Output
from engine.backtest.serve.overlap import read_rows
from engine.backtest.serve.rows import Rows
from engine.backtest.serve.serve import serve
from engine.backtest.serve.stored import ATTEMPT_COLUMNS, FIT_COLUMNS, Stored, gather
from engine.backtest.tables import ATTEMPTS, FITS
from engine.module import Outcome
from engine.storage import StoreOptions, open_store
from engine.telling import reading
from engine.work import Evaluation, FileRef, Input


@dataclass(frozen=True, slots=True)
class Frozen:
    """Rows first … stop − 1 of a part of frozen series."""

    path: str
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class ServeWork:
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
    def inputs(self) -> tuple[Input, ...]:
        return ()

    @property
    def hint(self) -> str:
        return ""

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
        keys = [(one.subject_id, one.vital) for one in series]
        stored = gather(fits, attempts, keys, mapped.layout.specs)
        tables = serve_all(mapped, [observe(one, mapped.grid) for one in series], stored).tables(self.key)
        return Evaluation(Outcome({**tables, "series": describe.rows(self.key, series)}), {})

    def only(self, names: Collection[str]) -> ServeWork:  # noqa: ARG002  (as the protocol calls it)
        """There is nothing to choose from."""
        return self

    def _series(self) -> list[Series]:
        store = open_store(self.series_uri, self.options)
        return [one for part in self.series for one in thaw(store, part.path, range(part.first, part.stop))]


def serve_all(mapped: Serve, observed: list[Observed], stored: Stored) -> Output:
    """Serve some series, in the order of (subject_id, vital), out of what `stored` holds of them in the same order."""
    layout, steps = mapped.layout, mapped.horizon_h
    n = sum(len(one.origins) for one in observed) * len(layout.configurations) * steps
    output = Output(layout, Rows(layout, steps, n))
    for number, one in enumerate(observed):
        mine = stored.of(number)
        output.add(one, mine, serve(one, mine, layout, mapped.serving, mapped.phase_h, steps))
    return output
