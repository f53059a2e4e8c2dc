"""How many files may fail before a run stops: a number, or a share once there are enough files to speak of one.

Where a field of the files' names tells strata apart, such as a site or a firmware, each has the budget for itself: one
site whose devices broke does not drown among a hundred good ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from engine.errors import ConfigError
from engine.inputs.template import Template, compile_template
from engine.schemas import BAD

FILES_BEFORE_A_SHARE = 20
ALL = ""
"""The stratum of all files."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`most` failed and quarantined files, or that share of the files so far."""

    most: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Budget:
        """From `20` or `5%`. Raises `ConfigError` for anything else.

        >>> Budget.parse("5%"), Budget.parse("20").exceeded(bad=20, files=20), Budget.parse("20").exceeded(21, 30)
        (Budget(most=0.05, is_share=True), False, True)
        """
        number, percent, rest = text.strip().partition("%")
        if rest or not number.strip().isdecimal() or (percent and int(number) > 100):
            raise ConfigError(f"max_failures: {text!r} is neither a number of files such as 20 nor a share such as 5%")
        return cls(int(number) / 100, True) if percent else cls(int(number), False)

    def exceeded(self, bad: int, files: int) -> bool:
        if self.is_share:
            return files >= FILES_BEFORE_A_SHARE and bad > self.most * files
        return bad > self.most


@dataclass(frozen=True, slots=True)
class Strata:
    """A field of the files' names, and the templates that have it."""

    field: str
    templates: tuple[Template, ...]

    @classmethod
    def by(cls, field: str, templates: Iterable[str | None]) -> Strata:
        """Raises `ConfigError` where no template has the field."""
        compiled = [compile_template(text) for text in templates if text is not None]
        found = tuple(one for one in compiled if field in one.fields)
        if not found:
            known = ", ".join(sorted({name for one in compiled for name in one.fields})) or "there is no template"
            raise ConfigError(f"max_failures_by: no template has the field {field!r} ({known})")
        return cls(field, found)

    def of(self, name: pl.Expr) -> pl.Expr:
        """The stratum of a file or folder by its name; null where that matches no template."""
        written = [(name + ending, one.pattern) for one in self.templates for ending in ("", one.extension)]
        return pl.coalesce(text.str.extract_groups(pattern).struct.field(self.field) for text, pattern in written)


@dataclass(frozen=True, slots=True)
class Overrun:
    """More files failed than the budget allows: of this stratum."""

    stratum: str
    bad: int
    files: int


class Tally:
    """Files and failures so far, of all and of each stratum, held against the budget.

    `overrun` is what `exceeded` found last: a share may fall again while batches that were under way come in.
    """

    def __init__(self, budget: Budget, strata: Strata | None = None) -> None:
        self._budget, self._strata = budget, strata
        self._files: Counter[str] = Counter()
        self._bad: Counter[str] = Counter()
        self.overrun: Overrun | None = None

    def take(self, rows: pl.DataFrame) -> None:
        """Count rows of the ledger: file, status."""
        stratum = pl.lit(None, pl.String) if self._strata is None else self._strata.of(pl.col("file"))
        bad = pl.col("status").is_in(BAD)
        for name, is_bad in rows.select(stratum.alias("stratum"), bad).iter_rows():
            for counted in {ALL, name} - {None}:
                self._files[counted] += 1
                self._bad[counted] += is_bad

    def exceeded(self) -> bool:
        """Whether it is time to stop. With strata a number is each one's own, and a share holds for all files too."""
        self.overrun = self._found()
        return self.overrun is not None

    def _found(self) -> Overrun | None:
        for name, bad in self._bad.items():
            counts = name != ALL or self._budget.is_share or self._strata is None
            if counts and self._budget.exceeded(bad, self._files[name]):
                return Overrun(name, bad, self._files[name])
        return None
