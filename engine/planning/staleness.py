"""Why a Source is to be processed, in a word and a sentence: what came, went or changed since the ledger had it."""

from __future__ import annotations

import json

import polars as pl

from engine.identity import Identity
from engine.inputs import grouping

NEW = "new"
MODULE_CHANGED = "module changed"
INPUT_CHANGED = "input changed"
FILES_ADDED = "files added"
FILES_REMOVED = "files removed"
FACTS_CHANGED = "facts changed"
RETRY = "retry"
REGROUPED = "re-grouped"
WHYS = (NEW, MODULE_CHANGED, INPUT_CHANGED, FILES_ADDED, FILES_REMOVED, FACTS_CHANGED, RETRY, REGROUPED)

SHOWN = 3
"""How many files or changes a sentence names before it counts the rest."""

CALIBRATIONS = "calibrations"
FACTS = {"zone": pl.String, "device_offset_s": pl.Int64, "night_hint": pl.String, "received_at": pl.String}
KEYS = ("source_id", "input", "uri", "content_key")
LEDGER_COLUMNS = ("module_id", "work_key", "file", "uri", "facts", "input_identity", "status", "content_key", "run_id")


def why_different(rows: pl.DataFrame, mine: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Why the ledger lacks some Sources as they are now, though it has them or their files.

    `rows` are these Sources' rows of the inventory, `mine` the ledger's rows of the same names and of works that may
    have had their files. Gives source_id, why, detail (a sentence), and what `taken_over` gives.
    """
    sources, inputs = grouping.sources(rows), grouping.inputs(rows)
    known = mine.group_by("work_key").agg(pl.col("input_identity").first())
    compared = sources.join(known, left_on="source_id", right_on="work_key", how="left")
    changed = compared.filter(pl.col("input_identity") != pl.col("identity"))
    taken = taken_over(sources, inputs, mine)
    unseen = compared.filter(pl.col("input_identity").is_null()).select("source_id")
    regrouped = (
        taken.join(unseen, on="source_id", how="semi")
        .group_by("source_id")
        .agg(detail=pl.lit("was in ") + pl.col("work_key").sort().str.join(", "))
        .select("source_id", why=pl.lit(REGROUPED), detail="detail")
    )
    return pl.concat([_why_changed(changed, inputs, mine), regrouped]), taken


def _why_changed(changed: pl.DataFrame, inputs: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """Which files came, went or changed, and which facts, old → new."""
    keys = changed.select("source_id")
    now = inputs.select(KEYS).join(keys, on="source_id", how="semi")
    was = mine.select(source_id="work_key", input="file", was_uri="uri", was_key="content_key", was_facts="facts").join(
        keys, on="source_id", how="semi"
    )
    pairs = now.join(was, on=["source_id", "input"], how="full", coalesce=True)
    files = pairs.group_by("source_id").agg(
        added=_names(pl.col("was_facts").is_null()),
        removed=_names(pl.col("content_key").is_null()),
        changed=_names(pl.col("content_key") != pl.col("was_key")),
        moved=pl.col("was_uri").filter(pl.col("uri") != pl.col("was_uri")).first(),
        was=pl.col("was_facts").drop_nulls().first().str.json_decode(pl.Struct({**FACTS, CALIBRATIONS: pl.String})),
    )
    facts = changed.with_columns(
        night_hint=pl.col("night_hint").cast(pl.String),
        received_at=pl.col("received_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
    ).join(files, on="source_id")
    why = (
        pl.when(pl.col("added") != "").then(pl.lit(FILES_ADDED))
        .when(pl.col("removed") != "").then(pl.lit(FILES_REMOVED))
        .when(pl.col("changed") != "").then(pl.lit(INPUT_CHANGED))
        .otherwise(pl.lit(FACTS_CHANGED))
    )  # fmt: skip
    files_said = [_said("+ ", "added"), _said("− ", "removed"), _said("changed ", "changed"), _said("was at ", "moved")]
    recalibrated = pl.col("was").struct.field(CALIBRATIONS).ne_missing(pl.col(CALIBRATIONS))
    said = [*files_said, *map(_fact, FACTS), pl.when(recalibrated).then(pl.lit("other calibrations"))]
    return facts.select("source_id", why=why, detail=pl.concat_str(said, separator="; ", ignore_nulls=True))


def _names(which: pl.Expr) -> pl.Expr:
    """Up to `SHOWN` names of inputs, then how many more."""
    names = pl.col("input").filter(which).sort()
    more = pl.when(names.len() > SHOWN).then(pl.format(" and {} more", names.len() - SHOWN)).otherwise(pl.lit(""))
    return names.head(SHOWN).str.join(", ") + more


def _said(sign: str, column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.lit(sign) + pl.col(column))


def _fact(name: str) -> pl.Expr:
    old, new = pl.col("was").struct.field(name).cast(pl.String), pl.col(name).cast(pl.String)
    return pl.when(old.ne_missing(new)).then(
        pl.format(f"{name} {{}} → {{}}", old.fill_null("unknown"), new.fill_null("unknown"))
    )


def taken_over(sources: pl.DataFrame, inputs: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """work_key, source_id: Sources of the ledger that lost files (or are no more), and the Sources that have these now.

    A file is the same where its URI is, or name and content.
    """
    kept = sources.select(work_key="source_id", input_identity="identity")
    left = mine.join(kept, on=["work_key", "input_identity"], how="anti")
    now = inputs.select(KEYS)
    by_place = left.join(now, on="uri").select("work_key", "source_id")
    by_content = left.join(now, left_on=["file", "content_key"], right_on=["input", "content_key"])
    both = pl.concat([by_place, by_content.select("work_key", "source_id")])
    return both.filter(pl.col("work_key") != pl.col("source_id")).unique(maintain_order=True)


def changes(old_id: str, identity: Identity, runs: pl.DataFrame) -> str:
    """What differs between two versions of a module, from the newest run of the old one."""
    past = runs.filter(pl.col("module_id") == old_id).sort("run_id")
    if past.is_empty():
        return f"other code or parameters than {old_id}"
    old_files, old_values = (json.loads(past[name][-1] or "{}") for name in ("closure", "parameters"))
    new_files, new_values = dict(identity.closure), json.loads(identity.parameters)
    values = [
        f"parameter {name}: {_shown(old_values, name)} → {_shown(new_values, name)}"
        for name in sorted(old_values.keys() | new_values.keys())
        if _shown(old_values, name) != _shown(new_values, name)
    ]
    files = [
        f"code {name} {'is new' if name not in old_files else 'is gone' if name not in new_files else 'changed'}"
        for name in sorted(old_files.keys() | new_files.keys())
        if old_files.get(name) != new_files.get(name)
    ]
    said = [*values, *files]
    more = [f"{len(said) - 2 * SHOWN} more"] if len(said) > 2 * SHOWN else []
    return "; ".join([*said[: 2 * SHOWN], *more]) or f"another reference than {old_id}"


def _shown(values: dict[str, object], name: str) -> str:
    return json.dumps(values[name], sort_keys=True) if name in values else "none"
