from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.night.grid import Grid
from engine.night.signals import ppg
from engine.night.signals.intervals import Beats
from engine.night.signals.spectrum import measure, scargle
from tests.engine.night.hand import EVENING_US, recording

START_US = EVENING_US // 60_000_000 * 60_000_000 + 60_000_000


def d2(minutes: int = 5) -> tuple:  # type: ignore[type-arg]
    """The intervals of KAT D2: 30 ms at 0.1 Hz and 15 ms at 0.25 Hz around 900 ms."""
    grid = Grid(START_US, minutes * 6)
    t_s, nn = [0.0], [np.nan]
    while t_s[-1] < minutes * 60:
        t = t_s[-1]
        nn.append(900 + 30 * np.sin(2 * np.pi * 0.1 * t) + 15 * np.sin(2 * np.pi * 0.25 * t))
        t_s.append(t + nn[-1] / 1000)
    ibi_ms = np.array(nn)
    beats = Beats(START_US + np.rint(1e6 * np.array(t_s)).astype(np.int64), ibi_ms, np.isfinite(ibi_ms))
    pulse = ppg.measure(recording([]), grid, np.full(grid.n, np.nan))
    return replace(pulse, beats=beats, trusted=beats.valid), grid


def _without(pulse, lost):  # type: ignore[no-untyped-def]
    trusted = pulse.trusted.copy()
    trusted[lost] = False
    return replace(pulse, trusted=trusted)


def test_known_answer_d2_welch() -> None:
    found = measure(*d2())
    told = np.isfinite(found.hrv_ratio)
    assert told[12:18].all()
    assert told.sum() == 6  # only the minute whose five are there
    assert found.lf_ms2[12] == pytest.approx(450, rel=0.05)
    assert found.hf_ms2[12] == pytest.approx(112.5, rel=0.05)
    assert found.hrv_ratio[12] == pytest.approx(4.0, rel=0.05)
    assert found.lf_ms2[12] == pytest.approx(449.8, abs=0.5)
    assert found.hrv_ratio[12] == pytest.approx(4.067, abs=0.02)


def test_known_answer_d2_lomb_scargle() -> None:
    pulse, _ = d2()
    own = pulse.trusted & (pulse.beats.t_us < START_US + 300_000_000)
    low, high = scargle((pulse.beats.t_us[own] - START_US) / 1e6, pulse.beats.ibi_ms[own])
    assert low == pytest.approx(450, rel=0.05)
    assert high == pytest.approx(112.5, rel=0.05)
    assert low / high == pytest.approx(3.975, abs=0.02)


def test_known_answer_d2_in_time() -> None:
    pulse, _ = d2()
    nn = pulse.beats.ibi_ms[1:]
    assert np.sqrt(np.mean(np.diff(nn) ** 2)) == pytest.approx(18.1166, abs=0.01)
    assert np.std(nn, ddof=1) == pytest.approx(23.7378, abs=0.01)


def test_values_are_held_over_each_minute() -> None:
    pulse, grid = d2(minutes=12)
    rng = np.random.default_rng(0)
    ibi_ms = pulse.beats.ibi_ms + rng.normal(0, 10, len(pulse.beats.ibi_ms))
    found = measure(replace(pulse, beats=replace(pulse.beats, ibi_ms=ibi_ms)), grid)
    minutes = found.lf_ms2.reshape(12, 6)
    assert np.isfinite(minutes[2:10]).all()
    assert (minutes[2:10] == minutes[2:10, :1]).all()
    assert len(np.unique(minutes[2:10, 0])) == 8


@pytest.mark.parametrize(
    ("each", "off"),
    [(20, 0.05), (7, 0.3), (4, None)],
    ids=["95 % by Welch", "86 % by Lomb–Scargle", "75 %"],
)
def test_least_coverage(each: int, off: float | None) -> None:
    """What is lost of the larger wave turns up as noise at other rates, most by Lomb–Scargle."""
    pulse, grid = d2()
    found = measure(_without(pulse, slice(3, None, each)), grid)
    assert np.isfinite(found.hrv_ratio[12]) == (off is not None)
    if off is not None:
        assert found.hrv_ratio[12] == pytest.approx(4.0, rel=off)


@pytest.mark.parametrize(("lost", "told"), [(5, True), (6, False)])
def test_longest_hole(lost: int, told: bool) -> None:
    pulse, grid = d2()
    found = measure(_without(pulse, slice(150, 150 + lost)), grid)
    assert np.isfinite(found.lf_ms2[12]) == told


def test_without_variation_at_high_frequency_there_is_no_ratio() -> None:
    pulse, grid = d2()
    flat = replace(pulse.beats, ibi_ms=np.full(len(pulse.beats.ibi_ms), 900.0))
    found = measure(replace(pulse, beats=flat), grid)
    assert found.lf_ms2[12] == pytest.approx(0.0, abs=1e-9)
    assert not found.hf_ms2[12] > 1e-9


def test_without_beats_all_is_missing() -> None:
    grid = Grid(START_US + 20_000_000, 7)
    found = measure(ppg.measure(recording([]), grid, np.full(7, np.nan)), grid)
    assert not np.isfinite([found.lf_ms2, found.hf_ms2, found.hrv_ratio]).any()


@pytest.mark.parametrize(("more", "told"), [(0, True), (8, False)], ids=["81 %", "78 %"])
def test_four_fifths_have_to_be_covered(more: int, told: bool) -> None:
    pulse, grid = d2()
    lost = np.arange(len(pulse.trusted)) % 16 % 5 == 3  # three of 16
    lost[16 * np.arange(more) + 22] = True
    found = measure(_without(pulse, lost), grid)
    covered = pulse.beats.ibi_ms[1:][~lost[1:] & (pulse.beats.t_us[1:] < grid.end_us)].sum() / 300_000
    assert covered == pytest.approx(0.81 if told else 0.78, abs=0.01)
    assert np.isfinite(found.hrv_ratio[12]) == told
