from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.module import Outcome, RawFile, Source, Status
from engine.night.formats import nrf, parse
from engine.night.formats.nrf import export_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import MISSING, Recording, Unreadable
from engine.night.stream import Stream
from engine.simulate import nights
from tests.engine.night.formats.avro_files import NO_RANGE, RANGE, START_US, of_session, packed, record, timed
from tests.engine.night.formats.test_cwa import physical, raw, times_us
from tests.engine.night.formats.test_nrf import equal

STEP_S = 900
HOURS = 2


def files(*records: dict[str, Any]) -> list[RawFile]:
    return [RawFile(f"v6/1-1-P07_{number}.avro", packed([one])) for number, one in enumerate(records)]


def one(*raw_files: RawFile) -> Recording:
    recordings, unreadable = parse.read(raw_files, 512)
    assert not unreadable, unreadable
    (recording,) = recordings
    return recording


def lengths(recording: Recording, name: str) -> list[int]:
    return [len(segment.values) for segment in recording.channels[name].segments]


def run(raw_files: Sequence[RawFile]) -> Outcome:
    return Night()(raw_files, Source("s", tuple(file.name for file in raw_files), "P07", zone="Europe/Zurich"))


def test_a_file() -> None:
    made = record(60)
    recording = one(*files(made))
    told = made["rawData"]
    for axis in "xyz":
        channel = recording.channels[f"acc_{axis}"]
        expected = [(value + 32768) / 65535 * 32 - 16 for value in told["accelerometer"][axis]]
        np.testing.assert_allclose(physical(channel), expected, rtol=0, atol=1e-12)
    for name, key, step in (("bvp", "bvp", 2**-17), ("eda", "eda", 2**-21), ("skin_temp", "temperature", 0)):
        np.testing.assert_allclose(physical(recording.channels[name]), told[key]["values"], rtol=0, atol=step)
    np.testing.assert_array_equal(times_us(recording.channels["bvp"]), START_US + np.arange(3840) * 15625)
    assert recording.codes == {}
    assert (recording.device.serial, recording.device.firmware) == ("3YK3J151VJ", "3.3.3")
    assert (recording.offset_s, recording.subject_id, recording.metadata["schema"]) == (3600, "P07", "6.3.0")
    assert recording.events["event"].t_us.tolist() == [START_US + 7_000_000]
    assert recording.events["ibi"].values.tolist() == [10**6] * 59
    assert "gyr_x" not in recording.channels
    assert recording.channels["bvp"].info["has_dc"] is False


def test_known_acceleration() -> None:
    axes = {axis: [2048] * 64 for axis in "xyz"}
    recording = one(*files(record(1, accelerometer=timed(START_US, 64.0, imuParams=RANGE, **axes))))
    assert physical(recording.channels["acc_x"])[0] == pytest.approx(1.0002594034, abs=5e-11)


def test_a_gyroscope_is_kept() -> None:
    axes = {axis: [100, -100] * 32 for axis in "xyz"}
    spun = {"physicalMin": -2000, "physicalMax": 2000, "digitalMin": -32768, "digitalMax": 32767}
    recording = one(*files(record(1, gyroscope=timed(START_US, 64.0, imuParams=spun, **axes))))
    assert recording.channels["gyr_z"].unit == "deg/s"
    assert physical(recording.channels["gyr_z"])[0] == pytest.approx(6.134, abs=1e-3)


@pytest.mark.parametrize("late_us", [0, 9000, -9000, 15_000, -15_000])
def test_a_join_within_a_sample_is_jitter(late_us: int) -> None:
    recording = one(*files(record(60), record(60, START_US + 60 * 10**6 + late_us), record(60, START_US + 120 * 10**6)))
    for name, hz in (("bvp", 64), ("acc_y", 64), ("skin_temp", 1), ("eda", 4)):
        assert lengths(recording, name) == [180 * hz]
        assert np.count_nonzero(raw(recording.channels[name]) == MISSING) <= 1
    assert recording.codes == {}


def test_each_file_is_its_own_anchor() -> None:
    apart_us = 60 * 10**6 + 300_000
    recording = one(*files(*(record(60, START_US + k * apart_us) for k in range(3))))
    starts = [segment.t0_us for segment in recording.channels["bvp"].segments]
    assert np.abs(np.array(starts) - [START_US + k * apart_us for k in range(3)]).max() <= 15_625 / 2
    assert recording.channels["skin_temp"].segments[0].fs_hz == 1


def test_rates_that_are_not_whole_stay_as_declared() -> None:
    values = np.linspace(0.1, 0.2, 3595).astype(np.float32)
    made = [
        record(900, START_US + k * 900 * 10**6, eda=timed(START_US + k * 900 * 10**6, 3.995, values=values))
        for k in range(2)
    ]
    segments = one(*files(*made)).channels["eda"].segments
    assert [(segment.t0_us, round(segment.fs_hz, 3)) for segment in segments] == [
        (START_US + k * 900 * 10**6, 3.995) for k in range(2)
    ]


