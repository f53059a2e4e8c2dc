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


def _axes(values_g, epochs: int):  # type: ignore[no-untyped-def]
    """The same acceleration on all three axes at 1 Hz."""
    raw = np.rint(np.resize(values_g, 10 * epochs) * 1e4).astype(int)
    made = move(recording([channel(a, (0, 1.0, raw), scale=1e-4) for a in AXES]), Grid(0, epochs))
    assert made is not None
    return made.axes


@pytest.mark.parametrize(
    ("values_g", "still"),
    [
        ([0.149, *[0.0] * 599], True),
        ([0.151, *[0.0] * 599], False),
        ([0.0129, -0.0129], True),
        ([0.0131, -0.0131], False),
    ],
    ids=["range under 150 mg", "over", "sd under 13 mg", "over"],
)
def test_an_hour_is_still_by_range_and_by_deviation(values_g: list[float], still: bool) -> None:
    assert candidates(_axes(values_g, HOUR)).all() == still


@pytest.mark.parametrize(
    ("beside_h", "worn_h", "kept"),
    [
        (5, 2.75, False),  # under 30 % of 10 h
        (5, 3.25, True),  # over 30 %, and over three hours
        (10, 5.75, False),
        (10, 6, True),  # six hours are never small
        (1.75, 2.75, False),  # under three hours and 80 % of 3.5 h
        (1.5, 2.5, True),  # over 80 %
        (2, 3, True),  # three hours are not under three
    ],
)
def test_islands_of_wear_are_judged_by_what_lies_beside(beside_h: float, worn_h: float, kept: bool) -> None:
    beside, worn = round(beside_h * HOUR), round(worn_h * HOUR)
    moving = np.concatenate([np.zeros(beside, bool), np.ones(worn, bool), np.zeros(beside, bool)])
    off = candidates(_motion(moving).axes)
    assert off[:beside].all() and off[-beside:].all()
    assert off[beside:-beside].any() != kept


@pytest.mark.parametrize(("celsius", "off"), [(25.9, True), (26.0, False)])
def test_cold_is_under_26_degrees(celsius: float, off: bool) -> None:
    assert temperature_off(_temperature(np.full(60, celsius)), np.zeros((60, 3))).all() == off


@pytest.mark.parametrize(
    ("c_per_min", "warmest", "off"), [(-0.22, 29.9, True), (-0.18, 29.9, False), (-0.22, 33, False)]
)
def test_a_fall_of_a_fifth_of_a_degree_a_minute_below_30_says_off(c_per_min: float, warmest: float, off: bool) -> None:
    falling = warmest + c_per_min / 6 * np.arange(90)
    assert falling.min() > 26.0
    assert temperature_off(_temperature(falling), np.zeros((90, 3))).any() == off


@pytest.mark.parametrize(("each", "off"), [(8, False), (15, True)], ids=["88 % quiet", "93 %"])
@pytest.mark.parametrize("axes", [2, 3])
def test_a_fall_counts_while_two_axes_are_quiet_for_nine_tenths(each: int, off: bool, axes: int) -> None:
    sd_g = np.where(np.arange(90)[:, None] % each == 0, 0.0081, 0.0079) * np.ones(3)
    sd_g[:, axes:] = 0.0081
    falling = 29.9 - 0.22 / 6 * np.arange(90)
    assert temperature_off(_temperature(falling), sd_g)[45] == off
