"""Breathing rate against truth (generated nights) and against a given respiration, beside the share that is kept.

    python benchmarks/breathing.py [DATA] [--nights 6] [--hours 3] [--json FILE]

DATA holds the real recordings (default ../shared/data). The respiration of stress_predict is itself an algorithm's
output from the same light, held over minutes: the curve is reported, nothing was tuned to it. `constant` is the error
of the session's median on the same epochs. Epochs count where there is PPG and a truth. The curve goes by what the
module itself knows: the spread (sd, n−1) of the three rates, which Karlen 2013 accepts up to 4.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.heart_rate import recordings
from engine.module import RawFile
from engine.night import clean
from engine.night.formats import parse
from engine.night.grid import EPOCH_US, cover
from engine.night.recording import Recording
from engine.night.signals import breathing, motion, ppg
from engine.simulate import nights

Floats = NDArray[np.float64]
WINDOW_S = 32
SPREADS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0)
SEED = 31


@dataclass(frozen=True)
class Session:
    """One session, an epoch a value: rr, truth: brpm; spread: sd of the three rates, NaN where fewer; rates: (3, n)."""

    name: str
    rr: Floats
    truth: Floats
    spread: Floats
    rates: Floats

    @property
    def error(self) -> Floats:
        return self.rr - self.truth


def session(name: str, recording: Recording, truth_at: Any) -> Session:
    grid = cover(recording.start_us, recording.end_us)
    moved = motion.measure(recording, grid)
    pulse = ppg.measure(recording, grid, moved.enmo_mg if moved else np.full(grid.n, np.nan))
    rates = breathing.modulation_rates(pulse, grid)
    truth = np.where(pulse.present > 0, truth_at(grid.ts_us), np.nan)
    return Session(name, breathing.measure(pulse, grid).rr_brpm, truth, np.std(rates, axis=0, ddof=1), rates)


def generated(number: int, hours: float) -> Session:
    night = nights.draw(seed=SEED, user=number, hours=hours)
    (made,), _ = parse.read([RawFile("night.zip", night.zip())], 512)
    true = dict(zip(night.truth.epochs["ts"].dt.timestamp("us"), night.truth.epochs["rr_brpm"], strict=True))

    def truth_at(ts_us: NDArray[np.int64]) -> Floats:
        return np.array([true.get(ts) for ts in ts_us.tolist()], np.float64)

    return session(f"night {number}", clean.clean(made, None), truth_at)


def given(path: Path, labels: pl.DataFrame) -> list[Session]:
    own = labels.filter(pl.col("Participant") == int(path.stem[1:].split("_")[0])).sort("Time(sec)")
    if not len(own):
        return []
    when_s, rate = own["Time(sec)"].to_numpy(), own["respr"].to_numpy()

    def truth_at(ts_us: NDArray[np.int64]) -> Floats:
        centre_s = (ts_us + EPOCH_US // 2) / 1e6
        low, high = (np.searchsorted(when_s, centre_s + side * WINDOW_S / 2) for side in (-1, 1))
        spans = zip(low, high, strict=True)
        return np.array([rate[a:b].mean() if b - a >= WINDOW_S * 0.75 else np.nan for a, b in spans])

    found = [one for one in recordings(path) if ppg.choose(one) is not None]
    return [session(path.stem, one, truth_at) for one in found]


def summary(one: Session) -> dict[str, Any]:
    told = np.isfinite(one.truth)
    kept = told & np.isfinite(one.rr)
    error = one.error[kept]
    if not len(error):
        return {"session": one.name, "epochs": int(told.sum()), "kept": 0.0}
    single = [float(np.nanmean(np.abs(row - one.truth)[kept])) for row in one.rates]
    spread = float(error.std(ddof=1))
    return {
        "session": one.name,
        "epochs": int(told.sum()),
        "kept": float(kept.sum() / told.sum()),
        "mae": float(np.abs(error).mean()),
        "median": float(np.median(np.abs(error))),
        "bias": float(error.mean()),
        "low": float(error.mean() - 1.96 * spread),
        "high": float(error.mean() + 1.96 * spread),
        "constant": float(np.abs(one.truth[kept] - np.median(one.truth[told])).mean()),
        "single": single,
    }


def curve(sessions: Sequence[Session]) -> list[dict[str, float]]:
    """Share kept and error where the three rates are at most so far apart; the last row is the module's own."""
    error = np.concatenate([one.error for one in sessions])
    spread = np.concatenate([one.spread for one in sessions])
    told = np.concatenate([np.isfinite(one.truth) for one in sessions])
    rows = []
    for most in (*SPREADS, np.inf):
        kept = told & np.isfinite(error) & ((spread <= most) | np.isinf(most))
        own = np.abs(error[kept])
        mae, median = (float(own.mean()), float(np.median(own))) if len(own) else (np.nan, np.nan)
        rows.append({"most": most, "kept": float(kept.sum() / max(told.sum(), 1)), "mae": mae, "median": median})
    return rows


def show(title: str, sessions: Sequence[Session]) -> dict[str, Any]:
    rows, points = [summary(one) for one in sessions], curve(sessions)
    print(f"\n{title:16} epochs  kept    MAE median   bias  95 % limits  constant   RIIV   RIAV   RIFV alone")
    for row in rows:
        if row["kept"]:
            limits = f"{row['low']:+6.1f}{row['high']:+6.1f}"
            alone = "".join(f"{value:7.2f}" for value in row["single"])
            print(
                f"{row['session']:16}{row['epochs']:7}{row['kept']:6.0%}{row['mae']:7.2f}{row['median']:7.2f}"
                f"{row['bias']:+7.2f} {limits}{row['constant']:10.2f}{alone}"
            )
        else:
            print(f"{row['session']:16}{row['epochs']:7}{0:6.0%}")
    for point in points:
        name = "as the module keeps" if np.isinf(point["most"]) else f"spread up to {point['most']:.2f}"
        print(f"{name:24}{point['kept']:6.0%} kept, MAE {point['mae']:.2f}, median {point['median']:.2f} brpm")
    return {"sessions": rows, "curve": [{**point, "most": str(point["most"])} for point in points]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--nights", type=int, default=6)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    told = {"generated": show("generated", [generated(number, args.hours) for number in range(args.nights)])}
    folder = args.data / "stress_predict"
    if folder.exists():
        labels = pl.read_parquet(folder / "hr_rsp_labels.parquet")
        real = [one for path in sorted((folder / "raw").glob("*.zip")) for one in given(path, labels)]
        told["stress_predict"] = show("stress_predict", real)
    if args.json:
        args.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
