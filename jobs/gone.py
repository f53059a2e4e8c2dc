"""Nights whose raw files are no longer in the input: their rows stay, and a plan says so."""

from __future__ import annotations

import polars as pl

from engine import ledger
from jobs.show import count
from jobs.study import Study


def gone(study: Study) -> pl.DataFrame:
    """Sources of this module's version without a file in the input, whose rows stay: source_id, subject_id.

    None is told of a sample, which leaves others out on purpose.
    """
    mine = ledger.scan(study.output, study.identity.module_id).select("subject_id", source_id="work_key")
    if study.settings.sample is not None:
        return mine.clear().collect()
    ids = [pl.read_parquet(chunk, columns=["source_id"]).unique() for chunk in study.inventory.chunks]
    here = pl.concat([*ids, study.plan.taken.select(source_id="work_key")]).lazy()
    return mine.unique().join(here, on="source_id", how="anti").select("source_id", "subject_id").collect()


def sentence(study: Study) -> str | None:
    """What stays, and how to take it out; None where nothing is gone."""
    found = gone(study)
    if found.is_empty():
        return None
    nights, whose = count(found["source_id"].n_unique(), "Source"), count(found["subject_id"].n_unique(), "subject")
    return (
        f"gone       {nights} of {whose} no longer in the input: the rows stay; `nightmill erase` takes a subject's out"
    )