def test_the_earlier_file_keeps_what_two_hold() -> None:
    again = record(60, START_US + 50 * 10**6)
    other = record(60, START_US + 50 * 10**6, bvp=timed(START_US + 50 * 10**6, 64.0, values=[0.5] * 3840))
    same = one(*files(record(60), again))
    assert same.codes.keys() == {"T_DUP"}
    assert lengths(same, "bvp") == [110 * 64]
    differs = one(*files(record(60), other))
    assert (differs.codes["T_CONFLICT"], differs.codes["T_DUP"]) == (1, 4)
    assert physical(differs.channels["bvp"])[60 * 64 :].tolist() == [0.5] * 3200
    assert raw(differs.channels["bvp"])[:3840].tolist() == raw(same.channels["bvp"])[:3840].tolist()
    inside = one(*files(record(60), record(20, START_US + 10 * 10**6)))
    assert lengths(inside, "acc_z") == [3840]
    assert next(upload.codes for upload in inside.uploads) == {}


def test_order_of_the_files_says_nothing() -> None:
    made = files(*(record(60, START_US + k * 60 * 10**6) for k in range(4)))
    equal(one(*made), one(*made[::-1]))


def test_equal_files_count_once() -> None:
    first, second = files(record(60), record(60, START_US + 60 * 10**6))
    recording = one(first, second, RawFile("copy.avro", first.data))
    assert lengths(recording, "bvp") == [7680]
    assert {upload.file: upload.twin for upload in recording.uploads}["v6/1-1-P07_0.avro"] == "copy.avro"
    assert recording.codes == {"T_DUP": 1}


def test_devices_and_zones_stay_apart() -> None:
    other = {**record(60, START_US + 60 * 10**6), "deviceSn": "other"}
    moved = {**record(60, START_US + 120 * 10**6), "timezone": 7200}
    recordings, _ = parse.read(files(record(60), other, moved), 512)
    assert sorted((r.device.serial, r.offset_s) for r in recordings) == [
        ("3YK3J151VJ", 3600),
        ("3YK3J151VJ", 7200),
        ("other", 3600),
    ]


@pytest.mark.parametrize(
    ("raw_data", "code", "gone"),
    [
        ({"bvp": timed(START_US, 0.0, values=[])}, "SIG_EMPTY", "bvp"),
        ({"bvp": timed(START_US, 0.0, values=[1.0])}, "SIG_EMPTY", "bvp"),
        ({"bvp": timed(START_US, float("nan"), values=[1.0])}, "FS_BAD", "bvp"),
        ({"bvp": timed(START_US, 96.0, values=[1.0] * 3840 * 2)}, "FS_BAD", "bvp"),
        ({"bvp": timed(-5, 64.0, values=[1.0] * 3840)}, "CLK_IMPLAUS", "bvp"),
        ({"bvp": timed(START_US + 3600 * 10**6, 64.0, values=[1.0] * 3840)}, "CLK_IMPLAUS", "bvp"),
        ({"accelerometer": timed(START_US, 64.0, imuParams=NO_RANGE, x=[1], y=[1], z=[1])}, "ACC_UNIT", "acc_x"),
    ],
)
def test_a_signal_that_cannot_be(raw_data: dict[str, Any], code: str, gone: str) -> None:
    recording = one(*files(record(120, **raw_data)))
    assert recording.codes == {code: 1}
    assert gone not in recording.channels
    assert "skin_temp" in recording.channels


def test_a_wrong_rate_is_measured_by_the_others() -> None:
    recording = one(*files(record(120, bvp=timed(START_US, 68.0, values=[1.0] * 64 * 120))))
    assert recording.codes == {"FS_DRIFT": 1}
    assert recording.channels["bvp"].segments[0].fs_hz == 64
    slow = record(120, accelerometer=timed(START_US, 26.0, imuParams=RANGE, **{axis: [5] * 26 * 120 for axis in "xyz"}))
    assert one(*files(slow)).codes == {}


def test_what_is_no_number_is_missing() -> None:
    values = [1.0, float("nan"), float("inf"), 1e30, -2.0] + [0.0] * 3835
    recording = one(*files(record(60, bvp=timed(START_US, 64.0, values=values))))
    assert raw(recording.channels["bvp"])[:5].tolist() == [65536, MISSING, MISSING, MISSING, -131072]
    assert recording.codes == {"NANV": 3}


@pytest.mark.parametrize("sign", [1, -1])
def test_the_wave_stands_upright(sign: int) -> None:
    made = record(60)
    made["rawData"]["bvp"]["values"] = [sign * value for value in made["rawData"]["bvp"]["values"]]
    channel = one(*files(made)).channels["bvp"]
    assert channel.info["polarity"] == sign
    assert physical(channel)[16] == pytest.approx(40, abs=1)


@pytest.fixture(scope="module")
def night() -> nights.Night:
    return nights.draw(seed=5, hours=HOURS)


@pytest.fixture(scope="module")
def quarters(night: nights.Night) -> list[RawFile]:
    s = night.session
    begins = range(0, s.duration_s, STEP_S)
    return [RawFile(f"P_{s.start_s + b}.avro", packed([of_session(s, b, b + STEP_S)], codec="deflate")) for b in begins]


