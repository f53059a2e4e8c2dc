from __future__ import annotations

import numpy as np
import pytest

from engine.night.grid import Grid
from engine.night.signals.motion import AXES
from engine.night.signals.motion import measure as move
from engine.night.signals.temperature import TemperatureEpochs, measure
from engine.night.wear import OFF, ON, UNKNOWN, PulseSigns, candidates, judge, lasting, minute_sd_g, temperature_off
from tests.engine.night.hand import channel, recording

HOUR = 360


def _motion(moving):  # type: ignore[no-untyped-def]
    """Acceleration at 1 Hz: a constant vector, or noise where moving."""
    moving = np.repeat(np.asarray(moving), 10)
    rng = np.random.default_rng(0)
    axes = [channel(a, (0, 1.0, np.where(moving, rng.integers(-60, 60, len(moving)), 30)), scale=1 / 64) for a in AXES]
    made = move(recording(axes), Grid(0, len(moving) // 10))
    assert made is not None
    return made


def _temperature(celsius):  # type: ignore[no-untyped-def]
    celsius = np.asarray(celsius, float)
    slope = np.gradient(celsius) * 6 if len(celsius) > 1 else np.zeros(len(celsius))
    return TemperatureEpochs(celsius, slope, np.ones(len(celsius)), np.ones(len(celsius)), np.isnan(celsius))


def _pulse(absent, good=None):  # type: ignore[no-untyped-def]
    absent = np.asarray(absent)
    return PulseSigns(np.ones(len(absent), bool), absent, ~absent if good is None else good)


def test_quiet_sleep_is_worn() -> None:
    n = 4 * HOUR
    worn = judge(n, _motion(np.zeros(n, bool)), _temperature(np.full(n, 34.0)), _pulse(np.zeros(n, bool)))
    assert (worn == ON).all()


@pytest.mark.parametrize("witness", ["cold", "no pulse"])
def test_still_and_cold_or_without_pulse_is_not_worn(witness: str) -> None:
    n = 4 * HOUR
    heat = _temperature(np.full(n, 22.0 if witness == "cold" else 33.0))
    poor = np.zeros(n, bool)
    worn = judge(n, _motion(poor), heat, _pulse(np.full(n, witness == "no pulse"), poor))
    assert (worn == OFF).all()


def test_a_cold_hand_with_a_good_pulse_is_worn() -> None:
    n = 4 * HOUR
    worn = judge(n, _motion(np.zeros(n, bool)), _temperature(np.full(n, 25.0)), _pulse(np.zeros(n, bool)))
    assert (worn == ON).all()


def test_noise_that_looks_feasible_now_and_then_is_no_pulse() -> None:
    n = 4 * HOUR
    absent = np.arange(n) % 10 > 0
    none = np.zeros(n, bool)
    assert (judge(n, _motion(none), _temperature(np.full(n, 33.0)), _pulse(absent, none)) == OFF).all()
    often = np.arange(n) % 10 > 2
    assert (judge(n, _motion(none), _temperature(np.full(n, 33.0)), _pulse(often, none)) == ON).all()
    assert (judge(n, _motion(none), _temperature(np.full(n, 33.0)), _pulse(absent, ~absent)) == ON).all()


@pytest.mark.parametrize("minutes", [20, 45])
def test_laid_aside_for_less_than_an_hour(minutes: int) -> None:
    """No hour is still, but quiet, silence and a fall of temperature meet: off from the first minute, still warm."""
    off = np.zeros(3 * HOUR, bool)
    off[HOUR : HOUR + 6 * minutes] = True
    celsius = np.where(off, 22.5 + 10.5 * np.exp(-(np.arange(len(off)) - HOUR).clip(0) / 150), 33.0)
    asleep = np.arange(len(off)) % 90 > 3
    worn = judge(len(off), _motion(~off & ~asleep), _temperature(celsius), _pulse(off))
    assert ((worn == OFF) == off).mean() > 0.99
    silent_but_warm = judge(len(off), _motion(~off & ~asleep), _temperature(np.full(len(off), 33.0)), _pulse(off))
    assert (silent_but_warm == ON).all()


def test_a_moving_wrist_without_pulse_is_worn_while_warm() -> None:
    n = 2 * HOUR
    worn = judge(n, _motion(np.ones(n, bool)), _temperature(np.full(n, 33.0)), _pulse(np.ones(n, bool)))
    assert (worn == ON).all()


def test_a_cold_device_without_pulse_in_a_bag_is_not_worn() -> None:
    n = 2 * HOUR
    worn = judge(n, _motion(np.ones(n, bool)), _temperature(np.full(n, 27.0)), _pulse(np.ones(n, bool)))
    assert (worn == OFF).all()
    good = judge(n, _motion(np.ones(n, bool)), _temperature(np.full(n, 27.0)), _pulse(np.zeros(n, bool)))
    assert (good == ON).all()


def test_lost_temperature_makes_nothing_worn() -> None:
    """Cold on a table, or in a bag: nothing is worn for want of it; a good pulse or a single lost minute is worn."""
    n = 4 * HOUR
    still, silent = np.zeros(n, bool), np.ones(n, bool)
    lost = np.arange(n) >= HOUR
    for moving, celsius, absent in ((still, 22.0, still), (~still, 27.0, silent)):
        pulse = _pulse(absent, still)
        whole = judge(n, _motion(moving), _temperature(np.full(n, celsius)), pulse)
        blind = judge(n, _motion(moving), _temperature(np.where(lost, np.nan, celsius)), pulse)
        assert (whole == OFF).all() and (blind == OFF).all()
    nothing = _temperature(np.full(n, np.nan))
    assert (judge(n, _motion(still), nothing, _pulse(still)) == ON).all()
    minute = np.where(np.arange(n) // 6 == 300, np.nan, 34.0)
    assert (judge(n, _motion(still), _temperature(minute), None) == ON).all()


def test_without_other_witnesses_stillness_decides() -> None:
    moving = np.concatenate([np.ones(3 * HOUR, bool), np.zeros(2 * HOUR, bool)])
    worn = judge(len(moving), _motion(moving), None, None)
    assert (worn[: 3 * HOUR] == ON).all()
    assert (worn[3 * HOUR :] == OFF).all()


def test_without_acceleration_the_others_decide() -> None:
    celsius = np.concatenate([np.full(HOUR, 34.0), np.full(HOUR, 22.0)])
    worn = judge(2 * HOUR, None, _temperature(celsius), None)
    assert worn[0] == ON
    assert worn[-1] == OFF


def test_without_all_three_nothing_is_known() -> None:
    assert judge(3, None, None, None).tolist() == [UNKNOWN] * 3


def test_taken_off_and_put_on_again() -> None:
    celsius = np.concatenate([np.full(2 * HOUR, 34.0), np.linspace(34, 23, 60), np.full(2 * HOUR, 23.0),
                              np.linspace(23, 33, 90), np.full(2 * HOUR, 34.0)])  # fmt: skip
    off = np.zeros(len(celsius), bool)
    off[2 * HOUR : 4 * HOUR + 60] = True
    worn = judge(len(off), _motion(~off), _temperature(celsius), _pulse(off))
    assert ((worn == OFF) == off).mean() > 0.97


def test_a_short_recording_is_one_window() -> None:
    assert candidates(_motion(np.zeros(30, bool)).axes).all()
    assert not candidates(_motion(np.ones(30, bool)).axes).any()


def test_masked_acceleration_does_not_speak_against_the_others() -> None:
    lost = [channel(a, (0, 1.0, [-(2**31)] * 600)) for a in AXES]
    made = move(recording(lost), Grid(0, 60))
    assert made is not None
    assert candidates(made.axes).all()


def test_falling_temperature_of_a_still_device_says_off_before_it_is_cold() -> None:
    celsius = np.concatenate([np.full(60, 29.9), np.linspace(29.9, 27.0, 40)])
    off = temperature_off(_temperature(celsius), minute_sd_g(_motion(np.zeros(100, bool)).axes))
    assert not off[:30].any()
    assert off[80]


def test_warmth_alone_does_not_undo_a_fall_without_movement() -> None:
    celsius = np.concatenate([np.linspace(30.5, 27.0, 60), np.full(200, 27.0)])
    moving = np.zeros(260, bool)
    assert temperature_off(_temperature(celsius), minute_sd_g(_motion(moving).axes))[60:].all()
    moving[150:] = True
    off = temperature_off(_temperature(celsius), minute_sd_g(_motion(moving).axes))
    assert off[60:140].all() and not off[160:].any()


def test_without_ppg_quiet_and_temperature_decide_and_donning_ends_it() -> None:
    off = np.zeros(3 * HOUR, bool)
    off[HOUR : HOUR + 270] = True
    back = np.arange(len(off)) - (HOUR + 270)
    celsius = np.where(off, 22.5 + 10.5 * np.exp(-(np.arange(len(off)) - HOUR).clip(0) / 150), 33.0)
    celsius = np.where(back >= 0, 33.0 - 9.0 * np.exp(-back.clip(0) / 60), celsius)
    asleep = (np.arange(len(off)) % 90 > 3) & ((back < -282) | (back > 20))
    worn = judge(len(off), _motion(~off & ~asleep), _temperature(celsius), None)
    assert (worn[off] == OFF).mean() > 0.95
    assert (worn[~off] == ON).mean() > 0.95


def test_without_acceleration_silence_alone_does_not_say_off() -> None:
    """A wrist that moves has hardly any pulse either, and nothing tells the movement."""
    none = np.zeros(2 * HOUR, bool)
    worn = judge(len(none), None, _temperature(np.full(len(none), 33.0)), _pulse(~none, none))
    assert (worn == ON).all()
    assert (judge(len(none), None, _temperature(np.full(len(none), 22.0)), _pulse(~none, none)) == OFF).all()


def test_five_minutes_without_pulse_are_needed_unless_the_recording_is_shorter() -> None:
    flags = np.zeros(100, bool)
    flags[10:39], flags[50:80] = True, True
    assert np.flatnonzero(lasting(flags)).tolist() == list(range(50, 80))
    assert lasting(np.ones(4, bool)).all()
    assert not lasting(np.array([True, True, False])).any()


def test_without_ppg_a_sensor_that_never_spoke_is_no_witness() -> None:
    moving = np.arange(4 * HOUR) % 60 < 6
    assert (judge(len(moving), _motion(moving), _temperature(np.full(len(moving), np.nan)), None) == ON).all()


@pytest.mark.parametrize("step_s", [1.2, 30, 60, 299, 301, 600, 900])
def test_a_slow_temperature_is_not_lost_between_its_samples(step_s: float) -> None:
    """One a block (cwa), one a page (GENEActiv at 10 Hz), one a few minutes: without PPG quiet sleep is worn."""
    moving = np.arange(4 * HOUR) % 60 < 6
    warm = channel("skin_temp", (0, 1 / step_s, [33] * int(4 * 3600 / step_s)))
    heat = measure(warm, Grid(0, len(moving)))
    assert (judge(len(moving), _motion(moving), heat, None) == ON).all()
