from __future__ import annotations

import numpy as np
import pytest

from engine.night.grid import Grid
from engine.night.recording import MISSING
from engine.night.signals.temperature import measure
from tests.engine.night.hand import channel


def _measure(celsius, n: int | None = None, start_us: int = 0):  # type: ignore[no-untyped-def]
    raw = np.rint(np.asarray(celsius, float) * 100)
    raw = np.where(np.isnan(raw), MISSING, np.nan_to_num(raw)).astype(np.int32)
    made = measure(channel("skin_temp", (start_us, 4.0, raw), scale=0.01), Grid(0, n or len(raw) // 40))
    assert made is not None
    return made


def test_the_mean_of_each_epoch() -> None:
    made = _measure(np.repeat([33.0, 33.5, 34.0], 40))
    np.testing.assert_allclose(made.mean_c, [33.0, 33.5, 34.0])
    np.testing.assert_allclose(made.present, 1.0)


@pytest.mark.parametrize(("lost", "there"), [(20, True), (21, False)])
def test_half_of_the_samples_are_needed(lost: int, there: bool) -> None:
    celsius = np.full(40, 33.0)
    celsius[:lost] = np.nan
    assert np.isfinite(_measure(celsius).mean_c[0]) == there


def test_the_slope_of_a_steady_warming() -> None:
    minutes = np.arange(60 * 240) / 240
    made = _measure(30 + 0.05 * minutes)
    np.testing.assert_allclose(made.slope_c_per_min[60:-60], 0.05, rtol=0.02)
    assert made.steady[1:-1].all()


def test_steady_needs_both_neighbours_range_and_a_slow_change() -> None:
    celsius = np.repeat([33.0, 33.0, 33.0, 33.2, 33.2, 19.0, 19.0, 19.0], 40)
    assert _measure(celsius).steady.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_epochs_without_samples_are_missing() -> None:
    made = _measure(np.full(40, 33.0), n=3, start_us=10_000_000)
    assert np.isnan(made.mean_c).tolist() == [True, False, True]
    assert made.present.tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(made.slope_c_per_min).all()


def test_no_channel_no_temperature() -> None:
    assert measure(None, Grid(0, 3)) is None


def test_a_slow_sensor_is_lost_when_its_next_value_is_due() -> None:
    slow = channel("skin_temp", (0, 1 / 45, [33, 33, MISSING, 33]))
    made = measure(slow, Grid(0, 20))
    assert made is not None
    assert np.flatnonzero(np.isfinite(made.mean_c)).tolist() == [0, 4, 13]
    assert np.flatnonzero(made.lost).tolist() == [9, 10, 11, 12, 18, 19]


def test_every_epoch_of_a_quick_sensor_without_a_mean_is_lost() -> None:
    made = _measure(np.repeat([np.nan, 33.0, np.nan, np.nan, 33.0, np.nan], 40))
    assert np.array_equal(made.lost, np.isnan(made.mean_c))


@pytest.mark.parametrize(("in_a_minute", "steady"), [(0.48, 1.0), (0.54, 0.0)])
def test_half_a_degree_a_minute_is_steady(in_a_minute: float, steady: float) -> None:
    made = _measure(np.repeat(33.0 + in_a_minute / 6 * np.arange(5), 40))
    assert made.steady[1:-1].tolist() == [steady] * 3


@pytest.mark.parametrize(("celsius", "steady"), [(19.99, 0.0), (20.0, 1.0), (42.0, 1.0), (42.01, 0.0)])
def test_only_what_skin_can_be_is_steady(celsius: float, steady: float) -> None:
    assert _measure(np.full(120, celsius)).steady[1] == steady


def test_the_slope_is_of_what_is_slower_than_200_s() -> None:
    """Forwards and backwards a wave at the low-pass's edge keeps half of its height (1/√2 each way)."""
    t_s = np.arange(0, 4000, 0.25)
    made = _measure(33 + 2 * np.sin(2 * np.pi * 0.005 * t_s))
    steepest = 60 * 2 * np.pi * 0.005 * 2
    assert np.abs(made.slope_c_per_min[100:-100]).max() == pytest.approx(steepest / 2, rel=0.06)
