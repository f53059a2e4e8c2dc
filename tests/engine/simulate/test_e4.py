"""The files as documented for the device: headers, rates, row shapes, units, and the device's own derived tables."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from engine.simulate import nights
from engine.simulate.e4 import decimals, members


@pytest.fixture(scope="module")
def night() -> nights.Night:
    return nights.draw(seed=3, hours=1.5)


@pytest.fixture(scope="module")
def lines(night: nights.Night) -> dict[str, list[str]]:
    archive = zipfile.ZipFile(io.BytesIO(night.zip()))
    return {info.filename: archive.read(info).decode().split("\n") for info in archive.infolist()}


def test_members_and_headers(night: nights.Night, lines: dict[str, list[str]]) -> None:
    start = night.session.start_s
    assert list(lines) == ["ACC.csv", "BVP.csv", "EDA.csv", "HR.csv", "IBI.csv", "TEMP.csv", "info.txt", "tags.csv"]
    assert lines["ACC.csv"][:2] == [", ".join([f"{start}.000000"] * 3), ", ".join(["32.000000"] * 3)]
    assert lines["BVP.csv"][:3] == [f"{start}.00", "64.000000", "-0.00"]
    assert lines["EDA.csv"][:3] == [f"{start}.000000", "4.000000", "0.000000"]
    assert lines["HR.csv"][:2] == [f"{start + 10}.000000", "1.000000"]
    assert lines["IBI.csv"][0] == f"{start}.000000, IBI"
    assert lines["TEMP.csv"][:2] == [f"{start}.000000", "4.000000"]
    assert len(lines["tags.csv"]) == 3


@pytest.mark.parametrize(("name", "rate"), [("ACC.csv", 32), ("BVP.csv", 64), ("EDA.csv", 4), ("TEMP.csv", 4)])
def test_every_row_is_there_and_the_last_line_ends(
    night: nights.Night, lines: dict[str, list[str]], name: str, rate: int
) -> None:
    assert len(lines[name]) == 2 + night.session.duration_s * rate + 1
    assert lines[name][-1] == ""


def test_acceleration_is_int8_of_one_g_at_rest(night: nights.Night, lines: dict[str, list[str]]) -> None:
    rows = np.array([[int(cell) for cell in line.split(",")] for line in lines["ACC.csv"][2:-1]])
    assert np.array_equal(rows, night.session.acc)
    assert rows.min() >= -128
    assert rows.max() <= 127
    assert np.median(np.linalg.norm(rows, axis=1)) / 64 == pytest.approx(1, abs=0.02)


def test_pulse_is_printed_with_two_decimals_and_has_no_constant_part(lines: dict[str, list[str]]) -> None:
    texts = lines["BVP.csv"][2:-1]
    assert all(len(text.split(".")[1]) == 2 for text in texts)
    values = np.array(texts, dtype=float)
    assert abs(values.mean()) < 0.2 * values.std()


def test_beats_are_minima_of_the_file(night: nights.Night, lines: dict[str, list[str]]) -> None:
    values = np.array(lines["BVP.csv"][2:-1], dtype=float)
    beats = night.session.beats_s[night.session.trusted]
    beats = beats[(beats > 2) & (beats < night.session.duration_s - 2)]
    windows = np.rint(beats * 64).astype(int)[:, None] + np.arange(-16, 17)
    late_s = (np.argmin(values[windows], axis=1) - 16) / 64
    assert np.mean(np.abs(late_s) < 0.06) > 0.97
    assert abs(np.median(late_s)) <= 1 / 64


def test_temperature_goes_in_steps_of_two_hundredths_held_for_a_second(lines: dict[str, list[str]]) -> None:
    values = np.rint(np.array(lines["TEMP.csv"][2:-1], dtype=float) * 100).astype(int)
    assert set(values % 2) == {1}
    assert np.array_equal(values, np.repeat(values[::4], 4))


def test_intervals_end_on_the_clock_and_doubtful_ones_are_absent(
    night: nights.Night, lines: dict[str, list[str]]
) -> None:
    rows = np.array([line.split(",") for line in lines["IBI.csv"][1:-1]], dtype=float)
    assert np.array_equal(rows * 64, np.rint(rows * 64))
    assert np.all(np.diff(rows[:, 0]) > 0)
    assert 0.3 < len(rows) / len(night.session.beats_s) < 0.95
    contiguous = np.abs(np.diff(rows[:, 0]) - rows[1:, 1]) < 0.008
    assert contiguous.mean() > 0.9
    nearest = np.abs(night.session.beats_s[:, None] - rows[:200, 0]).min(axis=0)
    assert nearest.max() <= 1 / 128 + 1e-9


def test_no_trusted_beat_leaves_the_table_without_bytes() -> None:
    session = nights.draw(seed=3, hours=1.5).session
    session.trusted[:] = False
    assert members(session)["IBI.csv"] == b""


def test_device_heart_rate_follows_the_true_rate_36_seconds_late(
    night: nights.Night, lines: dict[str, list[str]]
) -> None:
    values = np.array(lines["HR.csv"][2:-1], dtype=float)
    assert len(values) == night.session.duration_s - 10
    seconds = 10 + np.arange(len(values))
    beats, rate = night.session.beats_s[1:], 60 / np.diff(night.session.beats_s)
    for i in (100, 2000, 5000):
        window = (beats > seconds[i] - 66) & (beats <= seconds[i] - 6)
        assert values[i] == pytest.approx(rate[window].mean(), abs=0.6)


def test_decimals_print_signs_zeros_and_nothing() -> None:
    assert decimals(np.array([-1, 0, 99, -100]), 2) == b"-0.01\n0.00\n0.99\n-1.00\n"
    assert decimals(np.array([1281]), 6) == b"0.001281\n"
    assert decimals(np.array([], dtype=np.int64), 2) == b""
