"""What has drifted: every feature, what is missing, quality and reasons, all together and day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from engine.drift.days import WEEK, Days
from engine.drift.judge import MEASURES, judge
from engine.drift.measures import LEAST, Measured, of_mix, of_shares, of_values, of_vectors
from engine.drift.nights import GOOD_BANDS, Nights
from engine.drift.scopes import Sample, Scope, scopes
from engine.drift.sequence import changes, daily_medians
from kernels.arrays import Flags, Floats, Ints

VALUE, MISSING, CODE, BAND, MIX, VECTOR = "value", "missing", "code", "band", "mix", "vector"
CORE = ("enmo_mean", "hr_median", "ln_rmssd", "rr_median", "tst_h", "wst_median")
"""Compared together: movement, pulse, its variability, breath, sleep, warmth; those that most nights have."""
MOSTLY = 0.8
BANDS = ("A", "B", "C", "D")
NO_CODE = "no code"
Row = dict[str, Any]


@dataclass(frozen=True)
class Drift:
    """findings: see `judge.judge`. compared: by, group, window_d of each newest window; n_reference, n: nights in its
    reference and in itself; good_reference, good: of band A or B; is_enough: of these."""

    days: Days
    compared: pl.DataFrame
    findings: pl.DataFrame

    @property
    def is_enough(self) -> bool:
        """Whether anything could be compared."""
        return not self.findings.is_empty()


def find(nights: Nights, days: Days, groups: tuple[str, ...] = ()) -> Drift:
    """nights: of `days.whole`; groups: columns that they hold."""
    day = (nights.rows["night_date"] - days.reference.first).dt.total_days().to_numpy()
    found = list(scopes(nights, days, day, groups))
    bands, codes = band_flags(nights.rows), code_flags(nights.rows)
    rows = [row for scope in found for row in _of_quality(bands, codes, scope)]
    core = {}
    for name, x in nights.values():
        rows += [row for scope in found for row in (*_of_feature(name, x, scope), *_by_day(name, x, day, days, scope))]
        if name in CORE:
            core[name] = x
    rows += [row for scope in found for row in _of_vector(core, scope)]
    measures = pl.DataFrame(rows, schema=MEASURES, orient="row")
    return Drift(days, _compared(found), judge(measures))


def _of_feature(name: str, x: Floats, scope: Scope) -> Iterator[Row]:
    """A feature without any value is no feature of this module, or of these devices."""
    for sample in _enough(scope.good):
        reference, now = x[sample.reference], x[sample.now]
        was_missing, is_missing = np.isnan(reference), np.isnan(now)
        if was_missing.all() and is_missing.all():
            continue
        yield from _rows(scope, VALUE, name, sample, *of_values(reference, now))
        if was_missing.any() or is_missing.any():
            yield from _rows(scope, MISSING, name, sample, of_shares(was_missing, is_missing))


def _by_day(name: str, x: Floats, day: Ints, days: Days, scope: Scope) -> Iterator[Row]:
    """Alarms of the last week: older ones have been told."""
    start, whole = days.reference.first, (days.newest - days.reference.first).days + 1
    medians = daily_medians(x[scope.series], day[scope.series], whole)
    for test, at in changes(medians, (days.reference.last - start).days + 1, whole - WEEK):
        told = {"statistic": float(at is not None), "n": len(scope.series)}
        changed_at = None if at is None else start + timedelta(at)
        yield _named(scope, VALUE, name) | {"back": 0, "test": test, "changed_at": changed_at} | told


def _of_quality(bands: dict[str, Flags], codes: dict[str, Flags], scope: Scope) -> Iterator[Row]:
    """Share of band A or B, share of each reason code, and both as a mix."""
    for sample in _enough(scope.every):
        for code, has_it in codes.items():
            measured = of_shares(has_it[sample.reference], has_it[sample.now])
            if measured.reference or measured.now:
                yield from _rows(scope, CODE, code, sample, measured)
        if bands:
            good = np.any([bands[band] for band in GOOD_BANDS], axis=0)
            yield from _rows(scope, BAND, "A or B", sample, of_shares(good[sample.reference], good[sample.now]))
        for name, mix in (("band", bands), ("reasons", codes)):
            if mix:
                was, now = (_counts(mix, places) for places in (sample.reference, sample.now))
                yield from _rows(scope, MIX, name, sample, *of_mix(was, now))


def _counts(mix: dict[str, Flags], places: Ints) -> Floats:
    return np.array([is_so[places].sum() for is_so in mix.values()], np.float64)


def band_flags(rows: pl.DataFrame) -> dict[str, Flags]:
    """Of each band whether a night is of it; nothing where nobody judged."""
    if "band" not in rows.columns:
        return {}
    return {band: (rows["band"] == band).fill_null(False).to_numpy() for band in BANDS}


def code_flags(rows: pl.DataFrame) -> dict[str, Flags]:
    """Of each reason code, and of no code, whether a night has it."""
    if "reasons" not in rows.columns:
        return {}
    reasons = rows["reasons"].fill_null([])
    codes = reasons.explode().drop_nulls().unique().sort()
    found = {code: reasons.list.contains(code).to_numpy() for code in codes}
    return found | {NO_CODE: (reasons.list.len() == 0).to_numpy()}


def _of_vector(core: dict[str, Floats], scope: Scope) -> Iterator[Row]:
    names = [name for name, x in core.items() if _known(x[scope.series]) >= MOSTLY]
    if len(names) > 1:
        for sample in _enough(scope.good):
            was, now = (np.column_stack([core[name][at] for name in names]) for at in (sample.reference, sample.now))
            yield from _rows(scope, VECTOR, ", ".join(names), sample, *of_vectors(was, now, sample.back))


def _known(x: Floats) -> float:
    return float(1 - np.isnan(x).mean()) if len(x) else 0.0


def _enough(samples: tuple[Sample, ...]) -> Iterator[Sample]:
    return (sample for sample in samples if sample.least >= LEAST)


def _named(scope: Scope, kind: str, what: str) -> Row:
    return dict.fromkeys(MEASURES) | {"by": scope.by, "group": scope.group, "kind": kind, "what": what}


def _rows(scope: Scope, kind: str, what: str, sample: Sample, *measured: Measured) -> Iterator[Row]:
    window = {"window_d": sample.window_d, "back": sample.back}
    window |= {"n_reference": len(sample.reference), "n": len(sample.now)}
    for one in measured:
        told = {name: None if value != value else value for name, value in asdict(one).items()}
        yield _named(scope, kind, what) | window | told


def _compared(found: list[Scope]) -> pl.DataFrame:
    rows = [
        (scope.by, scope.group, good.window_d, *map(len, (every.reference, every.now, good.reference, good.now)))
        for scope in found
        for good, every in zip(scope.good, scope.every, strict=True)
        if good.back == 0
    ]
    names = ("by", "group", "window_d", "n_reference", "n")
    schema = {**{name: MEASURES[name] for name in names}, "good_reference": pl.Int64, "good": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        is_enough=pl.min_horizontal("good_reference", "good") >= LEAST
    )
