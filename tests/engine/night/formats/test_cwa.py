from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.module import RawFile, Source
from engine.night.formats import parse
from engine.night.formats.cwa import stamp_s
from engine.night.formats.device_clock import placed
from engine.night.formats.nrf import export_nrf
from engine.night.formats.nrf import read as read_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import Channel, Recording, Unreadable
from tests.engine.night.formats.cwa_files import (
    AX6,
    INT16,
    PACKED,
    START_S,
    block,
    blocks,
    cwa,
    header,
    packed,
    sealed,
    vectors,
)

T0_US = START_S * 10**6
AXES = ("acc_x", "acc_y", "acc_z")
A_SAMPLE_MS = 10.0


def one(data: bytes) -> Recording:
    recordings, unreadable = parse.read([RawFile("a.cwa", data)], 512)
    assert not unreadable
    return recordings[0]


def refused(data: bytes) -> Unreadable:
    recordings, unreadable = parse.read([RawFile("a.cwa", data)], 512)
    assert not recordings
    return unreadable[0]


def raw(channel: Channel) -> np.ndarray:
    return np.concatenate([segment.values for segment in channel.segments])


def times_us(channel: Channel) -> np.ndarray:
    return np.concatenate([s.t0_us + np.arange(len(s.values)) * 1e6 / s.fs_hz for s in channel.segments])


def physical(channel: Channel) -> np.ndarray:
    return np.concatenate([channel.physical(segment) for segment in channel.segments])


def source(zone: str | None = None, offset_s: int | None = None) -> Source:
    return Source("s", ("a.cwa",), "s", zone=zone, device_offset_s=offset_s)


def equal(a: Recording, b: Recording) -> bool:
    """Whether all but the file and its hash agree, bit by bit."""
    plain = replace(a, channels={}, file=b.file, sha256=b.sha256) == replace(b, channels={})
    pairs = [(a.channels[n], b.channels.get(n)) for n in a.channels]
    return plain and all(other is not None and same(channel, other) for channel, other in pairs)


def same(a: Channel, b: Channel) -> bool:
    segments = zip(a.segments, b.segments, strict=True)
    return replace(a, segments=()) == replace(b, segments=()) and all(
        (p.t0_us, p.fs_hz) == (q.t0_us, q.fs_hz) and np.array_equal(p.values, q.values) for p, q in segments
    )


def test_known_time_stamp() -> None:
    assert stamp_s(np.array([0x6AEC596A])).astype("M8[s]").tolist()[0].isoformat() == "2026-11-22T05:37:42"


@pytest.mark.parametrize(("axes", "scale"), [(PACKED, 1 / 256), (INT16, 1 / 2048), (AX6, 1 / 2048)])
def test_a_recording(axes: int, scale: float) -> None:
    recording = one(cwa(blocks(200, axes=axes)))
    values = vectors(200 * {PACKED: 120, INT16: 80, AX6: 40}[axes])
    for axis, name in enumerate(AXES):
        channel = recording.channels[name]
        assert channel.scale == scale
        np.testing.assert_array_equal(physical(channel), values[:, axis] / 256)
        assert channel.info["sensor_range"] == 8
    assert recording.codes == {}
    assert recording.device.serial == "12345"
    assert (recording.session_id, recording.subject_id) == ("77", "S07")
    assert recording.metadata["annotation"] == {"_p": "left wrist", "_sc": "S07"}
    assert recording.metadata["wear_location"] == "left wrist"
    assert physical(recording.channels["skin_temp"]) == pytest.approx(np.full(200, 32.91015625), rel=1e-12)
    assert physical(recording.channels["batt"]) == pytest.approx(np.full(200, 3.87890625), rel=1e-12)
    assert raw(recording.channels["light"]).tolist() == [500] * 200
    assert ("gyr_x" in recording.channels) is (axes == AX6)


def test_the_gyroscope() -> None:
    recording = one(cwa(blocks(20, axes=AX6), hardware=0x64))
    assert recording.device.model == "AX6"
    channel = recording.channels["gyr_y"]
    assert (channel.unit, channel.scale) == ("deg/s", 2000 / 32768)
    assert raw(channel).tolist() == (vectors(800)[:, 1] * 5).tolist()


@pytest.mark.parametrize("true_hz", [98.4, 100.0, 101.5])
def test_the_rate_is_measured(true_hz: float) -> None:
    recording = one(cwa(blocks(600, true_hz=true_hz)))
    channel = recording.channels["acc_x"]
    expected_us = T0_US + np.arange(600 * 120) * 1e6 / true_hz
    assert np.abs(times_us(channel) - expected_us).max() < A_SAMPLE_MS * 1000
    assert {round(s.fs_hz / true_hz, 3) for s in channel.segments} == {1.0}
    ends = np.array([s.end_us for s in channel.segments])
    assert np.abs(np.array([s.t0_us for s in channel.segments[1:]]) - ends[:-1]).max() <= 1
    assert np.abs(times_us(recording.channels["skin_temp"]) - expected_us[::120]).max() < 2 * A_SAMPLE_MS * 1000


