"""What planning takes: 5 million files against a ledger of 5 million rows, each case in its own process.

    python benchmarks/plan_scale.py [--files 5000000] [--cores 2] [--json FILE]

The names, etags and ledger are generated: a subject has a night a day, every tenth night is in two files. `take` starts
at the bare listing; the others start at the frozen inventory and a Delta table, and end where the first batch is cut.
Peak memory is that of the whole process (VmHWM), the libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__" and "--case" in sys.argv:
    os.environ["POLARS_MAX_THREADS"] = sys.argv[sys.argv.index("--cores") + 1]

import polars as pl
from deltalake import write_deltalake

from engine import plan
from engine.identity import Identity
from engine.inputs.assemble import InputSpec, assemble, pack
from engine.inputs.grouping import inputs, sources
from engine.inputs.listing import IGNORED, Listing
from engine.inventory import Inventory
from engine.storage import StoreOptions

NOW = Identity("night-111111111111", "1" * 64, "a.b:C", '{"low_hz":0.5}', {"a.b": "2"})
OLD = "night-000000000000"
CASES = ("take", "first run", "nothing changed", "1 % changed", "module changed", "zone corrected")
NIGHTS = 300


def listing(files: int) -> Listing:
    number = pl.int_range(files, eager=True, dtype=pl.Int64).alias("number")
    night = number * 10 // 11
    subject, day = night // NIGHTS, night % NIGHTS
    second = (number * 10 % 11) // 10
    frame = pl.DataFrame({"number": number, "subject": subject, "start": 1_700_000_000 + day * 86_400 + second * 7_200})
    return Listing(
        "s3://study-of-many/raw/zurich",
        frame.select(
            path=pl.format("S{}/{}_A{}.zip", pl.col("subject").cast(pl.String).str.zfill(6), "start", "subject"),
            size_bytes=1_000_000 + pl.col("number").hash().cast(pl.Int64, wrap_numerical=True) % 100_000,
            content_key=pl.format("{}{}", pl.col("number").hash(1), pl.col("number").hash(2)).str.slice(0, 32),
        ),
        pl.DataFrame(schema=IGNORED),
    )


def take(files: int) -> Inventory:
    spec = InputSpec("s3://study-of-many/raw/zurich", zone="Europe/Zurich")
    return Inventory(*assemble([(spec, listing(files))], StoreOptions()))


def write_ledger(inventory: Inventory, place: str) -> None:
    """What the ledger holds after a first run by the version `OLD`, and by this one."""
    for rows in inventory.frames():
        facts = (
            '{"device_offset_s":null,"night_hint":"' + pl.col("night_hint").cast(pl.String)
            + '","received_at":null,"zone":"Europe/Zurich"}'
        )  # fmt: skip
        known = sources(rows).select("source_id", input_identity="identity")
        part = inputs(rows).join(known, on="source_id", maintain_order="left").select(
            "subject_id", "source_id", "uri", "input_identity", "content_key", "size_bytes",
            work_key="source_id", file="input", facts=facts, status=pl.lit("ok"), run_id=pl.lit("r1"),
            seconds=pl.lit(0.1), module_id=pl.lit(NOW.module_id),
        )  # fmt: skip
        write_deltalake(place, part.to_arrow(), mode="append", partition_by=["module_id"])


def changed(inventory: Inventory, case: str) -> Inventory:
    """Every hundredth file with another etag, or all in another zone."""
    if case not in ("1 % changed", "zone corrected"):
        return inventory
    key = pl.when(pl.col("content_key").hash() % 100 == 0).then(pl.lit("changed")).otherwise("content_key")
    change = {"content_key": key} if case == "1 % changed" else {"zone": pl.lit("Europe/Paris")}
    frames = (rows.drop("position").with_columns(**change) for rows in inventory.frames())
    return Inventory(tuple(map(pack, frames)), inventory.ignored)


def measure(case: str, files: int, place: Path) -> dict[str, object]:
    if case == "prepare":
        made = take(files)
        write_ledger(made, str(place / "ledger"))
        for name in CASES:
            (place / f"{name}.parquet").write_bytes(changed(made, name).to_parquet())
        return {}
    start, cpu = time.perf_counter(), time.process_time()
    if case == "take":
        to_do = take(files).counts.inputs
    else:
        inventory = Inventory.from_parquet((place / f"{case}.parquet").read_bytes())
        start, cpu = time.perf_counter(), time.process_time()
        ledger = pl.scan_delta(str(place / "ledger"))
        ledger = ledger.filter(pl.lit(case != "first run"))
        if case == "module changed":
            ledger = ledger.with_columns(module_id=pl.lit(OLD))
        runs = pl.DataFrame(schema=dict.fromkeys(("run_id", "module_id", "closure", "parameters"), pl.String))
        made = plan.make(inventory, ledger, NOW, runs)
        print(made.summary, file=sys.stderr)
        next(made.works(), None)
        to_do = made.count
    status = Path("/proc/self/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "case": case, "to_do": to_do, "seconds": time.perf_counter() - start, "cpu_s": time.process_time() - cpu,
        "peak_mb": peak_kb * 1024 / 1e6,
    }  # fmt: skip


def in_process(case: str, files: int, cores: int, place: Path) -> dict[str, object]:
    command = [sys.executable, __file__, "--files", str(files), "--cores", str(cores), "--case", case, str(place)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5_000_000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="an existing folder for what is generated, to measure again")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    parser.add_argument("--cases", nargs="*", choices=CASES)
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case[0], options.files, Path(options.case[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(options.keep or folder)
        if not (place / "ledger").exists():
            in_process("prepare", options.files, options.cores, place)
        results = [in_process(case, options.files, options.cores, place) for case in options.cases or CASES]
    for one in results:
        spent = f"{one['seconds']:8.1f} s{one['cpu_s']:8.1f} CPU s{one['peak_mb']:8.0f} MB"
        print(f"{one['case']:18}{one['to_do']:>10} to do{spent}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
