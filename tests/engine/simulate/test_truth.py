"""The truth agrees with itself and with the arithmetic of its definitions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.simulate import nights
from engine.simulate.plan import Span, inside
from engine.simulate.truth import rates


@pytest.fixture(scope="module")
def night() -> nights.Night:
    return nights.draw(seed=5, hours=6, off_wrist=True)


def test_rates_of_an_alternating_heart_are_exact() -> None:
    nn_ms = np.tile([980, 1020], 60)
    beats_us = np.concatenate([[0], np.cumsum(nn_ms)]) * 1000
    hr, rmssd = rates(beats_us, np.array([50_000_000]))
    assert rmssd[0] == pytest.approx(40)
    assert hr[0] == pytest.approx(60, abs=1.3)


def test_rates_without_beats_are_nan() -> None:
    hr, rmssd = rates(np.array([0, 1_000_000]), np.array([500_000_000]))
    assert np.isnan(hr).all()
    assert np.isnan(rmssd).all()


def test_epochs_lie_on_the_utc_grid_and_inside_the_recording(night: nights.Night) -> None:
    ts = night.truth.epochs["ts"].cast(pl.Int64).to_numpy()
    assert np.all(ts % 10_000_000 == 0)
    assert np.all(np.diff(ts) == 10_000_000)
    assert ts[0] >= night.truth.start_us
    assert ts[-1] + 10_000_000 <= night.truth.end_us


def test_rmssd_and_rate_of_an_epoch_come_from_the_true_beats(night: nights.Night) -> None:
    row = night.truth.epochs.row(700, named=True)
    centre = night.truth.epochs["ts"].cast(pl.Int64)[700] + 5_000_000
    beats = night.truth.beats_us
    ends, nn_ms = beats[1:], np.diff(beats) / 1000
    half_minute = (ends >= centre - 15_000_000) & (ends < centre + 15_000_000)
    minute = (ends >= centre - 30_000_000) & (ends < centre + 30_000_000)
    assert row["hr_bpm"] == pytest.approx(60000 / np.median(nn_ms[half_minute]))
    assert row["rmssd_ms"] == pytest.approx(np.sqrt(np.mean(np.diff(nn_ms[minute]) ** 2)))


def test_hearts_are_human(night: nights.Night) -> None:
    nn_ms = np.diff(night.truth.beats_us) / 1000
    assert nn_ms.min() > 400
    assert nn_ms.max() < 1700
    asleep = night.truth.epochs.filter(pl.col("sleep"))
    awake = night.truth.epochs.filter(~pl.col("sleep") & pl.col("wear"))
    assert asleep["hr_bpm"].median() + 5 < awake["hr_bpm"].median()
    assert 15 < asleep["rmssd_ms"].median() < 70


def test_sleep_lies_in_its_period_and_not_off_the_wrist(night: nights.Night) -> None:
    truth = night.truth
    ts = truth.epochs["ts"].cast(pl.Int64).to_numpy() + 5_000_000
    sleep = truth.epochs["sleep"].to_numpy()
    assert not sleep[(ts < truth.spt_onset_us) | (ts > truth.spt_end_us)].any()
    assert 0.8 < sleep[(ts > truth.spt_onset_us) & (ts < truth.spt_end_us)].mean() < 1
    assert not sleep[~truth.epochs["wear"].to_numpy()].any()


def test_off_the_wrist_cools_as_published_shows_no_pulse_and_lies_still(night: nights.Night) -> None:
    ((start_us, end_us),) = night.truth.not_worn_us
    from_s, to_s = ((t - night.truth.start_us) // 1_000_000 for t in (start_us, end_us))
    temp_c = night.session.temp / 100
    slope = (temp_c[(from_s + 300) * 4] - temp_c[from_s * 4]) / 5
    assert -0.57 < slope < -0.23
    assert night.session.bvp[(from_s + 10) * 64 : (to_s - 10) * 64].std() / 100 < 2
    assert night.session.acc[(from_s + 10) * 32 : (to_s - 10) * 32].std(axis=0).max() < 0.8
    assert not night.session.trusted[inside((Span(from_s, to_s),), night.session.beats_s)].any()


def test_distal_skin_warms_after_sleep_onset(night: nights.Night) -> None:
    onset_s = (night.truth.spt_onset_us - night.truth.start_us) // 1_000_000
    before, later = night.session.temp[: onset_s * 4].mean(), night.session.temp[(onset_s + 5400) * 4]
    assert later - before > 60


def test_postures_change_every_ten_to_forty_minutes_in_sleep(night: nights.Night) -> None:
    asleep = night.truth.epochs.filter(pl.col("sleep"))
    hours = len(asleep) / 360
    turns = (asleep["unrest_g"] > 0).cast(pl.Int8).diff().eq(1).sum()
    assert 1 < turns / hours < 7
