"""Variability against an electrocardiogram: bias and limits of agreement, beside the share of minutes kept.

    python benchmarks/rmssd.py [DATA] [--json FILE]

DATA holds the real recordings (default ../shared/data). One person wore a wrist device, three straps and electrodes at
once (wearablehrv_mit): what is there are the devices' intervals, so this judges the module's rules for intervals —
range, contiguity, artefacts, least data — and not its detector of beats. All go the same way: intervals cleaned
(`intervals`), RMSSD and SDNN by epoch (`kernels.rates`). The clocks differ by the whole second or two that fits best.
Rows stand for epochs of the ECG's value; `every pair` is RMSSD over all pairs within 60 s, without any rule.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_US, Grid, cover
from engine.night.signals.intervals import Beats, clean_intervals
from kernels.rates import epoch_rates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CONTIGUOUS_MS, LATE_MS = 20.0, 1500.0  # straps send packets: their stamps are up to a second off
MOST_SHIFT_S = 10
LOCAL = timedelta(hours=2)  # Amsterdam in June
DEVICES = ("empatica", "kyto", "heartmath", "rhythm")


@dataclass(frozen=True)
class Intervals:
    """end_us: (k,) int64 end of each interval, ascending; ms: (k,) its length."""

    end_us: Ints
    ms: Floats
    tolerance_ms: float = CONTIGUOUS_MS

    def beats(self) -> Beats:
        """Runs of touching intervals, cleaned as those of our own detector are."""
        return clean_intervals([self._run(low, high) for low, high in self._touching()])

    def _touching(self) -> Iterator[tuple[int, int]]:
        apart = np.abs(np.diff(self.end_us) / 1000 - self.ms[1:]) > self.tolerance_ms
        edges = [0, *(np.flatnonzero(apart) + 1).tolist(), len(self.ms)]
        yield from pairwise(edges)

    def _run(self, low: int, high: int) -> Ints:
        """Beat times by adding intervals up: time stamps are of whole milliseconds, sent late by some devices."""
        start_us = self.end_us[low] - round(1000 * self.ms[low])
        steps = np.concatenate([[0], np.cumsum(np.rint(1000 * self.ms[low:high]).astype(np.int64))])
        times: Ints = start_us + steps
        return times


def device(path: Path) -> Intervals:
    with path.open(newline="") as file:
        rows = [row for row in csv.reader(file) if row and row[0].strip().isdigit()]
    start_or_end = np.array([int(row[0]) for row in rows], np.int64) * 1000
    ms = np.array([float(row[1]) for row in rows])
    starts = np.abs(np.diff(start_or_end) / 1000 - ms[:-1]) <= CONTIGUOUS_MS
    ends = np.abs(np.diff(start_or_end) / 1000 - ms[1:]) <= CONTIGUOUS_MS
    shift = np.rint(1000 * ms).astype(np.int64) if starts.sum() > ends.sum() else 0
    order = np.argsort(start_or_end + shift, kind="stable")
    touch = max(starts.mean(), ends.mean()) > 0.5
    return Intervals((start_or_end + shift)[order], ms[order], CONTIGUOUS_MS if touch else LATE_MS)


def electrocardiogram(path: Path) -> Intervals:
    rows = [line.split("\t") for line in path.read_text().splitlines()[2:] if line.strip()]
    stamps = [datetime.strptime(row[0], "%d-%m-%y/%H:%M:%S.%f").replace(tzinfo=UTC) - LOCAL for row in rows]
    end_us = np.array([round(stamp.timestamp() * 1e6) for stamp in stamps], np.int64)
    ms = np.array([float(row[2]) for row in rows])
    return Intervals(end_us[ms > 0], ms[ms > 0])


def best_shift_s(ours: Intervals, theirs: Intervals) -> int:
    """Whole seconds by which `ours` is to be moved so that its rate follows the other's best."""
    grid_s = np.arange(theirs.end_us[0] // 1_000_000, theirs.end_us[-1] // 1_000_000)
    truth = np.interp(grid_s, theirs.end_us / 1e6, theirs.ms)

    def apart(shift_s: int) -> float:
        moved = np.interp(grid_s, ours.end_us / 1e6 + shift_s, ours.ms)
        return float(np.median(np.abs(moved - truth)))

    return min(range(-MOST_SHIFT_S, MOST_SHIFT_S + 1), key=apart)


def rates(intervals: Intervals, grid: Grid) -> tuple[Floats, Floats, Floats]:
    """RMSSD and SDNN by epoch with the module's least data; RMSSD of every pair within 60 s, without any rule."""
    beats = intervals.beats()
    found = epoch_rates(beats.t_us, beats.ibi_ms, beats.valid, beats.valid, grid.start_us, EPOCH_US, grid.n)
    raw = np.full(grid.n, np.nan)
    for epoch, centre in enumerate(grid.ts_us + EPOCH_US // 2):
        low, high = np.searchsorted(intervals.end_us, [centre - 30_000_000, centre + 30_000_000])
        if high - low > 2:
            raw[epoch] = np.sqrt(np.mean(np.diff(intervals.ms[low:high]) ** 2))
    return found[1], found[2], raw


def agreement(name: str, ours: Floats, truth: Floats) -> dict[str, Any]:
    """Bland & Altman, and the same of logarithms as ratios."""
    told = np.isfinite(truth)
    both = told & np.isfinite(ours)
    difference = (ours - truth)[both]
    ratio = np.log(np.maximum(ours[both], 1e-3) / truth[both])
    bias, spread = (float(difference.mean()), float(difference.std(ddof=1))) if both.sum() > 1 else (np.nan, np.nan)
    return {
        "what": name,
        "epochs": int(told.sum()),
        "kept": float(both.sum() / max(told.sum(), 1)),
        "truth": float(np.median(truth[both])) if both.any() else np.nan,
        "bias": bias,
        "low": bias - 1.96 * spread,
        "high": bias + 1.96 * spread,
        "ratio": float(np.exp(ratio.mean())) if both.any() else np.nan,
        "mae": float(np.abs(difference).mean()) if both.any() else np.nan,
    }


def conditions(path: Path, day_us: int, grid: Grid) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and epochs of each condition of the protocol."""
    begun: dict[str, int] = {}
    for row in csv.DictReader(path.open(newline="")):
        clock = datetime.strptime(row["timestamp"], "%H:%M:%S") - datetime(1900, 1, 1) - LOCAL
        when_us = day_us + round(clock.total_seconds() * 1e6)
        if row["datapoint"] == "start":
            begun[row["conditions"]] = when_us
        else:
            centre = grid.ts_us + EPOCH_US // 2
            yield row["conditions"], (centre >= begun[row["conditions"]]) & (centre < when_us)


def measure_all(folder: Path) -> list[dict[str, Any]]:
    truth = electrocardiogram(folder / "test_vu.txt")
    grid = cover(int(truth.end_us[0]), int(truth.end_us[-1]))
    rmssd, sdnn, raw = rates(truth, grid)
    rows = [agreement("ECG, every pair", raw, rmssd)]
    for name in DEVICES:
        made = device(folder / f"test_{name}.csv")
        shift_s = best_shift_s(made, truth)
        own = rates(replace(made, end_us=made.end_us + 1_000_000 * shift_s), grid)
        rows.append({**agreement(f"{name} RMSSD", own[0], rmssd), "shift_s": shift_s})
        rows.append(agreement(f"{name} RMSSD, every pair", own[2], rmssd))
        rows.append(agreement(f"{name} SDNN", own[1], sdnn))
        if name == "empatica":
            day_us = int(truth.end_us[0]) // 86_400_000_000 * 86_400_000_000
            for condition, within in conditions(folder / "test_events.csv", day_us, grid):
                rows.append(agreement(f"  {condition}", own[0], np.where(within, rmssd, np.nan)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = measure_all(args.data / "formats_zoo/wearablehrv_mit")
    print(
        f"{'against ECG':28}{'epochs':>7}{'kept':>6}{'ECG ms':>8}{'bias':>8}{'95 % limits':>18}{'ratio':>7}{'MAE':>7}"
    )
    for row in rows:
        print(
            f"{row['what']:28}{row['epochs']:7}{row['kept']:6.0%}{row['truth']:8.1f}{row['bias']:+8.1f}"
            f"{row['low']:+9.1f}{row['high']:+9.1f}{row['ratio']:7.2f}{row['mae']:7.1f}"
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
