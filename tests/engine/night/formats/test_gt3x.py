from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.module import RawFile, Source
from engine.night.formats import nrf, parse
from engine.night.formats.device_clock import placed
from engine.night.formats.gt3x import decoded
from engine.night.formats.nrf import export_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import Recording, Unreadable
from tests.engine.night.formats.gt3x_files import START_S, gt3x, log, parameters, record, vectors
from tests.engine.night.formats.test_cwa import raw, times_us
from tests.engine.night.formats.test_nrf import equal

T0_US = START_S * 10**6
AXES = ("acc_x", "acc_y", "acc_z")


def one(data: bytes) -> Recording:
    recordings, unreadable = parse.read([RawFile("a.gt3x", data)], 512)
    assert not unreadable, unreadable
    return recordings[0]


def refused(data: bytes) -> Unreadable:
    recordings, (why,) = parse.read([RawFile("a.gt3x", data)], 512)
    assert not recordings
    return why


def matrix(recording: Recording) -> list[list[int]]:
    return np.stack([raw(recording.channels[axis]) for axis in AXES], axis=1).tolist()


def source(zone: str | None = None) -> Source:
    return Source("s", ("a.gt3x",), "s", zone=zone)


@pytest.mark.parametrize("kind", [0, 26])
def test_a_recording(kind: int) -> None:
    recording = one(gt3x(log(90, kind)))
    assert matrix(recording) == vectors(2700).tolist()
    np.testing.assert_allclose(times_us(recording.channels["acc_x"]), T0_US + np.arange(2700) / 30 * 1e6, atol=1)
    assert recording.codes == {}
    assert {channel.scale for channel in recording.channels.values()} == {1 / 341}
    assert (recording.device.serial, recording.device.firmware) == ("NEO1C16110020", "3.2.1")
    assert (recording.subject_id, recording.expected, recording.metadata["blocks"]) == ("P12", AXES, 90)


def test_known_acceleration() -> None:
    first = record(0, START_S, bytes.fromhex("006008EBD007009EBF007008EBF0" + "00" * 121))
    recording = one(gt3x([first, *log(9, start_s=START_S + 1)]))
    assert [round(recording.channels[axis].physical(recording.channels[axis].segments[0])[0], 3) for axis in AXES] == [
        0.023,
        0.018,
        -0.947,
    ]


@pytest.mark.parametrize(
    ("serial", "more", "per_g"),
    [
        ("CLE2B0", [], 341),
        ("MOS2A0", [], 256),
        ("TAS1C0", [], 256),
        ("MOS2A0", [parameters((0, 7, 0x03419581), (0, 55, 0x09400000 + 0x150000))], 340),
        ("NEO1C1", [parameters((0, 55, 0))], 341),
    ],
)
def test_steps_a_g(serial: str, more: list[bytes], per_g: float) -> None:
    recording = one(gt3x([*more, *log(10)], Serial_Number=serial))
    assert recording.channels["acc_z"].scale == pytest.approx(1 / per_g, rel=1e-9)


def test_numbers_of_the_parameters() -> None:
    assert (decoded(0x09400000), decoded(0), decoded(0x0C400000), decoded(0x09800000)) == (256, 0, 2048, -512)


def test_one_firmware_turned_the_axes() -> None:
    x, y, z = vectors(300).T
    recording = one(gt3x(log(10), Serial_Number="MOS2A0", Firmware="1.6.0"))
    assert matrix(recording) == np.stack([y, -x, z], axis=1).tolist()
    assert matrix(one(gt3x(log(10), Serial_Number="MOS2A0", Firmware="1.7.0"))) == vectors(300).tolist()


def test_plugs_and_other_records_are_no_samples() -> None:
    parts = log(20)
    mixed = [
        record(6, START_S, b"{}"),
        *parts[:7],
        record(0, START_S + 7, b"\x01"),
        record(2, START_S, b"\0\x10"),
        *parts[7:],
    ]
    assert matrix(one(gt3x(mixed))) == vectors(600).tolist()


def test_a_device_asleep_leaves_a_hole() -> None:
    parts = log(60)
    recording = one(gt3x(parts[:20] + parts[50:]))
    assert [len(segment.values) for segment in recording.channels["acc_x"].segments] == [600, 300]
    assert recording.channels["acc_x"].segments[1].t0_us == T0_US + 50 * 10**6
    assert recording.codes == {}


