from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.module import RawFile
from engine.night import clean
from engine.night.formats import parse
from engine.night.grid import EPOCH_US, Grid, cover
from engine.night.reasons import BIT
from engine.night.signals import breathing, ppg
from engine.night.signals.breathing import measure
from engine.night.signals.intervals import Beats, spans
from engine.simulate import nights
from tests.engine.night.hand import EVENING_US, power_at, recording


def breathed(brpm: float = 15.0, hr_bpm: float = 60.0, minutes: int = 5, ways: str = "abc") -> tuple:  # type: ignore[type-arg]
    """What `ppg.measure` says of a steady heart that breathes: a (level), b (height), c (interval)."""
    grid = Grid(EVENING_US, minutes * 6)
    t_s = [0.5]
    while t_s[-1] < minutes * 60 - 0.7:
        depth = 0.03 * np.sin(2 * np.pi * brpm / 60 * t_s[-1]) if "c" in ways else 0.0
        t_s.append(t_s[-1] + 60 / hr_bpm * (1 + depth))
    t = np.array(t_s)
    wave = np.sin(2 * np.pi * brpm / 60 * t)
    ibi_ms = np.diff(t, prepend=np.nan) * 1000
    beats = Beats(EVENING_US + np.rint(t * 1e6).astype(np.int64), ibi_ms, np.isfinite(ibi_ms))
    pulse = ppg.measure(recording([]), grid, np.full(grid.n, np.nan))
    return replace(
        pulse,
        beats=beats,
        levels=100 + 5 * wave if "a" in ways else np.full(len(t), 100.0),
        heights=10 + wave if "b" in ways else np.full(len(t), 10.0),
        trusted=beats.valid,
        q_ppg=np.ones(grid.n),
        hr_bpm=np.full(grid.n, hr_bpm),
    ), grid


@pytest.mark.parametrize("brpm", [8.0, 12.0, 15.0, 20.0, 25.0])
def test_a_steady_breath(brpm: float) -> None:
    found = measure(*breathed(brpm, hr_bpm=70.0))
    told = np.isfinite(found.rr_brpm)
    assert told[2:-2].all()
    assert found.rr_brpm[told] == pytest.approx(brpm, abs=0.5)
    assert (found.rr_n[told] == 3).all()
    assert not found.reasons.any()


def test_the_window_is_32_s_and_whole() -> None:
    found = measure(*breathed())
    assert not np.isfinite(found.rr_brpm[[0, -1]]).any()
    assert (found.rr_n[[0, -1]] == -1).all()


def test_two_ways_suffice_and_one_does_not() -> None:
    two = measure(*breathed(ways="bc"))
    assert (two.rr_n[2:-2] == 2).all()
    assert two.rr_brpm[2:-2] == pytest.approx(15.0, abs=0.5)
    one = measure(*breathed(ways="b"))
    assert not np.isfinite(one.rr_brpm).any()
    assert not one.reasons.any()


def test_a_breath_faster_than_beats_can_show_is_refused() -> None:
    found = measure(*breathed(brpm=24.0, hr_bpm=52.0))
    assert not np.isfinite(found.rr_brpm).any()
    assert (found.reasons[2:-2] == BIT["RR_UNSURE"]).all()


def test_no_breath_where_the_pulse_is_poor() -> None:
    pulse, grid = breathed()
    q = np.ones(grid.n)
    q[10:15] = 0.59
    found = measure(replace(pulse, q_ppg=q), grid)
    assert not np.isfinite(found.rr_brpm[10:15]).any()
    assert np.isfinite(found.rr_brpm[[9, 15]]).all()
    assert not found.reasons.any()


def test_a_hole_of_five_seconds_is_bridged_and_a_longer_one_not() -> None:
    pulse, grid = breathed(hr_bpm=75.0)
    for lost, there in ((6, True), (7, False)):
        valid = pulse.beats.valid.copy()
        valid[190 : 190 + lost] = False
        found = measure(replace(pulse, beats=replace(pulse.beats, valid=valid)), grid)
        assert np.isfinite(found.rr_brpm[15]) == there


@pytest.mark.parametrize("brpm", [6.0, 36.0])
def test_the_band_is_6_to_36_breaths_a_minute(brpm: float) -> None:
    assert power_at(breathing._design(), breathing.HZ, brpm / 60) == pytest.approx(0.5, abs=1e-6)


def test_spans_end_at_holes() -> None:
    t_us = np.array([1, 2, 3, 9, 10, 16]) * 1_000_000
    assert spans(t_us, np.full(6, 1000.0)) == [(0, 6)]
    assert spans(t_us, np.full(6, 900.0)) == [(0, 3), (3, 5), (5, 6)]
    assert spans(t_us[:0], np.empty(0)) == []


def test_without_a_pulse_there_is_no_breath() -> None:
    grid = Grid(EVENING_US, 6)
    found = measure(ppg.measure(recording([]), grid, np.full(6, np.nan)), grid)
    assert not np.isfinite(found.rr_brpm).any()


def test_a_cut_is_felt_nearby_only() -> None:
    """Half a window, a block with its margin and the longest bridge: two minutes."""
    pulse, grid = breathed(minutes=20)
    rng = np.random.default_rng(1)
    pulse = replace(pulse, heights=pulse.heights + rng.normal(0, 0.3, len(pulse.heights)))
    whole = breathing.modulation_rates(pulse, grid)
    valid = pulse.beats.valid & (pulse.beats.t_us < grid.ts_us[60])
    cut = breathing.modulation_rates(replace(pulse, beats=replace(pulse.beats, valid=valid)), grid)
    assert np.array_equal(whole[:, :48], cut[:, :48], equal_nan=True)


@pytest.mark.parametrize("user", [0, 3])
def test_breath_of_a_generated_night(user: int) -> None:
    night = nights.draw(seed=7, user=user, hours=1.5)
    (made,), _ = parse.read([RawFile("night.zip", night.zip())], 512)
    made = clean.clean(made, None)
    grid = cover(made.start_us, made.end_us)
    found = measure(ppg.measure(made, grid, np.full(grid.n, np.nan)), grid)
    truth = np.full(grid.n, np.nan)
    epoch = (night.truth.epochs["ts"].dt.timestamp("us").to_numpy() - grid.start_us) // EPOCH_US
    truth[epoch] = night.truth.epochs["rr_brpm"].cast(float).to_numpy()
    error = np.abs(found.rr_brpm - truth)
    assert np.isfinite(error).mean() >= 0.7
    assert np.nanmean(error) <= 1.0
