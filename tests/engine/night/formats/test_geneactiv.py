from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.module import RawFile, Source
from engine.night.formats import parse
from engine.night.formats.device_clock import placed
from engine.night.formats.nrf import export_nrf
from engine.night.formats.nrf import read as read_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import Recording, Unreadable
from tests.engine.night.formats.geneactiv_files import GAINS, HEADER, START, geneactiv, page, pages, samples
from tests.engine.night.formats.test_cwa import equal, physical, raw, times_us

T0_US = round((START.timestamp() - 3600) * 1e6)


def one(data: bytes) -> Recording:
    recordings, unreadable = parse.read([RawFile("a.bin", data)], 512)
    assert not unreadable
    return recordings[0]


def refused(data: bytes) -> Unreadable:
    recordings, unreadable = parse.read([RawFile("a.bin", data)], 512)
    assert not recordings
    return unreadable[0]


def source(zone: str | None = None) -> Source:
    return Source("s", ("a.bin",), "s", zone=zone)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_recording(newline: str) -> None:
    recording = one(geneactiv(pages(25)).replace(b"\n", newline.encode()))
    values = samples(25)
    for column, axis in enumerate("xyz"):
        gain, offset = GAINS[axis]
        np.testing.assert_allclose(
            physical(recording.channels[f"acc_{axis}"]), (values[:, column] * 100 - offset) / gain, rtol=0, atol=1e-12
        )
    assert recording.codes == {}
    assert physical(recording.channels["light"]) == pytest.approx(values[:, 3] * 886 / 42)
    assert physical(recording.channels["skin_temp"]) == pytest.approx(np.full(25, 33.0))
    assert physical(recording.channels["batt"]) == pytest.approx(np.full(25, 4.1642))
    np.testing.assert_allclose(times_us(recording.channels["acc_x"]), T0_US + np.arange(7500) * 20_000, atol=1)
    presses = recording.events["event"].t_us
    assert presses.tolist() == [T0_US + (300 * i + 30) * 20_000 for i in range(25)]
    assert (recording.device.model, recording.device.serial, recording.subject_id) == ("GENEActiv", "051386", "S07")
    assert recording.offset_s == 3600
    assert recording.metadata["clock"] == {"drift_s": -1.459}
    assert placed(recording, source("Asia/Tokyo")) == recording


def test_a_rate_that_the_header_rounds() -> None:
    channel = one(geneactiv([page(i, samples(1), hz=600 / 7) for i in range(40)])).channels["acc_x"]
    assert {round(s.fs_hz, 4) for s in channel.segments} == {85.7143}


def test_without_a_zone_the_clock_is_local() -> None:
    data = geneactiv(pages(12), header=HEADER.replace("Time Zone:GMT +01:00\n", ""))
    recording = one(data)
    assert recording.start_us == round(START.timestamp() * 1e6)
    assert placed(recording, source("Europe/Zurich")).start_us == T0_US


def test_lost_pages_leave_gaps() -> None:
    parts = pages(40)
    whole = one(geneactiv(parts)).channels["acc_y"]
    hurt = [*parts[:10], parts[10].replace("A", "g", 3), *parts[11:20], parts[20][:-20], *parts[23:]]
    recording = one(geneactiv(hurt, promised=40))
    assert recording.codes == {"BLK_BAD": 4}
    kept = np.ones(12_000, bool)
    kept[3000:3300] = kept[6000:6900] = False
    assert raw(recording.channels["acc_y"]).tolist() == raw(whole)[kept].tolist()
    assert np.abs(times_us(recording.channels["acc_y"]) - times_us(whole)[kept]).max() < 1000


def test_a_page_sent_twice() -> None:
    parts = pages(20)
    assert one(geneactiv([*parts[:9], parts[8], *parts[9:]], promised=20)).codes == {"T_DUP": 1}


def test_what_the_header_promises() -> None:
    recording = one(geneactiv(pages(5), promised=50))
    assert recording.codes == {"BLK_BAD": 45}
    assert recording.metadata["blocks"] == 50


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (geneactiv([]), "no whole page"),
        (geneactiv(pages(3))[:1500], "no whole page"),
        (geneactiv(pages(3)).replace(b"y gain:25457", b"y gain:0"), "no calibration"),
        (geneactiv(pages(3)).replace(b"y gain", b"y gone"), "no calibration"),
        (geneactiv(pages(30, hz=50.0)).replace(b"Frequency:50.0", b"Frequency:75.0"), "75 Hz"),
    ],
)
def test_nothing_to_read(data: bytes, told: str) -> None:
    assert told in refused(data).message


def test_round_trip() -> None:
    parts = pages(40)
    del parts[7], parts[20:22]
    recording = one(geneactiv(parts))
    again = read_nrf(RawFile("a.parquet", export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    assert equal(replace(recording, events={}), replace(again, events={}))
    assert again.events["event"].t_us.tolist() == recording.events["event"].t_us.tolist()


def test_damage_never_raises_and_says_the_same_twice() -> None:
    data = geneactiv(pages(40))
    at = [len(data) * percent // 100 for percent in (1, 10, 50, 99)]
    at += [0, data.index(b"x gain:") + 8, data.index(b"Recorded"), data.index(b"Page Time") + 12, len(data) - 1]
    for k in at:
        for hurt in (data[:k], data[:k] + bytes([data[k] ^ 0xFF]) + data[k + 1 :], data[:k] + b"\x00" + data[k:]):
            first, again = (Night()([RawFile("a.bin", hurt)], source()) for _ in range(2))
            assert first.verdicts == again.verdicts
            assert set(first.verdicts[0].reasons) <= set(CODES)


def test_samples_far_from_the_damage_are_identical() -> None:
    data = geneactiv(pages(200))
    whole = one(data).channels["acc_x"]
    for percent in (10, 50, 99):
        cut = len(data) * percent // 100
        left = one(data[:cut]).channels["acc_x"]
        n = len(raw(left)) - 100 * 50
        assert raw(left)[:n].tolist() == raw(whole)[:n].tolist()
        assert times_us(left)[: max(n, 0)].tolist() == times_us(whole)[: max(n, 0)].tolist()
