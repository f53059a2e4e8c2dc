"""Every parser under random damage: it never raises, says the same twice, and invents no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.module import RawFile
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.reasons import CODES
from engine.night.recording import MISSING, Recording, Unreadable
from tests.engine.night.formats.avro_files import packed, record
from tests.engine.night.formats.cwa_files import blocks, cwa
from tests.engine.night.formats.e4_files import csvs, zipped
from tests.engine.night.formats.edf_files import edf, wrist
from tests.engine.night.formats.geneactiv_files import geneactiv, pages
from tests.engine.night.formats.gt3x_files import gt3x, log

LIMIT_MB = 64
Read = tuple[tuple[Recording, ...], tuple[Unreadable, ...]]
MANY = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FEW = settings(MANY, max_examples=40)

edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "insert", "repeat", "zero"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, changes: Iterable[tuple[str, float, bytes]]) -> bytes:
    for kind, share, some in changes:
        at, size = int(len(data) * share), some[0] * len(some)
        match kind:
            case "flip":
                data = data[:at] + bytes(a ^ b for a, b in zip(data[at:], some, strict=False)) + data[at + len(some) :]
            case "cut":
                data = data[:at]
            case "drop":
                data = data[:at] + data[at + size :]
            case "insert":
                data = data[:at] + some + data[at:]
            case "repeat":
                data = data[: at + size] + data[at:]
            case "zero":
                data = data[:at] + bytes(len(data[at : at + size])) + data[at + size :]
    return data


@lru_cache
def session() -> bytes:
    return zipped(csvs(20))


@lru_cache
def neutral() -> bytes:
    (recording,), _ = read([RawFile("night.zip", session())], LIMIT_MB)
    return export_nrf(recording)


def judged(name: str, data: bytes) -> Read:
    """What reading gives, checked for what holds of anything that is read."""
    found, again = (read([RawFile(name, data)], LIMIT_MB) for _ in range(2))
    assert [told(one) for kind in found for one in kind] == [told(one) for kind in again for one in kind]
    recordings, unreadable = found
    assert recordings or unreadable
    assert all(set(one.codes) <= set(CODES) for one in (*recordings, *unreadable))
    assert all(one.message for one in unreadable)
    for recording in recordings:
        assert recording.channels
        for channel in recording.channels.values():
            assert all(len(one.values) and one.values.dtype == np.int32 for one in channel.segments)
    return found


def told(one: Recording | Unreadable) -> object:
    if isinstance(one, Unreadable):
        return one.file, dict(one.codes), one.message
    sizes = {name: [(s.t0_us, s.fs_hz, s.values.tobytes()) for s in c.segments] for name, c in one.channels.items()}
    return one.file, dict(one.codes), sizes


def values(recording: Recording, channel: str) -> set[int]:
    held = recording.channels.get(channel)
    return set() if held is None else {int(v) for one in held.segments for v in np.unique(one.values)} - {MISSING}


def invented(data: bytes, bad: bytes, name: str) -> dict[str, set[int]]:
    """Values of the damaged file that the intact one does not have, by channel."""
    (whole,), _ = read([RawFile(name, data)], LIMIT_MB)
    recordings, _ = judged(name, bad)
    return {
        channel: values(one, channel) - values(whole, channel)
        for one in recordings
        for channel in one.channels
        if values(one, channel) - values(whole, channel)
    }


@MANY
@given(edits)
def test_zips(changes: list[tuple[str, float, bytes]]) -> None:
    """A member that the file's end cuts has lost its check sum: with damage before the cut as well, nobody can tell."""
    bad = damaged(session(), changes)
    if session().startswith(bad) or bad.endswith(session()[-22:]):
        assert invented(session(), bad, "night.zip") == {}
    else:
        judged("night.zip", bad)


@MANY
@given(edits)
def test_neutral_files(changes: list[tuple[str, float, bytes]]) -> None:
    assert invented(neutral(), damaged(neutral(), changes), "night.parquet") == {}


@lru_cache
def device_file(name: str) -> bytes:
    made = {
        "a.cwa": lambda: cwa(blocks(20)),
        "a.bin": lambda: geneactiv(pages(12)),
        "a.edf": lambda: edf(wrist(30), kind="EDF+D"),
        "a.avro": lambda: packed([record(20)]),
        "a.gt3x": lambda: gt3x(log(30), stored=True),
    }
    return made[name]()


@MANY
@given(edits, st.sampled_from(["a.cwa", "a.bin", "a.edf", "a.avro", "a.gt3x"]))
def test_device_files(changes: list[tuple[str, float, bytes]], name: str) -> None:
    """Of these only CWA's blocks and gt3x's records carry a check sum."""
    judged(name, damaged(device_file(name), changes))


@FEW
@given(edits, st.sampled_from(["ACC.csv", "BVP.csv", "EDA.csv", "HR.csv", "IBI.csv", "TEMP.csv", "tags.csv"]))
def test_csvs(changes: list[tuple[str, float, bytes]], name: str) -> None:
    """Plain text carries no check sum: a changed digit is a changed value. But it must not fall or differ."""
    judged(f"night/{name}", damaged(csvs(20)[name], changes))


@FEW
@given(st.text(alphabet="0123456789.,;-+eE \t\r\nnaifNAN\x00\"'\ufeff", max_size=300), st.booleans())
def test_texts(text: str, wide: bool) -> None:
    head = "1600000000.0\n64.0\n"
    for name in ("BVP.csv", "ACC.csv", "IBI.csv", "tags.csv"):
        for whole in (text, head + text):
            judged(f"night/{name}", whole.encode("utf-16" if wide else "utf-8"))


STARTS = [
    b"",
    b"PK\3\4",
    b"PK\5\6",
    b"PAR1",
    b"MD\xfc\x03",
    b"Device Identity\r\n",
    b"Obj\x01",
    b"\x1f\x8b",
    b"0       ",
]


@MANY
@given(st.binary(max_size=3000), st.sampled_from(STARTS), st.sampled_from(["a.zip", "a.parquet", "BVP.csv", "x"]))
def test_bytes(data: bytes, start: bytes, name: str) -> None:
    judged(name, start + data)


@FEW
@given(st.text(max_size=12), st.sampled_from([str.upper, str.lower]))
def test_member_names(name: str, case: Callable[[str], str]) -> None:
    text = csvs(20)["BVP.csv"]
    for member in (name, case(f"bvp{name}.csv"), f"{name}/BVP.csv"):
        recordings, unreadable = read([RawFile("a.zip", zipped({member or "x": text}))], LIMIT_MB)
        assert len(recordings) + len(unreadable) == 1


@pytest.mark.parametrize(
    "name", ["-rf.zip", "a\nb.zip", "a'b\"c.zip", "%2e%2e.zip", "subject_id=1.zip", " .zip", "é😀.zip"]
)
def test_file_names(name: str) -> None:
    recordings, _ = judged(f"x/{name}", session())
    assert [one.file for one in recordings] == [f"x/{name}"]
