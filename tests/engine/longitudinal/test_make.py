"""Deviations and shifts: known answers, the naive truth, and that nothing later counts."""

from __future__ import annotations

import math
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.longitudinal.features import FEATURES
from engine.longitudinal.make import make
from engine.longitudinal.tables import OUTPUTS
from engine.night.nights_table import NIGHTS
from tests.engine.longitudinal.persons import FIRST, night, random_nights, series, table
from tests.naive.longitudinal import longitudinal

E1 = [34.0, 34.1, 33.9, 34.0, 34.2, 34.1, 34.6, 34.5, 34.7, 34.6]


def made(rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    found = make(table(rows), "w")
    assert all(found[name].schema.equals(OUTPUTS[name].schema, check_metadata=True) for name in OUTPUTS)
    return {name: pl.DataFrame(pl.from_arrow(rows)) for name, rows in found.items()}


def of(frame: pl.DataFrame, feature: str) -> pl.DataFrame:
    return frame.filter(pl.col("feature") == feature)


def test_kat_e1_the_shift_of_night_6_is_reported_with_night_8() -> None:
    for known in range(len(E1) + 1):
        shifts = made(series("P", E1[:known]))["shifts"]
        assert shifts.height == (1 if known > 8 else 0)
    row = shifts.row(0, named=True)
    assert [(row[name] - FIRST).days for name in ("before_from", "night_date", "reported_date")] == [0, 6, 8]
    assert (row["before_max"], row["after_min"], row["rise"]) == (34.2, 34.5, pytest.approx(0.3))


def test_three_over_six_counts_valid_nights_of_one_person() -> None:
    rows = [night("P", day * 2, wst_p99_stable=value) for day, value in enumerate(E1)]
    hot = [night("P", 3, "C", wst_p99_stable=39.0), night("P", 5, "D", wst_p99_stable=39.0), night("P", 7)]
    assert made(rows + hot)["shifts"]["night_date"].to_list() == [rows[6]["night_date"]]
    two = series("P", E1[:6]) + [night("Q", day, wst_p99_stable=36.0) for day in range(3)]
    assert made(two)["shifts"].is_empty()
    assert made(series("P", [34.0] * 9))["shifts"].is_empty()


def test_a_deviation_needs_seven_earlier_nights_and_forgets_after_28() -> None:
    frame = of(made(series("P", [60.0 + day for day in range(40)], "rhr_p10"))["baselines"], "rhr_p10")
    assert frame["reason"].to_list() == ["FEW_NIGHTS"] * 7 + [None] * 33
    assert frame["n_baseline"].to_list() == [*range(28), *[28] * 12]
    assert frame["median"][7] == 63.0
    assert frame["mad"][7] == 2.0
    assert frame["dev_z"][7] == pytest.approx((67 - 63) / (1.4826 * 2))
    assert frame["median"][39] == 84.5
    assert (frame["baseline_from"][39] - FIRST).days == 11


@pytest.mark.parametrize("feature", [one for one in FEATURES if one.name != "pulse_amp_ratio"])
def test_a_steady_person_is_measured_with_the_floor(feature: Any) -> None:
    frame = of(made(series("P", [50.0] * 8 + [50.0 + feature.floor], feature.name))["baselines"], feature.name)
    assert frame["dev_z"].to_list()[7:] == [0.0, pytest.approx(1 / 1.4826)]
    assert frame["mad"][8] == 0.0


def test_floors_of_the_specification() -> None:
    floors = {one.name: one.floor for one in FEATURES}
    assert [floors[name] for name in ("rhr_p10", "rr_median", "wst_p99_stable", "ln_rmssd")] == [0.5, 0.2, 0.05, 0.05]


def test_features_are_columns_of_nights_with_their_units_in_order_of_name() -> None:
    units = {field.name: field.metadata[b"unit"].decode() for field in NIGHTS.schema}
    assert all(units[one.name] == one.unit for one in FEATURES if one.name != "pulse_amp_ratio")
    assert [one.name for one in FEATURES] == sorted({one.name for one in FEATURES})


def test_bands_c_and_d_enter_no_baseline_and_d_is_not_compared() -> None:
    rows = [night("P", day, "AB"[day % 2], rhr_p10=60.0) for day in range(8)]
    rows += [night("P", 8, "C", rhr_p10=70.0), night("P", 9, "D", rhr_p10=80.0), night("P", 10, "B", rhr_p10=60.5)]
    frame = of(made(rows)["baselines"], "rhr_p10")
    assert frame["n_baseline"].to_list()[8:] == [8, 8, 8]
    assert frame["reason"].to_list()[8:] == [None, "REJECTED", None]
    assert frame["dev_z"].to_list()[8:] == [pytest.approx(10 / 0.7413), None, pytest.approx(0.5 / 0.7413)]
    assert frame["value"][9] == 80.0


def test_the_pulse_is_told_as_a_multiple_of_the_30_nights_before() -> None:
    heights = [float(10 + day) for day in range(40)]
    frame = of(made(series("P", heights, "pulse_amp_median"))["baselines"], "pulse_amp_ratio")
    assert frame["value"][6] is None
    assert frame["value"][7] == pytest.approx(17 / 13)
    assert frame["value"][39] == pytest.approx(49 / (19 + 14.5))
    assert frame["reason"].to_list() == ["FEW_NIGHTS"] * 14 + [None] * 26
    dead = of(made(series("P", [0.0] * 9, "pulse_amp_median"))["baselines"], "pulse_amp_ratio")
    assert dead["value"].null_count() == 9


def test_of_a_night_with_several_sources_the_best_counts() -> None:
    rows = [night("P", 0, name=name, score=score, rhr_p10=v) for name, score, v in (("b", 90.0, 1.0), ("a", 90.0, 2.0),
            ("c", None, 3.0), ("d", 80.0, 4.0))]  # fmt: skip
    assert of(made(rows)["baselines"], "rhr_p10")["value"].to_list() == [2.0]
    rows[3]["night_score"], rows[0]["recorded_h"] = 90.0, 9.0
    assert of(made(rows)["baselines"], "rhr_p10")["value"].to_list() == [1.0]


def test_nothing_gives_empty_tables() -> None:
    assert [frame.height for frame in made([]).values()] == [0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_naive_truth(seed: int) -> None:
    rows = random_nights(seed)
    found, expected = made(rows), longitudinal(rows)
    for name, frame in found.items():
        told = frame.drop("work_key").to_dicts()
        assert len(told) == len(expected[name])
        for one, other in zip(told, expected[name], strict=True):
            assert one.keys() == other.keys()
            for key, value in one.items():
                close = isinstance(value, float) and math.isclose(value, other[key], rel_tol=1e-12, abs_tol=1e-12)
                assert close or value == other[key], (name, key, one, other)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 59))
def test_nothing_later_changes_what_was_said(seed: int, days: int) -> None:
    rows = random_nights(seed, subjects=2)
    known = [row for row in rows if (row["night_date"] - FIRST).days < days]
    later = [row | {"wst_p99_stable": 99.0, "rhr_p10": None, "band": "A"} for row in rows if row not in known]
    whole, changed, cut = made(rows), made(known + later), made(known)
    until = pl.lit(FIRST) + pl.duration(days=days)
    for name, date in (("baselines", "night_date"), ("shifts", "reported_date")):
        assert whole[name].filter(pl.col(date) < until).equals(cut[name])
        assert changed[name].filter(pl.col(date) < until).equals(cut[name])


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_order_and_company_change_nothing(seed: int) -> None:
    rows = random_nights(seed, subjects=3)
    whole = made(rows)
    mixed = random.Random(seed).sample(rows, len(rows))
    assert all(made(mixed)[name].equals(whole[name]) for name in whole)
    for name in whole:
        alone = [made([row for row in rows if row["subject_id"] == f"P{person}"])[name] for person in range(3)]
        assert pl.concat(alone).equals(whole[name])
