"""The readers against independent decoders of the same real recordings: the largest difference of each quantity.

    python benchmarks/oracles.py [DATA]

DATA holds the real recordings (default ../shared/data). Axivity and GENEActiv files are compared with the arrays that
scikit-digital-health decoded from them, EDF with pyedflib, a corrupt Axivity file with its clean original, and each
signal of every Empatica E4 zip with zipfile and Python's own float(). `values` counts what was compared. A one-sample
jitter of the Axivity times stays: the oracle rounds block anchors otherwise. For the E4 masked samples are left out,
and our pulse wave is turned back to the file's polarity.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyedflib
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.module import RawFile
from engine.night.formats import parse
from engine.night.recording import MISSING, Channel, Recording

Floats = NDArray[np.float64]
Row = tuple[str, str, int, float, str]
"""Recording, quantity, values compared, largest difference, its unit."""

AXES, TURNS = ("acc_x", "acc_y", "acc_z"), ("gyr_x", "gyr_y", "gyr_z")
CLEAN, CORRUPT = "ax3_testfile.cwa", "ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa"
LOST = (0, 13, 14, 142, 143, 144)
E4 = {"BVP": ("bvp",), "EDA": ("eda",), "TEMP": ("skin_temp",), "ACC": AXES}


def one(path: Path) -> Recording:
    recordings, unreadable = parse.read([RawFile(path.name, path.read_bytes())], 512)
    if unreadable:
        raise SystemExit(f"{path} is not read: {unreadable[0].message}")
    return recordings[0]


def physical(channel: Channel) -> Floats:
    return np.concatenate([channel.physical(segment) for segment in channel.segments])


def times_us(channel: Channel) -> Floats:
    return np.concatenate([s.t0_us + np.arange(len(s.values)) * 1e6 / s.fs_hz for s in channel.segments])


def matrix(recording: Recording, names: tuple[str, ...]) -> Floats:
    return np.column_stack([physical(recording.channels[name]) for name in names])


def apart(ours: Floats, theirs: Floats) -> tuple[int, float]:
    """How many values both have, and the largest difference; as many are asked of both."""
    if ours.shape != theirs.shape:
        raise SystemExit(f"{ours.shape} values here, {theirs.shape} in the oracle")
    return ours.size, float(np.abs(ours - theirs).max())


def axivity(folder: Path) -> Iterator[Row]:
    for stem in ("ax3", "ax6"):
        recording, oracle = one(folder / f"{stem}_sample.cwa"), np.load(folder / f"{stem}_data.npz")
        yield f"{stem} CWA", "acceleration", *apart(matrix(recording, AXES), oracle["accel"]), "g"
        if "gyro" in oracle:
            yield f"{stem} CWA", "turning rate", *apart(matrix(recording, TURNS), oracle["gyro"]), "deg/s"
        channel = recording.channels["acc_x"]
        count, most_s = apart(times_us(channel) / 1e6, oracle["time"])
        yield f"{stem} CWA", "time", count, most_s * channel.segments[0].fs_hz, "samples"


def geneactiv(folder: Path) -> Iterator[Row]:
    recording, oracle = one(folder / "gnactv_sample.bin"), np.load(folder / "gnactv_data.npz")
    yield "GENEActiv", "acceleration (the oracle rounds to 1e-4)", *apart(matrix(recording, AXES), oracle["accel"]), "g"
    celsius = physical(recording.channels["skin_temp"])
    yield "GENEActiv", "temperature", *apart(celsius, oracle["temperature"][::300]), "Cel"
    local_s = times_us(recording.channels["acc_x"]) / 1e6 + (recording.offset_s or 0)
    yield "GENEActiv", "time", *apart(local_s, oracle["time"]), "s"


def edf(path: Path) -> Iterator[Row]:
    recording = one(path)
    with pyedflib.EdfReader(str(path)) as oracle:
        for i, (name, channel) in enumerate(recording.channels.items()):
            yield "EDF+C", name, *apart(physical(channel), oracle.readSignal(i)), channel.unit


def corrupt(folder: Path) -> Iterator[Row]:
    clean, broken = one(folder / CLEAN), one(folder / CORRUPT)
    for name, channel in clean.channels.items():
        whole = physical(channel).reshape(145, -1)
        left = np.delete(whole, LOST, axis=0).ravel()
        yield "CWA, 6 of 145 blocks lost", name, *apart(physical(broken.channels[name]), left), channel.unit


def empatica(paths: list[Path]) -> Iterator[Row]:
    """Of each signal over all zips: where both have a value."""
    recordings = [one(path).channels for path in paths]
    for member, names in E4.items():
        found = [
            columns(path, member, len(names), [channels[name] for name in names])
            for path, channels in zip(paths, recordings, strict=True)
            if names[0] in channels
        ]
        unit = next(channels[names[0]].unit for channels in recordings if names[0] in channels)
        yield f"E4, {len(found)} zips", member, sum(count for count, _ in found), max(most for _, most in found), unit


def columns(path: Path, member: str, width: int, channels: list[Channel]) -> tuple[int, float]:
    """How many values of a member are kept, and their largest difference to the text."""
    with zipfile.ZipFile(path) as archive:
        rows = archive.read(f"{member}.csv").decode().splitlines()[2:]
    theirs = np.array([[float(cell) for cell in row.split(",")] for row in rows]).reshape(-1, width)
    count, most = 0, 0.0
    for channel, column in zip(channels, theirs.T, strict=True):
        kept = np.concatenate([segment.values != MISSING for segment in channel.segments])
        steps = 64.0 if member == "ACC" else channel.info.get("polarity", 1)
        values = physical(channel)[kept]
        count += len(values)
        most = max(most, float(np.abs(values * steps - column[kept]).max(initial=0.0)) / abs(steps))
    return count, most


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data")
    zoo = data / "formats_zoo"
    table = Table("recording", "quantity", "values", "largest difference", "unit")
    sources = (
        axivity(zoo / "skdh_io_mit"),
        geneactiv(zoo / "skdh_io_mit"),
        corrupt(zoo / "ggirread_apache2"),
        edf(zoo / "vitalsqi_ppg_mit" / "example.edf"),
        empatica(sorted(data.rglob("*_1*.zip")) + sorted(data.rglob("raw/S*.zip"))),
    )
    for rows in sources:
        for recording, quantity, count, most, unit in rows:
            table.add_row(recording, quantity, f"{count:,}", f"{most:.2g}", unit)
    Console().print(table)


if __name__ == "__main__":
    main()
