"""What the works of a plan will take, from works that were measured: time, output, memory, each with an interval.

Time and output grow with the input: the ratio of their sums over the measured works, times the bytes to do. Memory of
one work is a line over its size, plus the largest excess over that line seen. Intervals are 95 % of 1,000 bootstrap
draws of the measured works (Efron 1979, doi:10.1214/aos/1176344552), with a fixed seed: the same each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.errors import UserError
from engine.identity import module_name
from engine.workers.child import Limits

Floats = NDArray[np.float64]
DRAWS = 1000
SAMPLES = {"size_bytes": pl.Int64, "seconds": pl.Float64, "peak_mb": pl.Float64, "output_bytes": pl.Float64}
ENOUGH = 2_000
"""Works of the ledger that are looked at."""
SLACK_TIME, LEAST_TIME_S = 10.0, 60.0
SMALL_BYTES = 100_000
"""Below it a work's seconds are those of its start, which grow with nothing: no larger file takes so long a byte."""
SLACK_MEMORY, LEAST_MEMORY_MB = 3.0, 1024.0
MOST_TOO_LARGE = 0.05
"""A share of works above which a run is refused: below it they are quarantined as single files."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The likely value, and 95 % of what repetitions would say."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> Interval:
        return Interval(self.low * factor, self.likely * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of all works to do. `seconds` are of one core, `memory_mb` is the largest work's; output only where measured."""

    works_measured: int
    seconds: Interval
    output_bytes: Interval | None
    memory_mb: Interval
    too_large: int
    limits: Limits


def from_ledger(ledger: pl.LazyFrame, module_id: str) -> pl.DataFrame:
    """Works that this module did before, this version's if there are any; columns of `SAMPLES`, no output bytes."""
    rows = ledger.filter(
        pl.col("module_id").str.head(-13) == module_name(module_id),
        pl.col("seconds") > 0,
        pl.col("peak_memory_mb") > 0,
        pl.col("status").is_in(["ok", "partial"]),
    )
    share = rows.select(pl.len()).collect(engine="streaming").item() // ENOUGH + 1
    works = (
        rows.filter(pl.col("work_key").hash() % share == 0)
        .group_by("module_id", "work_key")
        .agg(pl.col("size_bytes").sum(), pl.col("seconds").max(), peak_mb=pl.col("peak_memory_mb").max())
        .collect(engine="streaming")
        .sort("module_id", "work_key")
    )
    own = works.filter(pl.col("module_id") == module_id)
    return (own if own.height else works).select(*list(SAMPLES)[:3], output_bytes=pl.lit(None, pl.Float64))


def estimate(samples: pl.DataFrame, sizes: pl.Series, told: Limits) -> Estimate:
    """`samples` has the columns of `SAMPLES`, at least one row; `sizes` are bytes of each work to do.

    `told` are the limits of one work; learned ones are never above its memory. A column `drawn` of the samples, where
    there is one, tells works that were chosen for their size, which count for memory only.
    """
    drawn = samples.filter("drawn") if "drawn" in samples.columns else samples
    total, largest = float(sizes.sum()), float(sizes.cast(pl.Float64).max() or 0)  # type: ignore[arg-type]
    seconds = _ratio(drawn, "seconds", total)
    lines = _lines(samples)
    output = _ratio(drawn, "output_bytes", total) if drawn["output_bytes"].null_count() == 0 else None
    expected = lines[0, 0] + lines[0, 1] * sizes.to_numpy().astype(np.float64)
    return Estimate(
        drawn.height,
        seconds,
        output,
        _interval(lines[:, 0] + lines[:, 1] * largest),
        int((expected > told.memory_mb).sum()),
        _learned(samples, largest, float(expected.max(initial=0.0)), told),
    )


def refuse_too_large(made: Estimate, works: int, limit_mb: float) -> None:
    """Raises `UserError` where more than single works need more memory than one may use."""
    if made.too_large > MOST_TOO_LARGE * works:
        raise UserError(
            f"{made.too_large} of {works} units of work need more memory than one may use: the largest about "
            f"{made.memory_mb.likely:,.0f} MB ({made.memory_mb.low:,.0f}–{made.memory_mb.high:,.0f}), and "
            f"{limit_mb:,.0f} MB is a worker's share; use fewer workers, or a larger --limit-memory-mb"
        )


def _ratio(samples: pl.DataFrame, column: str, total_bytes: float) -> Interval:
    size, value = (samples[name].cast(pl.Float64).to_numpy() for name in ("size_bytes", column))
    picks = _picks(len(size))
    return _interval(value[picks].sum(axis=1) / np.maximum(size[picks].sum(axis=1), 1.0) * total_bytes)


def _lines(samples: pl.DataFrame) -> Floats:
    """Level and slope (MB a byte) of memory over size for each draw, the level raised to lie above all its works."""
    size, peak = (samples[name].cast(pl.Float64).to_numpy() for name in ("size_bytes", "peak_mb"))
    picks = _picks(len(size))
    x, y = size[picks], peak[picks]
    dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    spread = (dx * dx).sum(axis=1)
    slope = np.maximum(np.divide((dx * dy).sum(axis=1), spread, out=np.zeros(len(picks)), where=spread > 0), 0.0)
    level = (y - slope[:, None] * x).max(axis=1)
    return np.stack([level, slope], axis=1)


def _picks(count: int) -> NDArray[np.intp]:
    """The first row takes all samples as they are, the others are drawn with replacement."""
    drawn = np.random.default_rng(0).integers(0, count, size=(DRAWS, count))
    return np.concatenate([np.arange(count)[None, :], drawn]).astype(np.intp)


def _interval(values: Floats) -> Interval:
    """`values[0]` is the likely one."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Interval(float(min(low, values[0])), float(values[0]), float(max(high, values[0])))


def _learned(samples: pl.DataFrame, largest_bytes: float, largest_mb: float, told: Limits) -> Limits:
    """Limits of one work: generous multiples of what the largest is expected to take."""
    rate = (pl.col("seconds") / pl.max_horizontal("size_bytes", pl.lit(SMALL_BYTES))).quantile(0.99, "higher")
    slowest, dearest = samples.select(pl.col("seconds").quantile(0.99, "higher"), rate.alias("rate")).row(0)
    seconds = max(SLACK_TIME * slowest, SLACK_TIME * dearest * largest_bytes, LEAST_TIME_S)
    memory_mb = min(max(SLACK_MEMORY * largest_mb, LEAST_MEMORY_MB), told.memory_mb)
    return Limits(float(round(seconds)), float(round(memory_mb)))
