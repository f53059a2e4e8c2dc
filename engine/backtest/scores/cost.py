"""What a configuration costs if it is run alone: the fits that it needs, out of those that were shared."""

from __future__ import annotations

import polars as pl

FIT_KEY = ("model", "window_h", "refit_h")


def cpu_by_configuration(fits: pl.LazyFrame, refits_h: tuple[int, ...], phase_h: int, every_h: int) -> pl.DataFrame:
    """One row a model, window and refit: n_fits, n_ok and cpu_s of its own fits, failed ones included, and of the
    anchor and selection fits beside them, which serve all refits of the model and window alike.

    fits: rows of `FITS`. A refit's cutoffs are those on its phase after which, and before the next, an origin lies.
    """
    hour = (pl.col("cutoff").dt.epoch("s") // 3600 - phase_h).alias("hour")
    counted = (
        fits.with_columns(hour)
        .group_by("model", "window_h", "hour", "role")
        .agg(n_fits=pl.len(), n_ok=(pl.col("status") == "ok").sum(), cpu_s=pl.col("cpu_s").sum())
        .collect()
    )
    parts = [counted.clear().select("model", "window_h", "n_fits", "n_ok", "cpu_s", refit_h=pl.lit(0, pl.Int64))]
    for refit in refits_h:
        first_origin = -((-pl.col("hour")) // every_h) * every_h
        needed = (pl.col("role") != "asked") | ((pl.col("hour") % refit == 0) & (first_origin < pl.col("hour") + refit))
        added = counted.filter(needed).group_by("model", "window_h").agg(pl.col("n_fits", "n_ok", "cpu_s").sum())
        parts.append(added.with_columns(refit_h=pl.lit(refit, pl.Int64)))
    columns = [*FIT_KEY, "n_fits", "n_ok", "cpu_s"]
    return pl.concat([part.select(columns) for part in parts]).sort(FIT_KEY)
