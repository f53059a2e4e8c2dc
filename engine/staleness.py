"""Why a Source is to be processed: the inventory against the ledger, as frames; millions of files in seconds."""

from __future__ import annotations

import json
from collections.abc import Collection

import polars as pl

from engine.identity import Identity, module_name
from engine.inventory import Inventory

NEW = "new"
MODULE_CHANGED = "module changed"
INPUT_CHANGED = "input changed"
FILES_ADDED = "files added"
FILES_REMOVED = "files removed"
FACTS_CHANGED = "facts changed"
RETRY = "retry"
REGROUPED = "re-grouped"

SHOWN = 3
"""How many files or changes a sentence names before it counts the rest."""

FACTS = {"zone": pl.String, "device_offset_s": pl.Int64, "night_hint": pl.String, "received_at": pl.String}
LEDGER_COLUMNS = ("module_id", "work_key", "file", "uri", "facts", "input_identity", "status", "content_key", "run_id")


def stale(
    inventory: Inventory, ledger: pl.LazyFrame, identity: Identity, runs: pl.DataFrame, retry: Collection[str]
) -> pl.DataFrame:
    """source_id, why, detail (a sentence or null) of every Source that the ledger does not have as it is now."""
    same_name = pl.col("module_id").str.head(-13) == module_name(identity.module_id)
    rows = ledger.filter(same_name).select(LEDGER_COLUMNS).collect()
    mine = rows.filter(pl.col("module_id") == identity.module_id)
    known = mine.group_by("work_key").agg(
        pl.col("input_identity").first(), again=pl.col("status").is_in(list(retry)).any()
    )
    compared = inventory.sources.join(known, left_on="source_id", right_on="work_key", how="left")
    seen, equal = pl.col("input_identity").is_not_null(), pl.col("input_identity") == pl.col("identity")
    again = compared.filter(equal & pl.col("again")).select("source_id", why=pl.lit(RETRY), detail=_statuses(retry))
    changed = compared.filter(seen & ~equal)
    unseen = compared.filter(~seen)
    older = rows.filter(pl.col("module_id") != identity.module_id)
    return pl.concat(
        [again, _why_changed(inventory, changed, mine), _why_unseen(inventory, unseen, mine, older, identity, runs)]
    )


def _statuses(retry: Collection[str]) -> pl.Expr:
    return pl.lit(f"asked for: {', '.join(sorted(retry))}")


def _why_changed(inventory: Inventory, changed: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """Which files came, went or changed, and which facts, old → new."""
    keys = changed.select("source_id")
    now = _input_keys(inventory).join(keys, on="source_id", how="semi")
    was = mine.select(source_id="work_key", input="file", was_uri="uri", was_key="content_key", was_facts="facts").join(
        keys, on="source_id", how="semi"
    )
    pairs = now.join(was, on=["source_id", "input"], how="full", coalesce=True)
    files = pairs.group_by("source_id").agg(
        added=_names(pl.col("was_facts").is_null()),
        removed=_names(pl.col("content_key").is_null()),
        changed=_names(pl.col("content_key") != pl.col("was_key")),
        moved=pl.col("was_uri").filter(pl.col("uri") != pl.col("was_uri")).first(),
        was=pl.col("was_facts").drop_nulls().first().str.json_decode(pl.Struct(FACTS)),
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
    said = [*files_said, *map(_fact, FACTS)]
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


def _why_unseen(
    inventory: Inventory,
    unseen: pl.DataFrame,
    mine: pl.DataFrame,
    older: pl.DataFrame,
    identity: Identity,
    runs: pl.DataFrame,
) -> pl.DataFrame:
    """New to this module: its files were in other Sources, an older version of the module had them, or nobody did."""
    moved = taken_over(inventory, mine).rename({"source_id": "taker"})
    regrouped = moved.group_by(source_id="taker").agg(
        moved=pl.lit("was in ") + pl.col("work_key").sort().str.join(", ")
    )
    last = older.sort("run_id").group_by("work_key").agg(pl.col("module_id").last())
    versions = last["module_id"].unique().sort()
    changes = pl.DataFrame(
        {"module_id": versions, "changes": [_changes(version, identity, runs) for version in versions]},
        schema={"module_id": pl.String, "changes": pl.String},
    )
    told = (
        unseen.join(regrouped, on="source_id", how="left")
        .join(last, left_on="source_id", right_on="work_key", how="left")
        .join(changes, on="module_id", how="left")
    )
    why = (
        pl.when(pl.col("moved").is_not_null()).then(pl.lit(REGROUPED))
        .when(pl.col("changes").is_not_null()).then(pl.lit(MODULE_CHANGED))
        .otherwise(pl.lit(NEW))
    )  # fmt: skip
    return told.select("source_id", why=why, detail=pl.coalesce("moved", "changes"))


def taken_over(inventory: Inventory, mine: pl.DataFrame) -> pl.DataFrame:
    """work_key, source_id: Sources of the ledger that lost files (or are no more), and the Sources that have these now.

    A file is the same where its URI is, or name and content.
    """
    kept = inventory.sources.select(work_key="source_id", input_identity="identity")
    left = mine.join(kept, on=["work_key", "input_identity"], how="anti")
    now = _input_keys(inventory)
    by_place = left.join(now, on="uri").select("work_key", "source_id")
    by_content = left.join(now, left_on=["file", "content_key"], right_on=["input", "content_key"])
    both = pl.concat([by_place, by_content.select("work_key", "source_id")])
    return both.filter(pl.col("work_key") != pl.col("source_id")).unique(maintain_order=True)


def _input_keys(inventory: Inventory) -> pl.DataFrame:
    return inventory.inputs.select("source_id", "input", "uri", "content_key")


def _changes(old_id: str, identity: Identity, runs: pl.DataFrame) -> str:
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
