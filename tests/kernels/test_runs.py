from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.runs import SECOND_US, follow, unbroken
from tests.naive import runs as naive

T0 = 1_600_000_000
STEPS_US = st.one_of(
    st.just(0), st.integers(-200_000, 200_000), st.integers(-4_000_000, 4_000_000), st.sampled_from([-(10**12), 10**12])
)
JUMPS_S = st.sampled_from([None] * 12 + [0, 946_684_800, 1_262_304_001, 1_264_982_400])
BLOCKS = st.lists(
    st.tuples(STEPS_US, st.sampled_from([10.0, 32.0, 64.0, 0.1, 97.3]), st.integers(1, 640), st.booleans(), JUMPS_S),
    max_size=30,
)


def followed(blocks: list[naive.Block]) -> tuple[list[int], list[int], int, int]:
    run, skip = np.empty((2, len(blocks)), np.int64)
    t0_us, fs_hz, sizes, forced = zip(*blocks, strict=True) if blocks else ((), (), (), ())
    resets, backs = follow(
        np.array(t0_us, np.float64), np.array(fs_hz), np.array(sizes, np.int64), np.array(forced, np.bool_), run, skip
    )
    return run.tolist(), skip.tolist(), resets, backs


@settings(max_examples=300, deadline=None)
@given(BLOCKS)
def test_as_the_naive_twin(parts: list[tuple[int, float, int, bool, int | None]]) -> None:
    blocks: list[naive.Block] = []
    at_us = T0 * SECOND_US
    for step_us, fs_hz, size, forced, jump_s in parts:
        at_us = max(at_us + step_us, 0) if jump_s is None else jump_s * SECOND_US
        blocks.append((at_us, fs_hz, size, forced))
        at_us += round(size * SECOND_US / fs_hz)
    assert followed(blocks) == naive.follow(blocks)


def test_one_of_each() -> None:
    second = SECOND_US
    met = (T0 * second, 10.0, 10, False)
    assert followed([met, ((T0 + 1) * second, 10.0, 10, False)]) == ([0, 0], [0, 0], 0, 0)
    assert followed([met, ((T0 + 1) * second, 10.0, 10, True)]) == ([0, 1], [0, 0], 0, 0)
    assert followed([met, (T0 * second + 500_000, 10.0, 10, False)]) == ([0, 1], [0, 5], 0, 1)
    assert followed([met, (T0 * second + 500_000, 10.0, 5, False)]) == ([0, -1], [0, 5], 0, 1)
    assert followed([met, ((T0 - 60) * second, 10.0, 10, False)]) == ([0, 1], [0, 0], 1, 0)
    assert followed([met, (0, 10.0, 10, False)]) == ([0, -1], [0, 0], 1, 0)
    slow = (T0 * second, 0.1, 1, False)
    assert followed([slow, ((T0 + 8) * second, 0.1, 1, False)]) == ([0, 0], [0, 0], 0, 0)
    assert followed([slow, ((T0 + 8) * second - 1, 0.1, 1, False)]) == ([0, 1], [0, 0], 1, 0)
    assert followed([]) == ([], [], 0, 0)


def whole(blocks: list[naive.Block]) -> bool:
    t0_us, fs_hz, sizes, forced = zip(*blocks, strict=True) if blocks else ((), (), (), ())
    found: bool = unbroken(
        np.array(t0_us, np.int64), np.array(fs_hz, np.float64), np.array(sizes, np.int64), np.array(forced, np.bool_)
    )
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(-60_000, 60_000), max_size=12), st.sampled_from([32.0, 97.3]), st.integers(1, 640))
def test_unbroken_as_the_naive_twin(steps_us: list[int], fs_hz: float, most: int) -> None:
    for scale in (1, 20, 1000):
        blocks: list[naive.Block] = []
        at_us = T0 * SECOND_US
        for number, step_us in enumerate(steps_us):
            size = max(1, most - number % 2)
            blocks.append((at_us + step_us // scale, fs_hz, size, number == 0))
            at_us += round(size * SECOND_US / fs_hz)
        assert whole(blocks) == naive.unbroken(blocks)


def test_what_breaks_a_run() -> None:
    second = SECOND_US
    met = (T0 * second, 10.0, 10, True)
    assert whole([met]) and whole([met, ((T0 + 1) * second, 10.0, 10, False)])
    assert not whole([])
    assert not whole([met, ((T0 + 1) * second, 10.0, 10, True)])
    assert not whole([met, ((T0 + 1) * second, 10.1, 10, False)])
    assert not whole([met, (T0 * second, 10.0, 10, False)])
    assert not whole([met, ((T0 + 1) * second + 60_000, 10.0, 10, False)])
    assert not whole([(-1, 10.0, 10, False)]) and not whole([(2**62, 10.0, 10, False)])
    assert not whole([met] + [((T0 + 1 + i) * second + 30_000 * i, 10.0, 10, False) for i in range(5)])
