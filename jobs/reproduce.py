"""The command that does one unit of work of the ledger again, as `nightmill process` takes it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl


def commands(examples: pl.Series, entries: pl.DataFrame, runs: pl.DataFrame) -> pl.Series:
    """One command for each example, a file's name or a work's key; null where its run kept no settings of a job.

    `entries` are the ledger's rows of one module version, `runs` the table of runs.
    """
    configs = {run_id: json.loads(config or "{}") for run_id, config in runs.select("run_id", "config").iter_rows()}
    named = entries.with_columns(example=pl.coalesce("file", "work_key"))
    found = []
    for example in examples:
        key = named.filter(pl.col("example") == example)["work_key"].head(1)
        rows = entries.filter(pl.col("work_key").is_in(key.implode())).sort("file").to_dicts()
        found.append(_command(rows, configs.get(rows[0]["run_id"], {})) if rows else None)
    return pl.Series("reproduce", found, pl.String)


def _command(rows: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> str | None:
    """All inputs of the work, since that is what the module was called with."""
    uris = [row["uri"] for row in rows if row["uri"]]
    if not uris or "module" not in config:
        return None
    words = ["nightmill", "process", *uris]
    for flag, value in (_facts(rows[0]) | _reach(config)).items():
        if value is not None:
            words += [flag, str(value)]
    for name, value in config["module"]["parameters"].items():
        words += ["--set", f"{name}={json.dumps(value)}"]
    return shlex.join(words)


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = json.loads(row["facts"] or "{}")
    root = row["uri"].removesuffix("/" + row["file"])
    return {
        "--root": None if root == row["uri"] else root,
        "--subject": row["subject_id"],
        "--zone": facts.get("zone"),
        "--device": facts.get("device_offset_s"),
        "--night": facts.get("night_hint"),
    }


def _reach(config: Mapping[str, Any]) -> dict[str, Any]:
    storage = config.get("storage", {})
    tables = {one["calibrations"] for one in config.get("inputs", ()) if one.get("calibrations")}
    return {
        "--calibrations": next(iter(tables)) if len(tables) == 1 else None,
        "--module": config["module"]["ref"],
        "--endpoint": storage.get("endpoint"),
        "--region": storage.get("region"),
    }
