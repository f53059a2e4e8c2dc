"""What a run will take, from the ledger or a pilot: told before the start, and made the limits of a unit of work."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape

from configs.settings import Settings
from engine import ledger
from engine.errors import UserError
from engine.guard import Limits
from engine.identity import module_name
from engine.plan import Rate
from engine.planning import pilot
from engine.planning.estimate import Estimate, Interval, estimate, from_ledger, refuse_too_large
from jobs.show import count, size, span
from jobs.study import Study
from jobs.workers import limits

PILOT_FROM = 200
"""Units of work from which a first run of a module begins with a pilot by itself."""

SURPRISE, LEAST_SURPRISE = 10, 1000
"""So many times more files than the output knows, and at least so many, are refused unless told."""


def with_estimate(study: Study, console: Console, fly: bool | None = None) -> Study:
    """The study with an estimate: by a pilot if `fly`, else from the ledger; None = a pilot where nothing is known.

    Raises `UserError` where the works do not fit a worker's memory.
    """
    told, made = limits(study.settings), study.plan
    samples = from_ledger(ledger.scan(study.output), study.identity.module_id)
    if made.count and (fly or (fly is None and samples.is_empty() and made.count >= PILOT_FROM)):
        works = min(pilot.WORKS, made.count)
        console.print(f"pilot      trying {count(works, 'unit')} of work of all sizes, for a minute at most …")
        samples = _judged(console, pilot.fly(made, study.mapped, told), told.memory_mb)
    if samples.is_empty() or not made.count:
        return study
    found = estimate(samples, made.todo["size_bytes"], told)
    refuse_too_large(found, made.count, told.memory_mb)
    rate = Rate(found.seconds.likely / max(made.size_bytes / 1e6, 1e-9), True)
    return replace(study, plan=replace(made, rate=rate), estimate=found)


def _judged(console: Console, tried: pl.DataFrame, limit_mb: float) -> pl.DataFrame:
    """The works that say what a good one takes. One that eats memory is a bad file; most of them are a bad limit."""
    eaters = tried.filter(pl.col("cause") == "memory").height
    if eaters > tried.height / 2:
        raise UserError(
            f"{eaters} of {tried.height} units of work tried were stopped at {_mb(limit_mb)}, a worker's share of the "
            "memory; use fewer workers, or a larger --limit-memory-mb"
        )
    good = tried.filter(pl.col("cause").is_null())
    bad = tried.height - good.height
    if bad:
        said = tried["message"].drop_nulls().mode().sort()[0]
        console.print(
            f"           {bad} of {tried.height} failed or were stopped, such as: {escape(said)}", style="red"
        )
    return good


def held(settings: Settings, found: Estimate | None) -> Limits:
    """Limits of a unit of work: as told, else as learned, else the defaults."""
    told, said = limits(settings), settings.limits.model_fields_set
    if found is None:
        return told
    seconds = told.seconds if "seconds" in said else found.limits.seconds
    return Limits(seconds, told.memory_mb if "memory_mb" in said else found.limits.memory_mb)


def surprise(study: Study) -> str | None:
    """Why so many files are hardly meant; None where they are."""
    files, most = study.plan.files, study.settings.max_files
    if most is not None:
        return f"{count(files, 'file')} are to do, and max_files allows {most:,}" if files > most else None
    name = module_name(study.identity.module_id)
    versions = ledger.scan(study.output).filter(pl.col("module_id").str.head(-13) == name).group_by("module_id").len()
    known, here = versions.collect()["len"].max(), study.inventory.counts.inputs
    if not isinstance(known, int) or here <= max(SURPRISE * known, LEAST_SURPRISE):
        return None
    return (
        f"the inputs hold {count(here, 'file')}, more than {SURPRISE} times the {known:,} that this output knows; if "
        f"that is meant, say so: --max-files {files}"
    )


def refuse_surprise(study: Study) -> None:
    """Raises `UserError` where the inputs hold far more files than expected."""
    why = surprise(study)
    if why is not None:
        raise UserError(why)


def show_estimate(console: Console, study: Study, workers: int) -> None:
    """Time, memory, output and money, each with its interval, and the limits that follow."""
    made, found, limit = study.plan, study.estimate, held(study.settings, study.estimate)
    if found is None:
        source = "measured on earlier files" if made.rate.measured else "guessed; --pilot measures"
        time_s = span(made.predicted_s / workers)
        console.print(f"estimate   about {time_s} on {count(workers, 'worker')} ({source})", soft_wrap=True)
    else:
        wall = _spread(found.seconds.times(1 / workers), span)
        on = f"on {count(workers, 'worker')}, from {count(found.works_measured, 'unit')} of work measured"
        console.print(f"estimate   {wall} {on}", soft_wrap=True)
        told = [f"largest unit {_spread(found.memory_mb, _mb)}"]
        told += [] if found.output_bytes is None else [f"output {_spread(found.output_bytes, size)}"]
        price = study.settings.price_per_hour
        told += [] if price is None else [f"price {_spread(money(found, price), '{:.3g}'.format)}"]
        console.print(f"           {' · '.join(told)}", soft_wrap=True)
        if found.too_large:
            console.print(f"           {count(found.too_large, 'unit')} of work may not fit", style="red")
    console.print(f"limits     {span(limit.seconds)} and {_mb(limit.memory_mb)} for one unit of work", soft_wrap=True)


def money(found: Estimate, price_per_hour: float) -> Interval:
    """`price_per_hour` is of one worker."""
    return found.seconds.times(price_per_hour / 3600)


def as_dict(study: Study, workers: int) -> dict[str, Any]:
    """The estimate for a machine: seconds on all workers, MB, bytes, money; null where not measured."""
    found, price = study.estimate, study.settings.price_per_hour
    likely = {"estimate_s": study.plan.predicted_s / workers, "measured": study.plan.rate.measured}
    if found is None:
        return likely | {"limits": asdict(held(study.settings, None))}
    return likely | {
        "works_measured": found.works_measured,
        "seconds": asdict(found.seconds.times(1 / workers)),
        "core_seconds": asdict(found.seconds),
        "memory_mb": asdict(found.memory_mb),
        "output_bytes": None if found.output_bytes is None else asdict(found.output_bytes),
        "price": None if price is None else asdict(money(found, price)),
        "limits": asdict(held(study.settings, found)),
    }


def _spread(found: Interval, shown: Any) -> str:
    low, likely, high = shown(found.low), shown(found.likely), shown(found.high)
    return f"about {likely}" if low == high else f"about {likely} ({low} – {high})"


def _mb(value: float) -> str:
    return f"{value:,.0f} MB"
