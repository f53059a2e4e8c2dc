from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.errors import UserError
from engine.longitudinal.make import make
from engine.retraining.normaliser import Normaliser
from tests.engine.longitudinal.persons import night, table
from tests.engine.retraining.persons import FEATURES, FIRST, of_one, rows


def test_from_seven_nights_on_it_says_what_the_baselines_say() -> None:
    nights = rows(6).drop("target")
    found = Normaliser().fit(nights).transform(nights)
    written = [
        night(row["subject_id"], (row["night_date"] - FIRST).days, **{name: row[name] for name in FEATURES})
        for row in nights.iter_rows(named=True)
    ]
    told = pl.DataFrame(make(table(written), "w")["baselines"]).filter(pl.col("dev_z").is_not_null())
    for name in FEATURES:
        mine = told.filter(feature=name).join(found, ["subject_id", "night_date"])
        assert mine.height > 500
        np.testing.assert_array_equal(mine[name], mine["dev_z"])


def test_before_that_everybodys_nights_count() -> None:
    learned = Normaliser().fit(of_one("hr_median", [58.0, 60.0, 66.0, None]))
    z = learned.transform(of_one("hr_median", [60.0, 66.0, None], "new"))["hr_median"].to_list()
    assert z[0] == 0.0
    assert z[1] == pytest.approx(6 / (1.4826 * 2))
    assert z[2] is None


def test_a_spread_is_at_least_its_floor() -> None:
    learned = Normaliser().fit(of_one("wst_median", [34.0] * 10))
    assert learned.transform(of_one("wst_median", [35.0]))["wst_median"][0] == pytest.approx(1 / (1.4826 * 0.05))


def test_what_cannot_be_learned() -> None:
    with pytest.raises(UserError, match="no floor"):
        Normaliser().fit(of_one("shoe_size", [42.0]))
    with pytest.raises(UserError, match="no value"):
        Normaliser().fit(of_one("hr_median", [None, None]))
    with pytest.raises(UserError, match="were learned"):
        Normaliser().fit(of_one("hr_median", [60.0])).transform(of_one("rr_median", [15.0]))
    with pytest.raises(UserError, match="not fitted"):
        Normaliser().serialise()
