"""A range of persons as a unit of work, and what the run maps over such units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from engine.identity import Identity, identify, refuse_other_code
from engine.longitudinal.make import make
from engine.longitudinal.nights import READ
from engine.longitudinal.tables import OUTPUTS
from engine.module import Module, Outcome, Table
from engine.storage import StoreOptions
from engine.tables.overlap import read_rows
from engine.work import Evaluation, FileRef, WithoutInputs
from engine.workers.telling import reading

REFERENCE = "engine.longitudinal.make:make"
"""Its imports are the code on which rows depend."""


@dataclass(frozen=True, slots=True)
class RangeWork(WithoutInputs):
    """See `engine.work.Work`. subjects: the first and the last. nights: parts that may hold their rows; they are not
    among `inputs`, since compaction changes parts, but no row."""

    key: str
    identity: str
    predicted_s: float
    subjects: tuple[str, str]
    nights: tuple[FileRef, ...]
    options: StoreOptions

    @property
    def known(self) -> Mapping[str, str | None]:
        first, last = self.subjects
        return {"subject_id": first if first == last else None}

    def evaluate(self, mapped: Any) -> Evaluation:
        """Raises `InputUnreadable` where storage fails."""
        with reading():
            rows = read_rows(self.nights, self.options, READ, READ.schema.names, self.subjects)
        return Evaluation(Outcome(mapped(rows, self.key)), {})


@dataclass(frozen=True)
class Baselines:
    """The step. `reads_from` is the module_id of the nights: baselines of another version's nights are other rows."""

    name: ClassVar[str] = "baselines"

    reads_from: str


@dataclass(frozen=True, slots=True)
class BaselinesMapped:
    """See `engine.work.Mapped`."""

    step: Baselines
    module_id: str

    def load(self) -> Any:
        """Raises `StaleWorker` where this process sees other code than the driver."""
        refuse_other_code(identity_of(self.step), self.module_id)
        return make

    def outputs(self, loaded: Any) -> Mapping[str, Table]:  # noqa: ARG002
        return OUTPUTS


def identity_of(step: Baselines) -> Identity:
    return identify(REFERENCE, cast(Module, step))


def refer(step: Baselines) -> tuple[BaselinesMapped, Identity]:
    """The value that travels, and the identity of the rows."""
    found = identity_of(step)
    return BaselinesMapped(step, found.module_id), found
