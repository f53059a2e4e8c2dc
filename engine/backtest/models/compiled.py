"""How a model whose fit is a row of numbers meets the contract: one compiled call learns all fits of a series.

`fit` and `predict` are the same calls with one fit, so a sweep equals them to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

import numpy as np

from engine.backtest.contract import COLD, FitError, Fits, Fitted, Floats, History, Ints, Params, Paths, Swept

Layout = tuple[tuple[str, int], ...]

TOO_SHORT, NOT_FINITE = 1, 2
REASONS = ("", "the slice has fewer hours than the model needs", "the fit's numbers overflow")


@dataclass(frozen=True, slots=True)
class Batch:
    """Fits to be learned in order: row i from y[start[i] : end[i]], beginning at row anchor[i] unless COLD or failed.

    Rows before `done` are known already. `form`: (fits,) index into the model's forms. Written by the model: values
    (fits, width) float64, failed (fits,) int64 index into REASONS, used (fits,) int64 evaluations.
    """

    start: Ints
    end: Ints
    anchor: Ints
    form: Ints
    done: int
    budget: int
    values: Floats
    failed: Ints
    used: Ints


class Compiled:
    """A model made of two compiled calls, `learn` and `paths`; the rest of the contract follows."""

    __slots__ = ()
    name: ClassVar[str]
    updates: ClassVar[bool] = True

    @property
    def history(self) -> History:
        raise NotImplementedError

    @property
    def forms(self) -> tuple[str, ...]:
        """Every form, ("",) where there is nothing to choose."""
        return ("",)

    @property
    def shortest(self) -> int:
        raise NotImplementedError

    @property
    def selects(self) -> bool:
        return len(self.forms) > 1

    @property
    def layout(self) -> Layout:
        """Names of the parameters and how many numbers each has, in the order of a row; one number is a scalar."""
        raise NotImplementedError

    def learn(self, y: Floats, batch: Batch) -> None:
        """Fill the batch, but for rows before `done` and rows that failed already."""
        raise NotImplementedError

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        """Forecast from rows of values; of `fits` only end, first, at and steps count. Rows of failed fits: NaN.

        y is read at and after a fit's end only."""
        raise NotImplementedError

    def select(self, y: Floats, evaluations: int) -> str:  # noqa: ARG002
        return ""

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        """One fit, as a batch of it and of what it starts from."""
        ends = np.array([0, y.size], np.int64)
        anchors = np.array([COLD, 0], np.int64)
        batch = _batch(self, np.zeros(2, np.int64), ends, anchors, [form, form], 1, evaluations)
        if warm is not None:
            batch.failed[0] = 0
            batch.values[0] = pack(self.layout, warm)
        self.learn(np.ascontiguousarray(y), batch)
        if batch.failed[1]:
            raise FitError(REASONS[batch.failed[1]])
        return Fitted(unpack(self.layout, batch.values[1]), int(batch.used[1]))

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        """Forecasts of one fit: what follows its slice is a series in which the slice ends at 0."""
        zero = np.zeros(1, np.int64)
        fits = Fits(zero, zero, np.array([0, at.size]), np.ascontiguousarray(at), zero, zero, ("",), steps, 0)
        _check(after, fits)
        return self.paths(np.ascontiguousarray(after), pack(self.layout, params)[None, :], zero, fits)

    def sweep(self, y: Floats, fits: Fits) -> Swept:
        """All fits of a series and their forecasts."""
        _check(y, fits)
        forms = _forms(self, y, fits)
        y = np.ascontiguousarray(y)
        batch = _batch(self, fits.start, fits.end, fits.anchor, forms, 0, fits.evaluations)
        self.learn(y, batch)
        paths = self.paths(y, batch.values, batch.failed, fits)
        failures = [REASONS[code] for code in batch.failed.tolist()]
        return Swept(Learned(self.layout, batch.values, batch.failed), failures, tuple(forms), batch.used, paths)


@dataclass(frozen=True, slots=True, eq=False)
class Learned(Sequence[Params | None]):
    """Parameters of each fit of a batch, None of a failed one. Made when asked for: a sweep stores few of them."""

    layout: Layout
    values: Floats
    failed: Ints

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> Params | None: ...

    @overload
    def __getitem__(self, at: slice) -> Learned: ...

    def __getitem__(self, at: int | slice) -> Params | Learned | None:
        if isinstance(at, slice):
            return Learned(self.layout, self.values[at], self.failed[at])
        return None if self.failed[at] else unpack(self.layout, self.values[at])


def pack(layout: Layout, params: Params) -> Floats:
    """The row of a fit's parameters: (width,) float64, NaN for null."""
    row: list[float | None] = []
    for name, size in layout:
        row.extend([params[name]] if size == 1 else params[name])
    return np.array([np.nan if value is None else value for value in row], np.float64)


def unpack(layout: Layout, values: Floats) -> Params:
    """The parameters in a row, (width,); a scalar that is NaN becomes null."""
    row, params, begin = values.tolist(), dict[str, float | list[float] | None](), 0
    for name, size in layout:
        held = row[begin : begin + size]
        params[name] = held if size > 1 else (held[0] if held[0] == held[0] else None)
        begin += size
    return params


def _check(y: Floats, fits: Fits) -> None:
    """Compiled code does not check its indices."""
    lengths = np.diff(fits.first)
    inside = np.all(fits.start >= 0) and np.all(fits.end <= y.size) and np.all((fits.at >= 0) & (fits.at <= y.size))
    whole = fits.first[0] == 0 and fits.first[-1] == fits.at.size and np.all(lengths >= 0)
    if not (inside and whole and np.all(fits.at >= np.repeat(fits.end, lengths))):
        raise ValueError("fits or origins reach outside the series, or an origin lies before the end of its slice")


def _batch(
    model: Compiled, start: Ints, end: Ints, anchor: Ints, forms: Sequence[str], done: int, budget: int
) -> Batch:
    width = sum(size for _, size in model.layout)
    failed = np.where(end - start < model.shortest, TOO_SHORT, 0)
    form = np.array([model.forms.index(form) if form else 0 for form in forms], np.int64)
    values = np.full((start.size, width), np.nan)
    return Batch(start, end, anchor, form, done, budget, values, failed, np.zeros(start.size, np.int64))


def _forms(model: Compiled, y: Floats, fits: Fits) -> list[str]:
    if not model.selects:
        return list(fits.form)
    forms: list[str] = []
    for i, chosen in enumerate(fits.chosen.tolist()):
        if chosen not in (COLD, i) and forms[chosen]:
            forms.append(forms[chosen])
        elif fits.form[i] or fits.end[i] - fits.start[i] < model.shortest:
            forms.append(fits.form[i])
        else:
            forms.append(model.select(y[fits.start[i] : fits.end[i]], fits.evaluations))
    return forms
