"""From the bytes of a zip to Parquet parts: what each stage of the module costs, beside the usual libraries.

    python benchmarks/night_speed.py [--hours 8] [--repeats 5] [--json FILE]

Generated nights, warm, one core, one thread a library. Module and peers take turns on the same bytes; the
median CPU time is given, which is the wall time of a quiet machine.
The peers do less: no salvage, no checks, no cleaning of intervals, no quality.
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

from benchmarks import peers
from engine.module import RawFile, Source
from engine.night import motion, ppg
from engine.night.night import Night
from engine.night.zips import Archive
from engine.parts import encode
from engine.simulate import nights

SAMPLES_PER_S = 64 + 3 * 32 + 4 + 4 + 1
SOURCE = Source("P01/night", ("night.zip",), "P01", "Europe/Zurich")
PAIRS = (
    ("inflate", "inflate", "zipfile"),
    ("inflate and parse", "inflate and parse", "zipfile + polars"),
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


def stages(data: bytes, watch: Stopwatch) -> None:
    """Each stage by itself, then the whole module on the same bytes."""
    module, file = Night(), RawFile("night.zip", data)
    watch("inflate", lambda: inflate(data))
    parsed = watch("inflate and parse", lambda: module.parse([file], SOURCE))
    sessions = watch("split", lambda: module.split(parsed, SOURCE))
    moved = watch("motion", lambda: motion.measure(sessions[0].recording, sessions[0].grid))
    watch("pulse", lambda: ppg.measure(sessions[0].recording, sessions[0].grid, moved.enmo_mg))
    filtered = watch("filter (motion, pulse, temperature, wear)", lambda: module.filter(sessions))
    found = watch("features", lambda: module.features(filtered))
    watch("quality", lambda: [module.quality(night) for night in found])
    outcome = watch("module, whole", lambda: module([file], SOURCE))
    watch("parts", lambda: [encode(table) for table in outcome.tables.values()])


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


def table(ours: Stopwatch, theirs: Stopwatch, millions: float) -> list[dict[str, Any]]:
    """Rows of the printed table; `ratio` is theirs over ours."""
    named = {label: (theirs.ms(other), peer) for label, other, peer in PAIRS}
    rows: list[dict[str, Any]] = []
    for label in ours.laps:
        peer_ms, peer = named.get(label, (None, ""))
        ms = ours.ms(label)
        rows.append({"stage": label, "ms": ms, "peer_ms": peer_ms, "ratio": peer_ms and peer_ms / ms, "peer": peer})
    total = ours.ms("module, whole") + ours.ms("parts")
    peer_total = theirs.ms("inflate and parse") + theirs.ms("pulse") + theirs.ms("motion")
    last = {"stage": "zip bytes to parts", "ms": total, "peer_ms": peer_total, "ratio": peer_total / total}
    rows.append({**last, "peer": "the peers' stages together"})
    rows.append({"stage": "… a million raw values", "ms": total / millions, "peer_ms": None, "ratio": None, "peer": ""})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    inputs = [nights.draw(user=user, hours=options.hours).zip(level=6) for user in range(3)]
    stages(inputs[0], Stopwatch())
    peer_stages(inputs[0], Stopwatch())
    ours, theirs = Stopwatch(), Stopwatch()
    for _ in range(options.repeats):
        for data in inputs:
            stages(data, ours)
            peer_stages(data, theirs)
    rows = table(ours, theirs, options.hours * 3600 * SAMPLES_PER_S / 1e6)
    print(f"{'stage':44}{'ms':>8}{'peer ms':>9}{'ratio':>7}   peer")
    for row in rows:
        beside = f"{row['peer_ms']:9.1f}{row['ratio']:7.2f}   {row['peer']}" if row["peer_ms"] else ""
        print(f"{row['stage']:44}{row['ms']:8.1f}{beside}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
