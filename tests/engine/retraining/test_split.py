from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from engine.errors import UserError
from engine.retraining.split import PersonsLater
from tests.engine.retraining.persons import rows


@pytest.mark.parametrize(("folds", "cuts", "gap_days"), [(2, 1, 7), (3, 2, 7), (4, 3, 10)])
def test_other_persons_and_later(folds: int, cuts: int, gap_days: int) -> None:
    nights = rows(9, 13, 80)
    splitter = PersonsLater(folds, cuts, gap_days)
    splits = [(nights[train], nights[test]) for train, test in splitter.split(nights)]
    assert len(splits) == splitter.get_n_splits() == folds * cuts
    for train, test in splits:
        assert not set(train["subject_id"]) & set(test["subject_id"])
        between = test["night_date"].min() - train["night_date"].max()  # type: ignore[operator]
        assert between > timedelta(gap_days)
    for at in range(cuts):
        tested = [test["subject_id"] for _, test in splits[at * folds : (at + 1) * folds]]
        assert pl.concat(tested).n_unique() == sum(one.n_unique() for one in tested) == 13
    sizes = [splits[at * folds][0].height for at in range(cuts)]
    assert sizes == sorted(set(sizes))


def test_no_night_is_tested_twice_and_the_order_of_rows_changes_no_part() -> None:
    nights = rows(9, 12, 60)
    parts = list(PersonsLater(3, 2, 7).split(nights))
    tested = pl.concat(nights[test] for _, test in parts)
    assert not tested.select("subject_id", "night_date").is_duplicated().any()
    backwards = nights.reverse()
    for mine, theirs in zip(parts, PersonsLater(3, 2, 7).split(backwards), strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert (
                nights[one].sort("subject_id", "night_date").equals(backwards[other].sort("subject_id", "night_date"))
            )


def test_too_few_persons_or_days() -> None:
    with pytest.raises(UserError, match="2 persons are too few for 3 folds"):
        list(PersonsLater(3, 1, 7).split(rows(9, 2, 60)))
    with pytest.raises(UserError, match="7 days after"):
        list(PersonsLater(2, 1, 7).split(rows(9, 6, 12)))
