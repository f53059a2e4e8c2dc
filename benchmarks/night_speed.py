"""From the bytes of a recording to Parquet parts: what each stage of the module costs, beside the physical floor of the
same bytes and, for the E4, the usual libraries.

    python benchmarks/night_speed.py [--hours 8] [--repeats 5] [--formats E4 CWA ...] [--json FILE]

One generated night as E4 zip, Axivity CWA at 100 Hz, and NRF of both; warm, one core, one thread a library. All take
turns; the median CPU time is given, which is the wall time of a quiet machine, and the least, which tells how quiet it
was. The floor unpacks, decodes and looks at
each value once: no checks, no salvage, no signal processing. The peers do less than the module: no salvage, no checks,
no cleaning of intervals, no quality.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import peers, recordings
from benchmarks.floor import floor
from engine.module import RawFile, Source
from engine.night.formats.zips import Archive
from engine.night.night import Night
from engine.night.signals import motion, ppg
from engine.tables.parts import encode

SOURCE = Source("P01/night", ("night",), "P01", "Europe/Zurich")
E4 = recordings.FORMATS[0]
PAIRS = (
    ("inflate", "inflate", "zipfile"),
    ("parse and clean", "inflate and parse", "zipfile + polars"),
    ("pulse", "pulse", "SciPy sosfiltfilt + find_peaks"),
    ("motion", "motion", "NumPy + SciPy median_filter"),
)


@dataclass
class Stopwatch:
    """CPU seconds by label, one a repeat."""

    laps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, label: str, call: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = call()
        self.laps[label].append(time.process_time() - start)
        return result

    def ms(self, label: str) -> float:
        return 1000 * statistics.median(self.laps[label])

    def least_ms(self, label: str) -> float:
        return 1000 * min(self.laps[label])


def lap(data: bytes, watch: Stopwatch) -> None:
    """The floor, each stage by itself, then the whole module on the same bytes."""
    module, file = Night(), RawFile("night", data)
    watch("floor: unpack, decode, one pass", lambda: floor(data))
    if data.startswith(b"PK"):
        watch("inflate", lambda: inflate(data))
    stages(module, file, watch)
    outcome = watch("module, whole", lambda: module([file], SOURCE))
    keys = {name: table.key for name, table in module.outputs.items()}  # which get statistics, as a task writes them
    watch("parts", lambda: [encode(table, keys[name]) for name, table in outcome.tables.items()])


def stages(module: Night, file: RawFile, watch: Stopwatch) -> None:
    parsed = watch("parse and clean", lambda: module.parse([file], SOURCE))
    sessions = watch("split", lambda: module.split(parsed, SOURCE))
    moved = watch("motion", lambda: motion.measure(sessions[0].recording, sessions[0].grid))
    if ppg.choose(sessions[0].recording):
        watch("pulse", lambda: ppg.measure(sessions[0].recording, sessions[0].grid, moved.enmo_mg))
    filtered = watch("filter: all signals", lambda: module.filter(sessions))
    found = watch("features", lambda: module.features(filtered))
    watch("quality", lambda: [module.quality(night) for night in found])


def inflate(data: bytes) -> int:
    """Every member, by the module's own reader."""
    archive = Archive(data, 512)
    return sum(len(archive.read(entry) or b"") for entry in archive.entries)


def peer_stages(data: bytes, watch: Stopwatch) -> None:
    members = watch("inflate", lambda: peers.inflate(data))
    channels = watch("parse", lambda: peers.parse(members))
    watch.laps["inflate and parse"].append(watch.laps["inflate"][-1] + watch.laps["parse"][-1])
    watch("pulse", lambda: peers.pulse(channels))
    watch("motion", lambda: peers.motion(channels))


def table(ours: Stopwatch, theirs: Stopwatch | None, millions: float) -> list[dict[str, Any]]:
    """Rows of the printed table; `ratio` is theirs over ours."""
    named = {label: (theirs.ms(other), peer) for label, other, peer in PAIRS} if theirs else {}
    whole = ("module, whole", "parts")
    total, least = (sum(map(told, whole)) for told in (ours.ms, ours.least_ms))
    if theirs:
        named["bytes to parts"] = (
            theirs.ms("inflate and parse") + theirs.ms("pulse") + theirs.ms("motion"),
            "all of these",
        )
    rows: list[dict[str, Any]] = []
    stages = [(label, ours.ms(label), ours.least_ms(label)) for label in ours.laps]
    for label, ms, least_ms in [*stages, ("bytes to parts", total, least)]:
        peer_ms, peer = named.get(label, (None, ""))
        row = {"stage": label, "ms": ms, "least_ms": least_ms, "ms_a_million": ms / millions}
        row |= {"peer_ms": peer_ms, "peer": peer}
        rows.append({**row, "ratio": peer_ms and peer_ms / ms})
    return rows


def show(name: str, rows: list[dict[str, Any]], size: int, millions: float) -> None:
    print(f"\n{name}: {size / 1e6:.1f} MB, {millions:.2f} million raw values")
    print(f"{'stage':34}{'ms':>8}{'least':>8}{'ms/million':>12}{'peer ms':>9}{'ratio':>7}   peer")
    for row in rows:
        beside = f"{row['peer_ms']:9.1f}{row['ratio']:7.2f}   {row['peer']}" if row["peer_ms"] else ""
        print(f"{row['stage']:34}{row['ms']:8.1f}{row['least_ms']:8.1f}{row['ms_a_million']:12.2f}{beside}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--formats", nargs="*", default=[], help="only these (parts of their names)")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    inputs = recordings.files(options.hours)
    chosen = [name for name in inputs if not options.formats or any(part in name for part in options.formats)]
    ours = {name: Stopwatch() for name in chosen}
    theirs = {name: Stopwatch() for name in chosen if name == E4}
    for number in range(options.repeats + 1):  # the first warms up
        for name in chosen:
            data, _ = inputs[name]
            lap(data, ours[name] if number else Stopwatch())
            if name in theirs:
                peer_stages(data, theirs[name] if number else Stopwatch())
    result = {name: table(ours[name], theirs.get(name), inputs[name][1]) for name in chosen}
    for name, rows in result.items():
        show(name, rows, len(inputs[name][0]), inputs[name][1])
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
