"""Writes docs/outputs.md from the schemas: `python -m jobs.dictionary_page > docs/outputs.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click
import pyarrow as pa

from engine.backtest.finish import FINAL
from engine.backtest.grid import Configuration, Policy
from engine.backtest.serve.mapped import Serve
from engine.backtest.tables import ATTEMPTS, FITS
from engine.longitudinal.tables import OUTPUTS as LONGITUDINAL
from engine.module import Table
from engine.night.diagnostics import Diagnosed
from engine.night.reasons import CODES
from engine.night.tables import OUTPUTS
from engine.schemas import DICTIONARY, FILES, RUNS
from jobs.reason_codes import MEANINGS

INTRODUCTION = """\
# What comes out

Generated from the schemas by `python -m jobs.dictionary_page`; every output carries the same as its table `dictionary`.

Every table of the module is partitioned by `module_id` (`epochs` by the month of `night_date`, too): the version of the
code and parameters that made the row. Plain readers see all versions, so filter by one; `nightmill query` shows the
newest finished run's. Times are UTC with microseconds. A missing value is null, never 0, −1 or NaN.
"""

DIAGNOSED = """\
# What `nightmill process --diagnostics` adds

Two tables more of the files that it is given; they judge nothing.
"""

BASELINES = """\
# What `nightmill baselines` adds

Two tables beside `nights`, and `work` with the columns of `files`: a row each range of persons, since there are no
files. Every value depends on the night itself and on earlier nights only.
"""

BACKTESTS = """\
# What comes out of a backtest

Its output also has `work`, with the columns of `files`: a row each unit of work, since there are no files.
"""


def page() -> Iterator[str]:
    """Lines of the page."""
    for heading, tables in chapters():
        yield heading
        for name, table in tables.items():
            yield from _table(name, table)
    yield "## Reason codes\n"
    yield "`reasons` is a list of codes; in `epochs` it is an integer whose bit i stands for the i-th of these.\n"
    yield "| bit | code | meaning |\n|---|---|---|"
    yield from (f"| {bit} | `{code}` | {MEANINGS[code]} |" for bit, code in enumerate(CODES))


def chapters() -> Iterator[tuple[str, Mapping[str, Table]]]:
    """Every table that nightmill writes, under the heading that says who does."""
    yield INTRODUCTION, {**OUTPUTS, "files": FILES, "runs": RUNS, "dictionary": DICTIONARY}
    yield DIAGNOSED, {name: table for name, table in Diagnosed().outputs.items() if name not in OUTPUTS}
    yield BASELINES, LONGITUDINAL
    yield BACKTESTS, backtest_tables()


def backtest_tables() -> dict[str, Table]:
    """The tables of a backtest, in the order in which they come about."""
    served = Serve((Configuration("seasonal_naive", 168, 24, Policy.UPDATE),)).outputs
    return {"fits": FITS, "attempts": ATTEMPTS, **served, **FINAL}


def _table(name: str, table: Table) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"Key: {', '.join(table.key)}. Sorted by {', '.join(table.sort)}.\n"
    yield "| column | type | unit | meaning | least data | source | since |\n|---|---|---|---|---|---|---|"
    for field in table.schema:
        yield f"| {' | '.join(_cells(field))} |"
    yield ""


def _cells(field: pa.Field) -> list[str]:
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    unit = "" if notes.get("unit") == "1" else notes.get("unit", "")
    told = [notes.get(name, "") for name in ("meaning", "minimum_data", "source", "since")]
    return [f"`{field.name}`", str(field.type), unit, *(text.replace("|", "\\|") for text in told)]


if __name__ == "__main__":
    click.echo("\n".join(page()))