def test_a_night_of_many_files_equals_one_file(night: nights.Night, quarters: list[RawFile]) -> None:
    s = night.session
    many, single = run(quarters), run([RawFile("one.avro", packed([of_session(s, 0, s.duration_s)]))])
    for name, table in many.tables.items():
        assert table.equals(single.tables[name]), name
    assert [verdict.file for verdict in many.verdicts] == [file.name for file in quarters]
    assert {verdict.status for verdict in many.verdicts} == {Status.OK}
    assert many.verdicts[0].message.startswith(f"one of {len(quarters)} files: 2.0 h of acceleration")


def test_a_night_fed_file_by_file_equals_the_whole(quarters: list[RawFile]) -> None:
    stream = Stream(Source("s", (), "P07", zone="Europe/Zurich"))
    settled = sum(stream.push(file).num_rows for file in quarters)
    fed, whole = stream.close().tables, run(quarters).tables
    assert settled > 0.9 * whole["epochs"].num_rows
    assert {name: table.equals(fed[name]) for name, table in whole.items()} == dict.fromkeys(whole, True)


def test_heart_rate_against_the_truth(night: nights.Night, quarters: list[RawFile]) -> None:
    epochs = pl.from_arrow(run(quarters).tables["epochs"])
    assert isinstance(epochs, pl.DataFrame)
    compared = epochs.filter(pl.col("q_ppg") >= 0.6).join(night.truth.epochs, on="ts", suffix="_true")
    compared = compared.drop_nulls(["hr_bpm", "hr_bpm_true"])
    assert compared.height / night.truth.epochs.height >= 0.7
    assert float((compared["hr_bpm"] - compared["hr_bpm_true"]).abs().mean()) <= 0.5


def test_round_trip(quarters: list[RawFile]) -> None:
    recording = one(*quarters[:2], *quarters[3:5])
    assert len(recording.channels["bvp"].segments) == 2
    again = nrf.read(RawFile("a.parquet", export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    equal(replace(recording, uploads=()), again)


CHANGES: list[Callable[[bytes, int], bytes]] = [
    lambda data, at: data[:at],
    lambda data, at: data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :],
]


@pytest.mark.parametrize("change", CHANGES)
def test_damage_is_felt_nearby_only(
    night: nights.Night, quarters: list[RawFile], change: Callable[[bytes, int], bytes]
) -> None:
    """One file of the night hurt: the others' epochs stay what they are, and only that file is partial or rejected."""
    whole = rows(run(quarters))
    low_us = (night.session.start_s + 3 * STEP_S) * 10**6
    for percent in (1, 10, 50, 99):
        data = packed([of_session(night.session, 3 * STEP_S, 4 * STEP_S)])
        bad = RawFile(quarters[3].name, change(data, len(data) * percent // 100))
        outcome = run([*quarters[:3], bad, *quarters[4:]])
        statuses = {verdict.file: verdict.status for verdict in outcome.verdicts}
        assert [name for name, status in statuses.items() if status != Status.OK] in ([bad.name], [])
        kept = rows(outcome)
        far = {ts for ts in kept if not low_us - 250 * 10**6 < ts < low_us + (STEP_S + 250) * 10**6}
        assert {ts: kept[ts] for ts in far} == {ts: whole[ts] for ts in far}
        assert len(far) > 0.6 * len(whole)


def rows(outcome: Outcome) -> dict[int, tuple[object, ...]]:
    table = outcome.tables["epochs"].to_pydict()
    names = ("hr_bpm", "rmssd_ms", "q_ppg", "enmo_mg", "mad_mg", "angle_z_deg")
    keys = [round(ts.timestamp() * 1e6) for ts in table["ts"]]
    return dict(zip(keys, zip(*(table[name] for name in names), strict=True), strict=True))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_damage_never_raises_and_says_the_same_twice(codec: str) -> None:
    data = packed([record(60)], codec=codec)
    block = data.index(data[-16:]) + 16
    places = [len(data) * percent // 100 for percent in (1, 10, 50, 99)]
    places += [0, 4, 30, 200, block - 16, block - 1, block, block + 1, block + 2, len(data) - 17, len(data) - 1]
    for at in places:
        for change in CHANGES:
            file = RawFile("a.avro", change(data, at))
            first = run([file])
            assert first.verdicts == run([file]).verdicts
            assert set(first.verdicts[0].reasons) <= set(CODES)


def test_other_avro_files() -> None:
    schema = {"type": "record", "name": "Log", "fields": [{"name": "line", "type": "string"}]}
    _, (why,) = parse.read([RawFile("a.avro", packed([{"line": "x"}], schema))], 512)
    assert isinstance(why, Unreadable)
    assert why.codes == {"FORMAT_UNKNOWN": 1}
    _, (why,) = parse.read([RawFile("a.avro", packed([record(60)])[:300])], 512)
    assert why.codes == {"BLK_BAD": 1}
