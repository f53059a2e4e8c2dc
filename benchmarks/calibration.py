"""Accelerometer calibration on real devices, and beside scikit-digital-health where that is installed.

    python benchmarks/calibration.py [DATA] [--json FILE]

DATA holds the real recordings (default ../shared/data). nurse_e4: the still windows of each person's Empatica E4 (the
files name no serial number, so a device is a person's), versions as `nightmill calibrate` makes them, and what counts:
the error of *later* nights, which no version has seen, before and after. Then 72 h of a made device of known gain and
offset: how far from the truth both fits end, and how long they take.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.module import Calibration, RawFile, Source
from engine.night.night import Night
from engine.night.signals.calibration import IDENTITY, Correction, fit, read
from jobs.calibrate import AXES_G, versions
from kernels.sphere import distance

Floats = NDArray[np.float64]
GAIN, OFFSET, NOISE_G = np.array([1.02, 0.98, 1.01]), np.array([0.03, -0.02, 0.01]), 0.003
RATE_HZ, HOURS = 20.0, 73


def still_windows(folder: Path, pattern: str) -> pl.DataFrame:
    module, tables = Night(), []
    for path in sorted(folder.glob(pattern)):
        source = Source(path.stem, (path.name,), path.parent.name, zone="America/Chicago")
        outcome = module([RawFile(path.name, path.read_bytes())], source)
        tables += [outcome.tables["still_windows"]] if outcome.tables else []
    found = pl.concat([pl.DataFrame(table) for table in tables])
    return found.sort("device", "ts")


def error_mg(windows: pl.DataFrame, correction: Correction) -> float:
    points = np.ascontiguousarray(windows.select(AXES_G).to_numpy())
    return float(1000 * distance(points, np.array(correction.scale), np.array(correction.offset_g)))


def real(folder: Path, pattern: str = "*/*.zip") -> list[dict[str, Any]]:
    windows = still_windows(folder, pattern)
    made, rows = versions(windows), []
    for (device,), own in windows.partition_by("device", as_dict=True).items():
        row: dict[str, Any] = {"device": device, "nights": own["night_date"].n_unique(), "windows": own.height}
        row["start_mg"] = error_mg(own, IDENTITY)
        whole = fit(own.select(AXES_G).to_numpy())
        row["all_end_mg"] = None if whole is None else whole.end_error_mg
        for version in made.filter(pl.col("device") == device).head(1).iter_rows(named=True):
            later = own.filter(pl.col("ts") >= version["valid_from"])
            used = read(Calibration(device, version["cal_id"], version["coefficients"]))
            row |= {name: version[f"{name}_error_mg"] for name in ("start", "end")}
            row |= {
                "later": later.height,
                "later_before": error_mg(later, IDENTITY),
                "later_after": error_mg(later, used),
            }
        rows.append(row)
    return rows


def made_device() -> tuple[Floats, Floats]:
    """Times and acceleration of a device that is turned every minute."""
    rng = np.random.default_rng(0)
    pose = rng.normal(size=(HOURS * 60, 3))
    pose /= np.linalg.norm(pose, axis=1, keepdims=True)
    acceleration = np.repeat(pose * GAIN + OFFSET, round(60 * RATE_HZ), axis=0)
    acceleration += rng.normal(0.0, NOISE_G, acceleration.shape)
    return 1.6e9 + np.arange(len(acceleration)) / RATE_HZ, acceleration


def ours(_: Floats, acceleration: Floats) -> tuple[Floats, Floats]:
    found = fit(acceleration.reshape(-1, round(10 * RATE_HZ), 3).mean(1))
    assert found is not None
    return np.array(found.correction.scale), np.array(found.correction.offset_g)


def theirs(times: Floats, acceleration: Floats) -> tuple[Floats, Floats]:
    from skdh.preprocessing import CalibrateAccelerometer

    found = CalibrateAccelerometer().predict(time=times, accel=acceleration, fs=RATE_HZ)
    return np.asarray(found["scale"]), np.asarray(found["offset"])


def against_truth(name: str, method: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> dict[str, Any]:
    times, acceleration = made_device()
    began = time.process_time()
    scale, offset = method(times, acceleration)
    seconds = time.process_time() - began
    off = float(np.abs(scale - 1 / GAIN).max()), float(1000 * np.abs(offset + OFFSET).max())
    return {"method": name, "scale_off": off[0], "offset_off_mg": off[1], "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    told = []
    if (args.data / "nurse_e4").exists():
        told += real(args.data / "nurse_e4")
    told.append(against_truth("nightmill", ours))
    try:
        told.append(against_truth("scikit-digital-health", theirs))
    except ImportError:
        print("scikit-digital-health is not installed")
    for row in told:
        print(
            "  ".join(
                f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
            )
        )
    if args.json:
        args.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
