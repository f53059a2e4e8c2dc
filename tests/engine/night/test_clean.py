from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.module import RawFile
from engine.night.clean import clean, saturated
from engine.night.formats.parse import read
from engine.night.recording import MISSING, Channel, Device, Events, Recording, Segment

T0_S = 1_600_000_000
T0 = T0_S * 10**6
AXES = ("acc_x", "acc_y", "acc_z")
INFO = {"bvp": {"nominal_hz": 64.0}, "skin_temp": {"nominal_hz": 4.0}, "eda": {"nominal_hz": 4.0},
        "acc": {"nominal_hz": 32.0, "sat_low": -128, "sat_high": 127}}  # fmt: skip
SCALE = {"bvp": 0.01, "skin_temp": 0.01, "eda": 1e-6, "acc": 1 / 64}


def segment(values: Sequence[int] | np.ndarray, at_s: float = 0, fs_hz: float = 64.0) -> Segment:
    return Segment(T0 + round(at_s * 1e6), fs_hz, np.asarray(values, np.int32))


def channel(name: str, *segments: Segment) -> Channel:
    kind = name[:3] if name.startswith("acc") else name
    return Channel(name, "1", SCALE[kind], 0.0, segments, INFO[kind])


def recording(*channels: Channel, events: dict[str, Events] | None = None) -> Recording:
    return Recording(
        file="f", sha256="0", device=Device("v", "m"), subject_id=None, session_id=None, zone=None, offset_s=None,
        channels={one.name: one for one in channels}, events=events or {}, expected=(), codes={},
    )  # fmt: skip


def wave(seconds: float, fs_hz: float = 64.0) -> np.ndarray:
    return np.rint(1000 * np.sin(np.arange(round(seconds * fs_hz)) / 7) + np.arange(round(seconds * fs_hz)) % 3)


def found(one: Recording, name: str) -> list[np.ndarray]:
    return [part.values for part in one.channels[name].segments]


def test_a_sound_recording_is_left_alone() -> None:
    sound = recording(channel("bvp", segment(wave(60))), channel("skin_temp", segment([3341, 3343] * 120, fs_hz=4.0)))
    cleaned = clean(sound, None)
    assert cleaned.codes == {}
    assert np.array_equal(found(cleaned, "bvp")[0], wave(60))
    assert clean(cleaned, None).codes == {}


@pytest.mark.parametrize(
    ("year", "codes", "kept"),
    [(2004, {"CLK_IMPLAUS": 1}, False), (2010, {"CLK_IMPLAUS": 1}, True), (2015, {}, True), (2026, {}, True)],
)
def test_dates(year: int, codes: dict[str, int], kept: bool) -> None:
    t0_us = int(datetime(year, 6, 1, tzinfo=UTC).timestamp()) * 10**6
    cleaned = clean(recording(channel("bvp", replace(segment(wave(20)), t0_us=t0_us))), None)
    assert cleaned.codes == codes
    assert bool(cleaned.channels) == kept


def test_a_recording_may_end_a_day_after_it_arrived_and_no_later() -> None:
    """By the sender's clock, that is."""
    one = recording(channel("bvp", segment(wave(20))))
    latest = datetime.fromtimestamp(T0_S + 20, UTC) - timedelta(days=1)
    assert clean(one, latest).codes == {}
    assert clean(one, latest - timedelta(seconds=1)).codes == {"CLK_IMPLAUS": 1}


@pytest.mark.parametrize(("day", "codes"), [("2014-12-31", {"CLK_IMPLAUS": 1}), ("2015-01-01", {})])
def test_dates_are_doubtful_before_2015(day: str, codes: dict[str, int]) -> None:
    t0_us = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 10**6
    assert clean(recording(channel("bvp", replace(segment(wave(20)), t0_us=t0_us))), None).codes == codes


def test_dates_after_arrival() -> None:
    beats = Events("ibi", "ms", 1e-3, 0.0, np.array([T0 + 5 * 10**6]), np.array([800_000], np.int32))
    one = recording(channel("bvp", segment(wave(20))), events={"ibi": beats})
    at = datetime.fromtimestamp(T0_S, UTC)
    assert clean(one, at).codes == {}
    assert clean(one, at - timedelta(hours=23)).codes == {}
    late = clean(one, at - timedelta(hours=25))
    assert late.codes == {"CLK_IMPLAUS": 2}
    assert not late.channels
    assert not len(late.events["ibi"].t_us)


