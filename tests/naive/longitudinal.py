"""Nights against earlier nights, one person and feature after the other, in plain Python."""

from __future__ import annotations

import statistics
from typing import Any

from engine.longitudinal.features import FEATURES

Row = dict[str, Any]


def longitudinal(rows: list[Row]) -> dict[str, list[Row]]:
    baselines, shifts = [], []
    for subject in sorted({row["subject_id"] for row in rows}):
        nights = best([row for row in rows if row["subject_id"] == subject])
        for feature in FEATURES:
            baselines += [told(nights, i, feature) for i in range(len(nights))]
        shifts += three_over_six(nights)
    return {"baselines": baselines, "shifts": shifts}


def best(rows: list[Row]) -> list[Row]:
    found: dict[Any, Row] = {}
    for row in sorted(rows, key=lambda row: (-row["night_score"], -row["recorded_h"], row["source_id"])):
        found.setdefault(row["night_date"], row)
    return [found[at] for at in sorted(found)]


def valid(nights: list[Row], i: int, value: Any) -> list[int]:
    return [j for j in range(i) if nights[j]["band"] in "AB" and value(nights, j) is not None]


def height(nights: list[Row], i: int) -> float | None:
    return nights[i]["pulse_amp_median"]


def ratio(nights: list[Row], i: int) -> float | None:
    before = [height(nights, j) for j in valid(nights, i, height)][-30:]
    if height(nights, i) is None or len(before) < 7 or statistics.median(before) <= 0:
        return None
    return height(nights, i) / statistics.median(before)


def told(nights: list[Row], i: int, feature: Any) -> Row:
    def value(nights: list[Row], j: int) -> float | None:
        return ratio(nights, j) if feature.name == "pulse_amp_ratio" else nights[j][feature.name]

    held = valid(nights, i, value)[-28:]
    before = [value(nights, j) for j in held]
    x, median, mad, reason, dev_z = value(nights, i), None, None, None, None
    if len(before) >= 7:
        median = statistics.median(before)
        mad = statistics.median([abs(one - median) for one in before])
    if (height(nights, i) if feature.name == "pulse_amp_ratio" else x) is None:
        reason = "NO_VALUE"
    elif nights[i]["band"] == "D":
        reason = "REJECTED"
    elif x is None or median is None:
        reason = "FEW_NIGHTS"
    else:
        dev_z = (x - median) / (1.4826 * max(mad, feature.floor))
    return {
        "subject_id": nights[i]["subject_id"], "feature": feature.name, "night_date": nights[i]["night_date"],
        "source_id": nights[i]["source_id"], "unit": feature.unit, "value": x, "n_baseline": len(held),
        "baseline_from": nights[held[0]]["night_date"] if held else None, "median": median, "mad": mad,
        "dev_z": dev_z, "reason": reason,
    }  # fmt: skip


def three_over_six(nights: list[Row]) -> list[Row]:
    warm = [row for row in nights if row["band"] in "AB" and row["wst_p99_stable"] is not None]
    found = []
    for i in range(6, len(warm) - 2):
        highest = max(row["wst_p99_stable"] for row in warm[i - 6 : i])
        lowest = min(row["wst_p99_stable"] for row in warm[i : i + 3])
        if lowest > highest:
            found.append({
                "subject_id": warm[i]["subject_id"], "night_date": warm[i]["night_date"],
                "source_id": warm[i]["source_id"], "reported_date": warm[i + 2]["night_date"],
                "before_from": warm[i - 6]["night_date"], "before_max": highest, "after_min": lowest,
                "rise": lowest - highest,
            })  # fmt: skip
    return found
