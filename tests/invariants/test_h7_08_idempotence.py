"""H7.8: what may be believed of a recording does not change when it is asked again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.module import RawFile
from engine.night.clean import clean
from engine.night.formats.parse import read
from engine.night.recording import Recording
from engine.simulate import nights


def once_and_twice(recording: Recording) -> None:
    once = clean(recording, None)
    twice = clean(once, None)
    assert once.channels.keys() == twice.channels.keys()
    for name, channel in once.channels.items():
        again = twice.channels[name]
        assert (channel.scale, channel.offset, channel.unit) == (again.scale, again.offset, again.unit)
        for one, other in zip(channel.segments, again.segments, strict=True):
            assert (one.t0_us, one.fs_hz) == (other.t0_us, other.fs_hz)
            assert one.values.tobytes() == other.values.tobytes()
    assert set(twice.codes) == set(once.codes)


def test_cleaning_twice_is_cleaning_once() -> None:
    (recording,), _ = read([RawFile("n.zip", nights.draw(3, night_date=date(2026, 3, 28), hours=1.5).zip())], 64)
    once_and_twice(recording)


@pytest.mark.real
def test_of_real_sessions(shared_data: Path) -> None:
    for path in sorted((shared_data / "nurse_e4").glob("*/*.zip"))[::12]:
        (recording,), _ = read([RawFile(path.name, path.read_bytes())], 512)
        once_and_twice(recording)
