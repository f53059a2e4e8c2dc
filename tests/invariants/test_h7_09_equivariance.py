"""H7.9: what changes the writing of a night, but not the night, changes no value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from engine.module import Outcome, RawFile, Source
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.recording import Channel, Recording, Segment
from engine.simulate import nights

DAY_US = 86_400_000_000
TIMES = pl.selectors.temporal()


@pytest.fixture(scope="module")
def recording() -> Recording:
    (one,), _ = read([RawFile("n.zip", nights.draw(4, night_date=date(2026, 3, 28), hours=4.0).zip())], 64)
    return one


@pytest.fixture(scope="module")
def before(recording: Recording) -> Outcome:
    return outcome(recording)


def outcome(recording: Recording) -> Outcome:
    """In a zone of fixed offset."""
    return Night()([RawFile("n", export_nrf(recording))], Source("s", ("n",), "p", zone="Etc/GMT-1"))


def each(recording: Recording, change: Callable[[Channel], Channel]) -> Recording:
    return replace(recording, channels={name: change(channel) for name, channel in recording.channels.items()})


@pytest.mark.parametrize("days", [1, -30, 400])
def test_whole_days_later_only_times_move(recording: Recording, before: Outcome, days: int) -> None:
    def move(channel: Channel) -> Channel:
        return replace(channel, segments=tuple(replace(s, t0_us=s.t0_us + days * DAY_US) for s in channel.segments))

    events = {name: replace(one, t_us=one.t_us + days * DAY_US) for name, one in recording.events.items()}
    after = outcome(replace(each(recording, move), events=events))
    for name, table in before.tables.items():
        mine, theirs = pl.DataFrame(table), pl.DataFrame(after.tables[name])
        moved = mine.with_columns(TIMES + pl.duration(days=days))
        assert theirs.equals(moved), name


def test_another_unit_changes_no_value(recording: Recording, before: Outcome) -> None:
    """Acceleration in m/s², which the file does not say."""

    def change(channel: Channel) -> Channel:
        return replace(channel, scale=channel.scale * 9.80665) if channel.name.startswith("acc_") else channel

    after = outcome(each(recording, change))
    assert "ACC_UNIT" in after.verdicts[0].reasons
    for name in ("epochs", "nights", "vitals"):
        mine, theirs = pl.DataFrame(before.tables[name]), pl.DataFrame(after.tables[name])
        for column in mine.select(pl.selectors.float()).columns:
            one, other = mine[column].to_numpy(), theirs[column].to_numpy()
            np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9, err_msg=column)


def test_a_channel_that_nobody_uses_changes_nothing(recording: Recording, before: Outcome) -> None:
    (eda,) = recording.channels["eda"].segments
    light = Channel("light", "lx", 1.0, 0.0, (Segment(eda.t0_us, 4.0, np.arange(len(eda.values), dtype=np.int32)),))
    after = outcome(replace(recording, channels={**recording.channels, "light": light}))
    assert all(after.tables[name].equals(table) for name, table in before.tables.items())
    assert after.verdicts == before.verdicts
