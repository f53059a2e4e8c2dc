"""What every step of the pipeline is: an estimator of scikit-learn that can be written as JSON."""

from __future__ import annotations

from typing import Any, Self

import polars as pl
from sklearn.base import BaseEstimator

from engine.identity import canonical_json
from engine.retraining.plain import fields, read, refused


class Step(BaseEstimator):  # type: ignore[misc]
    """Parameters are given and what `fit` learned ends in `_`; there is nothing else, so both are the whole step."""

    def fit(self, nights: pl.DataFrame, target: Any = None) -> Self:  # noqa: ARG002
        """Learns nothing."""
        self.check()
        return self

    def check(self) -> None:
        """Raises `UserError` naming a parameter that cannot be."""
        raise NotImplementedError

    def parameters(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(self.get_params(deep=False))

    def learned(self) -> Any:
        """What `fit` learned, as JSON values. Raises `UserError` before it."""
        return None

    def learn_again(self, learned: Any) -> None:
        """Takes back what `learned` gave. Raises `UserError` where it does not fit the step."""
        if learned is not None:
            raise refused(f"{type(self).__name__} learns nothing")

    def plain(self) -> dict[str, Any]:
        return {"kind": type(self).__name__, "parameters": self.parameters(), "learned": self.learned()}

    def serialise(self) -> str:
        """JSON: equal steps give equal text."""
        return canonical_json(self.plain())

    @classmethod
    def deserialise(cls, text: str) -> Self:
        """The step that gave the text. Raises `UserError` where the text is no such thing; executes nothing of it."""
        return cls.of_plain(read(text))

    @classmethod
    def of_plain(cls, value: Any) -> Self:
        kind, parameters, learned = fields(value, ("kind", "parameters", "learned"), "a step")
        if kind != cls.__name__:
            raise refused(f"a step is of kind {str(kind)[:40]!r}, not {cls.__name__}")
        names = cls._get_param_names()
        step = cls(**cls.given(dict(zip(names, fields(parameters, names, f"{kind}'s parameters"), strict=True))))
        step.check()
        step.learn_again(learned)
        return step

    @classmethod
    def given(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Parameters out of what `parameters` gave."""
        return parameters
