"""What a finding of drift is called, what to ask about it, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from engine.drift.find import BAND, CODE, MISSING, MIX, VALUE, VECTOR
from engine.results.open import scan
from engine.storage import Store
from jobs.reason_codes import MEANINGS
from jobs.show import count, text

Row = Mapping[str, Any]
QUERIES = {
    VALUE: "median({what}), count({what}), count(*)",
    MISSING: "median({what}), count({what}), count(*)",
    CODE: "avg(list_contains(reasons, '{what}')::int), count(*)",
    BAND: "avg((band in ('A', 'B'))::int), count(*)",
}
"""What to look at day by day, by kind of finding."""
ADVICE = {
    MISSING: "Its channel is lost or too poor on more nights, or fewer: nightmill errors names such files; the "
    "dictionary says which least data it asks for.",
    BAND: "The reason codes that rose say what the nights lost.",
    MIX: "Look at the codes, or bands, that rose most; none of them alone need have moved far.",
    VECTOR: "Look at each of them by day; together they moved, each perhaps little.",
}


def units_of(store: Store) -> dict[str, str]:
    """Column of nights to its unit."""
    known = scan(store, "dictionary").filter(pl.col("table") == "nights", pl.col("unit") != "1").collect()
    return dict(known.select("column", "unit").iter_rows())


def whose(row: Row) -> str:
    return "all" if row["by"] is None else f"{row['by']} {row['group']}"


def subject(row: Row, units: Mapping[str, str]) -> str:
    if row["kind"] == VECTOR:
        return f"{count(row['what'].count(',') + 1, 'feature')} together"
    if row["kind"] != VALUE:
        return f"{row['kind']}: {row['what']}"
    return f"{row['what']} [{units[row['what']]}]" if row["what"] in units else str(row["what"])


def moved(row: Row) -> str:
    return "–" if row["now"] is None else f"{text(row['reference'])} → {text(row['now'])}"


def query(row: Row) -> str | None:
    """What to ask `nightmill query`; None of several things together."""
    if row["kind"] not in QUERIES:
        return None
    by = "" if row["by"] is None else f", {row['by']}"
    return (
        f"select night_date{by}, {QUERIES[row['kind']].format(what=row['what'])} from nights group by all order by all"
    )


def advice(row: Row) -> str:
    """What to do next, in a sentence or two."""
    if row["kind"] == CODE and row["what"] in MEANINGS:
        return f"It means: {MEANINGS[row['what']]}"
    if row["kind"] in ADVICE:
        return ADVICE[row["kind"]]
    if row["by"] is None:
        return (
            "Ask whose nights moved: --by device,firmware, or a cohort. If everybody's did, think of season and people."
        )
    return (
        f"Ask what changed with {whose(row)}: the same people's nights were otherwise before. Keep its nights out of "
        "training, and of comparisons with earlier ones, until that is known."
    )
