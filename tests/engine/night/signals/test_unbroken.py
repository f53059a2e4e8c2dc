from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.night.recording import MISSING, Channel, Segment
from engine.night.signals.unbroken import Stretch, unbroken

T0_US = 1_594_751_512_000_000


def _channel(*segments: tuple[int, float, list[int]]) -> Channel:
    parts = tuple(Segment(t0, fs, np.array(values, np.int32)) for t0, fs, values in segments)
    return Channel("bvp", "1", 0.5, 1.0, parts)


def _physical(stretch: Stretch) -> NDArray[np.float64]:
    return stretch.at(np.arange(len(stretch)))


def test_samples_present_are_counted_once() -> None:
    segment = Segment(T0_US, 64.0, np.array([1, MISSING, 3], np.int32))
    assert segment.present == 2
    segment.values[0] = MISSING
    assert segment.present == 2
    assert replace(segment, values=segment.values[:1]).present == 0


def test_a_whole_segment_is_one_stretch_in_physical_units() -> None:
    (stretch,) = unbroken(_channel((T0_US, 64.0, [0, 2, 4])))
    assert (stretch.t0_us, stretch.fs_hz, _physical(stretch).tolist()) == (T0_US, 64.0, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(("fs", "longest"), [(64.0, 16), (25.0, 6), (4.0, 2)])
def test_short_gaps_become_straight_lines_and_long_ones_split(fs: float, longest: int) -> None:
    values = [0] * 5 + [MISSING] * longest + [longest + 1] * 5
    (stretch,) = unbroken(_channel((T0_US, fs, values)))
    np.testing.assert_allclose(np.diff(_physical(stretch)[4 : 6 + longest]), 0.5)
    first, second = unbroken(_channel((T0_US, fs, [0] * 5 + [MISSING] * (longest + 1) + [1] * 5)))
    assert (len(first), len(second)) == (5, 5)
    assert second.t0_us == T0_US + (6 + longest) * 1e6 / fs


def test_missing_ends_are_left_off_and_empty_segments_give_nothing() -> None:
    channel = _channel(
        (T0_US, 64.0, [MISSING, 2, 4, MISSING]), (T0_US + 10**6, 64.0, []), (T0_US + 2 * 10**6, 64.0, [MISSING])
    )
    (stretch,) = unbroken(channel)
    assert (stretch.t0_us, _physical(stretch).tolist()) == (T0_US + 15625, [2.0, 3.0])


def test_edges_lie_on_the_clock() -> None:
    stretch = Stretch(float(T0_US), 64.0, np.zeros(64 * 130))
    edges = stretch.edges(60_000_000)
    assert edges.tolist() == [0, 8 * 64, 68 * 64, 128 * 64, 130 * 64]
    assert (stretch.time_us(edges[1:-1].astype(float)) % 60_000_000 == 0).all()


@pytest.mark.parametrize("fs", [64.0, 63.9, 97.24, 25.0])
def test_edges_do_not_depend_on_what_follows(fs: float) -> None:
    whole = Stretch(T0_US + 0.3, fs, np.zeros(20_000))
    part = Stretch(T0_US + 0.3, fs, np.zeros(9_000))
    for period in (6_000_000, 10_000_000, 60_000_000):
        edges = whole.edges(period)
        assert part.edges(period).tolist() == [*edges[edges < 9_000].tolist(), 9_000]
        assert (np.diff(edges) > 0).all()


def test_first_at_is_the_sample_at_or_after_a_time() -> None:
    stretch = Stretch(float(T0_US), 64.0, np.zeros(64))
    times = np.array([T0_US - 1, T0_US, T0_US + 1, T0_US + 15_625, T0_US + 15_626, T0_US + 10**7])
    assert stretch.first_at(times).tolist() == [0, 0, 1, 1, 2, 64]


def test_a_beat_s_time_does_not_hang_on_where_the_stretch_begins() -> None:
    beats = np.arange(0, 7 * 86_400 * 64, 51.3) // 2**-27 * 2**-27
    cut = 64 * 3600 * 9
    whole, rest = Stretch(1.7e15, 64.0, np.empty(0)), Stretch(1.7e15 + cut * 15_625, 64.0, np.empty(0))
    later = beats[beats >= cut]
    assert (whole.time_us(later) == rest.time_us(later - cut)).all()
