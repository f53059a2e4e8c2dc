"""`nightmill demo`: generated nights, a whole run, and the error against the truth that the generator knows."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import polars as pl
import yaml
from rich.console import Console

from cluster.workstation import cores
from configs.read import load, overlay, shipped
from engine import ledger
from engine.results.open import newest, scan
from engine.results.query import query
from engine.simulate.nights import write
from engine.simulate.truth import Truths
from jobs.accuracy import against_truth
from jobs.demo_backtest import KERNELS, backtest
from jobs.errors import kinds, show_kinds
from jobs.kernel_cache import compiled_ahead
from jobs.plan import show_plan
from jobs.progress import RunProgress
from jobs.reprocess import carry_out, show_summary
from jobs.show import count, draw, span, units
from jobs.study import Study, prepare
from jobs.workers import number_of

ZONE = "Europe/Zurich"
DIRT = ("truncated", "missing", "duplicate", "garbage", "bomb")
SHOWN = ["subject_id", "night_date", "hr_median", "rmssd_median", "wst_median", "tst_h", "night_score", "band"]
QUESTION = """\
select subject_id, count(*) as nights, round(avg(rhr_p10), 1) as resting_hr,
       round(avg(rmssd_median), 1) as rmssd, round(avg(tst_h), 2) as sleep_h
from nights where band in ('A', 'B') group by subject_id order by subject_id"""


@click.command(
    epilog="""\b
Examples:
  nightmill demo
  nightmill demo --keep try     then: nightmill tables try/out
"""
)
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep raw files, truth and output here.")
@click.option("--users", default=3, show_default=True, type=click.IntRange(1, 50), help="People to generate.")
@click.option("--nights", default=2, show_default=True, type=click.IntRange(1, 60), help="Nights of each.")
@click.option("--hours", default=8.0, show_default=True, type=click.FloatRange(2, 14), help="Length of a night.")
@click.option("--seed", default=1, show_default=True, help="Equal seeds give equal nights.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes [one a core].")
def command(keep: Path | None, users: int, nights: int, hours: float, seed: int, workers: int | None) -> int:
    """Generate nights of a few people, some files broken on purpose, reprocess them, and show what came out.

    The generator knows every heart beat, so the error is printed beside the share of epochs that was kept. At the end,
    a small backtest: which forecast of heart rate is best, from which window, refitted how often.
    """
    console, started = Console(), time.monotonic()
    with _folder(keep) as folder:
        with compiled_ahead(cores(), ("engine.night.night", *KERNELS)):
            truths = write(folder / "raw", users, nights, hours, seed, DIRT, zone=ZONE)
            truths.save(folder / "truth")
            console.rule("raw files", align="left")
            dirt = sum(len(night.dirt) for night in truths.nights) + len(truths.strays)
            console.print(
                f"generated {count(users * nights, 'night')} in {span(time.monotonic() - started)}, {dirt} spoilt"
            )
        study = _reprocess(console, folder, workers)
        _show_tables(console, study)
        _show_error(console, study, truths)
        console.rule("a question that an analyst would type", align="left")
        console.print(f'nightmill query OUT "{QUESTION}"', highlight=False, soft_wrap=True)
        draw(console, pl.DataFrame(pl.from_arrow(query(study.output, QUESTION))), "", {})
        backtest(console, folder, seed)
        console.print(f"the whole demo took {span(time.monotonic() - started)}")
        if keep is not None:
            console.print(f"kept: {folder}/raw, {folder}/truth, {folder}/out; try nightmill tables {folder}/out")
            console.print(f"      {folder}/backtest/report.html is what the backtest found")
    return 0


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep, emptied of an earlier demo; or one that is gone afterwards."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="nightmill-demo-") as folder:
            yield Path(folder)
        return
    for part in ("raw", "truth", "out", "vitals", "backtest"):
        if (keep / part).exists() and not (keep / ".nightmill-demo").exists():
            raise click.UsageError(f"{keep / part} exists and is no demo's; choose another folder")
        shutil.rmtree(keep / part, ignore_errors=True)
    keep.mkdir(parents=True, exist_ok=True)
    (keep / ".nightmill-demo").touch()
    yield keep


def _reprocess(console: Console, folder: Path, workers: int | None) -> Study:
    """What `nightmill reprocess demo.yaml` does."""
    flags = {"inputs": [{"uri": str(folder / "raw"), "zone": ZONE}], "output": str(folder / "out"), "workers": workers}
    settings = load(None, overlay(yaml.safe_load(shipped("demo.yaml")), flags))
    console.rule("nightmill reprocess", align="left")
    with RunProgress(console) as progress:
        study = prepare(settings, progress)
        show_plan(console, study, number_of(settings))
        summary = carry_out(study, progress)
    show_summary(console, study, summary)
    return study


def _show_tables(console: Console, study: Study) -> None:
    console.rule("what came out", align="left")
    nights = scan(study.output, "nights").sort("subject_id", "night_date").select(SHOWN).collect()
    draw(console, nights.with_columns(pl.col(pl.Float64).round(1)), "nights (some columns)", units(study.outputs))
    found = kinds(study.output, ledger.entries(study.output, newest(study.output)))
    show_kinds(console, found, study.inventory.counts.inputs)


def _show_error(console: Console, study: Study, truths: Truths) -> None:
    epochs, nights = (scan(study.output, name).collect() for name in ("epochs", "nights"))
    frame = against_truth(epochs, nights, truths.epochs(), truths.table())
    title = "against the truth: epochs with q_ppg ≥ 0.6 (temperature: q_temp ≥ 0.5)"
    draw(console, frame.with_columns(pl.col("value").round(2), pl.col("kept_pct").round(1)), title, {"kept_pct": "%"})
