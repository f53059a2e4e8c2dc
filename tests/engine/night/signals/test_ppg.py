from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.night.grid import Grid, cover
from engine.night.reasons import BIT
from engine.night.recording import MISSING, Channel, Device, Recording, Segment
from engine.night.signals import ppg
from engine.night.signals.ppg import PulseEpochs, measure
from engine.night.signals.unbroken import Stretch
from tests.engine.night.hand import power_at

T0_US = 1_594_751_513_000_000
Floats = NDArray[np.float64]


def _beats(seconds: float, seed: int = 0) -> Floats:
    """Beat times (s) of a sleeper: 55–65 bpm, breathing in it, and a little noise."""
    rng = np.random.default_rng(seed)
    beats = [0.4]
    while beats[-1] < seconds:
        t = beats[-1]
        beats.append(t + 1.0 + 0.05 * np.sin(t / 100) + 0.03 * np.sin(2 * np.pi * 0.25 * t) + rng.normal(0, 0.01))
    return np.array(beats)


def _pulse(beats: Floats, seconds: float, fs: float) -> Floats:
    """Pulse wave with a systolic peak at each beat and a dicrotic one after it; int-like, ±100."""
    t = np.arange(round(seconds * fs)) / fs
    x = np.zeros(len(t))
    for beat in beats:
        for delay, width, height in ((0.0, 0.1, 100.0), (0.33, 0.12, 35.0)):
            low, high = np.searchsorted(t, [beat + delay - 6 * width, beat + delay + 6 * width])
            x[low:high] += height * np.exp(-0.5 * ((t[low:high] - beat - delay) / width) ** 2)
    return x - x.mean()


def _recording(*segments: tuple[float, Floats], fs: float = 64.0, name: str = "bvp", **info: float) -> Recording:
    parts = []
    for start_s, x in segments:
        values = np.where(np.isfinite(x), np.rint(np.nan_to_num(x) * 100), MISSING).astype(np.int32)
        parts.append(Segment(T0_US + round(start_s * 1e6), fs, values))
    channel = Channel(name, "1", 0.01, 0.0, tuple(parts), info)
    device = Device("empatica", "e4")
    return Recording("x.zip", "", device, None, None, None, None, {name: channel}, {}, (name,), {})


def _measure(recording: Recording, enmo_mg: float = 0.0, grid: Grid | None = None) -> PulseEpochs:
    grid = grid or cover(recording.start_us, recording.end_us)
    return measure(recording, grid, np.full(grid.n, enmo_mg))


def _rate(beats: Floats, centre_s: float) -> float:
    inside = (beats[1:] >= centre_s - 15) & (beats[1:] < centre_s + 15)
    return float(60 / np.median(np.diff(beats)[inside]))


@pytest.mark.parametrize(("fs", "name"), [(64.0, "bvp"), (100.0, "ppg_ir"), (25.0, "ppg_green"), (21.0, "ppg_red")])
def test_a_clean_pulse_is_measured(fs: float, name: str) -> None:
    beats = _beats(900)
    found = _measure(_recording((0.0, _pulse(beats, 900, fs)), fs=fs, name=name))
    assert (found.q_ppg[3:-3] > 0.95).all()
    assert not found.no_pulse[1:-1].any()
    truth = [_rate(beats, 10 * e + 5 - 3) for e in range(len(found.hr_bpm))]
    assert np.abs(found.hr_bpm - truth)[2:-2].max() < 1.0
    assert np.nanmean(np.abs(found.hr_bpm - truth)[2:-2]) < 0.3
    ibi_ms = np.diff(beats) * 1000
    at_450_s = ibi_ms[(beats[1:] >= 305 - 3) & (beats[1:] < 605 - 3)]
    assert found.sdnn_ms[45] == pytest.approx(np.std(at_450_s, ddof=1), rel=0.03)
    assert np.nanmean(found.rmssd_ms) == pytest.approx(np.sqrt(np.mean(np.diff(ibi_ms) ** 2)), rel=0.05)
    assert np.nanmedian(found.pulse_amp) == pytest.approx(103, rel=0.1)
    assert (found.q_ibi[5:-5] > 0.95).all()


def test_no_ppg_has_nothing_but_a_reason() -> None:
    recording = _recording((0.0, np.zeros(640)), name="temp")
    found = _measure(recording)
    for values in (found.hr_bpm, found.rmssd_ms, found.sdnn_ms, found.pulse_amp):
        assert np.isnan(values).all()
    assert (found.reasons == BIT["SIG_MISSING"]).all()
    assert found.no_pulse.all()
    assert not found.q_ppg.any() and not found.present.any() and not len(found.beats.t_us)


