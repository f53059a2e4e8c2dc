"""Freeze the golden nights anew, after telling what changed.

    python -m tests.golden.bump [--only-tell]

For each nightly feature over the generated nights: share of nights that changed, median and 95th percentile of the
difference after − before; then the nights that moved between bands; then tables and columns with other hashes.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from engine.results import compare
from jobs.kernel_cache import prepare
from jobs.show import draw
from tests.golden import frozen
from tests.golden.nights import GENERATED, processed, real

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def report(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features and bands of the same nights, as `nightmill compare` tells them."""
    sides = [pl.DataFrame(list(rows), infer_schema_length=None) for rows in (before, after)]
    both = [name for name in sides[0].columns if name in sides[1].columns]
    pairs = pl.concat([sides[0].select(both), sides[1].select(pl.col(both).name.suffix(":b"))], how="horizontal")
    return compare.features(pairs).filter(pl.col("changed") > 0), compare.moves(pairs, "band")


def measured() -> dict[str, frozen.Kept]:
    """All nights as they are now; of real ones hashes only, as they were where they are not beside this clone."""
    now = {name: kept for name, kept in frozen.load().items() if name not in GENERATED}
    for name, make in GENERATED.items():
        files = make()
        outcome = processed(files)
        now[name] = {**frozen.of(files, outcome), "features": frozen.features(outcome)}
    for name, files in real(DATA):
        now[name] = frozen.of(files, processed(files))
    return now


def moved(before: dict[str, frozen.Kept], after: dict[str, frozen.Kept]) -> Iterator[str]:
    """One line for each table of a night that has other values, or columns that are new or gone."""
    for name, now in after.items():
        if name not in before:
            yield f"{name}: new"
            continue
        tables = before[name]["tables"]
        for table, kept in now["tables"].items():
            old, new = tables.get(table, {}).get("columns", {}), kept["columns"]
            other = [column for column in sorted({*old, *new}) if old.get(column) != new.get(column)]
            if other:
                yield f"{name}: {table}: {', '.join(other)}"


def main(only_tell: bool) -> None:
    before, after, console = frozen.load(), measured(), Console()
    known = [name for name in GENERATED if name in before and _same_nights(before[name], after[name])]
    sides = [[row for name in known for row in side[name]["features"]] for side in (before, after)]
    if sides[0]:
        features, bands = report(sides[0], sides[1])
        told = f"difference after − before, {len(sides[0])} nights"
        draw(console, features, told if features.height else f"no feature moved ({len(sides[0])} nights)", {}, 200)
        draw(console, bands, "bands that moved" if bands.height else "no band moved", {}, 50)
    for line in moved(before, after):
        console.print(line, markup=False, highlight=False)
    if not only_tell:
        frozen.keep(after)
        console.print(f"frozen: {len(after)} nights in {frozen.PLACE.name}", highlight=False)


def _same_nights(before: frozen.Kept, after: frozen.Kept) -> bool:
    return len(before["features"]) == len(after["features"])


if __name__ == "__main__":
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--only-tell", action="store_true", help="write nothing")
    only_tell = arguments.parse_args().only_tell
    prepare()
    main(only_tell)
