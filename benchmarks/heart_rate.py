"""Heart rate on real recordings against what the device and an oximeter say, always beside the share that is kept.

    python benchmarks/heart_rate.py [DATA] [--json FILE]

DATA holds the real recordings (default ../shared/data). The device's HR.csv is a mean over (t − 66, t − 6] s, so it is
read 36 s after an epoch's centre. `constant` is the error of the session's median on the same epochs: what knowing
nothing of the moment would give. Epochs count where the device gives a rate; they are kept at q_ppg ≥ 0.6.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night import clean
from engine.night.formats import parse
from engine.night.grid import EPOCH_S, EPOCH_US, Grid, cover
from engine.night.recording import Channel, Device, Recording, Segment
from engine.night.signals import motion, ppg

Floats = NDArray[np.float64]
LAG_S = 36
GOOD = 0.6
BINS = (0.0, 1e-12, 0.6, 0.8, 0.95, 1.1)  # the first holds only 0
FINGER_HZ, FINGER_START_US = 100.0, 1_600_000_000_000_000


@dataclass(frozen=True)
class Session:
    """One session, an epoch a value. hr: ours; device: HR.csv 36 s later; ibi: 30 s of IBI.csv, NaN under half.

    seen: share of the device's beats (IBI.csv) that lie within 60 ms of one of ours.
    """

    name: str
    q: Floats
    hr: Floats
    device: Floats
    ibi: Floats
    seen: float

    @property
    def told(self) -> NDArray[np.bool_]:
        return np.isfinite(self.device)

    @property
    def kept(self) -> NDArray[np.bool_]:
        return self.told & (self.q >= GOOD) & np.isfinite(self.hr)


def recordings(path: Path) -> list[Recording]:
    """The cleaned recordings of a zip, or of a folder of csv files."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    raw = [RawFile(file.name, file.read_bytes()) for file in files if file.suffix in (".csv", ".zip")]
    found, _ = parse.read(raw, 512)
    return [clean.clean(recording, None) for recording in found]


def session(name: str, recording: Recording) -> Session:
    grid = cover(recording.start_us, recording.end_us)
    moved = motion.measure(recording, grid)
    pulse = ppg.measure(recording, grid, moved.enmo_mg if moved else np.full(grid.n, np.nan))
    device = _device_hr(recording, grid)
    device[pulse.present <= 0] = np.nan
    ibi, seen = _device_ibi(recording, grid, pulse.beats.t_us)
    return Session(name, pulse.q_ppg, pulse.hr_bpm, device, ibi, seen)


def _device_hr(recording: Recording, grid: Grid) -> Floats:
    hr = np.full(grid.n, np.nan)
    channel = recording.channels.get("hr_device")
    when_us = grid.ts_us + EPOCH_US // 2 + LAG_S * 1_000_000
    for segment in channel.segments if channel else ():
        place = np.rint((when_us - segment.t0_us) * (segment.fs_hz / 1e6)).astype(int)
        inside = (place >= 0) & (place < len(segment.values))
        hr[inside] = channel.physical(segment)[place[inside]] if channel else np.nan
    return hr


