"""SQL over an output, with no set-up: DuckDB reads, and only reads, the tables of one output."""

from __future__ import annotations

from itertools import count

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs

from engine.commit import LEDGERS
from engine.errors import UserError
from engine.results.open import current, tables
from engine.storage import Store
from engine.tables import delta

PLAIN = (*LEDGERS, "runs", "dictionary")
"""Tables that a query sees as they are; every other one as the newest results, and as `<name>_all`."""

BEST_NIGHT = (
    "row_number() OVER (PARTITION BY subject_id, night_date ORDER BY night_score DESC NULLS LAST, "
    "recorded_h DESC NULLS LAST, source_id) = 1"
)
"""Where several Sources gave a night, the view `nights` shows the best: higher score, then longer, then lower name."""
_BEST_NEEDS = {"subject_id", "night_date", "night_score", "recorded_h", "source_id"}

READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
LOCKS = (
    "SET TimeZone = 'UTC'",  # else days and hours of an instant would be those of the machine that asks
    "SET enable_external_access = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)


def query(store: Store, sql: str) -> pa.Table:
    """The answer to one `SELECT`. Raises `UserError` where DuckDB does not understand it, or it wants to write.

    Views: `nights`, `epochs`, `vitals` and whatever else the module writes hold the rows of the newest finished run's
    module version (of a backtest, of each step's), `<name>_all` those of every version; `files` or `work`, `runs` and
    `dictionary` are whole. Days and hours of an instant are UTC's. A name that comes twice, as of a join, gets a
    number; intervals, which few readers of Arrow know, come as text.
    """
    with connect(store) as connection:
        try:
            kinds = [statement.type for statement in connection.extract_statements(sql)]
            if len(kinds) != 1 or kinds[0] not in READING:
                raise UserError("the query must be one SELECT (or DESCRIBE, SHOW, SUMMARIZE, EXPLAIN)")
            return _readable(connection.sql(sql)).to_arrow_table()
        except duckdb.Error as error:
            raise UserError(f"{_told(error)}; tables: {', '.join(sorted(_visible(store)))}") from error


def _readable(answer: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    wanted: list[str] = []
    for name in answer.columns:
        spare = (f"{name}_{number}" for number in count(1))
        wanted.append(name if name not in wanted else next(one for one in spare if one not in answer.columns + wanted))
    spans = ["INTERVAL" in str(kind) for kind in answer.types]
    if wanted == answer.columns and not any(spans):
        return answer
    columns = zip(wanted, spans, strict=True)
    quoted = [
        f'#{at}{"::VARCHAR" if span else ""} AS "{name.replace(chr(34), chr(34) * 2)}"'
        for at, (name, span) in enumerate(columns, 1)
    ]
    return answer.project(", ".join(quoted))


def connect(store: Store) -> duckdb.DuckDBPyConnection:
    """A connection that sees the output's views and can touch no file. Close it, or use it as a context."""
    connection = duckdb.connect(":memory:")
    module_ids = current(store)
    for name in tables(store):
        dataset = _dataset(store, name)
        if name in PLAIN:
            connection.register(name, dataset)
        else:
            connection.register(f"{name}_all", dataset)
            connection.execute(_view(name, set(dataset.schema.names), module_ids))
    for lock in LOCKS:
        connection.execute(lock)
    return connection


def _view(name: str, columns: set[str], module_ids: list[str]) -> str:
    best = f"QUALIFY {BEST_NIGHT}" if name == "nights" and columns >= _BEST_NEEDS else ""
    chosen = ", ".join("'" + one.replace("'", "''") + "'" for one in module_ids or [""])
    return f'CREATE VIEW "{name}" AS SELECT * FROM "{name}_all" WHERE module_id IN ({chosen}) {best}'


def _dataset(store: Store, name: str) -> ds.Dataset:
    """Pruned by partition only: where a part has no statistics of a column, delta-rs 1.6 says that it holds nothing."""
    handle = delta.open_table(store, name)
    if handle is None:
        raise UserError(f"{store.uri}: table {name} is in the dictionary but not in storage")
    # Arrow's own file system: reading through delta-rs takes a Python call a block, and its threads outlive the query.
    local = (
        pyarrow.fs.SubTreeFileSystem(store.delta_uri(name), pyarrow.fs.LocalFileSystem()) if store.is_local else None
    )
    given = handle.to_pyarrow_dataset(filesystem=local)
    folders = ds.partitioning(
        pa.schema([given.schema.field(one) for one in handle.metadata().partition_columns]), flavor="hive"
    )
    parts = [
        given.format.make_fragment(part.path, given.filesystem, folders.parse(part.path))
        for part in given.get_fragments()
    ]
    return ds.FileSystemDataset(parts, given.schema, given.format, given.filesystem)


def _visible(store: Store) -> list[str]:
    names = tables(store)
    return names + [f"{name}_all" for name in names if name not in PLAIN]


def _told(error: duckdb.Error) -> str:
    """DuckDB's complaint on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "^" not in line]
    return " ".join(line for line in lines if not line.startswith("LINE ")) or type(error).__name__
