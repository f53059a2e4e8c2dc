"""Queries: the views that analysts are promised, and no way to touch anything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from engine.commit import recover
from engine.errors import UserError
from engine.events import ignore
from engine.results.open import newest, scan, tables
from engine.results.query import PLAIN, query
from engine.results.summary import errors, history
from engine.running.progress import CommitSettings, Progress
from engine.running.record import begin
from engine.storage import Store
from tests.engine.outputs import IDENTITY, MODULE, OUTPUTS, receipt, rows

OLD, NEW = MODULE, "toy-ffffffffffff"


def _run(store: Store, module_id: str, state: str, *receipts) -> None:
    identity = type(IDENTITY)(module_id, *(getattr(IDENTITY, name) for name in list(IDENTITY.__slots__)[1:]))
    progress = Progress(begin(identity, "{}"), store, recover(store), OUTPUTS, CommitSettings(), ignore)
    progress.start((), None)
    for one in receipts:
        progress.take(one, lambda keys: ())
    progress.end(state)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two finished versions of a module, then an interrupted run of the old one."""
    made = Store(tmp_path_factory.mktemp("out"))
    _run(made, OLD, "finished", receipt(made, ["a", "b-2"], 40.0), receipt(made, ["c"], status="failed"))
    new = [receipt(made, ["a", "b-2"], 60.0, module_id=NEW), receipt(made, ["a-1"], 70.0, module_id=NEW)]
    _run(made, NEW, "finished", *new, receipt(made, ["d"], status="quarantined"), receipt(made, ["e"], status="failed"))
    _run(made, OLD, "interrupted")
    return made


def test_views_show_the_newest_finished_version_and_all_shows_all(store: Store) -> None:
    assert newest(store) == NEW
    assert query(store, "SELECT DISTINCT module_id FROM epochs").to_pylist() == [{"module_id": NEW}]
    assert query(store, "SELECT count(*) n FROM epochs").to_pylist() == [{"n": 9}]
    assert query(store, "SELECT count(*) n FROM epochs_all").to_pylist() == [{"n": 15}]
    assert query(store, "SELECT count(*) n FROM files").to_pylist() == [{"n": 8}]


def test_nights_shows_the_best_source_of_a_night(store: Store) -> None:
    told = query(store, "SELECT source_id, night_score FROM nights ORDER BY 1").to_pylist()
    assert told == [{"source_id": "a-1", "night_score": 70.0}, {"source_id": "b-2", "night_score": 60.0}]
    assert query(store, "SELECT count(*) n FROM nights_all").to_pylist() == [{"n": 5}]


def test_partitions_and_joins_work(store: Store) -> None:
    told = query(store, "SELECT month, count(*) n FROM epochs e JOIN files f USING (source_id, module_id) GROUP BY 1")
    assert sorted(map(tuple, (row.values() for row in told.to_pylist()))) == [("2026-01", 6), ("2026-02", 3)]


@pytest.mark.parametrize("sql", ["DESCRIBE nights", "SUMMARIZE nights", "FROM nights", "EXPLAIN SELECT 1 -- why\n;"])
def test_other_ways_to_read_work(store: Store, sql: str) -> None:
    assert query(store, sql).num_rows > 0


def test_every_column_is_in_the_dictionary(store: Store) -> None:
    told = query(store, 'SELECT "table", "column" FROM dictionary WHERE unit IS NOT NULL').to_pylist()
    described = {(row["table"], row["column"]) for row in told}
    for name in tables(store):
        assert {(name, column) for column in rows(store, name).columns} <= described
    assert {row["table"] for row in told} == set(tables(store))


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{0}/x.csv'",
        "ATTACH '{0}/x.db'",
        "SELECT * FROM read_csv('{0}/x.csv')",
        "SELECT * FROM '{0}/x.parquet'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "INSERT INTO files SELECT * FROM files",
        "DROP TABLE files_nothing",
        "EXPORT DATABASE '{0}/x'",
    ],
)
def test_a_query_reads_only(store: Store, tmp_path: Path, sql: str) -> None:
    with pytest.raises(UserError):
        query(store, sql.format(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM nights", "nothing"),
        ("SELECT * FROM knights", "tables: dictionary, epochs, epochs_all, files"),
        ("CREATE TABLE t AS SELECT 1", "must be one SELECT"),
        ("SELECT 1; SELECT 2", "must be one SELECT"),
        ("", "must be one SELECT"),
    ],
)
def test_a_mistake_is_told_on_one_line(store: Store, sql: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        query(store, sql)
    assert "\n" not in str(caught.value)


def test_an_interpreter_that_queried_exits_cleanly(store: Store) -> None:
    code = f"""
from engine.results.query import PLAIN, query
from engine.storage import Store
print(query(Store({store.uri!r}), 'SELECT count(*) n FROM epochs_all').to_pylist())
"""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "[{'n': 15}]\n"), done.stderr


