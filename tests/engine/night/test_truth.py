"""The module against nights whose truth is known: what it must get right, with the share that it keeps beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.module import RawFile, Source, Status
from engine.night.night import Night
from engine.simulate import nights
from engine.simulate.plan import Span

USERS = 4
GOOD_PPG, GOOD_TEMP = 0.6, 0.5


class Judgement:
    """Every epoch of all nights, the module's columns beside the truth's (suffix _true), and one dict a night."""

    def __init__(self) -> None:
        frames, self.nights, self.verdicts = [], list[Mapping[str, Any]](), []
        for user in range(USERS):
            day = nights.FIRST_NIGHT + timedelta(days=user)
            made = nights.draw(seed=11, user=user, night_date=day, hours=7, off_wrist=user % 2 == 1)
            truth = made.truth
            source = Source("s", ("night.zip",), truth.subject_id, truth.zone)
            outcome = Night()([RawFile("night.zip", made.zip())], source)
            epochs = pl.from_arrow(outcome.tables["epochs"])
            assert isinstance(epochs, pl.DataFrame)
            frames.append(epochs.join(truth.epochs, on="ts", suffix="_true").with_columns(user=pl.lit(user)))
            (row,) = outcome.tables["nights"].to_pylist()
            self.nights.append({**row, "truth": truth})
            self.verdicts.extend(outcome.verdicts)
        self.epochs = pl.concat(frames)


@pytest.fixture(scope="module")
def judged() -> Judgement:
    return Judgement()


def good(judged: Judgement, *columns: str) -> pl.DataFrame:
    """Worn epochs with a good pulse in which the module and the truth both have the columns."""
    there = [pl.col(name).is_not_null() & pl.col(f"{name}_true").is_not_null() for name in columns]
    return judged.epochs.filter(pl.col("q_ppg") >= GOOD_PPG, pl.col("wear") == 1, *there)


def test_clean_nights_are_ok_and_of_the_evening_they_began(judged: Judgement) -> None:
    assert [verdict.status for verdict in judged.verdicts] == [Status.OK] * USERS
    assert [row["night_date"] for row in judged.nights] == [row["truth"].night_date for row in judged.nights]
    assert [row["band"] for row in judged.nights] == ["A"] * USERS


def test_heart_rate_of_good_epochs(judged: Judgement) -> None:
    compared = good(judged, "hr_bpm")
    error = (compared["hr_bpm"] - compared["hr_bpm_true"]).abs()
    assert compared.height / judged.epochs["wear_true"].sum() >= 0.70
    assert float(error.mean()) <= 0.5
    assert float(error.median()) <= 0.25


def test_heart_rate_error_falls_with_quality(judged: Judgement) -> None:
    known = judged.epochs.filter(pl.col("wear") == 1).drop_nulls(["hr_bpm", "hr_bpm_true"])
    error = (known["hr_bpm"] - known["hr_bpm_true"]).abs().to_numpy()
    which = np.digitize(known["q_ppg"].to_numpy(), [0.6, 0.95])
    mean = [float(error[which == number].mean()) for number in range(3)]
    assert mean == sorted(mean, reverse=True)
    assert mean[0] > 5 * mean[-1]


def test_rmssd_of_good_epochs_and_of_the_night(judged: Judgement) -> None:
    compared = good(judged, "rmssd_ms")
    ratio = compared["rmssd_ms"] / compared["rmssd_ms_true"]
    assert float((ratio - 1).abs().median()) <= 0.05
    assert abs(float(ratio.median()) - 1) <= 0.03
    for row in judged.nights:
        true = row["truth"].epochs.filter(pl.col("sleep"))
        assert row["rmssd_median"] == pytest.approx(float(true["rmssd_ms"].median()), rel=0.05)
        assert row["hr_median"] == pytest.approx(float(true["hr_bpm"].median()), abs=0.5)


def test_breathing_rate_of_good_epochs_and_of_the_night(judged: Judgement) -> None:
    compared = good(judged, "rr_brpm")
    error = (compared["rr_brpm"] - compared["rr_brpm_true"]).abs()
    assert compared.height / judged.epochs["wear_true"].sum() >= 0.70
    assert float(error.mean()) <= 1.0
    assert float(error.median()) <= 0.3
    for row in judged.nights:
        true = row["truth"].epochs.filter(pl.col("sleep"))
        assert row["rr_median"] == pytest.approx(float(true["rr_brpm"].median()), abs=0.5)
        assert row["hrv_ratio_median"] > 0
        assert row["perfusion_median"] is None
        assert "NO_DC" in row["reasons"]


def test_sleep_period(judged: Judgement) -> None:
    """An awakening within half an hour of an end moves it: a shorter still block does not count. Hence the shares."""
    late_min = [
        (row[name].timestamp() * 1e6 - getattr(row["truth"], f"{name}_us")) / 6e7
        for row in judged.nights
        for name in ("spt_onset", "spt_end")
    ]
    assert np.median(np.abs(late_min)) <= 1
    assert np.mean(np.abs(late_min) <= 5) >= 0.75
    assert np.max(np.abs(late_min)) <= 40


def test_sleep_and_wake_within_the_period(judged: Judgement) -> None:
    known = judged.epochs.drop_nulls("sleep_state")
    asleep = known["sleep_state"] == "sleep"
    assert float(asleep.filter(known["sleep"]).mean()) >= 0.90
    assert float(1 - asleep.filter(~known["sleep"]).mean()) >= 0.35


def test_wear_and_what_was_taken_off(judged: Judgement) -> None:
    worn, true = judged.epochs["wear"] == 1, judged.epochs["wear_true"]
    assert (~true).sum() > 700
    assert float(worn.filter(true).mean()) >= 0.98
    assert float((~worn).filter(~true).mean()) >= 0.95


@pytest.mark.parametrize("minutes", [(35, 50), (75,)])
def test_wear_with_short_stretches_off_within_the_night(minutes: tuple[int, ...]) -> None:
    """DOMAIN G asks for 0.90 of both. Half an hour to an hour and a half is what a bath or a charge takes."""
    away = [Span(3600 + 5400 * i, 3600 + 5400 * i + 60 * length) for i, length in enumerate(minutes)]
    made = nights.draw(seed=21, user=len(minutes), hours=4.5, off_wrist=away)
    source = Source("s", ("night.zip",), made.truth.subject_id, made.truth.zone)
    epochs = pl.from_arrow(Night()([RawFile("night.zip", made.zip())], source).tables["epochs"])
    assert isinstance(epochs, pl.DataFrame)
    both = epochs.join(made.truth.epochs, on="ts", suffix="_true")
    worn, true = both["wear"] == 1, both["wear_true"]
    assert (~true).sum() == pytest.approx(6 * sum(minutes), abs=2 * len(minutes))
    assert float(worn.filter(true).mean()) >= 0.98
    assert float((~worn).filter(~true).mean()) >= 0.95


def test_skin_temperature(judged: Judgement) -> None:
    there = judged.epochs.filter(pl.col("q_temp") >= GOOD_TEMP, pl.col("wear_true")).drop_nulls("skin_temp_c")
    error = (there["skin_temp_c"] - there["skin_temp_c_true"]).abs()
    assert there.height / judged.epochs["wear_true"].sum() >= 0.80
    assert float(error.max()) <= 0.05
    assert float(error.mean()) <= 0.01
