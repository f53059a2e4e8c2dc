"""KAT A8: every kind of file cut and flipped at 1, 10, 50 and 99 % and at the borders of its parts. No exception, the
same words twice, and every epoch far from the damage is what it is in the intact file.

How far a column looks is `stream.LATENCY_S`, on both sides. Embrace, ActiGraph and Axivity have their own such tests.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from engine.module import Outcome, RawFile, Source
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.recording import MISSING, Channel, Recording
from engine.night.signals.motion import AXES
from engine.night.signals.ppg import CHANNELS
from engine.night.stream import LATENCY_S, UNDECIDED
from engine.simulate import nights
from tests.engine.night.formats.edf_files import edf, wrist
from tests.engine.night.formats.geneactiv_files import geneactiv, pages

PERCENTS = (1, 10, 50, 99)
ZONE = "UTC"
OF_MOVEMENT = ("enmo_mg", "mad_mg", "angle_z_deg", "q_acc")
DAMAGES: Mapping[str, Callable[[bytes, int], bytes]] = {
    "cut": lambda data, at: data[:at],
    "flipped": lambda data, at: data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :],
}


@lru_cache
def intact(name: str) -> bytes:
    if name == "n.edf":
        return edf(wrist(1800), kind="EDF+D")
    if name == "n.bin":
        return geneactiv(pages(300))
    data = nights.draw(8, night_date=date(2026, 3, 28), hours=0.75).zip()
    if name == "n.zip":
        return data
    (recording,), _ = read([RawFile("n.zip", data)], 64)
    return export_nrf(recording)


def borders(name: str, data: bytes) -> list[int]:
    if name == "n.zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [*(info.header_offset for info in archive.infolist()), archive.start_dir, len(data) - 22]
    if name == "n.parquet":
        footer = pq.ParquetFile(io.BytesIO(data)).metadata
        groups = [footer.row_group(i).column(0) for i in range(footer.num_row_groups)]
        return [4, *(group.dictionary_page_offset or group.data_page_offset for group in groups), len(data) - 8]
    if name == "n.edf":
        return [256, int(data[184:192]), len(data) - 1]
    return [data.index(b"Recorded Data"), data.rindex(b"Recorded Data"), len(data) - 2]


@lru_cache
def of_intact(name: str) -> tuple[Recording, Outcome]:
    return parsed(name, intact(name))[0], called(name, intact(name))


def parsed(name: str, data: bytes) -> tuple[Recording, ...]:
    return read([RawFile(name, data)], 64)[0]


def called(name: str, data: bytes) -> Outcome:
    return Night()([RawFile(name, data)], Source("s", (name,), "p", zone=ZONE))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["n.zip", "n.parquet", "n.edf", "n.bin"])
def test_damage_is_felt_nearby_only(name: str, damage: str) -> None:
    data = intact(name)
    recording, whole = of_intact(name)
    compared = 0
    for at in sorted({len(data) * percent // 100 for percent in PERCENTS} | set(borders(name, data))):
        bad = DAMAGES[damage](data, at)
        outcome = called(name, bad)
        assert outcome.verdicts == called(name, bad).verdicts
        (verdict,) = outcome.verdicts
        assert set(verdict.reasons) <= set(CODES)
        decided = UNDECIDED & (set(verdict.reasons) ^ set(whole.verdicts[0].reasons))
        left = parsed(name, bad)
        if outcome.tables and left and not decided:
            compared += sum(same_far_away(recording, left[0], whole, outcome))
    assert compared > 1000 or (name, damage) == ("n.parquet", "cut")  # Parquet ends with what says where its parts are


def same_far_away(recording: Recording, left: Recording, whole: Outcome, outcome: Outcome) -> Iterator[int]:
    """Compares each column where none of the channels it hangs on is hurt near by; gives the number of epochs."""
    pulse = [name for name in CHANNELS if name in recording.channels][:1]
    moved = [name for name in AXES if name in recording.channels]
    before, after = (pl.DataFrame(one.tables["epochs"]) for one in (whole, outcome))
    pairs = after.join(before, on="ts", suffix=":whole", how="inner")
    ts = pairs["ts"].cast(pl.Int64).to_numpy()
    for column, latency_s in LATENCY_S.items():
        names = moved if column in OF_MOVEMENT else [*pulse, *moved]
        reach_us = round((latency_s + 10) * 1e6)
        far = np.ones(len(ts), np.bool_)
        for name in names:
            low_us, high_us = hurt(recording.channels[name], left.channels.get(name))
            far &= (ts + reach_us <= low_us) | (ts - reach_us >= high_us)
        kept = pairs.filter(pl.Series(far))
        assert kept[column].equals(kept[f"{column}:whole"].alias(column), null_equal=True), column
        yield kept.height


def hurt(channel: Channel, left: Channel | None) -> tuple[float, float]:
    """From the first to the last sample (UTC µs) that is not as it was; an empty span where all are."""
    if left is None or (left.scale, left.offset) != (channel.scale, channel.offset):
        return -np.inf, np.inf
    start_us, fs_hz = channel.segments[0].t0_us, channel.segments[0].fs_hz
    n = round((channel.segments[-1].end_us - start_us) * fs_hz / 1e6) + 1
    was, is_now = laid(channel, start_us, fs_hz, n), laid(left, start_us, fs_hz, n)
    if was is None or is_now is None:
        return -np.inf, np.inf
    other = np.flatnonzero(was != is_now)
    if not len(other):
        return np.inf, -np.inf
    low, high = (start_us + int(at) * 1e6 / fs_hz for at in (other[0], other[-1] + 1))
    return low, high


def laid(channel: Channel, start_us: int, fs_hz: float, n: int) -> NDArray[np.int32] | None:
    """The channel's samples by their number since a moment; None where one lies outside or at another rate."""
    held = np.full(n, MISSING, np.int32)
    for part in channel.segments:
        at = round((part.t0_us - start_us) * fs_hz / 1e6)
        if at < 0 or at + len(part.values) > n or abs(part.fs_hz / fs_hz - 1) > 1e-6:
            return None
        held[at : at + len(part.values)] = part.values
    return held
