"""The two steps of a backtest: fits, then serving what they forecast; each a run over units of work."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from configs.backtest import BacktestSettings, ServingSettings
from configs.read import checked, overlay, read_yaml
from engine import ledger
from engine.backtest.finish import finish
from engine.backtest.fits import plan as fit_plan
from engine.backtest.scores.cost import cpu_by_configuration
from engine.backtest.serve import mapped as serving
from engine.backtest.serve.works import RANGES_A_BATCH, works
from engine.commit import WORK_LEDGER, recover
from engine.compact import Sizes
from engine.errors import UserError
from engine.events import Listener, PlanMade
from engine.executors import Executor
from engine.identity import Identity
from engine.planning.todo import Todo, Unit, sort_out
from engine.results.open import scan
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings, RunSummary
from engine.storage import Store
from engine.work import Mapped, Work
from jobs.sweep import Backtest, prepare
from jobs.workers import lend, limits

SIZES = Sizes(group_bytes=8 * 2**20, fewest=16, many=512)
"""How a step compacts. Attempts take fifteen times their compressed size while they are rewritten; rewriting a hundred
fair parts took 11 % of the CPU of 10,000 series, and a few tiny ones 4 % of that of a hundred."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a backtest came to: the runs that it took, the identities of fits and of serving."""

    summaries: list[RunSummary]
    fits_id: str
    serve_id: str
    settings: BacktestSettings

    @property
    def is_comparable(self) -> bool:
        """Whether another run of the same settings gives the same rows."""
        return self.settings.serve().is_comparable


def carry_out(study: Backtest, listener: Listener) -> Served:
    """Both steps, on what the settings ask for; where there is nothing to do, nothing is started."""
    with _Steps(study, listener) as steps:
        if study.todo.count or study.todo.shared_removals or not _is_settled(study.output, study.identity):
            steps.run(study.identity, study.mapped, study.todo)
        return _serve(study, steps)


def re_serve(told: BacktestSettings, path: str, listener: Listener) -> tuple[Store, Served]:
    """Serve what is stored as the `serving` of another file says. Raises `UserError` where fits are not stored, or are
    of other code: their rows would all say that nothing is there."""
    written = read_yaml(Path(path))
    asked = overlay(told.serving.model_dump(), written.get("serving", written))
    settings = told.model_copy(update={"serving": checked(ServingSettings, asked, path)})
    study = prepare(settings, reads=False)
    if study.todo.count:
        raise UserError(
            f"--what-if: {study.todo.count} of {study.todo.count + study.todo.done} spans of fits are not stored as "
            "these settings and this code make them; the same command without --what-if first"
        )
    with _Steps(study, listener) as steps:
        return study.output, _serve(study, steps)


def _serve(study: Backtest, steps: _Steps) -> Served:
    mapped, identity = serving.refer(serving.serve_of(study.grid, study.configurations, study.settings.serve()))
    fits_id = study.identity.module_id
    made = fit_plan.made_by(study.sweep.spans, study.how, ledger.entries(study.output, fits_id, WORK_LEDGER))
    found = works(mapped.serve, study.how.index, made, study.output, fits_id, study.how.frozen)
    units = [Unit(one.key, one.identity, "", one.predicted_s, partial(_itself, one)) for one in found]
    known = ledger.entries(study.output, identity.module_id, WORK_LEDGER)
    todo = sort_out(units, known, study.settings.retry, lambda _: "")
    if todo.count or todo.shared_removals or not _is_settled(study.output, identity):
        steps.listener(PlanMade(todo.count, todo.count, 0, todo.done))
        steps.run(identity, mapped, todo, RANGES_A_BATCH)
    told = study.settings
    cpu = cpu_by_configuration(scan(study.output, "fits", fits_id), told.refits_h, told.phase_h, told.every_h)
    finish(study.output, identity.module_id, cpu)
    return Served(steps.summaries, fits_id, identity.module_id, study.settings)


def _itself(work: Work) -> Work:
    return work


class _Steps:
    """Runs of one backtest; workers are lent for the first that has something to do, and kept for the next."""

    def __init__(self, study: Backtest, listener: Listener) -> None:
        self.listener = listener
        self.summaries: list[RunSummary] = []
        self._study = study
        self._lent = ExitStack()
        self._executor: Executor | None = None

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lent.close()

    def run(self, identity: Identity, mapped: Mapped, todo: Todo, batch: int | None = None) -> None:
        """One step over what is to do of it, so many units to a task unless the settings say."""
        told, output = self._study.settings, self._study.output
        if self._executor is None:
            self._executor = self._lent.enter_context(lend(told, todo.count, self.listener))
        how = RunSettings(
            limits=limits(told),
            commits=CommitSettings(told.commit.seconds, round(told.commit.mb * 1e6), sizes=SIZES),
            max_failures=told.max_failures,
            batch_works=told.batch or batch,
            config=told.model_dump_json(),
            ledger=WORK_LEDGER,
        )
        after = recover(output, self.listener)
        self.summaries.append(run(identity, mapped, todo, output, self._executor, how, self.listener, after=after))


def _is_settled(output: Store, identity: Identity) -> bool:
    return ledger.is_settled(output, identity.module_id)