def _device_ibi(recording: Recording, grid: Grid, beats_us: NDArray[np.int64]) -> tuple[Floats, float]:
    hr = np.full(grid.n, np.nan)
    events = recording.events.get("ibi")
    if events is None or not len(events.t_us) or len(beats_us) < 2:
        return hr, float("nan")
    ibi_ms = events.values * events.scale + events.offset
    for epoch, centre in enumerate(grid.ts_us + EPOCH_US // 2):
        low, high = np.searchsorted(events.t_us, [centre - 15_000_000, centre + 15_000_000])
        if ibi_ms[low:high].sum() >= 15_000:
            hr[epoch] = 60_000 / np.median(ibi_ms[low:high])
    after = np.clip(np.searchsorted(beats_us, events.t_us), 1, len(beats_us) - 1)
    near = np.minimum(np.abs(beats_us[after] - events.t_us), np.abs(beats_us[after - 1] - events.t_us))
    return hr, float(np.mean(near <= 60_000))


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def summary(one: Session) -> dict[str, Any]:
    error = np.abs(one.hr - one.device)[one.kept]
    constant = np.abs(one.device[one.kept] - np.median(one.device[one.told])) if one.told.any() else error
    beats = np.abs(one.hr - one.ibi)[one.kept & np.isfinite(one.ibi)]
    return {
        "session": one.name,
        "epochs": int(one.told.sum()),
        "kept": _mean(one.kept[one.told].astype(float)),
        "median": _median(error),
        "mean": _mean(error),
        "constant": _median(constant),
        "ibi_epochs": len(beats),
        "ibi_median": _median(beats),
        "beats_seen": one.seen,
    }


def pooled_bins(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Median and mean error of each bin of quality, over all epochs of all sessions."""
    q = np.concatenate([one.q[one.told] for one in sessions])
    error = np.concatenate([np.abs(one.hr - one.device)[one.told] for one in sessions])
    rows = []
    for low, high in pairwise(BINS):
        inside = error[(q >= low) & (q < high) & np.isfinite(error)]
        rows.append({"from": low, "epochs": len(inside), "median": _median(inside), "mean": _mean(inside)})
    return rows


def finger(data: Path) -> dict[str, float]:
    """Mean error against the oximeter's own rate on a finger recording of ten minutes."""
    with (data / "formats_zoo/vitalsqi_ppg_mit/ppg_smartcare.csv").open(newline="") as file:
        rows = [(int(row["PLETH"]), float(row["PULSE_BPM"])) for row in csv.DictReader(file)]
    pleth, truth = (np.array(column) for column in zip(*rows, strict=True))
    segment = Segment(FINGER_START_US, FINGER_HZ, pleth.astype(np.int32))
    channel = Channel("ppg_ir", "1", 1.0, 0.0, (segment,), {"has_dc": False})
    recording = Recording("finger", "", Device("", ""), None, None, None, None, {"ppg_ir": channel}, {}, (), {})
    grid = cover(recording.start_us, recording.end_us)
    found = ppg.measure(clean.clean(recording, None), grid, np.full(grid.n, np.nan))
    each = round(EPOCH_S * FINGER_HZ)
    rate = np.array([_mean(truth[i * each : (i + 1) * each]) for i in range(grid.n)])
    kept = (found.q_ppg >= GOOD) & np.isfinite(found.hr_bpm)
    return {"kept": _mean(kept.astype(float)), "mae": _mean(np.abs(found.hr_bpm - rate)[kept])}


def measure_all(paths: Sequence[Path]) -> list[Session]:
    """Sessions with PPG."""
    found = [(path.stem, recording) for path in paths for recording in recordings(path)]
    return [session(name, recording) for name, recording in found if ppg.choose(recording) is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    stress = measure_all(sorted((args.data / "stress_predict/raw").glob("*.zip")))
    nurses = measure_all(sorted((args.data / "nurse_e4").glob("*/*.zip")))
    noisy = measure_all([args.data / "formats_zoo/uniba_e4_mit"])
    rows, wide = [summary(one) for one in stress], [summary(one) for one in (*nurses, *noisy)]
    heads = {"epochs": 7, "kept": 7, "median": 8, "mean": 7, "constant": 10, "IBI n": 7, "IBI": 6, "beats": 7}
    print(f"{'session':16}" + "".join(f"{head:>{width}}" for head, width in heads.items()))
    for row in (*rows, *wide):
        print(
            f"{row['session']:16}{row['epochs']:7}{row['kept']:7.0%}{row['median']:8.2f}{row['mean']:7.2f}"
            f"{row['constant']:10.2f}{row['ibi_epochs']:7}{row['ibi_median']:6.2f}{row['beats_seen']:7.1%}"
        )
    pooled = float(np.mean(np.concatenate([one.kept[one.told] for one in stress])))
    print(f"\nstress_predict pooled: {pooled:.0%} kept")
    bins = pooled_bins([*stress, *nurses])
    for row in bins:
        errors = f"median {row['median']:5.2f}, mean {row['mean']:5.2f} bpm"
        print(f"q_ppg from {row['from']:4.2g}: {row['epochs']:6} epochs, {errors}")
    tip = finger(args.data)
    print(f"finger: {tip['kept']:.0%} kept, mean error {tip['mae']:.2f} bpm")
    if args.json:
        told = {"sessions": rows, "others": wide, "pooled_kept": pooled, "bins": bins, "finger": tip}
        args.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