def test_known_anchor() -> None:
    data = bytearray(block(0, START_S, packed(vectors(120)), code=0x4B))
    data[4:6], data[26:28] = (36268).to_bytes(2, "little"), (104).to_bytes(2, "little")
    recording = one(cwa([sealed(data)]))
    (segment,) = recording.channels["acc_x"].segments
    assert segment.fs_hz == 200
    assert segment.t0_us == T0_US + round((7000 / 65536 - 125 / 200) * 1e6)
    assert round(7000 / 65536, 7) == 0.1068115


def test_whole_seconds_of_old_firmware() -> None:
    parts = []
    for i, part in enumerate(blocks(50, true_hz=100.0)):
        data = bytearray(part)
        first_s = i * 1.2
        second = int(np.ceil(first_s))
        data[4:6], data[26:28] = bytes(2), round((second - first_s) * 100).to_bytes(2, "little")
        data[14:18] = block(0, START_S + second, b"")[14:18]
        parts.append(sealed(data))
    channel = one(cwa(parts)).channels["acc_x"]
    np.testing.assert_allclose(times_us(channel), T0_US + np.arange(6000) * 1e4, atol=1)


def test_lost_blocks_leave_gaps() -> None:
    parts = blocks(300)
    whole = one(cwa(parts)).channels["acc_x"]
    parts[40] = parts[40][:200] + b"\x00\x01" + parts[40][202:]
    del parts[100:103]
    recording = one(cwa(parts))
    channel = recording.channels["acc_x"]
    assert recording.codes == {"BLK_BAD": 4}
    assert recording.metadata["blocks"] == 300
    kept = np.ones(300 * 120, bool)
    kept[40 * 120 : 41 * 120] = kept[100 * 120 : 103 * 120] = False
    assert raw(channel).tolist() == raw(whole)[kept].tolist()
    assert np.abs(times_us(channel) - times_us(whole)[kept]).max() < A_SAMPLE_MS * 1000


def test_what_is_lost_moves_no_sample_a_quarter_of_an_hour_away() -> None:
    parts = blocks(2600)
    whole = times_us(one(cwa(parts)).channels["acc_x"])
    parts[1300] = bytes(512)
    hurt = times_us(one(cwa(parts)).channels["acc_x"])
    before, after = (1300 - 750) * 120, (1299 - 750) * 120
    assert hurt[:before].tolist() == whole[:before].tolist()
    assert hurt[-after:].tolist() == whole[-after:].tolist()


def test_a_drifting_rate_is_followed() -> None:
    n = 1500
    size, hz = 120, 98.4 * (1 + 2e-3 * np.exp(-np.arange(1500) / 250))
    begins = START_S + np.concatenate([[0], np.cumsum(size / hz)])
    data = packed(vectors(size))
    recording = one(cwa([block(i, begins[i], data) for i in range(n)]))
    expected_us = np.concatenate([begins[i] + np.arange(size) / hz[i] for i in range(n)]) * 1e6
    channel = recording.channels["acc_x"]
    assert np.abs(times_us(channel) - expected_us).max() < 2.5 * A_SAMPLE_MS * 1000
    assert 3 < len(channel.segments) < 25


def test_sent_twice() -> None:
    parts = blocks(20)
    other = sealed(parts[7][:40] + b"\x55" + parts[7][41:])
    recording = one(cwa([*parts[:10], parts[9], other, *parts[10:]]))
    assert recording.codes == {"T_DUP": 1, "T_CONFLICT": 1}
    plain = one(cwa(parts))
    assert equal(replace(recording, codes={}, metadata=plain.metadata), plain)


def test_a_clock_set_back_and_forth() -> None:
    back = [*blocks(50), *blocks(100, start_s=START_S + 59.5)[50:]]
    assert one(cwa(back)).codes == {}  # block 50 lies at 59.5 + 61 s: a gap
    recording = one(cwa([*blocks(50), *blocks(100, start_s=START_S - 1)[50:]]))
    assert recording.codes == {"T_BACK": 1}
    assert len(raw(recording.channels["acc_x"])) == len(raw(recording.channels["acc_z"])) < 100 * 120
    reset = one(cwa([*blocks(50), *blocks(100, start_s=946_684_800)[50:]]))
    assert reset.codes == {"CLK_RESET": 1}
    assert len(raw(reset.channels["acc_x"])) == 50 * 120