def test_noise_is_no_pulse_and_constant_is_none() -> None:
    noise = _measure(_recording((0.0, np.random.default_rng(0).normal(0, 50, 64 * 600))))
    assert (noise.q_ppg < 0.6).mean() > 0.95
    flat = _measure(_recording((0.0, np.full(64 * 600, 5.0))))
    assert not flat.q_ppg.any()
    assert flat.no_pulse.all()
    assert np.isnan(flat.hr_bpm).all()


@pytest.mark.parametrize("seconds", [0.02, 1.0, 5.0, 9.9, 10.0, 12.0, 61.0])
def test_short_recordings_raise_nothing(seconds: float) -> None:
    found = _measure(_recording((0.0, _pulse(_beats(seconds), seconds, 64.0))))
    assert np.isnan(found.sdnn_ms).all()
    assert found.present.sum() * 10 == pytest.approx(seconds, abs=0.02)


def test_slow_sampling_gives_a_rate_but_no_variability() -> None:
    found = _measure(_recording((0.0, _pulse(_beats(600), 600, 16.0)), fs=16.0))
    assert np.isfinite(found.hr_bpm[2:-2]).all()
    assert np.isnan(found.rmssd_ms).all() and np.isnan(found.sdnn_ms).all()
    assert (found.reasons & BIT["LOW_FS"]).all()
    assert np.isnan(_measure(_recording((0.0, np.zeros(2400)), fs=4.0)).hr_bpm).all()


def test_a_hole_is_missing_and_no_interval_spans_it() -> None:
    x = _pulse(_beats(900), 900, 64.0)
    x[64 * 300 : 64 * 420] = np.nan
    found = _measure(_recording((0.0, x)))
    hole = slice(31, 42)
    assert not found.q_ppg[hole].any() and not found.present[hole].any()
    assert (found.reasons[hole] & BIT["GAP"]).all()
    assert np.isnan(found.hr_bpm[33:40]).all()
    assert np.isnan(found.beats.ibi_ms).sum() == 2
    assert np.nanmax(found.beats.ibi_ms) < 2000
    intact = _measure(_recording((0.0, _pulse(_beats(900), 900, 64.0))))
    assert (found.q_ibi <= intact.q_ibi + 1e-12).all()


def test_epochs_outside_the_recording_are_empty_and_inside_are_the_same() -> None:
    recording = _recording((0.0, _pulse(_beats(600), 600, 64.0)))
    grid = cover(recording.start_us, recording.end_us)
    wide = Grid(grid.start_us - 200_000_000, grid.n + 40)
    narrow, found = _measure(recording), _measure(recording, grid=wide)
    np.testing.assert_array_equal(found.hr_bpm[20:-20], narrow.hr_bpm)
    np.testing.assert_array_equal(found.q_ppg[20:-20], narrow.q_ppg)
    assert not found.present[:20].any() and np.isnan(found.hr_bpm[:18]).all()
    part = Grid(grid.start_us + 200_000_000, 20)
    np.testing.assert_array_equal(_measure(recording, grid=part).hr_bpm, narrow.hr_bpm[20:40])
    np.testing.assert_array_equal(_measure(recording, grid=part).rmssd_ms[3:-3], narrow.rmssd_ms[23:37])


@pytest.mark.parametrize("cut_s", [200, 333.3, 600.5, 899])
def test_a_cut_changes_only_its_neighbourhood(cut_s: float) -> None:
    rng = np.random.default_rng(3)
    x = _pulse(_beats(1500), 1500, 64.0) + rng.normal(0, 40, 64 * 1500) * (rng.random(64 * 1500) < 0.3)
    whole = _measure(_recording((0.0, x)))
    part = _measure(_recording((0.0, x[: round(cut_s * 64)])))
    before_s = cut_s - 10 * np.arange(1, len(part.hr_bpm) + 1)  # from an epoch's end to the cut
    marks_s = 46 * 1.3
    for name, half_s in (
        ("hr_bpm", 15),
        ("rmssd_ms", 30),
        ("sdnn_ms", 150),
        ("q_ppg", 15),
        ("pulse_amp", 0),
        ("q_ibi", 30),
    ):
        far = np.flatnonzero(before_s > 80 + half_s + marks_s)
        np.testing.assert_array_equal(getattr(whole, name)[far], getattr(part, name)[far], err_msg=name)


def test_saturation_and_flat_parts_spoil_an_epoch() -> None:
    x = _pulse(_beats(300), 300, 64.0)
    clipped = np.minimum(x, 20.0)
    found = _measure(_recording((0.0, clipped), sat_low=-10_000, sat_high=2_000))
    assert (found.sat[2:-2] > 0.05).all() and not found.q_ppg.any()
    assert (found.reasons[2:-2] & BIT["SAT"]).all()
    held = x.copy()
    held[64 * 103 : 64 * 104] = held[64 * 103]
    found = _measure(_recording((0.0, held)))
    assert found.q_ppg[10] == 0 and (found.q_ppg[[5, 20]] > 0.9).all()


