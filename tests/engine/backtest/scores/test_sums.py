from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.backtest.grid import Configuration, Policy
from engine.backtest.scores.sums import ScoreSums
from engine.backtest.scores.table import ORIGIN_SUMS, SCORE_SUMS, SERIES_SCORES
from tests.engine.backtest.scores.rows import some_rows

CONFIGURATIONS = [
    Configuration("theta", None, 1, Policy.UPDATE),
    Configuration("theta", 24, 6, Policy.STALE),
    Configuration("ets", 72, 24, Policy.UPDATE),
]
SERIES = [(f"s{i}", vital) for i in range(6) for vital in ("hr_bpm", "rr_brpm")]
TABLES = {"score_sums": SCORE_SUMS, "series_scores": SERIES_SCORES, "origin_sums": ORIGIN_SUMS}


def _sums(series: Iterable[tuple[str, str]], key: str = "w") -> dict[str, pa.Table]:
    sums = ScoreSums()
    for (subject, vital), configuration in product(series, CONFIGURATIONS):
        seed = SERIES.index((subject, vital)) * 10 + CONFIGURATIONS.index(configuration)
        sums.add(subject, vital, configuration, some_rows(seed, ages=configuration.refit_h))
    return sums.tables(key)


def _merged(parts: list[pa.Table], table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(pa.concat_tables(parts))
    keys = [name for name in table.key if name != "work_key"]
    return frame.group_by(keys).agg(pl.exclude("work_key").sum()).sort(keys)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_as_declared(name: str) -> None:
    found, table = _sums(SERIES)[name], TABLES[name]
    found.validate(full=True)
    assert found.schema.equals(table.schema, check_metadata=True)
    frame = pl.from_arrow(found)
    assert frame.select(table.key).is_unique().all()
    ascending = found.sort_by([(key, "ascending", "at_start") for key in table.sort])
    assert found.equals(ascending)
    assert not any(pc.any(pc.is_nan(c)).as_py() for c in found.columns if pa.types.is_floating(c.type))


@pytest.mark.parametrize("name", ["score_sums", "origin_sums"])
def test_parts_add_up_to_the_whole_bit_for_bit(name: str) -> None:
    whole = _merged([_sums(SERIES)[name]], TABLES[name])
    backwards = _merged([_sums(SERIES[::-1])[name]], TABLES[name])
    parts = _merged([_sums(SERIES[i::3], f"w{i}")[name] for i in (2, 0, 1)], TABLES[name])
    assert whole.equals(backwards)
    assert whole.equals(parts)


def test_series_and_cells_are_the_same_rows() -> None:
    tables = _sums(SERIES)
    by = ["vital", "model", "window_h", "refit_h", "policy", "served_by", "common"]
    sums = [name for name in SERIES_SCORES.schema.names if name not in (*by, "work_key", "subject_id")]
    one, other = (pl.from_arrow(tables[name]).group_by(by).agg(pl.col(sums).sum()).sort(by) for name in
                  ("score_sums", "series_scores"))  # fmt: skip
    assert one.equals(other)


def test_nothing_gives_empty_tables() -> None:
    empty = ScoreSums()
    empty.add("a", "hr_bpm", CONFIGURATIONS[0], some_rows(0, origins=1, holes=1.0))
    for name, table in empty.tables("w").items():
        assert table.num_rows == 0
        assert table.schema.equals(TABLES[name].schema)
