"""The same night through other libraries: time, and their values beside nightmill's and the truth.

    python benchmarks/other_libraries.py [--hours 8] [--json FILE]

One generated night, as E4 zip and its movement as an AX3 at 100 Hz; one core, CPU time in one run. NeuroKit2, heartpy,
tsflex and the kernels of scikit-digital-health (skdh) are given channels read by polars, which costs them nothing;
FLIRT reads the csv files and skdh the .cwa file itself. All are imported and nightmill is called once before. What is
not installed is told as such (FLIRT's movement features alone take 40 s):

    pip install neurokit2 heartpy flirt tsflex scikit-digital-health
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import contextlib
import importlib
import io
import json
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import peers, recordings
from engine.module import RawFile, Source
from engine.night.formats import parse
from engine.night.night import Night
from engine.night.signals.motion import AXES
from engine.simulate import nights

Values = dict[str, float]
Floats = NDArray[np.float64]
BVP_HZ, ACC_HZ, STEPS_A_G, WINDOW_S = 64, 32, 64, 60
SOURCE = Source("P01/night", ("night",), "P01", "Europe/Zurich")
COLUMNS = ("hr", "rmssd", "enmo", "onset", "hours", "cwa_g")
WHY = (
    "HR: median of windows. nightmill's are of good epochs only; a library without a quality keeps windows of noise.",
    "RMSSD: median of windows of 60 s. Every false beat counts fully; nightmill asks for surely good epochs, FLIRT is",
    "given the device's own intervals, which leave out what is doubtful.",
    "ENMO: one formula on the same samples. nightmill's epochs lie on the UTC clock: what is cut at an end is out.",
    "Onset (hours after the start) and hours of sleep: both van Hees 2018, on other windows and medians.",
    "cwa_g: largest difference of a sample of the .cwa file, in g. Packed samples are whole numbers: none.",
)


def by_minute(beats_s: Floats) -> Values:
    """Median heart rate and RMSSD of windows of 60 s, from beats without any selection."""
    ibi_ms, window = 1000 * np.diff(beats_s), beats_s[1:] // WINDOW_S
    parts = [part for part in np.split(ibi_ms, np.flatnonzero(np.diff(window)) + 1) if len(part) > 2]
    rates = [60_000 / np.median(part) for part in parts]
    return {"hr": np.median(rates), "rmssd": np.median([np.sqrt(np.mean(np.diff(part) ** 2)) for part in parts])}


def nightmill(data: bytes) -> Values:
    outcome = Night()([RawFile("night", data)], SOURCE)
    epochs, found = (pl.DataFrame(outcome.tables[name]) for name in ("epochs", "nights"))
    told = {"enmo": epochs["enmo_mg"].mean(), **_window(found, epochs["ts"][0])}
    good = epochs.filter(pl.col("q_ppg") >= 0.6)
    return told | ({"hr": good["hr_bpm"].median(), "rmssd": epochs["rmssd_ms"].median()} if len(good) else {})


def _window(found: pl.DataFrame, start: Any) -> Values:
    onset = found["spt_onset"][0]
    return {} if onset is None else {"onset": (onset - start).total_seconds() / 3600, "hours": found["spt_h"][0]}


def neurokit(bvp: Floats) -> Values:
    import neurokit2

    clean = neurokit2.ppg_clean(bvp, sampling_rate=BVP_HZ)
    return by_minute(neurokit2.ppg_findpeaks(clean, sampling_rate=BVP_HZ)["PPG_Peaks"] / BVP_HZ)


def heartpy(bvp: Floats) -> Values:
    import heartpy as library

    _, found = library.process_segmentwise(bvp, float(BVP_HZ), segment_width=WINDOW_S)
    return {"hr": float(np.nanmedian(found["bpm"])), "rmssd": float(np.nanmedian(found["rmssd"]))}


def flirt_intervals(folder: Path) -> Values:
    import flirt
    from flirt.reader.empatica import read_ibi_file_into_df

    intervals = read_ibi_file_into_df(str(folder / "IBI.csv"))["ibi"]
    found = flirt.get_hrv_features(intervals, WINDOW_S, WINDOW_S, ["td"], num_cores=1)
    return {"hr": 60_000 / found["hrv_median_nni"].median(), "rmssd": found["hrv_rmssd"].median()}


def flirt_movement(folder: Path) -> Values:
    import flirt
    from flirt.reader.empatica import read_acc_file_into_df

    flirt.get_acc_features(read_acc_file_into_df(str(folder / "ACC.csv")), 10, 10, ACC_HZ, num_cores=1)
    return {}


def tsflex(g: Floats) -> Values:
    import pandas
    from tsflex.features import FeatureCollection, FeatureDescriptor

    def enmo(x: Floats, y: Floats, z: Floats) -> float:
        return float(np.maximum(np.sqrt(x * x + y * y + z * z) - 1, 0).mean())

    times = pandas.to_datetime(np.arange(len(g)) / ACC_HZ, unit="s")
    frame = pandas.DataFrame(g, columns=["x", "y", "z"], index=times)
    windows = FeatureCollection(FeatureDescriptor(enmo, ("x", "y", "z"), "10s", "10s"))
    return {"enmo": 1000 * float(windows.calculate(frame, return_df=True, n_jobs=1).iloc[:, 0].mean())}


def skdh_enmo(g: Floats) -> Values:
    from skdh.activity import metric_enmo

    return {"enmo": 1000 * float(metric_enmo(g, wlen=10 * ACC_HZ, take_abs=False, trim_zero=True).mean())}


def skdh_cwa(file: Path, ours: Floats) -> Values:
    from skdh.io import ReadCwa
    from skdh.preprocessing import GetDayWindowIndices
    from skdh.sleep import Sleep

    found = ReadCwa().predict(file=str(file))
    days = GetDayWindowIndices(bases=[12], periods=[24]).predict(**found)
    slept = Sleep().predict(**(found | days))
    onset = (slept["TSO Start Timestamp"][0] - found["time"][0]) / 3600
    differs = float(np.abs(found["accel"] - ours[: len(found["accel"])]).max())
    return {"cwa_g": differs, "onset": onset, "hours": slept["TSO Duration"][0] / 60}


def samples_g(data: bytes) -> Floats:
    """(n, 3) acceleration in g as nightmill reads it."""
    (recording,), _ = parse.read([RawFile("night", data)], 512)
    axes = (recording.channels[name] for name in AXES)
    return np.stack([np.concatenate([axis.physical(part) for part in axis.segments]) for axis in axes], axis=1)


def truth(night: nights.Night, e4: Floats) -> Values:
    """What was put into the night; the sleep period as the person slept, not as a wrist can show it."""
    start_us = night.truth.start_us
    norm = np.sqrt((e4 * e4).sum(axis=1))
    onset_us, end_us = night.truth.spt_onset_us, night.truth.spt_end_us
    times = {"onset": (onset_us - start_us) / 3.6e9, "hours": (end_us - onset_us) / 3.6e9}
    return by_minute(night.session.beats_s) | times | {"enmo": 1000 * float(np.maximum(norm - 1, 0).mean())}


def measured(call: Callable[[], Values]) -> dict[str, Any]:
    """CPU seconds and values; a library that is absent or fails is told, and is no reason to stop."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            start = time.process_time()
            values = call()
        except (ImportError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as failure:
            return {"failed": f"{type(failure).__name__}: {failure}"[:120]}
    return {"s": time.process_time() - start, **{name: float(value) for name, value in values.items()}}


def load() -> None:
    """Import what is installed, so that no call pays for it."""
    for name in (
        "neurokit2",
        "heartpy",
        "flirt",
        "tsflex.features",
        "pandas",
        "skdh.io",
        "skdh.sleep",
        "skdh.activity",
    ):
        with warnings.catch_warnings(), contextlib.suppress(ImportError):
            warnings.simplefilter("ignore")
            importlib.import_module(name)


def run(hours: float, folder: Path) -> dict[str, dict[str, Any]]:
    load()
    night = nights.draw(hours=hours)
    zipped, cwa = night.zip(level=6), recordings.as_cwa(night)
    zipfile.ZipFile(io.BytesIO(zipped)).extractall(folder)
    (folder / "night.cwa").write_bytes(cwa)
    channels = peers.parse(peers.inflate(zipped))
    bvp, e4, ours = -channels["BVP"], channels["ACC"] / STEPS_A_G, samples_g(cwa)
    nightmill(zipped)
    calls: dict[str, Callable[[], Values]] = {
        "truth": lambda: truth(night, e4),
        "nightmill, E4: everything": lambda: nightmill(zipped),
        "NeuroKit2: beats": lambda: neurokit(bvp),
        "heartpy: beats": lambda: heartpy(bvp),
        "FLIRT: the device's intervals": lambda: flirt_intervals(folder),
        "FLIRT: movement features": lambda: flirt_movement(folder),
        "tsflex: ENMO": lambda: tsflex(e4),
        "skdh: ENMO": lambda: skdh_enmo(e4),
        "nightmill, CWA: everything": lambda: nightmill(cwa),
        "skdh, CWA: read and sleep": lambda: skdh_cwa(folder / "night.cwa", ours),
    }
    return {name: measured(call) for name, call in calls.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options.hours, Path(folder))
    print(f"{'':32}{'s':>8}" + "".join(f"{name:>10}" for name in COLUMNS))
    for name, row in result.items():
        cells = "".join(f"{row[column]:10.3f}" if column in row else f"{'':10}" for column in COLUMNS)
        print(f"{name:32}" + (f"{row['s']:8.3f}{cells}" if "s" in row else f"  {row['failed']}"))
    print("\n".join(WHY))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
