"""Fits as units of work behind the guard: one that hangs, crashes or eats memory takes its own row only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from engine import guard as guard_file
from engine.backtest.fits.plan import FitPlan, plan
from engine.backtest.fits.work import FitsMapped, FitsWork, identity, refer
from engine.backtest.grid import Grid
from engine.backtest.models import registry
from engine.backtest.models.registry import ModelRef
from engine.backtest.series.store import freeze
from engine.backtest.sweep.requests import Span
from engine.errors import StaleWorker
from engine.guard import ForkGuard, InlineGuard, Limits
from engine.module import Status
from engine.storage import Store, StoreOptions
from engine.workers.failures import Result
from tests.engine.backtest.fits.odd import START, series

GRID = Grid((), windows_h=(24, 72), refits_h=(1,), horizon_h=3, evaluate_h=48)
WHOLE = Span(START, START + 480)
MARKED = 24 * 7 + 5
HOWS = ("hang", "segfault", "eat", "die")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("frozen"), StoreOptions())


@pytest.fixture(scope="module")
def index(frozen: Store) -> pl.DataFrame:
    return freeze([series(marks=(MARKED,)), series(marks=(MARKED, MARKED + 3), subject="P2")], frozen, "_series")


def model(how: str) -> ModelRef:
    text = "tests.engine.backtest.fits.odd:Odd"
    return registry.refer([registry.spec(text, how, how=how)])[0]


@pytest.fixture(scope="module")
def mapped() -> FitsMapped:
    return refer(tuple(model(how) for how in ("nothing", *HOWS)))[0]


@pytest.fixture(scope="module")
def forked(mapped: FitsMapped) -> Iterator[ForkGuard]:
    guard = ForkGuard(mapped, Limits(4, 320))
    yield guard
    guard.close()


def work(index: pl.DataFrame, frozen: Store, how: str, number: int = 0) -> FitsWork:
    row = index.row(number, named=True)
    return FitsWork(
        f"{row['subject_id']}/{how}", "i", 1.0, row["subject_id"], row["vital"], how, WHOLE, GRID, None, row["path"],
        row["row"], frozen.uri, frozen.options,
    )  # fmt: skip


def fits_of(result: Result) -> pl.DataFrame:
    assert result.evaluation is not None
    found = pl.DataFrame(pl.from_arrow(result.evaluation.outcome.tables["fits"]))
    return found.with_columns(hour=pl.col("cutoff").dt.epoch("s") // 3600 - START)


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("hang", "timeout_hard", "SIGKILL"),
        ("segfault", "quarantined", "SIGSEGV"),
        ("eat", "quarantined", "SIGKILL"),
        ("die", "quarantined", "killed"),
    ],
)
def test_a_fit_that_ends_its_process_costs_itself_only(
    forked: ForkGuard, index: pl.DataFrame, frozen: Store, how: str, status: str, kind: str
) -> None:
    bad, good = forked.evaluate([work(index, frozen, how), work(index, frozen, "nothing")])
    if bad.work.key.endswith("nothing"):
        bad, good = good, bad
    fits = fits_of(bad)
    lost = fits.filter(pl.col("status") != "ok")
    assert lost.select("window_h", "hour").rows() == [(24, MARKED + 1), (72, MARKED + 1)]
    assert lost.select("status", "error_class").unique().row(0) == (status, kind)
    assert (bad.failures, bad.attempt) == ((), 3)
    assert bad.evaluation is not None and good.evaluation is not None
    (verdict,) = bad.evaluation.outcome.verdicts
    assert (verdict.status, verdict.reasons, verdict.message) == (
        Status.PARTIAL,
        (status,),
        f"2 {status} of {fits.height} fits",
    )
    alone = next(iter(InlineGuard(refer((model("nothing"),))[0]).evaluate([work(index, frozen, "nothing")])))
    kept = pl.col("hour") != MARKED + 1
    same = ["window_h", "cutoff", "y_mean", "data_hash", "start", "n_eval", "status"]
    assert fits.filter(kept).select(same).equals(fits_of(alone).filter(kept).select(same))
    assert fits_of(good).select(same).equals(fits_of(alone).select(same))


def test_after_many_deaths_the_later_fits_are_given_up(
    forked: ForkGuard, index: pl.DataFrame, frozen: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_file, "MOST_DEATHS", 2)
    (found,) = forked.evaluate([work(index, frozen, "die", 1)])
    lost = fits_of(found).filter(pl.col("status") != "ok")
    first = lost.filter(pl.col("window_h") == 24)["hour"].to_list()
    assert first == [MARKED + 1, *range(MARKED + 4, 192)]
    assert lost.filter(pl.col("window_h") == 72).height == 48
    assert lost["error_message"].str.starts_with("not tried").sum() == lost.height - 2


def test_another_evaluator_or_model_is_refused(mapped: FitsMapped) -> None:
    with pytest.raises(StaleWorker, match="the driver fits with fits-000000000000"):
        replace(mapped, module_id="fits-000000000000").load()
    other = replace(mapped.models[0], sha256="1" * 64)
    with pytest.raises(StaleWorker, match="other code or libraries"):
        replace(mapped, models=(other,)).load()


def test_the_evaluators_identity_has_no_model_in_it() -> None:
    code = identity().closure
    assert "engine.backtest.fits.fitting" in code
    assert [name for name in code if name.startswith("engine.backtest.models.") and "registry" not in name] == []


def spans(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["model", "series", "first", "stop"], orient="row")
    return frame.with_columns(predicted_s=pl.lit(1.0))


def ledger(todo: object, status: str = "ok") -> pl.DataFrame:
    rows = [(unit.key, unit.identity, status, None) for unit in todo.units]  # type: ignore[attr-defined]
    return pl.DataFrame(
        rows,
        schema={"work_key": pl.String, "input_identity": pl.String, "status": pl.String, "message": pl.String},
        orient="row",
    )


def test_what_is_done_is_not_done_again(index: pl.DataFrame, frozen: Store) -> None:
    how = FitPlan(GRID, [model("nothing")], index, frozen)
    both = spans(
        ("nothing", 0, START, START + 96), ("nothing", 0, START + 96, START + 192), ("nothing", 1, START, START + 192)
    )
    fresh = plan(how, both, ledger(plan(how, both[:0], pl.DataFrame(schema=ledger_schema()))))
    assert (fresh.count, fresh.done, set(fresh.shared_removals)) == (3, 0, set())
    assert [one.key for one in fresh.works()] == [unit.key for unit in fresh.units]
    assert plan(how, both, ledger(fresh)).count == 0
    assert plan(how, both, ledger(fresh, "partial"), ["partial"]).count == 3
    wider = replace(how, grid=replace(GRID, windows_h=(24,)))
    again = plan(wider, both, ledger(fresh))
    assert (again.count, set(again.shared_removals)) == (3, {unit.key for unit in fresh.units})


def ledger_schema() -> dict[str, pl.DataType]:
    return dict.fromkeys(("work_key", "input_identity", "status", "message"), pl.String())


def test_spans_cut_elsewhere_replace_the_old_ones_of_their_series_and_model(index: pl.DataFrame, frozen: Store) -> None:
    how = FitPlan(GRID, [model("nothing")], index, frozen)
    old = plan(
        how,
        spans(
            ("nothing", 0, START, START + 96),
            ("nothing", 0, START + 96, START + 192),
            ("nothing", 1, START, START + 192),
        ),
        pl.DataFrame(schema=ledger_schema()),
    )
    new = plan(how, spans(("nothing", 0, START, START + 192)), ledger(old))
    first, second, other = (unit.key for unit in old.units)
    assert set(new.shared_removals) == {first, second}
    assert set(new.removals_with([new.units[0].key])) == {first, second}
    assert new.removals_with([other]) == set()


def test_identities_depend_on_what_matters(index: pl.DataFrame, frozen: Store) -> None:
    how = FitPlan(GRID, [model("nothing")], index, frozen)
    one = spans(("nothing", 0, START, START + 96))
    base = next(how.units(one)).identity
    assert next(replace(how, frozen=Store("/elsewhere")).units(one)).identity == base
    assert next(replace(how, refs=[model("nothing"), model("die")]).units(one)).identity == base
    for changed in (
        replace(how, refs=[replace(model("nothing"), sha256="2" * 64)]),
        replace(how, budget_s=1.0),
        replace(how, grid=replace(GRID, evaluations=7)),
        replace(how, index=index.with_columns(data_hash=pl.lit(hashlib.sha256(b"").hexdigest()))),
    ):
        assert next(changed.units(one)).identity != base
    assert next(how.units(spans(("nothing", 0, START, START + 120)))).identity != base


def test_paths_of_the_frozen_series_may_not_matter(tmp_path: Path) -> None:
    assert (
        freeze([series()], Store(tmp_path), "a")["data_hash"].to_list()
        == freeze([series()], Store(tmp_path), "b")["data_hash"].to_list()
    )
