"""Readers against independent decoders of the same real recordings, and on files that are damaged or not ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.module import RawFile, Source, Status
from engine.night.formats import parse
from engine.night.formats.nrf import export_nrf
from engine.night.formats.nrf import read as read_nrf
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import Recording
from tests.engine.night.formats.test_cwa import AXES, damages, equal, physical, raw, times_us

pytestmark = pytest.mark.real
TURNS = ("gyr_x", "gyr_y", "gyr_z")
CLEAN, CORRUPT = "ax3_testfile.cwa", "ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa"
FIXTURES = (
    "skdh_io_mit/ax3_sample.cwa",
    "skdh_io_mit/ax6_sample.cwa",
    "skdh_io_mit/gnactv_sample.bin",
    f"ggirread_apache2/{CLEAN}",
    f"ggirread_apache2/{CORRUPT}",
    "ggirread_apache2/ax6_testfile.cwa",
    "ggirread_apache2/GENEActiv_testfile.bin",
)


def one(path: Path) -> Recording:
    recordings, unreadable = parse.read([RawFile(path.name, path.read_bytes())], 512)
    assert not unreadable
    return recordings[0]


def matrix(recording: Recording, names: tuple[str, ...]) -> np.ndarray:
    return np.column_stack([physical(recording.channels[name]) for name in names])


@pytest.mark.parametrize(("stem", "most_ms"), [("ax3", 11.0), ("ax6", 20.0)])
def test_axivity_agrees_with_its_oracle(shared_data: Path, stem: str, most_ms: float) -> None:
    """Times within 2.2 samples: the oracle rounds anchors otherwise and follows a one-sample jitter block by block."""
    folder = shared_data / "formats_zoo" / "skdh_io_mit"
    recording, oracle = one(folder / f"{stem}_sample.cwa"), np.load(folder / f"{stem}_data.npz")
    assert recording.codes == {}
    np.testing.assert_allclose(matrix(recording, AXES), oracle["accel"], rtol=0, atol=1e-6)
    assert np.abs(times_us(recording.channels["acc_x"]) / 1e3 - oracle["time"] * 1e3).max() < most_ms
    if stem == "ax6":
        np.testing.assert_allclose(matrix(recording, TURNS), oracle["gyro"], rtol=0, atol=1e-4)
    celsius = physical(recording.channels["skin_temp"])  # the oracle has the sensor's older formula
    steps = np.round(oracle["temperature"] * 3.142 + 171) * 75 / 256 - 50
    per_block = len(steps) // len(celsius)
    assert celsius.tolist() == steps[::per_block].tolist()


def test_measured_rates(shared_data: Path) -> None:
    folder = shared_data / "formats_zoo" / "skdh_io_mit"
    rates = {}
    for stem in ("ax3", "ax6"):
        t_us = times_us(one(folder / f"{stem}_sample.cwa").channels["acc_x"])
        rates[stem] = (len(t_us) - 1) * 1e6 / (t_us[-1] - t_us[0])
    assert rates == pytest.approx({"ax3": 197.24, "ax6": 98.40}, abs=0.02)


def test_geneactiv_agrees_with_its_oracle(shared_data: Path) -> None:
    folder = shared_data / "formats_zoo" / "skdh_io_mit"
    recording, oracle = one(folder / "gnactv_sample.bin"), np.load(folder / "gnactv_data.npz")
    np.testing.assert_allclose(matrix(recording, AXES), oracle["accel"], rtol=0, atol=5.1e-5)  # it rounds to 1e-4
    assert np.floor(physical(recording.channels["light"]) + 1e-9).tolist() == oracle["light"].tolist()
    assert physical(recording.channels["skin_temp"]) == pytest.approx(oracle["temperature"][::300], abs=1e-12)
    assert recording.offset_s == -4 * 3600
    local_us = times_us(recording.channels["acc_x"]) + recording.offset_s * 1e6
    assert np.abs(local_us - oracle["time"] * 1e6).max() < 1


def test_intact_blocks_of_a_corrupt_file_are_equal(shared_data: Path) -> None:
    folder = shared_data / "formats_zoo" / "ggirread_apache2"
    clean, corrupt = one(folder / CLEAN), one(folder / CORRUPT)
    assert clean.codes == {}
    assert corrupt.codes == {"BLK_BAD": 6}
    kept = np.ones(145, bool)
    kept[[0, 13, 14, 142, 143, 144]] = False
    for name in clean.channels:
        per_block = len(raw(clean.channels[name])) // 145
        whole = np.repeat(kept, per_block)
        assert raw(corrupt.channels[name]).tolist() == raw(clean.channels[name])[whole].tolist()
        apart_us = times_us(corrupt.channels[name]) - times_us(clean.channels[name])[whole]
        assert np.abs(apart_us).max() < 5000


@pytest.mark.parametrize("name", FIXTURES)
def test_round_trip(shared_data: Path, name: str) -> None:
    recording = one(shared_data / "formats_zoo" / name)
    again = read_nrf(RawFile(name, export_nrf(recording)), 512)
    assert isinstance(again, Recording)
    assert equal(recording, again)


@pytest.mark.parametrize("name", FIXTURES)
def test_damage(shared_data: Path, name: str) -> None:
    for data in damages((shared_data / "formats_zoo" / name).read_bytes()):
        source = Source("s", (name,), "s", zone="Europe/Zurich")
        first, again = (Night()([RawFile(name, data)], source).verdicts for _ in range(2))
        assert first == again
        assert set(first[0].reasons) <= set(CODES)


def test_what_is_not_read_says_what_it_looks_like_and_what_is(shared_data: Path) -> None:
    folder = shared_data / "formats_zoo" / "ggirread_apache2"
    read = {*(Path(name).name for name in FIXTURES), "heart_rate-1995-06-24.json"}
    others = [path for path in sorted(folder.iterdir()) if path.name not in read]
    assert len(others) > 15
    for path in others:
        verdict = Night()([RawFile(path.name, path.read_bytes())], Source("s", (path.name,), "s")).verdicts[0]
        assert (verdict.status, verdict.reasons) == (Status.REJECTED, ("FORMAT_UNKNOWN",))
        named = "this looks like" in verdict.message and "which is not read here: " in verdict.message
        assert named or "give an Empatica E4" in verdict.message


def test_a_wrong_clock_is_the_reason_of_a_known_format(shared_data: Path) -> None:
    path = shared_data / "formats_zoo" / "ggirread_apache2" / "heart_rate-1995-06-24.json"
    verdict = Night()([RawFile(path.name, path.read_bytes())], Source("s", (path.name,), "s")).verdicts[0]
    assert (verdict.status, verdict.reasons) == (Status.REJECTED, ("CLK_IMPLAUS", "DERIVED"))
