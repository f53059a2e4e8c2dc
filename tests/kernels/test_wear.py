from __future__ import annotations

import numpy as np
import pytest

from kernels import wear as kernel
from tests.naive import wear as naive


def _flags(n: int, seed: int, share: float = 0.5):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng([n, seed])
    return np.repeat(rng.random(n // 4 + 1) < share, 4)[:n] ^ (rng.random(n) < 0.1)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 100])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("compiled", [True, False])
def test_all_equal_the_naive_twins(n: int, seed: int, compiled: bool) -> None:
    off, on = _flags(n, seed), _flags(n, seed + 10)
    runs, latch, islands = (f if compiled else f.py_func for f in (kernel.runs, kernel.latch, kernel.islands))
    starts, ends = runs(off)
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == naive.runs(off.tolist())
    assert latch(off, on).tolist() == naive.latch(off.tolist(), on.tolist())
    assert islands(off, 20, 0.3, 8, 0.8).tolist() == naive.islands(off.tolist(), 20, 0.3, 8, 0.8)
    long_runs = kernel.long_runs if compiled else kernel.long_runs.py_func
    assert long_runs(off, 3).tolist() == naive.long_runs(off.tolist(), 3)


@pytest.mark.parametrize("compiled", [True, False])
def test_spreads_equal_the_naive_twin(compiled: bool) -> None:
    rng = np.random.default_rng(6)
    samples = [rng.integers(-2000, 2000, (k, 3)) for k in [0, 0, *rng.integers(0, 40, 50)]]
    count = np.array([len(one) for one in samples])
    total, squares = (np.array([(one**power).sum(axis=0) for one in samples]) for power in (1, 2))
    starts = np.array([0, 0, 0, 3, 20, 52])
    ends = np.array([0, 2, 52, 9, 21, 52])
    spreads = kernel.spreads if compiled else kernel.spreads.py_func
    number, mean, sd = spreads(count, total, squares, starts, ends)
    told = naive.spreads(samples, starts, ends)
    assert number.tolist() == told[0]
    assert mean == pytest.approx(np.array(told[1]), rel=1e-9)
    assert sd == pytest.approx(np.array(told[2]), rel=1e-9)


def test_all_true_is_one_run() -> None:
    starts, ends = kernel.runs(np.ones(5, np.bool_))
    assert (starts.tolist(), ends.tolist()) == ([0], [5])


def test_an_island_between_long_nonwear_sinks_and_a_large_one_stays() -> None:
    def with_wear(hours: int):  # type: ignore[no-untyped-def]
        nonwear = np.ones(10 * 6 + hours * 6, np.bool_)
        nonwear[30 : 30 + hours * 6] = False
        return kernel.islands(nonwear, 36, 0.3, 18, 0.8)

    assert with_wear(2).all()
    assert not with_wear(7).all()
