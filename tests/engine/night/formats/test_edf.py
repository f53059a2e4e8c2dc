from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engine.module import RawFile, Source, Status
from engine.night.formats import parse
from engine.night.formats.device_clock import placed
from engine.night.formats.edf import looks_like_edf
from engine.night.formats.nrf import export_nrf
from engine.night.formats.nrf import read as read_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import Recording, Unreadable
from tests.engine.night.formats.edf_files import Signal, edf, wrist
from tests.engine.night.formats.test_cwa import damages, equal, physical, raw, times_us

T0_US = round(datetime(2024, 1, 15, 21, tzinfo=UTC).timestamp() * 1e6)


def one(data: bytes) -> Recording:
    recordings, unreadable = parse.read([RawFile("a.edf", data)], 512)
    assert not unreadable
    return recordings[0]


def refused(data: bytes) -> Unreadable:
    recordings, unreadable = parse.read([RawFile("a.edf", data)], 512)
    assert not recordings
    return unreadable[0]


def test_known_physical_value() -> None:
    recording = one(edf([Signal("Flow", np.array([[1234]], np.int16), "L/min")]))
    channel = recording.channels["edf_flow"]
    assert physical(channel)[0] == pytest.approx(60.2930402930, abs=1e-10)
    assert (channel.unit, raw(channel).tolist()) == ("L/min", [1234])


@pytest.mark.parametrize("kind", ["", "EDF+C", "EDF+D"])
def test_a_recording(kind: str) -> None:
    signals = wrist()
    recording = one(edf(signals, kind=kind))
    assert recording.codes == {}
    assert list(recording.channels) == ["bvp", "acc_x", "acc_y", "acc_z", "skin_temp"]
    for signal, channel in zip(signals, recording.channels.values(), strict=True):
        assert raw(channel).tolist() == signal.values.ravel().tolist()
        assert [(s.t0_us, s.fs_hz) for s in channel.segments] == [(T0_US, signal.values.shape[1])]
    assert recording.channels["acc_x"].unit == "g"
    assert physical(recording.channels["acc_x"])[0] == pytest.approx(
        -4 + (signals[1].values[0, 0] + 2048) * 8 / 4095, abs=1e-9
    )
    assert physical(recording.channels["skin_temp"]) == pytest.approx(np.full(60, 25.0))
    assert recording.subject_id == "S07"
    assert recording.metadata["annotations"] == ([[2.5, "Lights off"]] if kind else [])
    moved = placed(recording, Source("s", ("a",), "s", zone="Europe/Zurich"))
    assert moved.start_us == T0_US - 3600 * 10**6


def test_holes_between_records() -> None:
    onsets = [0.25, 1.25, 2.25, 10.0, 11.0, 12.0]
    channel = one(edf(wrist(6), kind="EDF+D", onsets=onsets)).channels["bvp"]
    assert [(s.t0_us - T0_US, len(s.values)) for s in channel.segments] == [(250_000, 192), (10_000_000, 192)]
    whole = one(edf(wrist(6), kind="EDF+C", onsets=onsets)).channels["bvp"]
    assert [(s.t0_us - T0_US, len(s.values)) for s in whole.segments] == [(250_000, 384)]


def test_records_out_of_order() -> None:
    recording = one(edf(wrist(6), kind="EDF+D", onsets=[0, 1, 2, 2, 3, 4]))
    assert recording.codes == {"T_BACK": 1}
    assert (np.diff(times_us(recording.channels["bvp"])) > 0).all()


def test_a_file_that_was_not_closed_or_cut() -> None:
    assert one(edf(wrist(6), records=-1)).codes == {}
    data = edf(wrist(60))
    recording = one(data[:-1])
    assert recording.codes == {"BLK_BAD": 1}
    assert recording.metadata["blocks"] == 60
    assert len(raw(recording.channels["bvp"])) == 59 * 64
    assert one(edf(wrist(60), records=-1)[:-1]).codes == {"BLK_BAD": 1}


def test_the_century() -> None:
    old = one(edf(wrist(2), kind="", recorded="", date="15.01.85"))
    assert np.datetime64(old.start_us, "us").astype(str)[:4] == "1985"
    new = one(edf(wrist(2), kind="", recorded="", date="15.01.84"))
    assert np.datetime64(new.start_us, "us").astype(str)[:4] == "2084"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (252, b"0   "),
        (252, b"9999"),
        (184, b"512     "),
        (244, b"nan     "),
        (244, b"-1      "),
        (168, b"99.99.99"),
        (236, b"x"),
    ],
)
def test_a_header_that_does_not_hold(at: int, text: bytes) -> None:
    data = edf(wrist(3))
    why = refused(data[:at] + text + data[at + len(text) :])
    assert why.codes == {"BLK_BAD": 1}


def test_nothing_in_it() -> None:
    data = edf(wrist(3))
    assert refused(data[: 256 * 7]).codes == {"BLK_BAD": 3}
    assert refused(data[:700]).codes == {"BLK_BAD": 1}
    assert not looks_like_edf(b"0       hello")


def test_round_trip() -> None:
    recording = one(edf(wrist(200), kind="EDF+D", onsets=[i + 5.5 * (i > 90) for i in range(200)]))
    again = read_nrf(RawFile("a.parquet", export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    assert equal(recording, again)


def test_damage_never_raises_and_says_the_same_twice() -> None:
    for data in damages(edf(wrist(120), kind="EDF+D")):
        first, again = (Night()([RawFile("a.edf", data)], Source("s", ("a.edf",), "s")).verdicts for _ in range(2))
        assert first == again
        assert set(first[0].reasons) <= set(CODES)


def test_agrees_with_an_independent_reader(tmp_path: Path) -> None:
    pyedflib = pytest.importorskip("pyedflib")
    signals = wrist(30)
    (tmp_path / "a.edf").write_bytes(edf(signals))
    recording = one((tmp_path / "a.edf").read_bytes())
    with pyedflib.EdfReader(str(tmp_path / "a.edf")) as oracle:
        for i, (channel, signal) in enumerate(zip(recording.channels.values(), signals, strict=True)):
            factor = 1e-3 if signal.unit == "mg" else 1.0
            assert np.abs(physical(channel) - oracle.readSignal(i) * factor).max() < 1e-9
            assert channel.segments[0].fs_hz == oracle.getSampleFrequency(i)
        assert np.datetime64(recording.start_us, "us").astype(datetime) == oracle.getStartdatetime()


@pytest.mark.real
def test_a_real_recording_agrees_with_an_independent_reader(shared_data: Path) -> None:
    path = shared_data / "formats_zoo" / "vitalsqi_ppg_mit" / "example.edf"
    recording = one(path.read_bytes())
    assert recording.codes == {}
    assert recording.metadata["annotations"] == [[1037.578, "Electrode Removed"]]
    channels = list(recording.channels.values())
    assert [(len(raw(channel)), channel.segments[0].fs_hz) for channel in channels] == [(265_536, 256.0)] * 2
    verdict = Night()([RawFile(path.name, path.read_bytes())], Source("s", (path.name,), "s")).verdicts[0]
    assert verdict.status is Status.PARTIAL
    pyedflib = pytest.importorskip("pyedflib")
    with pyedflib.EdfReader(str(path)) as oracle:
        for i, channel in enumerate(channels):
            assert np.abs(physical(channel) - oracle.readSignal(i)).max() < 1e-9