@pytest.mark.parametrize(
    ("fs_hz", "codes", "measured"),
    [(64.0, {}, 64.0), (65.0, {}, 65.0), (67.0, {"FS_DRIFT": 1}, 64.0), (60.0, {"FS_DRIFT": 1}, 64.0),
     (32.0, {"FS_BAD": 1}, None), (640.0, {"FS_BAD": 1}, None)],
)  # fmt: skip
def test_rates(fs_hz: float, codes: dict[str, int], measured: float | None) -> None:
    temperature = channel("skin_temp", segment([3341, 3343] * 120, fs_hz=4.0))
    cleaned = clean(recording(channel("bvp", segment(wave(60), fs_hz=fs_hz)), temperature), None)
    assert cleaned.codes == codes
    assert ("bvp" in cleaned.channels) == (measured is not None)
    if measured:
        assert cleaned.channels["bvp"].segments[0].fs_hz == pytest.approx(measured)


@pytest.mark.parametrize(
    ("off", "code"),
    [
        (0.019, None),
        (0.021, "FS_DRIFT"),
        (0.099, "FS_DRIFT"),
        (0.101, "FS_BAD"),
        (-0.099, "FS_DRIFT"),
        (-0.101, "FS_BAD"),
    ],
)
def test_two_and_ten_percent_off_the_rate(off: float, code: str | None) -> None:
    cleaned = clean(recording(channel("bvp", segment(wave(60), fs_hz=64.0 * (1 + off)))), None)
    assert list(cleaned.codes) == ([code] if code else [])


def test_a_drifting_rate_without_another_channel_stays_declared() -> None:
    cleaned = clean(recording(channel("bvp", segment(wave(60), fs_hz=67.0))), None)
    assert cleaned.codes == {"FS_DRIFT": 1}
    assert cleaned.channels["bvp"].segments[0].fs_hz == 67.0


def test_short_gaps_are_joined_over_missing_samples() -> None:
    cleaned = clean(recording(channel("bvp", segment(wave(20)), segment(wave(20), 20.25))), None)
    (values,) = found(cleaned, "bvp")
    assert cleaned.codes == {"GAP": 1}
    assert np.array_equal(values, np.concatenate([wave(20), np.full(16, MISSING), wave(20)]))


def test_long_gaps_part() -> None:
    cleaned = clean(recording(channel("bvp", segment(wave(20)), segment(wave(20), 20.5))), None)
    assert len(found(cleaned, "bvp")) == 2
    assert cleaned.codes == {"GAP": 1}


def test_flat_pulse_is_masked() -> None:
    values = wave(60)
    values[640:1280] = 5
    values[2000:2639] = 6
    cleaned = clean(recording(channel("bvp", segment(values))), None)
    (left,) = found(cleaned, "bvp")
    assert cleaned.codes == {"FLAT": 640}
    assert np.flatnonzero(left == MISSING).tolist() == list(range(640, 1280))
    assert values[640] == 5


def test_flat_acceleration_needs_all_axes() -> None:
    rng = np.random.default_rng(1)
    moving = [segment(rng.integers(-50, 50, 32 * 60), fs_hz=32.0) for _ in AXES]
    still = segment([37] * (32 * 60), fs_hz=32.0)
    one = recording(*(channel(axis, part) for axis, part in zip(AXES, [still, still, moving[2]], strict=True)))
    assert "FLAT" not in clean(one, None).codes
    all_still = recording(*(channel(axis, still) for axis in AXES))
    assert clean(all_still, None).codes["FLAT"] == 32 * 60


def test_slow_channels_may_be_flat() -> None:
    one = recording(
        channel("skin_temp", segment([3341] * 400, fs_hz=4.0)), channel("eda", segment([0] * 400, fs_hz=4.0))
    )
    assert clean(one, None).codes == {}


