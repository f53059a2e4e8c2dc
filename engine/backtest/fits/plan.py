"""From the spans of a sweep to units of work: what each depends on, and which are to be done."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from engine.backtest.fits.work import FitsWork
from engine.backtest.grid import Grid
from engine.backtest.models.registry import ModelRef
from engine.backtest.sweep.requests import Span
from engine.identity import canonical_json
from engine.planning.todo import Todo, Unit, sort_out
from engine.storage import Store


@dataclass(frozen=True, slots=True)
class FitPlan:
    """How spans become works. `index` are the frozen series below `frozen`, in the order that the spans count."""

    grid: Grid
    refs: Sequence[ModelRef]
    index: pl.DataFrame
    frozen: Store
    budget_s: float | None = None

    def units(self, spans: pl.DataFrame) -> Iterator[Unit]:
        """One unit a span (`sweep.plan.SPANS`), in their order."""
        refs, rows = {ref.name: ref for ref in self.refs}, self.index.rows(named=True)
        told = _facts(self.grid) | {"budget_s": self.budget_s}
        lean = replace(self.grid, models=())
        for model, number, first, stop, predicted_s in spans.select(
            "model", "series", "first", "stop", "predicted_s"
        ).iter_rows():
            yield self._unit(refs[model], rows[number], Span(first, stop), predicted_s, told, lean)

    def _unit(
        self, ref: ModelRef, row: Mapping[str, Any], span: Span, predicted_s: float, told: Mapping[str, Any], grid: Grid
    ) -> Unit:
        group = f"{row['subject_id']}/{row['vital']}/{ref.name}"
        key = f"{group}/{datetime.fromtimestamp(span.first * 3600, UTC):%Y-%m-%dT%H}"
        text = canonical_json([row["data_hash"], ref.sha256, span.first, span.stop, told])
        identity = hashlib.sha256(text.encode()).hexdigest()

        def make() -> FitsWork:
            return FitsWork(
                key, identity, predicted_s, row["subject_id"], row["vital"], ref.name, span, grid, self.budget_s,
                row["path"], row["row"], self.frozen.uri, self.frozen.options,
            )  # fmt: skip

        return Unit(key, identity, group, predicted_s, make)


def plan(how: FitPlan, spans: pl.DataFrame, ledger: pl.DataFrame, retry: Collection[str] = ()) -> Todo:
    """What is to do. `ledger`: rows of this evaluator's module_id."""
    return sort_out(how.units(spans), ledger, retry, lambda key: key.rpartition("/")[0])


def made_by(spans: pl.DataFrame, how: FitPlan, ledger: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    """For each series (subject_id, vital) what its fits and attempts depend on: identity and fate of their works."""
    fates = {
        key: canonical_json([identity, status, message])
        for key, identity, status, message in ledger.select(
            "work_key", "input_identity", "status", "message"
        ).iter_rows()
    }
    found: dict[tuple[str, str], list[str]] = {}
    for unit, number in zip(how.units(spans), spans["series"], strict=True):
        row = how.index.row(number, named=True)
        found.setdefault((row["subject_id"], row["vital"]), []).append(fates.get(unit.key, ""))
    return found


def _facts(grid: Grid) -> dict[str, Any]:
    """What the fits of a model depend on: not on the other models."""
    return {name: value for name, value in asdict(grid).items() if name != "models"}