def test_wrong_check_sums() -> None:
    parts = log(60)
    parts[10] = parts[10][:50] + bytes([parts[10][50] ^ 1]) + parts[10][51:]
    recording = one(gt3x(parts))
    assert recording.codes == {"BLK_BAD": 1}
    assert matrix(recording) == np.delete(vectors(1800), np.s_[300:330], axis=0).tolist()


def test_sent_twice() -> None:
    parts = log(30)
    recording = one(gt3x([*parts[:10], parts[9], record(0, START_S + 4, bytes(135)), *parts[10:]]))
    assert recording.codes == {"T_DUP": 1, "T_CONFLICT": 1}
    assert matrix(recording) == vectors(900).tolist()


@pytest.mark.parametrize(
    ("zone", "lines", "hours"), [(None, {}, 0), ("Europe/Zurich", {}, 1), (None, {"TimeZone": "-05:00:00"}, -5)]
)
def test_local_time_becomes_utc(zone: str | None, lines: dict[str, str], hours: int) -> None:
    recording = placed(one(gt3x(log(10), **lines)), source(zone))
    assert recording.start_us == T0_US - hours * 3600 * 10**6
    assert recording.offset_s == (-18000 if lines else None)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (gt3x([]), {"SIG_EMPTY"}),
        (gt3x([b"\x1e" * 500]), {"BLK_BAD"}),
        (gt3x(log(10), Sample_Rate="31"), {"SIG_EMPTY"}),
        (gt3x(log(90), Sample_Rate="60"), {"FS_BAD"}),
    ],
)
def test_nothing_to_read(data: bytes, codes: set[str]) -> None:
    assert set(refused(data).codes) == codes


def test_the_rate_without_info() -> None:
    assert matrix(one(gt3x(log(10), Sample_Rate=None))) == vectors(300).tolist()


@pytest.mark.parametrize("kind", [0, 26])
def test_round_trip(kind: int) -> None:
    parts = log(300, kind)
    del parts[100:130], parts[20]
    recording = one(gt3x(parts))
    again = nrf.read(RawFile("a.parquet", export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    equal(recording, again)


@pytest.mark.parametrize("stored", [True, False])
def test_damage_never_raises_and_says_the_same_twice(stored: bool) -> None:
    data = gt3x(log(120), stored)
    places = [len(data) * percent // 100 for percent in (1, 10, 50, 99)]
    places += [
        0,
        2,
        30,
        data.index(b"log.bin"),
        data.index(b"log.bin") + 7,
        data.index(b"PK\1\2"),
        data.index(b"PK\5\6"),
    ]
    for at in places:
        for bad in (data[:at], data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]):
            first = Night()([RawFile("a.gt3x", bad)], source("Europe/Zurich"))
            assert first.verdicts == Night()([RawFile("a.gt3x", bad)], source("Europe/Zurich")).verdicts
            assert set(first.verdicts[0].reasons) <= set(CODES)


@pytest.mark.parametrize("hurt", [lambda d, k: d[:k], lambda d, k: d[:k] + bytes([d[k] ^ 0xFF]) + d[k + 1 :]])
def test_epochs_far_from_the_damage_are_identical(hurt: Callable[[bytes, int], bytes]) -> None:
    data = gt3x(log(4800), stored=True)
    whole, begin = rows(data), data.index(b"log.bin") + 7
    for percent in (10, 50, 99):
        cut = len(data) * percent // 100
        kept, at_us = rows(hurt(data, cut)), T0_US - 3600 * 10**6 + (cut - begin) / 144 * 1e6
        far = {ts for ts in kept if abs(ts - at_us) > 960 * 10**6}
        assert {ts: kept[ts] for ts in far} == {ts: whole[ts] for ts in far}


def rows(data: bytes) -> dict[int, tuple[object, ...]]:
    outcome = Night()([RawFile("a.gt3x", data)], source("Europe/Zurich"))
    table = outcome.tables["epochs"].to_pydict() if outcome.tables else {"ts": []}
    columns = [table[name] for name in ("enmo_mg", "mad_mg", "angle_z_deg", "q_acc") if name in table]
    return dict(zip([round(ts.timestamp() * 1e6) for ts in table["ts"]], zip(*columns, strict=True), strict=True))
