"""Work: one unit of a run. Planning, batching, guarding and committing know only this, never nights or forecasts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from engine.module import Outcome, Table


@dataclass(frozen=True, slots=True)
class FileRef:
    """Where one raw file lies. `name` is relative to the input's root; `content_key` is an etag or size and mtime."""

    name: str
    uri: str
    size_bytes: int
    content_key: str


@dataclass(frozen=True, slots=True)
class Input:
    """One row of the ledger: a file, or a folder of files that belong together."""

    name: str
    files: tuple[FileRef, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What evaluating a Work gave: the outcome, and the SHA-256 of each input's bytes (a folder's: over its files')."""

    outcome: Outcome
    bytes_sha256: Mapping[str, str]


class Work(Protocol):
    """One unit of a run: a pure function to an Outcome that can be cut into pieces, one for each of its inputs."""

    @property
    def key(self) -> str:
        """Stable name; rows and ledger entries are replaced by it."""

    @property
    def identity(self) -> str:
        """Hash of everything that the result depends on besides the code."""

    @property
    def inputs(self) -> tuple[Input, ...]: ...

    @property
    def predicted_s(self) -> float: ...

    @property
    def hint(self) -> str:
        """Expected partition; Works of one hint are batched together so that a batch writes few parts."""

    @property
    def known(self) -> Mapping[str, str | None]:
        """Columns of the ledger that only the Work can fill: subject_id, source_id and facts (JSON)."""

    def evaluate(self, mapped: Any) -> Evaluation:
        """Read the inputs and apply what the run maps. Raises `InputUnreadable` where reading, not content, fails."""

    def only(self, names: Collection[str]) -> Work:
        """The same Work over some of its inputs: one of them to find a killer, or the rest without it."""


class WithoutInputs:
    """What is the same of every `Work` that reads no raw files: there is nothing to choose from."""

    __slots__ = ()

    @property
    def inputs(self) -> tuple[Input, ...]:
        return ()

    @property
    def hint(self) -> str:
        return ""

    def only(self, names: Collection[str]) -> Self:  # noqa: ARG002  (as the protocol calls it)
        return self


@dataclass(frozen=True, slots=True)
class Death:
    """What ended the process that was at a piece of a Work: `timeout`, `memory` or `killed`, and the signal's name.

    `and_later`: so many pieces did so before that all after this one, in the Work's order, are not tried either.
    """

    piece: str
    cause: str
    message: str
    signal: str | None = None
    and_later: bool = False


@runtime_checkable
class PiecewiseWork(Work, Protocol):
    """A Work that says which piece of it is in hand (`engine.workers.telling.piece`), in the same order each time."""

    def without(self, death: Death) -> PiecewiseWork:
        """The same Work, which does not try that piece again and says in its rows what became of it."""


class Mapped(Protocol):
    """What a run maps over its Works, as a value that travels: a reference that a worker loads and verifies itself."""

    @property
    def module_id(self) -> str: ...

    def load(self) -> Any:
        """The callable object. Raises `StaleWorker` where this process sees other code than the driver."""

    def outputs(self, loaded: Any) -> Mapping[str, Table]: ...
