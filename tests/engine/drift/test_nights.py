from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.drift.days import Period, choose
from engine.drift.find import find
from engine.drift.nights import last_day, module_of, read
from engine.errors import UserError
from engine.storage import Store
from tests.engine.drift.population import DECLARED, FEATURES, drift_of, people, rows
from tests.engine.longitudinal.persons import NIGHTS_ID, night, output

WHOLE = people(0, users=12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Nights that lie in two parts, the later people first, and a worse row of each night."""
    folder = tmp_path_factory.mktemp("out")
    worse = [row | {"source_id": "0", "night_score": 10.0, "hr_median": -1.0, "band": "D"} for row in rows(WHOLE)]
    half = len(rows(WHOLE)) // 2
    output(folder, [*rows(WHOLE)[half:], *worse[:half]], declared=DECLARED)
    return output(folder, [*worse[half:], *rows(WHOLE)[:half]], declared=DECLARED)


def test_the_best_row_of_each_night_with_all_features(store: Store) -> None:
    assert module_of(store) == NIGHTS_ID
    newest = last_day(store, NIGHTS_ID)
    assert newest == WHOLE["night_date"].max()
    nights = read(store, NIGHTS_ID, choose(newest, (1, 7)).whole, ("firmware",))
    assert len(nights) == 12 * 42 and set(FEATURES) < set(nights.features)
    held = nights.rows.with_columns(pl.Series(name, x) for name, x in nights.values())
    key = ["subject_id", "night_date"]
    told = held.select(*key, "firmware", "band", pl.col(*FEATURES).fill_nan(None)).sort(key)
    mine = WHOLE.select(told.columns).filter(pl.col("night_date") >= told["night_date"].min()).sort(key)
    assert told.equals(mine)
    assert nights.are_good.tolist() == held["band"].is_in(["A", "B"]).to_list()


def test_an_output_drifts_as_its_nights_do(store: Store) -> None:
    days = choose(last_day(store, NIGHTS_ID), (7,))
    found = find(read(store, NIGHTS_ID, days.whole), days).findings
    told = drift_of(WHOLE, windows=(7,)).findings
    mine = found.filter(pl.col("what").is_in(told["what"].to_list()) | (pl.col("kind") == "vector"))
    columns = ["kind", "what", "test", "n", "n_reference", "statistic", "level"]
    key = columns[:3]
    left, right = (frame.select(columns).sort(key) for frame in (mine, told))
    assert left.drop("statistic").equals(right.drop("statistic"))
    by_row = (pl.col("kind") != "vector") & (pl.col("what") != "night_score")
    np.testing.assert_array_equal(left.filter(by_row)["statistic"], right.filter(by_row)["statistic"])


def test_what_cannot_be_read_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no table nights"):
        module_of(Store(tmp_path))
    whole = Period(WHOLE["night_date"][0], WHOLE["night_date"][-1])
    for name in ("hardware", "hr_median"):
        with pytest.raises(UserError, match=f"--by {name}: nights has no such column of text; it has .*firmware"):
            read(store, NIGHTS_ID, whole, (name,))
    with pytest.raises(UserError, match=r"--by source_id: .* groups; at most 200"):
        read(store, NIGHTS_ID, whole, ("source_id",))


def test_a_module_whose_nights_nobody_judged(tmp_path: Path) -> None:
    bare = output(tmp_path, [night("P1", day, band=None, hr_median=50.0 + day) for day in range(3)])
    nights = read(bare, NIGHTS_ID, Period(night("P1", 0)["night_date"], last_day(bare, NIGHTS_ID)))
    assert not nights.are_good.any(), "no band is not a good one"
    assert dict(nights.values())["hr_median"].tolist() == [50.0, 51.0, 52.0]
    assert np.isnan(dict(nights.values())["tst_h"]).all()