def test_a_few_samples_at_the_rail_are_no_reason() -> None:
    """A wrist that moves reaches 2 g now and then; the share stays known."""
    raw = np.random.default_rng(1).integers(-50, 50, 6400)
    raw[100:105] = 127
    parts = [segment(raw, fs_hz=32.0), segment(-raw[::-1] // 2, fs_hz=32.0), segment(raw // 2, fs_hz=32.0)]
    cleaned = clean(recording(*(channel(axis, part) for axis, part in zip(AXES, parts, strict=True))), None)
    assert "SAT" not in cleaned.codes
    assert cleaned.channels["acc_x"].info["sat_share"] == pytest.approx(5 / 6400)


def test_rails_stay_and_are_counted() -> None:
    rng = np.random.default_rng(1)
    raw = rng.integers(-50, 50, 3200)
    raw[:32] = 127
    raw[40] = -128
    parts = [segment(raw, fs_hz=32.0), segment(-raw[::-1] // 2, fs_hz=32.0), segment(raw // 2, fs_hz=32.0)]
    cleaned = clean(recording(*(channel(axis, part) for axis, part in zip(AXES, parts, strict=True))), None)
    x = cleaned.channels["acc_x"]
    assert cleaned.codes == {"SAT": 33}
    assert x.info["sat_share"] == pytest.approx(33 / 3200)
    assert saturated(x) == 33
    assert x.segments[0].values[0] == 127


def test_temperature_range() -> None:
    values = [3341, -1, 0, 6000, 6001, 3341]
    cleaned = clean(recording(channel("skin_temp", segment(values, fs_hz=4.0))), None)
    assert cleaned.codes == {"TEMP_RANGE": 2}
    assert found(cleaned, "skin_temp")[0].tolist() == [3341, MISSING, 0, 6000, MISSING, 3341]


def at_rest(scale: float) -> Recording:
    """The wrist at rest at 1 g if one raw unit is 1/640 g, stated as `scale`."""
    rng = np.random.default_rng(2)
    means = (64 * 3, -64 * 4, 553)
    return recording(
        *(
            replace(channel(axis, segment(mean + rng.integers(-2, 3, 3200), fs_hz=32.0)), scale=scale, info={})
            for axis, mean in zip(AXES, means, strict=True)
        )
    )


@pytest.mark.parametrize(
    ("factor", "kept", "codes"),
    [(1.0, True, {}), (1.05, True, {}), (9.80665, True, {"ACC_UNIT": 1}), (1000.0, True, {"ACC_UNIT": 1}),
     (64.0, True, {"ACC_UNIT": 1}), (1.3, False, {"ACC_UNIT": 1}), (0.5, False, {"ACC_UNIT": 1})],
)  # fmt: skip
def test_units_of_acceleration(factor: float, kept: bool, codes: dict[str, int]) -> None:
    cleaned = clean(at_rest(factor / 640), None)
    assert cleaned.codes == codes
    assert ("acc_x" in cleaned.channels) == kept
    if kept:
        vectors = [cleaned.channels[axis].physical(cleaned.channels[axis].segments[0]) for axis in AXES]
        assert np.median(np.linalg.norm(vectors, axis=0)) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(
    ("norm_g", "codes"),
    [(0.89, {"ACC_UNIT": 1}), (0.91, {}), (1.09, {}), (1.11, {"ACC_UNIT": 1})],
)
def test_at_rest_a_tenth_of_g_is_believed(norm_g: float, codes: dict[str, int]) -> None:
    assert clean(at_rest(norm_g / 639.0), None).codes == codes


@pytest.mark.parametrize(("norm_g", "kept"), [(0.94, False), (0.96, True), (1.04, True), (1.06, False)])
def test_another_unit_is_known_within_five_percent(norm_g: float, kept: bool) -> None:
    cleaned = clean(at_rest(9.80665 * norm_g / 639.0), None)
    assert cleaned.codes == {"ACC_UNIT": 1}
    assert ("acc_x" in cleaned.channels) == kept


@pytest.mark.real
def test_real_sessions_keep_their_channels(shared_data: Path) -> None:
    for path in sorted(shared_data.glob("*/*/*.zip")):
        (one,), _ = read([RawFile(path.name, path.read_bytes())], 512)
        cleaned = clean(one, None)
        assert cleaned.channels.keys() == one.channels.keys(), path
        assert set(cleaned.codes) <= {"SIG_EMPTY", "SIG_MISSING", "SAT", "FLAT"}, path