def test_another_rate_than_declared() -> None:
    why = refused(cwa(blocks(50, true_hz=80.0)))
    assert why.codes == {"FS_BAD": 1}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (header(), "SIG_EMPTY"),
        (header()[:600], "SIG_EMPTY"),
        (cwa(blocks(3))[:1400], "BLK_BAD"),
        (cwa([bytes(512)] * 4), "BLK_BAD"),
        (cwa([sealed(blocks(1)[0][:28] + b"\xff\xff" + blocks(1)[0][30:])]), "BLK_BAD"),
        (cwa([sealed(blocks(1)[0][:25] + b"\x92" + blocks(1)[0][26:])]), "BLK_BAD"),
        (cwa([sealed(blocks(1)[0][:14] + bytes(4) + blocks(1)[0][18:])]), "BLK_BAD"),
        (cwa([sealed(blocks(1)[0][:24] + b"\x00" + blocks(1)[0][25:])]), "BLK_BAD"),
    ],
)
def test_nothing_to_read(data: bytes, code: str) -> None:
    assert set(refused(data).codes) == {code}


def test_a_lost_header() -> None:
    parts = blocks(30)
    recording = one(bytes(1024) + b"".join(parts))
    assert same(recording.channels["acc_x"], one(cwa(parts)).channels["acc_x"])
    assert (recording.device.serial, recording.session_id, recording.subject_id) == (None, None, None)


@pytest.mark.parametrize(
    ("zone", "offset_s", "expected_h"),
    [(None, None, 0), ("Europe/Zurich", None, 1), (None, -18000, -5), ("Europe/Zurich", 0, 1), ("no/where", 3600, 1)],
)
def test_local_time_becomes_utc(zone: str | None, offset_s: int | None, expected_h: int) -> None:
    recording = one(cwa(blocks(30)))
    moved = placed(recording, source(zone, offset_s))
    assert moved.start_us == recording.start_us - expected_h * 3600 * 10**6
    assert placed(moved, source("Asia/Tokyo")) == moved


def test_the_offset_is_that_of_the_day_it_was_set() -> None:
    set_s = START_S - 170 * 86_400  # in summer
    recording = one(cwa(blocks(30), set_s=set_s))
    assert placed(recording, source("Europe/Zurich")).start_us == recording.start_us - 7200 * 10**6
    forged = replace(recording, metadata={"clock": {"basis": "local", "set_us": "x"}})
    assert placed(forged, source("Europe/Zurich")).start_us == recording.start_us - 3600 * 10**6


def with_holes(axes: int) -> list[bytes]:
    parts = blocks(400, axes=axes)
    return parts[:30] + parts[35:150] + parts[151:]


@pytest.mark.parametrize("parts", [*map(with_holes, (PACKED, INT16, AX6)), blocks(120)[::2]])
def test_round_trip(parts: list[bytes]) -> None:
    recording = one(cwa(parts))
    again = read_nrf(RawFile("a.parquet", export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    assert equal(recording, again)
    assert placed(again, source("Asia/Tokyo")).start_us == recording.start_us - 9 * 3600 * 10**6


def damages(data: bytes) -> list[bytes]:
    at = [len(data) * percent // 100 for percent in (1, 10, 50, 99)]
    at += [0, 2, 37, 1023, 1024, 1024 + 4, 1024 + 512, len(data) - 512, len(data) - 1]
    return [data[:k] for k in at] + [data[:k] + bytes([data[k] ^ 0xFF]) + data[k + 1 :] for k in at]


@pytest.mark.parametrize("axes", [PACKED, AX6])
def test_damage_never_raises_and_says_the_same_twice(axes: int) -> None:
    for data in damages(cwa(blocks(120, axes=axes))):
        first = Night()([RawFile("a.cwa", data)], source("Europe/Zurich"))
        again = Night()([RawFile("a.cwa", data)], source("Europe/Zurich"))
        assert first.verdicts == again.verdicts
        assert set(first.verdicts[0].reasons) <= set(CODES)


@pytest.mark.parametrize("hurt", [lambda d, k: d[:k], lambda d, k: d[:k] + bytes([d[k] ^ 0xFF]) + d[k + 1 :]])
def test_epochs_far_from_the_damage_are_identical(hurt: Callable[[bytes, int], bytes]) -> None:
    data = cwa(blocks(4000))
    whole = rows(data)
    for percent in (1, 10, 50, 99):
        cut = len(data) * percent // 100
        at_us = T0_US - 3600 * 10**6 + (cut - 1024) / 512 * 120 / 98.4 * 1e6
        kept = rows(hurt(data, cut))
        far = {ts for ts in kept if abs(ts - at_us) > 960 * 10**6}
        assert far or percent <= 10
        assert {ts: kept[ts] for ts in far} == {ts: whole[ts] for ts in far}


def rows(data: bytes) -> dict[int, tuple[object, ...]]:
    outcome = Night()([RawFile("a.cwa", data)], source("Europe/Zurich"))
    if "epochs" not in outcome.tables:
        return {}
    columns = ["enmo_mg", "mad_mg", "angle_z_deg", "skin_temp_c", "q_acc"]
    table = outcome.tables["epochs"].to_pydict()
    keys = [round(ts.timestamp() * 1e6) for ts in table["ts"]]
    return dict(zip(keys, zip(*(table[c] for c in columns), strict=True), strict=True))
