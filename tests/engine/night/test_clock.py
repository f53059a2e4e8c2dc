from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.night.clock import SECOND_US, Blocks, arrange, at_measured_rate, gathered, in_order, whole_us
from engine.night.recording import Segment

T0 = 1_600_000_000 * SECOND_US


def block(at_s: float, seconds: float = 60, first: int = 0, fs_hz: float = 10.0) -> Segment:
    values = np.arange(first, first + round(seconds * fs_hz), dtype=np.int32)
    return Segment(T0 + round(at_s * SECOND_US), fs_hz, values)


def blocks_of(*segments: Segment, forced: tuple[int, ...] = ()) -> Blocks:
    ends = np.cumsum([len(one.values) for one in segments])
    return Blocks(
        np.array([one.t0_us for one in segments]),
        np.array([one.fs_hz for one in segments]),
        np.append(0, ends[:-1]),
        ends,
        np.isin(np.arange(len(segments)), forced),
        np.concatenate([one.values for one in segments]),
    )


def arranged(*blocks: Segment, forced: tuple[int, ...] = ()) -> tuple[list[tuple[float, int]], dict[str, int]]:
    """((start s, samples) of each segment, codes)."""
    codes: Counter[str] = Counter()
    segments = arrange(blocks_of(*blocks, forced=forced), codes)
    return [((one.t0_us - T0) / SECOND_US, len(one.values)) for one in segments], dict(+codes)


def test_blocks_that_meet_become_one() -> None:
    assert arranged(block(0), block(60), block(120.05)) == ([(0, 1800)], {})


def test_forced_starts_stay_apart() -> None:
    assert arranged(block(0), block(60), forced=(1,)) == ([(0, 600), (60, 600)], {})


def test_a_forward_jump_parts() -> None:
    assert arranged(block(0), block(60.3)) == ([(0, 600), (60.3, 600)], {})


def test_repeated_blocks() -> None:
    assert arranged(block(0), block(0), block(60)) == ([(0, 1200)], {"T_DUP": 1})
    assert arranged(block(0), block(0, first=5), block(60)) == ([(0, 1200)], {"T_CONFLICT": 1})


def test_a_small_backward_jump_is_trimmed() -> None:
    assert arranged(block(0), block(58.5)) == ([(0, 600), (60, 585)], {"T_BACK": 1})
    assert arranged(block(0), block(59, 0.5)) == ([(0, 600)], {"T_BACK": 1})


def test_a_clock_reset_begins_a_segment_where_time_is_free() -> None:
    assert arranged(block(0), block(-300)) == ([(-300, 600), (0, 600)], {"CLK_RESET": 1})
    found, codes = arranged(block(0), block(60), block(30), block(90, 60))
    assert found == [(0, 1200), (120, 300)]
    assert codes == {"CLK_RESET": 1, "T_CONFLICT": 1}


@pytest.mark.parametrize("epoch_s", [0, 946_684_800, 1_262_304_000])
def test_a_fall_to_an_epoch_is_unplaceable(epoch_s: int) -> None:
    fallen = block(epoch_s + 5 - T0 / SECOND_US)
    assert arranged(block(0), fallen) == ([(0, 600)], {"CLK_RESET": 1})


def test_forged_times() -> None:
    huge = Segment(2**63 - 1, 10.0, np.zeros(9, np.int32))
    assert arranged(huge, block(0), Segment(-5, 10.0, np.zeros(9, np.int32))) == ([(0, 600)], {"CLK_IMPLAUS": 2})


def test_a_slow_true_rate_is_measured_over_a_run() -> None:
    drifting = [block(60.05 * i) for i in range(20)]
    (segment,) = arrange(blocks_of(*drifting), Counter())
    assert segment.fs_hz == pytest.approx(600 / 60.05, rel=1e-9)
    assert segment.end_us == pytest.approx(drifting[-1].end_us, abs=0.1 * SECOND_US)


@pytest.mark.parametrize(("spacing_s", "expected"), [(60, {}), (60.6, {}), (62, {"FS_DRIFT": 1}), (57, {"FS_DRIFT": 1}),
                                                     (70, {"FS_BAD": 1}), (50, {"FS_BAD": 1})])  # fmt: skip
def test_block_anchors_measure_the_rate(spacing_s: float, expected: dict[str, int]) -> None:
    codes: Counter[str] = Counter()
    blocks = blocks_of(*(block(spacing_s * i) for i in range(10)))
    measured = at_measured_rate(blocks, np.arange(10), codes)
    assert dict(+codes) == expected
    if "FS_BAD" in expected:
        assert arrange(measured, codes) == ()
    else:
        assert measured.fs_hz[0] == pytest.approx(600 / spacing_s)
        (segment,) = arrange(measured, codes)
        assert len(segment.values) == 6000


def test_gaps_are_no_drift() -> None:
    codes: Counter[str] = Counter()
    starts = [0, 60, 120, 400, 460, 520, 580, 900, 960, 1020]
    blocks = blocks_of(*map(block, starts))
    assert at_measured_rate(blocks, np.arange(10), codes) is blocks
    assert not +codes


def test_what_lies_before_a_forced_start_says_nothing_of_the_rate() -> None:
    codes: Counter[str] = Counter()
    blocks = blocks_of(*(block(62 * i) for i in range(10)), forced=tuple(range(10)))
    assert at_measured_rate(blocks, np.arange(10), codes) is blocks
    assert not +codes


def test_blocks_that_lie_together_are_not_copied() -> None:
    samples = np.arange(12, dtype=np.int32)
    low, high = np.array([2, 5, 7]), np.array([5, 7, 9])
    assert np.shares_memory(gathered(samples, low, high), samples)
    assert gathered(samples, low, high).tolist() == list(range(2, 9))
    assert gathered(samples, low[::-1], high[::-1]).tolist() == [7, 8, 5, 6, 2, 3, 4]


def test_whole_microseconds() -> None:
    found = whole_us(np.array([-np.inf, -1e300, 0.4, 1.5e15 + 0.5, 1e300]))
    assert found[2:4].tolist() == [0, 1_500_000_000_000_000]
    assert (found[:2] < 0).all()
    assert arranged(Segment(int(found[4]), 10.0, np.zeros(9, np.int32))) == ([], {"CLK_IMPLAUS": 1})


JITTERS_S = st.one_of(st.just(0.0), st.floats(-0.06, 0.06), st.sampled_from([0.1, -0.1, 60.0, -60.0]))


@settings(max_examples=200, deadline=None)
@given(st.lists(JITTERS_S, min_size=1, max_size=12), st.sampled_from([0.0, 0.01, 0.3]), st.sets(st.integers(0, 3)))
def test_the_short_way_gives_what_the_long_one_gives(jitters_s: list[float], slow_s: float, forced: set[int]) -> None:
    given_blocks = blocks_of(
        *(block((60 + slow_s) * i + jitter_s, first=600 * i) for i, jitter_s in enumerate(jitters_s)),
        forced=tuple(forced & {0, len(jitters_s) - 1}),
    )
    seq, long, short = np.arange(len(jitters_s)), Counter[str](), Counter[str]()
    segments = arrange(at_measured_rate(given_blocks, seq, long), long)
    found = in_order(given_blocks, seq, short)
    assert [(one.t0_us, one.fs_hz, one.values.tolist()) for one in found] == [
        (one.t0_us, one.fs_hz, one.values.tolist()) for one in segments
    ]
    assert +short == +long
