from __future__ import annotations

import numpy as np
import pytest

from engine.night.grid import cover
from engine.night.recording import MISSING
from engine.night.signals.motion import AXES, measure
from tests.engine.night.hand import EVENING_US, channel, recording


def _measure(vectors, fs=32.0, start_us=EVENING_US, **info):  # type: ignore[no-untyped-def]
    raw = np.rint(np.asarray(vectors) * 10_000).astype(np.int32)
    made = recording([channel(a, (start_us, fs, raw[:, k]), scale=1e-4, **info) for k, a in enumerate(AXES)])
    return measure(made, cover(made.start_us, made.end_us))


def _constant(vector, seconds=10):  # type: ignore[no-untyped-def]
    return np.tile(np.asarray(vector, float), (32 * seconds, 1))


@pytest.mark.parametrize(
    ("vector", "enmo", "angle"),
    [
        ((0, 0, 1), 0.0, 90.0),
        ((0.6, 0, 0.8), 0.0, 53.130102),
        ((0, 0, 1.1), 100.0, 90.0),
        ((0, 0, 0.95), 0.0, 90.0),
        ((1, 1, 1), 732.0508, 35.264390),
    ],
)
def test_known_answers_c3(vector, enmo: float, angle: float) -> None:  # type: ignore[no-untyped-def]
    made = _measure(_constant(vector))
    assert made.enmo_mg.tolist() == [pytest.approx(enmo, rel=1e-6, abs=1e-9)]
    assert made.angle_z_deg.tolist() == [pytest.approx(angle, rel=1e-7)]
    assert made.mad_mg.tolist() == [pytest.approx(0.0, abs=1e-9)]
    np.testing.assert_allclose(made.angle5_deg, angle, rtol=1e-7)


def test_truncation_comes_before_the_mean() -> None:
    made = _measure(np.tile([[0, 0, 0.9], [0, 0, 1.1]], (160, 1)))
    assert made.enmo_mg[0] == pytest.approx(50.0)
    assert made.mad_mg[0] == pytest.approx(100.0)


def test_a_sample_on_the_edge_belongs_to_the_next_epoch() -> None:
    vectors = _constant((0, 0, 1), 20)
    vectors[320] = (0, 0, 2)
    made = _measure(vectors)
    assert made.enmo_mg.tolist() == [0.0, pytest.approx(1000 / 320)]


@pytest.mark.parametrize(("lost", "there"), [(0.09, True), (0.11, False)])
def test_ninety_percent_of_the_samples_are_needed(lost: float, there: bool) -> None:
    vectors = _constant((0, 0, 1), 20)
    vectors[320 : 320 + round(lost * 320)] = np.nan
    raw = np.where(np.isnan(vectors), MISSING, np.nan_to_num(vectors) * 64).astype(np.int32)
    made = recording([channel(a, (EVENING_US, 32.0, raw[:, k]), scale=1 / 64) for k, a in enumerate(AXES)])
    result = measure(made, cover(made.start_us, made.end_us))
    assert result is not None
    assert np.isfinite(result.enmo_mg).tolist() == [True, there]
    assert np.isfinite(result.angle_z_deg).tolist() == [True, there]
    assert result.present[1] == pytest.approx(1 - round(lost * 320) / 320)


@pytest.mark.parametrize(("share", "there"), [(0.29, True), (0.31, False)])
def test_clipping_spoils_quality_and_beyond_thirty_percent_the_epoch(share: float, there: bool) -> None:
    vectors = _constant((0, 0, 1))
    clipped = round(share * 320)
    vectors[:clipped] = (0, 0, 1.9)
    made = _measure(vectors, sensor_range=2)
    assert np.isfinite(made.enmo_mg[0]) == there
    assert made.q_acc[0] == pytest.approx((1 - clipped / 320) * there)
    assert _measure(vectors).q_acc[0] == 1.0


def test_two_segments_in_one_epoch_add_up() -> None:
    whole = _constant((0, 0, 1.05), 10)
    raw = np.rint(whole * 10_000).astype(np.int32)
    cut = [(EVENING_US, 32.0, raw[:160]), (EVENING_US + 5_000_000, 32.0, raw[160:])]
    parts = recording([channel(a, *[(t, fs, v[:, k]) for t, fs, v in cut], scale=1e-4) for k, a in enumerate(AXES)])
    made = measure(parts, cover(parts.start_us, parts.end_us))
    assert made is not None
    np.testing.assert_allclose([made.enmo_mg[0], made.present[0]], [50.0, 1.0])


def test_axes_that_start_apart_are_aligned() -> None:
    z = channel("acc_z", (EVENING_US, 32.0, [64] * 640), scale=1 / 64)
    late = [channel(a, (EVENING_US + 10_000_000, 32.0, [0] * 320), scale=1 / 64) for a in AXES[:2]]
    made = measure(recording([*late, z]), cover(EVENING_US, EVENING_US + 20_000_000))
    assert made is not None
    assert np.isfinite(made.enmo_mg).tolist() == [False, True]


def test_an_axis_less_is_no_acceleration() -> None:
    made = recording([channel("acc_x", (EVENING_US, 32.0, [0] * 320))])
    assert measure(made, cover(made.start_us, made.end_us)) is None


def test_a_tilt_of_the_table_shows_in_the_calibration_error() -> None:
    assert _measure(_constant((0, 0, 1.02))).cal_error_mg[0] == pytest.approx(20.0)
    shaken = _constant((0, 0, 1)) + np.random.default_rng(0).normal(0, 0.1, (320, 3))
    assert np.isnan(_measure(shaken).cal_error_mg[0])


def test_brief_spikes_do_not_turn_the_wrist() -> None:
    vectors = _constant((0, 0, 1), 20)
    vectors[100:140] = (1, 0, 0)
    np.testing.assert_allclose(_measure(vectors).angle5_deg, 90.0, atol=0.01)


@pytest.mark.parametrize(("reached", "clipped"), [(1.874, False), (1.876, True)])
def test_within_six_percent_of_the_range_an_axis_is_clipped(reached: float, clipped: bool) -> None:
    vectors = _constant((0, 0, 1))
    vectors[:32] = (reached, 0, 0)
    assert (_measure(vectors, sensor_range=2).q_acc[0] < 1) == clipped


@pytest.mark.parametrize(("sd_g", "still"), [(0.0129, True), (0.0131, False)])
def test_a_window_is_still_under_13_mg(sd_g: float, still: bool) -> None:
    vectors = _constant((0, 0, 1))
    vectors[:, 0] = np.where(np.arange(320) % 2, sd_g, -sd_g)
    assert np.isfinite(_measure(vectors).cal_error_mg[0]) == still
