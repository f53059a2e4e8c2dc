"""From settings to what a backtest is going to do: what `plan` and `backtest` have in common before anything runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from configs.backtest import BacktestSettings
from engine import ledger
from engine.backtest.fits import plan as fit_plan
from engine.backtest.fits.evaluate import lay
from engine.backtest.fits.work import FitsMapped
from engine.backtest.fits.work import refer as refer_fits
from engine.backtest.grid import Configuration, Grid
from engine.backtest.models.registry import refer as refer_models
from engine.backtest.series.read import read
from engine.backtest.series.series import Series
from engine.backtest.series.store import INDEX_FILE, freeze, thaw
from engine.backtest.sweep.cutoffs import configurations
from engine.backtest.sweep.plan import SweepPlan, make
from engine.backtest.sweep.timeline import Timeline
from engine.commit import LEDGER, WORK_LEDGER, recover
from engine.errors import ConfigError, InputMissing, UserError
from engine.events import Listener, PlanMade, ignore
from engine.identity import Identity
from engine.planning.todo import Todo
from engine.running.record import refuse_if_running
from engine.storage import Store
from engine.tables import delta
from jobs.options import existing, output_of

FROZEN = "_series"
"""Folder of an output that holds the series of its backtests."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What is swept over what, where to, and what of it is to do. `after` is the number of the last commit; `index` are
    the series below `how.frozen`."""

    settings: BacktestSettings
    output: Store
    after: int
    how: fit_plan.FitPlan
    sweep: SweepPlan
    todo: Todo
    mapped: FitsMapped
    identity: Identity

    @property
    def grid(self) -> Grid:
        return self.how.grid

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        models = {ref.name: ref.load() for ref in self.how.refs}
        return tuple(one for name, model in models.items() for one in configurations(self.grid, name, model.updates))


def prepare(
    settings: BacktestSettings, listener: Listener = ignore, *, frozen: Store | None = None, reads: bool = True
) -> Backtest:
    """Load the models, complete what an earlier driver had begun, freeze the series, plan. Raises `UserError`.

    `frozen`: where to keep the series, the output if None. Unless it `reads`, the series are those of the last time.
    """
    output = opened(settings)
    grid = settings.grid()
    refs = refer_models(grid.models, grid.season_h)
    refuse_if_running(output)
    after = recover(output, listener)
    place = frozen or output
    index = frozen_index(settings, place) if reads else last_index(place)
    how = fit_plan.FitPlan(grid, refs, index, place, settings.fit_budget_s)
    sweep = make(timelines(place, index, grid), grid, refs)
    mapped, identity = refer_fits(tuple(refs))
    done = ledger.entries(output, identity.module_id, WORK_LEDGER)
    todo = fit_plan.plan(how, sweep.spans, done, settings.retry)
    listener(PlanMade(todo.count, todo.count, 0, todo.done))
    return Backtest(settings, output, after, how, sweep, todo, mapped, identity)


def opened(settings: BacktestSettings) -> Store:
    """The output. Raises `ConfigError` where it is a reprocessing's."""
    reached = settings.storage.options
    output = Store(output_of(settings), reached)
    if delta.open_table(output, LEDGER) is not None:
        raise ConfigError(f"output: {settings.output} holds a reprocessing; a backtest needs a folder of its own")
    return output


def frozen_index(settings: BacktestSettings, place: Store) -> pl.DataFrame:
    """Read all series and freeze them. One row each, by subject and vital. Raises `UserError`."""
    if not settings.series:
        raise ConfigError("no series: name a reprocessing's output or a table, or a settings file with `series:`")
    found = freeze(_all(settings, place), place, FROZEN).sort("subject_id", "vital")
    sink = io.BytesIO()
    found.write_parquet(sink)
    place.write(f"{FROZEN}/{INDEX_FILE}", sink.getvalue())
    return found


def last_index(place: Store) -> pl.DataFrame:
    """The series that the last backtest into an output froze."""
    try:
        return pl.read_parquet(io.BytesIO(place.read(f"{FROZEN}/{INDEX_FILE}")))
    except InputMissing:
        raise UserError(f"{place.uri}: no backtest has been here; `nightmill backtest … -o {place.uri}`") from None


def _all(settings: BacktestSettings, place: Store) -> Iterator[Series]:
    for one in settings.series:
        existing(one.uri)
        yield from read(one.spec(), place.options)


def timelines(place: Store, index: pl.DataFrame, grid: Grid) -> Iterator[Timeline]:
    """Each series as the sweep sees it, in the order of `index`."""
    for path, row in index.select("path", "row").iter_rows():
        (series,) = thaw(place, path, [row])
        yield lay(series, grid)
