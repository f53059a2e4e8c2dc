"""How far a run is from the truth of generated nights. The share kept stands beside every error."""

from __future__ import annotations

import polars as pl

GOOD_PPG = 0.6
GOOD_TEMP = 0.5
SCHEMA = {
    "quantity": pl.String,
    "unit": pl.String,
    "compared": pl.Int64,
    "kept_pct": pl.Float64,
    "error": pl.String,
    "value": pl.Float64,
}


def against_truth(
    epochs: pl.DataFrame, nights: pl.DataFrame, true_epochs: pl.DataFrame, true_nights: pl.DataFrame
) -> pl.DataFrame:
    """One row a quantity: how many were compared, how much of the truth was kept, and the error."""
    rows = [*_epoch_rows(epochs, true_epochs), *_night_rows(nights, true_nights)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _epoch_rows(epochs: pl.DataFrame, truth: pl.DataFrame) -> list[tuple[object, ...]]:
    paired = truth.join(epochs, on=["subject_id", "ts"], how="left", suffix="_out").filter(
        pl.col("source_id").is_not_null()
    )
    pulse = paired.filter((pl.col("q_ppg") >= GOOD_PPG) & pl.col("wear"))
    warmth = paired.filter((pl.col("q_temp") >= GOOD_TEMP) & pl.col("wear"))
    worn = paired.height and int(paired["wear"].sum())
    beat, hrv = _both(pulse, "hr_bpm"), _both(pulse, "rmssd_ms")
    skin = _both(warmth, "skin_temp_c")
    seen = paired.filter(pl.col("wear_out").is_not_null())
    slept = paired.filter(pl.col("sleep_state").is_not_null())
    right = (slept["sleep_state"] == "sleep") == slept["sleep"]
    return [
        ("heart rate", "bpm", beat.height, _pct(beat.height, worn), "mean absolute", _mae(beat, "hr_bpm")),
        ("RMSSD", "%", hrv.height, _pct(hrv.height, worn), "median absolute", _relative_rmssd(hrv)),
        ("skin temperature", "Cel", skin.height, _pct(skin.height, worn), "mean absolute", _mae(skin, "skin_temp_c")),
        (
            "wear",
            "%",
            seen.height,
            _pct(seen.height, paired.height),
            "wrong",
            _wrong((seen["wear_out"] == 1) == seen["wear"]),
        ),
        (
            "sleep or wake",
            "%",
            slept.height,
            _pct(slept.height, paired.height),
            "wrong",
            _wrong(right),
        ),
    ]


def _night_rows(nights: pl.DataFrame, truth: pl.DataFrame) -> list[tuple[object, ...]]:
    paired = truth.join(nights, on=["subject_id", "night_date"], how="inner", suffix="_out")
    rows: list[tuple[object, ...]] = []
    for column, name in (("spt_onset", "sleep onset"), ("spt_end", "sleep end")):
        found = paired.filter(pl.col(f"{column}_out").is_not_null())
        apart = (found[f"{column}_out"] - found[column]).dt.total_seconds().abs().median()
        minutes = None if apart is None else float(apart) / 60  # type: ignore[arg-type]
        rows.append((name, "min", found.height, _pct(found.height, truth.height), "median absolute", minutes))
    return rows


def _both(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.filter(pl.col(column).is_not_null() & pl.col(f"{column}_out").is_not_null())


def _mae(frame: pl.DataFrame, column: str) -> float | None:
    found: float | None = frame.select((pl.col(f"{column}_out") - pl.col(column)).abs().mean()).item()
    return found


def _relative_rmssd(frame: pl.DataFrame) -> float | None:
    found: float | None = frame.select((100 * (pl.col("rmssd_ms_out") / pl.col("rmssd_ms") - 1)).abs().median()).item()
    return found


def _wrong(right: pl.Series) -> float | None:
    return _pct(int((~right).sum()), len(right))


def _pct(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
