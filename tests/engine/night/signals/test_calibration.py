from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.module import Calibration
from engine.night import epochs
from engine.night.grid import EPOCH_US, cover
from engine.night.nights import split
from engine.night.recording import Device, Recording
from engine.night.signals import calibration, motion
from engine.night.signals.calibration import IDENTITY, OWN_FIT_EPOCHS, Correction, corrected, device_of, fit
from tests.engine.night.hand import EVENING_US, channel, recording, source
from tests.kernels.test_sphere import GAIN, OFFSET, directions

STEP = 1 / 4096


def turned(hours: float, start_us: int = EVENING_US, seed: int = 3) -> Recording:
    """A still device of known gain and offset, turned every minute; one sample a second."""
    n = round(hours * 360)
    pose = directions(n // 6 + 1, seed)[np.arange(n) // 6]
    raw = np.round(np.repeat(pose * GAIN + OFFSET, 10, axis=0) / STEP).astype(np.int32)
    raw[::2] += 1  # what never changes would be masked as flat
    axes = [channel(name, (start_us, 1.0, raw[:, k]), scale=STEP) for k, name in enumerate(motion.AXES)]
    return recording(axes, device=Device("Maker", "M", "7"))


def still_of(made: Recording) -> np.ndarray:  # type: ignore[type-arg]
    grid = cover(made.start_us, made.end_us)
    moved = motion.measure(made, grid)
    assert moved is not None
    return calibration.still_g(moved, made)


def row_of(found: Correction, device: str = "Maker M 7") -> Calibration:
    return Calibration(device, found.cal_id, calibration.coefficients(found))


def test_known_answer_c2() -> None:
    found = fit(directions(400) * GAIN + OFFSET)
    assert found is not None
    assert found.start_error_mg == pytest.approx(19, abs=2)
    assert found.end_error_mg < 0.5
    assert found.correction.scale == pytest.approx((0.98039, 1.02041, 0.99010), abs=2e-4)
    assert found.correction.offset_g == pytest.approx((-0.03, 0.02, -0.01), abs=5e-4)
    assert found.n == 400


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", [-1, 1])
def test_an_axis_seen_from_one_side_only_is_refused(axis: int, side: int) -> None:
    points = directions(400) * GAIN + OFFSET
    assert fit(points[side * points[:, axis] < 0.3]) is None


def test_too_few_or_no_better_or_not_good_enough_is_refused() -> None:
    points = directions(400) * GAIN + OFFSET
    assert fit(points[:9]) is None
    assert fit(np.empty((0, 3))) is None
    assert fit(np.concatenate([np.eye(3), -np.eye(3)] * 4)) is None
    assert fit(points * np.random.default_rng(1).uniform(0.9, 1.1, (400, 1))) is None


@pytest.mark.parametrize(("off", "accepted"), [(0.0105, True), (0.0108, False)])
def test_the_error_left_is_under_ten_mg(off: float, accepted: bool) -> None:
    """Lengths that no gain and offset explain: half of the windows are too long, half too short."""
    points = directions(400) * (1 + off * np.where(np.arange(400) % 2, 1, -1))[:, None] * GAIN + OFFSET
    assert (fit(points) is not None) == accepted


def test_coefficients_go_through_text() -> None:
    found = fit(directions(100) * GAIN + OFFSET)
    assert found is not None
    assert calibration.read(row_of(found.correction)) == found.correction
    assert len(found.correction.cal_id) == 12


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"scale":[1,1],"offset_g":[0,0,0]}', '{"scale":[1,1,9],"offset_g":[0,0,0]}',
     '{"scale":[1,1,NaN],"offset_g":[0,0,0]}', '{"scale":[1,1,1],"offset_g":[0,0,"x"]}'],
)  # fmt: skip
def test_coefficients_that_are_none_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="calibration k of Maker M 7"):
        calibration.read(Calibration("Maker M 7", "k", text))


def test_the_device_is_named_or_whose_it_is() -> None:
    assert device_of(turned(1), "P1") == "Maker M 7"
    assert device_of(recording([]), "P1") == "Empatica E4 of P1"


def test_the_calibration_in_force_is_that_of_the_device() -> None:
    made = turned(2)
    wanted = fit(still_of(made))
    assert wanted is not None
    own, other = row_of(wanted.correction), row_of(wanted.correction, "Maker M 8")
    (found,) = split([made], source(calibrations=(other, own)))
    assert found.correction == wanted.correction
    (foreign,) = split([made], source(calibrations=(other,)))
    assert foreign.correction is IDENTITY


def test_it_is_applied_before_all_use_and_leaves_still_windows_as_measured() -> None:
    made = turned(2)
    wanted = fit(still_of(made))
    assert wanted is not None
    (plain,) = split([made], source())
    (better,) = split([made], source(calibrations=(row_of(wanted.correction),)))
    before, after = epochs.measure(plain, 0), epochs.measure(better, 0)
    assert np.nanmean(before.cal_error_mg) == pytest.approx(wanted.start_error_mg, rel=1e-6)
    assert np.nanmean(after.cal_error_mg) == pytest.approx(wanted.end_error_mg, rel=1e-6)
    assert after.enmo_mg.mean() < 1.0 < before.enmo_mg.mean()
    np.testing.assert_array_equal(before.still_g, after.still_g)


def test_nothing_to_correct_is_left_as_it_is() -> None:
    made = turned(1)
    assert corrected(made, IDENTITY) is made
    one = recording([channel("acc_x", (EVENING_US, 1.0, [1, 2]))])
    assert corrected(one, Correction("k", (1.1, 1.0, 1.0), (0.0, 0.0, 0.0))) is one


def test_three_days_calibrate_themselves_and_less_do_not() -> None:
    made = turned(72)
    (found,) = split([made], source())
    assert found.correction.scale == pytest.approx(1 / GAIN, abs=1e-3)
    assert found.correction.offset_g == pytest.approx(-OFFSET, abs=1e-3)
    (short,) = split([turned(71)], source())
    assert short.correction is IDENTITY
    assert OWN_FIT_EPOCHS * EPOCH_US == 72 * 3_600_000_000


def test_three_days_on_a_table_keep_the_devices_calibration() -> None:
    n = 72 * 3600
    flat = [
        channel(name, (EVENING_US, 1.0, [v] * n), scale=0.01) for name, v in zip(motion.AXES, (0, 0, 99), strict=True)
    ]
    made = replace(turned(1), channels={c.name: c for c in flat})
    given = Correction("k", (1.01, 1.0, 1.0), (0.0, 0.0, 0.0))
    (found,) = split([made], source(calibrations=(row_of(given),)))
    assert found.correction == given
