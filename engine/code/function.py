"""A bare function as a module: `def process(files, source): …` with an attribute `outputs`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from engine.module import Outcome, RawFile, Source, Table


@dataclass(frozen=True, slots=True)
class FunctionModule:
    """Makes a function keep the contract; its keyword-only arguments are its parameters."""

    function: Callable[..., Outcome]
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(getattr(self.function, "name", self.function.__name__))

    @property
    def outputs(self) -> Mapping[str, Table]:
        return cast(Mapping[str, Table], self.function.outputs)  # type: ignore[attr-defined]

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
        return self.function(files, source, **self.keywords)


def keyword_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Keyword-only arguments and their defaults (`inspect.Parameter.empty` where there is none)."""
    arguments = inspect.signature(function).parameters.values()
    return {argument.name: argument.default for argument in arguments if argument.kind is argument.KEYWORD_ONLY}
