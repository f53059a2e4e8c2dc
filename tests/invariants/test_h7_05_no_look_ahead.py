"""H7.5: what comes later changes no epoch whose support lies before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from engine.module import RawFile, Source
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.recording import Recording
from engine.night.stream import LATENCY_S
from engine.simulate import nights


def test_another_future_changes_no_epoch_before() -> None:
    drawn = [nights.draw(seed, night_date=date(2026, 3, 28), hours=1.5).zip() for seed in (1, 2)]
    one, other = (read([RawFile("n.zip", data)], 64)[0][0] for data in drawn)
    cut_us = one.start_us + 3_000_000_000
    before, after = (epochs(recording) for recording in (one, with_future(one, other, cut_us)))
    for column, latency_s in LATENCY_S.items():
        known = pl.col("ts").cast(pl.Int64) + round((10 + latency_s) * 1e6) <= cut_us
        mine, theirs = (side.filter(known)[column] for side in (before, after))
        assert len(mine) > 200
        assert mine.equals(theirs), column
    assert not before["hr_bpm"].equals(after["hr_bpm"])


def with_future(one: Recording, other: Recording, cut_us: int) -> Recording:
    """The first recording up to a moment, the second one's samples from there on."""
    channels = {}
    for name, channel in one.channels.items():
        (segment,), (later,) = channel.segments, other.channels[name].segments
        at = round((cut_us - segment.t0_us) * segment.fs_hz / 1e6)
        values = np.concatenate([segment.values[:at], later.values[at : len(segment.values)]])
        channels[name] = replace(channel, segments=(replace(segment, values=values),))
    return replace(one, channels=channels)


def epochs(recording: Recording) -> pl.DataFrame:
    source = Source("s", ("n",), "p", zone="Europe/Zurich")
    return pl.DataFrame(Night()([RawFile("n", export_nrf(recording))], source).tables["epochs"])
