from __future__ import annotations

import polars as pl
import pytest
from sklearn.base import clone

from engine.errors import UserError
from engine.retraining import outlier_filter
from engine.retraining.decisions import IMPLAUSIBLE, OUTLIER, SCHEMA
from engine.retraining.outlier_filter import OutlierFilter
from tests.engine.retraining.persons import of_one, rows


def test_known_answer_h6() -> None:
    nights = of_one("wst_median", [34.1, 34.2, 34.0, 34.1, 36.5, 34.2, 34.1])
    filtered = OutlierFilter().fit(nights).transform(nights)
    assert filtered["wst_median"].to_list() == [34.1, 34.2, 34.0, 34.1, None, 34.2, 34.1]
    (told,) = OutlierFilter().decisions(nights).iter_rows(named=True)
    assert told == {
        "subject_id": "P", "night_date": nights["night_date"][4], "feature": "wst_median", "value": 36.5,
        "reason": OUTLIER,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("feature", "values", "gone"),
    [
        ("hr_median", [0.0, 24.0, 25.0, 250.0, 251.0, None], [0, 1, 4]),
        ("rr_median", [3.9, 4.0, 60.0, 61.0], [0, 3]),
        ("wst_p99_stable", [19.0, 20.0, 42.0, 86.0], [0, 3]),
        ("ln_rmssd", [0.5, 0.7, 5.7, 5.8, 1000.0], [0, 3, 4]),
        ("sdnn_median", [1.0, 300.0], [0]),
        ("sleep_eff", [0.0, 5.0, -1.0], []),
    ],
)
def test_what_no_body_has_is_gone(feature: str, values: list[float | None], gone: list[int]) -> None:
    """Five nights are too few for the other rule: each of these is another person's."""
    nights = pl.concat(of_one(feature, [one], f"P{i}") for i, one in enumerate(values))
    found = OutlierFilter().decisions(nights)
    assert found["subject_id"].to_list() == [f"P{i}" for i in gone]
    assert set(found["reason"]) <= {IMPLAUSIBLE}
    kept = OutlierFilter().transform(nights)[feature].to_list()
    assert kept == [None if i in gone else one for i, one in enumerate(values)]


@pytest.mark.parametrize(("newest", "believed"), [(64.4, True), (64.5, False)])
def test_three_robust_deviations_are_believed(newest: float, believed: bool) -> None:
    """Median 60, MAD 1: up to 60 + 3 · 1.4826."""
    filtered = OutlierFilter().transform(of_one("hr_median", [58.0, 59.0, 60.0, 61.0, newest]))["hr_median"]
    assert filtered.to_list() == [58.0, 59.0, 60.0, 61.0, newest if believed else None]


def test_implausible_values_are_no_part_of_a_median() -> None:
    nights = of_one("hr_median", [60.0, 61.0, 0.0, 0.0, 0.0, 60.0, 62.0, 90.0, 61.0])
    reasons = OutlierFilter().decisions(nights)["reason"].to_list()
    assert reasons == [IMPLAUSIBLE] * 3 + [OUTLIER]


def test_a_lasting_change_is_believed_in_the_end() -> None:
    nights = of_one("hr_median", [60.0, 61.0, 59.0, 60.5, 59.5] * 3 + [80.0, 81.0, 79.0, 80.5, 79.5] * 3)
    filtered = OutlierFilter().transform(nights)["hr_median"]
    assert filtered[:15].null_count() == 0
    assert filtered[15] is None
    assert filtered[-8:].null_count() == 0


def test_nothing_later_and_nobody_else_matters() -> None:
    nights = rows(3).drop("target")
    whole = OutlierFilter().decisions(nights)
    assert set(whole["reason"]) == {IMPLAUSIBLE, OUTLIER}
    for cut in sorted(set(nights["night_date"]))[::7]:
        early = OutlierFilter().decisions(nights.filter(pl.col("night_date") <= cut))
        assert early.equals(whole.filter(pl.col("night_date") <= cut))
    one = nights["subject_id"][0]
    alone = OutlierFilter().decisions(nights.filter(subject_id=one))
    assert alone.equals(whole.filter(subject_id=one))


def test_rows_stay_in_their_order() -> None:
    nights = rows(4).drop("target")
    filtered = OutlierFilter().transform(nights)
    assert filtered.select("subject_id", "night_date").equals(nights.select("subject_id", "night_date"))
    assert filtered.columns == nights.columns
    backwards = OutlierFilter().transform(nights.reverse())
    assert backwards.equals(filtered.reverse())


def test_plausibility_twice_is_once() -> None:
    nights = rows(5).drop("target")
    once = OutlierFilter().transform(nights)
    assert OutlierFilter().decisions(once).filter(reason=IMPLAUSIBLE).is_empty()


def test_no_night_gives_no_decision() -> None:
    nights = of_one("hr_median", [])
    assert OutlierFilter().decisions(nights).schema == SCHEMA
    assert OutlierFilter().transform(nights).equals(nights)


def test_the_hash_is_of_parameters_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    one = OutlierFilter()
    assert one.filter_hash == clone(one).filter_hash == OutlierFilter.deserialise(one.serialise()).filter_hash
    assert len({one.filter_hash, OutlierFilter(most=13).filter_hash, OutlierFilter(least=6).filter_hash}) == 3
    code = outlier_filter.closure(outlier_filter.CODE)
    assert {"engine.retraining.decisions", "engine.vitals.plausibility", "kernels.hampel"} <= code.keys()
    assert "engine.retraining.train" not in code
    before = one.filter_hash
    monkeypatch.setattr(outlier_filter, "closure", lambda name: code | {"kernels.hampel": "0" * 64})
    assert one.filter_hash != before


@pytest.mark.parametrize("wrong", [{"most": 0}, {"most": "14"}, {"most": 1e9}, {"least": 15}, {"least": True}])
def test_parameters_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match="must be a whole number"):
        OutlierFilter(**wrong).fit(of_one("hr_median", [60.0]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nights", "told"),
    [
        (of_one("hr_median", [60.0]).drop("night_date"), "column night_date"),
        (of_one("hr_median", [60.0]).with_columns(pl.col("night_date").cast(pl.String)), "column night_date"),
        (of_one("hr_median", [60.0]).with_columns(subject_id=pl.lit(None, pl.String)), "without nulls"),
        (pl.concat([of_one("hr_median", [60.0])] * 2), "a night twice"),
        (of_one("hr_median", [60.0]).drop("hr_median"), "there is none"),
        (of_one("hr_median", [60.0]).with_columns(band=pl.lit("A")), "band"),
    ],
)
def test_frames_that_cannot_be(nights: pl.DataFrame, told: str) -> None:
    with pytest.raises(UserError, match=told):
        OutlierFilter().transform(nights)