def test_motion_halves_and_is_named() -> None:
    recording = _recording((0.0, _pulse(_beats(300), 300, 64.0)))
    still, moving = _measure(recording), _measure(recording, enmo_mg=60.0)
    np.testing.assert_allclose(moving.q_ppg, still.q_ppg / 2)
    assert (moving.reasons & BIT["MOTION"]).all() and not (still.reasons & BIT["MOTION"]).any()
    assert (moving.reasons & BIT["PPG_LOW"]).all() and not (still.reasons[3:-3] & BIT["PPG_LOW"]).any()
    assert (still.reasons & BIT["NO_DC"]).all()


def test_two_segments_of_different_rate_are_both_measured() -> None:
    first, second = _pulse(_beats(300), 300, 64.0), _pulse(_beats(300, 1), 300, 64.0)
    found = _measure(_recording((0.0, first), (320.0, second)))
    assert (found.q_ppg[[*range(3, 27), *range(36, 58)]] > 0.9).all()
    assert np.isnan(found.beats.ibi_ms).sum() == 2


def test_lost_samples_are_felt_nearby_only() -> None:
    """The detectors see every third sample, whatever was lost before."""
    beats = _beats(900)
    x = _pulse(beats, 900, 64.0)
    whole = _measure(_recording((0.0, x)))
    for lost in (17, 18, 19):
        poorer = x.copy()
        poorer[64 * 200 : 64 * 200 + lost] = np.nan
        left = _measure(_recording((0.0, poorer)))
        far = np.abs(whole.beats.t_us - T0_US - 200e6) > 180e6
        assert np.isin(whole.beats.t_us[far], left.beats.t_us).all()
        assert (left.q_ppg[45:] == whole.q_ppg[45:]).all()


def test_movement_that_is_hidden_is_movement_but_no_reason() -> None:
    made = _recording((0.0, _pulse(_beats(120), 120, 64.0)))
    still, hidden = _measure(made), _measure(made, np.inf)
    np.testing.assert_array_equal(hidden.q_ppg, 0.5 * still.q_ppg)
    assert not (hidden.reasons & BIT["MOTION"]).any()


@pytest.mark.parametrize(("fs", "low_hz", "high_hz"), [(64.0, 0.5, 8.0), (20.0, 0.5, 8.0), (16.0, 0.5, 6.4)])
def test_the_band_of_the_heart(fs: float, low_hz: float, high_hz: float) -> None:
    """Half to eight hertz; at a rate under 20 Hz up to four tenths of it."""
    for edge in (low_hz, high_hz):
        assert power_at(ppg._design(fs), fs, edge) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("fs", "told"), [(20.0, True), (19.9, False)])
def test_variability_is_refused_under_20_hz_and_the_rate_is_not(fs: float, told: bool) -> None:
    found = _measure(_recording((0.0, _pulse(_beats(600), 600, fs)), fs=fs))
    assert np.isfinite(found.hr_bpm).any()
    assert (np.isfinite(found.rmssd_ms).any(), bool((found.reasons & BIT["LOW_FS"]).any())) == (told, not told)


@pytest.mark.parametrize(("seconds", "told"), [(10.0, True), (9.98, False)])
def test_a_stretch_has_ten_seconds(seconds: float, told: bool) -> None:
    assert bool(len(_measure(_recording((0.0, _pulse(_beats(60), seconds, 64.0)))).beats.t_us)) == told


def test_the_two_seconds_at_each_end_of_a_stretch_give_no_beats() -> None:
    """One beat a second: the first is at 0.4 s."""
    x = _pulse(np.arange(60) + 0.4, 60, 64.0)
    t_s = (_measure(_recording((0.0, x))).beats.t_us - T0_US) / 1e6
    assert t_s[[0, -1]].tolist() == pytest.approx([2.4, 57.4], abs=0.02)


@pytest.mark.parametrize(("beats", "told"), [(5, True), (4, False)])
def test_a_height_is_the_mean_of_five_beats(beats: int, told: bool) -> None:
    t_us = T0_US + 1_000_000 * np.arange(beats)
    one = ppg.Pulse(
        Stretch(0.0, 64.0, np.zeros(2)), np.zeros(2), np.zeros(beats), np.zeros(0), t_us, np.full(beats, 7.0)
    )
    assert ppg._amplitude([one], cover(T0_US, T0_US + 1))[0] == pytest.approx(7.0 if told else np.nan, nan_ok=True)
