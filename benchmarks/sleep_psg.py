"""Cole–Kripke's and Sadeh's sleep or wake against polysomnography, subject by subject.

    python benchmarks/sleep_psg.py [DATA] [--json FILE]

DATA holds the real recordings (default ../shared/data). The activity of sleepaccel_features is the published feature
of an Apple Watch: counts of its own, smoothed over 10 min, no ActiGraph's. Two epochs of 30 s are summed to a minute,
and both get the minute's state; minutes whose window leaves the night stay unscored. `raw` takes the sums as they
are. `scaled` multiplies them by what serves the *other* subjects best: of the factors 2^−4, 2^−3.5 … 2^10 the one with
the highest mean specificity among those with a mean sensitivity of at least 0.90; no factor sees the subject it scores.
Sensitivity is the share of sleep called sleep, specificity of wake called wake. Accuracy alone would flatter: who
always says sleep has 92 % here. The area under the curve goes by the score and needs no threshold.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kernels.actigraphy import COLE_KRIPKE_ASLEEP_BELOW, SADEH_ASLEEP_FROM, cole_kripke, sadeh

Floats = NDArray[np.float64]
FACTORS = [2.0 ** (k / 2) for k in range(-8, 21)]
LEAST_SENSITIVITY = 0.90
MEASURES = ("sensitivity", "specificity", "auc")


@dataclass(frozen=True)
class Person:
    """One night. counts: (minutes,) float64; asleep: (2 × minutes,) bool, by polysomnography every 30 s."""

    name: str
    counts: Floats
    asleep: NDArray[np.bool_]


def by_cole_kripke(counts: Floats) -> Floats:
    """(n,) float64: above 0 is wake, and so is a score at the border."""
    score: Floats = cole_kripke(counts) - COLE_KRIPKE_ASLEEP_BELOW
    return np.where(score == 0.0, np.finfo(np.float64).tiny, score)


def by_sadeh(counts: Floats) -> Floats:
    """(n,) float64: above 0 is wake."""
    score: Floats = SADEH_ASLEEP_FROM - sadeh(counts)
    return score


SCORES: dict[str, Callable[[Floats], Floats]] = {"cole_kripke": by_cole_kripke, "sadeh": by_sadeh}


def people(path: Path) -> list[Person]:
    made = []
    for (name,), rows in (
        pl.read_parquet(path).sort("subject", "epoch30s").partition_by("subject", as_dict=True).items()
    ):
        if not (np.diff(rows["epoch30s"].to_numpy()) == 1).all():
            raise ValueError(f"{name}: epochs are missing; a minute would be summed of strangers")
        even = rows.head(rows.height // 2 * 2)
        counts = even["count_feature"].to_numpy().reshape(-1, 2).sum(1)
        made.append(Person(str(name), counts, even["psg_stage"].to_numpy() > 0))
    return made


def area(wakeful: Floats, asleep: NDArray[np.bool_]) -> float:
    """How often an epoch awake scores higher than one asleep; a tie counts half."""
    sleep, wake = np.sort(wakeful[asleep]), wakeful[~asleep]
    below, upto = (np.searchsorted(sleep, wake, side) for side in ("left", "right"))
    return float((below + upto).mean() / (2 * len(sleep)))


def judge(person: Person, score: Callable[[Floats], Floats], factor: float) -> dict[str, float]:
    wakeful = np.repeat(score(person.counts * factor), 2)
    scored = np.isfinite(wakeful)
    wakeful, asleep = wakeful[scored], person.asleep[scored]
    return {
        "epochs": len(scored),
        "scored": float(scored.mean()),
        "awake": int((~asleep).sum()),
        "factor": factor,
        "sensitivity": float((wakeful[asleep] <= 0).mean()),
        "specificity": float((wakeful[~asleep] > 0).mean()),
        "auc": area(wakeful, asleep),
    }


def factor_of(others: Sequence[Person], score: Callable[[Floats], Floats]) -> float:
    """The factor with the highest mean specificity where the mean sensitivity is high enough (else the smallest)."""
    best, highest = FACTORS[0], -1.0
    for factor in FACTORS:
        found = [judge(one, score, factor) for one in others]
        sensitivity, specificity = (float(np.mean([f[name] for f in found])) for name in MEASURES[:2])
        if sensitivity >= LEAST_SENSITIVITY and specificity > highest:
            best, highest = factor, specificity
    return best


def rows(crowd: Sequence[Person]) -> list[dict[str, Any]]:
    """One a subject, kernel and scaling."""
    found = []
    for method, score in SCORES.items():
        for one in crowd:
            others = [other for other in crowd if other is not one]
            for scaling, factor in (("raw", 1.0), ("scaled", factor_of(others, score))):
                found.append({"method": method, "scaling": scaling, "subject": one.name, **judge(one, score, factor)})
    return found


def show(table: Sequence[dict[str, Any]]) -> None:
    print("method       scaling  subject   epochs scored awake  factor  sensitivity specificity   auc")
    for method in SCORES:
        for scaling in ("raw", "scaled"):
            own = [row for row in table if (row["method"], row["scaling"]) == (method, scaling)]
            for row in own:
                print(
                    f"{method:13}{scaling:9}{row['subject']:9}{row['epochs']:7}{row['scored']:7.1%}{row['awake']:6}"
                    f"{row['factor']:8.3g}{row['sensitivity']:13.3f}{row['specificity']:12.3f}{row['auc']:6.3f}"
                )
            for name, of in (("mean", np.mean), ("median", np.median)):
                told = [float(of([row[measure] for row in own])) for measure in MEASURES]
                print(f"{method:13}{scaling:9}{name:30}{'':8}{told[0]:13.3f}{told[1]:12.3f}{told[2]:6.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    table = rows(people(args.data / "sleepaccel_features" / "first10subjects.parquet"))
    show(table)
    if args.json:
        args.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
