from __future__ import annotations

import numpy as np
import pytest

from engine.vitals.plausibility import LIMITS, blood_pressure, plausible, stuck, to_celsius, within_rate


@pytest.mark.parametrize(
    ("vital", "low", "high"),
    [("hr_bpm", 25, 250), ("rr_brpm", 4, 60), ("spo2_pct", 50, 100), ("sbp_mmhg", 50, 260), ("dbp_mmhg", 25, 150),
     ("core_temp_c", 30, 43), ("skin_temp_c", 20, 42), ("ibi_ms", 300, 2000), ("rmssd_ms", 2, 300)],
)  # fmt: skip
def test_ranges_include_their_ends(vital: str, low: float, high: float) -> None:
    values = np.array([low - 0.01, low, high, high + 0.01, 0.0, np.nan])
    assert plausible(vital, values).tolist() == [False, True, True, False, False, False]
    assert set(LIMITS) >= {vital}


def test_an_unknown_vital_is_an_error() -> None:
    with pytest.raises(KeyError):
        plausible("mood", np.array([1.0]))


def test_the_allowance_grows_from_the_last_value_kept() -> None:
    minutes = np.array([0, 1, 2, 3, 4]) * 60_000_000
    assert within_rate("hr_bpm", minutes, np.array([60.0, 141.0, 60.0, 140.0, np.nan])).tolist() == [
        True, False, True, True, False]  # fmt: skip
    assert within_rate("hr_bpm", minutes, np.array([60.0, 150.0, 150.0, 150.0, 150.0])).tolist() == [
        True, False, True, True, True]  # fmt: skip
    assert within_rate("core_temp_c", minutes, np.array([37.0, 37.2, 37.1, 37.1, 39.0])).tolist() == [
        True, False, True, True, False]  # fmt: skip


def test_applied_twice_it_drops_nothing_more() -> None:
    rng = np.random.default_rng(0)
    ts_us, values = np.arange(300) * 10_000_000, rng.uniform(30, 200, 300)
    once = within_rate("hr_bpm", ts_us, values)
    assert 0 < once.sum() < 300
    assert within_rate("hr_bpm", ts_us[once], values[once]).all()


def test_without_a_rate_limit_all_present_are_kept() -> None:
    assert within_rate("skin_temp_c", np.arange(3), np.array([20.0, 42.0, np.nan])).tolist() == [True, True, False]


def test_pulse_pressure() -> None:
    systolic, diastolic = np.array([120.0, 120.0, 300.0]), np.array([80.0, 111.0, 80.0])
    assert blood_pressure(systolic, diastolic).tolist() == [True, False, False]


def test_fahrenheit_and_kelvin_are_converted_and_flagged() -> None:
    celsius, converted = to_celsius(np.array([37.0, 86.0, 110.0, 85.9, 303.15, 316.2, np.nan]))
    np.testing.assert_allclose(celsius, [37, 30, 43.3333333, 85.9, 30, 316.2, np.nan], atol=1e-6)
    assert converted.tolist() == [False, True, True, False, True, False, False]


def test_a_stuck_sensor_is_stuck_from_the_24th_value_on() -> None:
    values = np.array([70.0] + [60.0] * 25 + [61.0])
    assert np.flatnonzero(stuck(values)).tolist() == [24, 25]
    assert not stuck(np.full(30, np.nan)).any()
    assert stuck(np.empty(0)).size == 0