def test_no_output_has_no_tables(tmp_path: Path) -> None:
    empty = Store(tmp_path / "nothing")
    assert tables(empty) == []
    assert newest(empty) is None
    with pytest.raises(UserError, match="no table nights; there are none"):
        scan(empty, "nights")
    with pytest.raises(UserError, match="nights"):
        query(empty, "SELECT * FROM nights")


def test_scan_gives_one_version_or_all(store: Store) -> None:
    assert scan(store, "nights").collect().height == 5
    assert scan(store, "nights", OLD).collect()["source_id"].sort().to_list() == ["a", "b-2"]


def test_errors_are_grouped_with_an_example(store: Store) -> None:
    told = errors(store).select("status", "cause", "files", "example").rows()
    assert told == [("quarantined", "timeout", 1, "d.zip"), ("failed", "module", 1, "e.zip")]


def test_history_tells_every_run(store: Store) -> None:
    told = history(store)
    assert told["state"].to_list() == ["finished", "finished", "interrupted"]
    assert told["files"].to_list() == [3, 5, 0]
    assert told["bad"].to_list() == [1, 2, 0]


def _examples(store: Store) -> Iterator[tuple[str, str, object, int]]:
    """Of each column of each table with plain values: the first value that is one, and how many rows have it."""
    for name in tables(store):
        frame = scan(store, name).collect()
        for column in frame.iter_columns():
            known = column.drop_nulls()
            if len(known) and not column.dtype.is_nested():
                yield name, column.name, known[0], int((column == known[0]).sum())


def test_a_filter_by_any_column_finds_its_rows(store: Store) -> None:
    found = [
        (name, column, query(store, f'SELECT count(*) AS n FROM {_whole(name)} WHERE "{column}" = {_literal(value)}'))
        for name, column, value, _ in _examples(store)
    ]
    expected = [(name, column, n) for name, column, _, n in _examples(store)]
    assert [(name, column, answer["n"][0].as_py()) for name, column, answer in found] == expected


def test_a_column_of_nulls_is_found(store: Store) -> None:
    nulls = scan(store, "files").collect()["traceback"].null_count()
    assert nulls > 0
    answer = query(store, "SELECT count(*) AS n FROM files WHERE traceback IS NULL")
    assert answer.to_pylist() == [{"n": nulls}]


def test_so_it_does_for_whoever_reads_by_delta(store: Store) -> None:
    for name, column, value, n in _examples(store):
        dataset = DeltaTable(store.delta_uri(name)).to_pyarrow_dataset()
        assert dataset.count_rows(filter=pc.field(column) == pa.scalar(value, dataset.schema.field(column).type)) == n


def _whole(name: str) -> str:
    return name if name in PLAIN else f"{name}_all"


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def test_days_and_hours_are_those_of_utc_wherever_the_query_is_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    asked = "SELECT max(ts) ts, CAST(max(ts) AS DATE) = CAST(max(ts) AT TIME ZONE 'UTC' AS DATE) same FROM epochs"
    answer = query(store, asked)
    assert str(answer.schema.field("ts").type) == "timestamp[us, tz=UTC]"
    assert answer["same"].to_pylist() == [True]
    assert query(store, "SELECT current_setting('TimeZone') z").to_pylist() == [{"z": "UTC"}]


def test_names_that_come_twice_are_numbered(store: Store) -> None:
    joined = query(store, "SELECT * FROM epochs JOIN files USING (source_id) LIMIT 1").column_names
    assert len(set(joined)) == len(joined)
    assert query(store, 'SELECT 1 a, 2 a, 3 a_1, 4 "b""", 5 "b"""').to_pylist() == [
        {"a": 1, "a_2": 2, "a_1": 3, 'b"': 4, 'b"_1': 5}
    ]


def test_intervals_are_text(store: Store) -> None:
    answer = query(store, "SELECT INTERVAL 3 HOURS i, [INTERVAL 1 DAY] l, 2 n").to_pylist()
    assert answer == [{"i": "03:00:00", "l": "[1 day]", "n": 2}]
