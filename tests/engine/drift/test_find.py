"""Planted drifts are found and named, and where nothing drifts nobody is alarmed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.engine.drift.population import CODES, FEATURES, drift_of, people, since


def alarms(frame: pl.DataFrame, *groups: str) -> pl.DataFrame:
    return drift_of(frame, *groups, windows=(7,)).findings.filter("alarm")


def named(found: pl.DataFrame) -> set[tuple[str | None, str, str]]:
    return set(found.select("group", "kind", "what").iter_rows())


@pytest.mark.parametrize("seed", range(2))
def test_undisturbed_people_alarm_nobody(seed: int) -> None:
    """Declared: at most 1 alarm in 100 checks. Measured apart, with two groups: 1 in 400; of 30 people 0 in 200."""
    found = drift_of(people(seed))
    assert not found.findings["alarm"].any()
    assert found.compared["is_enough"].all()
    assert set(found.findings["what"]) >= {*FEATURES, *CODES, "A or B", "band", "reasons"}


def test_a_warmer_firmware_is_found_in_its_nights_only() -> None:
    frame = people(1).with_columns(
        wst_median=pl.col("wst_median") + 0.3 * ((pl.col("firmware") == "2.0") & since(14)).cast(pl.Float64)
    )
    found = alarms(frame, "firmware")
    assert ("2.0", "value", "wst_median") in named(found)
    assert {group for group, *_ in named(found)} <= {"2.0", None}
    assert {what for _, kind, what in named(found) if kind != "vector"} == {"wst_median"}
    (row,) = found.filter(pl.col("group") == "2.0", pl.col("test") == "ks", pl.col("window_d") == 7).to_dicts()
    assert row["now"] - row["reference"] == pytest.approx(0.3, abs=0.1)


def test_people_who_received_another_firmware_are_compared_with_themselves() -> None:
    """Those who got it differ from the others, which is no drift; then it measures warmer, which is one."""
    few = pl.col("subject_id") < "P040"
    warm = pl.col("wst_median") + few.cast(pl.Float64)
    version = pl.when(few & since(14)).then(pl.lit("3.0")).otherwise("firmware")
    frame = people(2).with_columns(wst_median=warm, firmware=version)
    assert alarms(frame, "firmware").is_empty()
    frame = frame.with_columns(wst_median=pl.col("wst_median") + 0.5 * (pl.col("firmware") == "3.0").cast(pl.Float64))
    assert ("3.0", "value", "wst_median") in named(alarms(frame, "firmware"))


def test_twice_as_much_missing_is_found() -> None:
    lost = pl.Series(np.random.default_rng(0).random(people(3).height) < 1 / 9)
    frame = people(3).with_columns(rr_median=pl.when(lost & since(14)).then(None).otherwise("rr_median"))
    found = alarms(frame)
    assert named(found) == {(None, "missing", "rr_median")}
    (row,) = found.filter(pl.col("window_d") == 7).to_dicts()
    assert (row["reference"], row["now"]) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.2, abs=0.03))


def test_a_growing_code_is_found_and_so_is_what_it_does_to_the_bands() -> None:
    rng = np.random.default_rng(1)
    frame = people(4)
    day = frame["night_date"].rank("dense").to_numpy()
    taken_off = pl.Series(rng.random(frame.height) < np.clip(day - 46, 0, None) * 0.02)
    frame = frame.with_columns(
        reasons=pl.when(taken_off).then(pl.col("reasons").list.set_union(["NONWEAR"])).otherwise("reasons"),
        band=pl.when(taken_off).then(pl.lit("C")).otherwise("band"),
    )
    assert {(None, "code", "NONWEAR"), (None, "band", "A or B")} <= named(alarms(frame))


def test_a_jump_of_one_day_is_told_but_alarms_only_the_day_after() -> None:
    def hot(days: int) -> pl.DataFrame:
        return people(5).with_columns(hr_median=pl.col("hr_median") + 8 * since(days).cast(pl.Float64))

    first = drift_of(hot(1), windows=(1,)).findings.filter(what="hr_median", window_d=1, kind="value")
    assert first.select("level", "before", "alarm").row(0) == ("act", "stable", False)
    second = drift_of(hot(2), windows=(1,)).findings.filter(what="hr_median", window_d=1, kind="value")
    assert second.select("level", "before", "alarm").row(0) == ("act", "act", True)


def test_several_features_that_move_a_little_together_move_the_vector() -> None:
    frame = people(6).with_columns(pl.col(name) + 0.6 * within * since(14).cast(pl.Float64)
                                   for name, (_, _, within, _) in FEATURES.items())  # fmt: skip
    assert "vector" in {kind for _, kind, _ in named(alarms(frame))}


def test_few_nights_give_no_figure() -> None:
    few = people(7).filter(pl.col("subject_id") < "P004")
    found = drift_of(few, windows=(1,))
    assert found.findings.filter(pl.col("window_d").is_not_null()).is_empty()
    assert found.compared.select("window_d", "n_reference", "n", "is_enough").rows() == [(1, 16, 4, False)]
    assert not drift_of(few.head(1)).is_enough


def test_a_module_without_bands_and_codes_has_its_features_compared() -> None:
    bare = people(8).drop("band", "reasons").with_columns(nothing=pl.lit(None, pl.Float64), always=pl.lit(1.0))
    found = drift_of(bare).findings
    assert set(found["kind"]) == {"value", "missing", "vector"}
    assert "nothing" not in set(found["what"]) and set(found.filter(what="always")["level"]) == {"stable"}
