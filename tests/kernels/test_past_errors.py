"""What past errors tell, kernel by kernel; all of serving against its definition: tests/engine/backtest/serve."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import past_errors as kernel

FORMS = pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])


@FORMS
@pytest.mark.parametrize("seed", range(6))
def test_quantiles_of_earlier_errors(seed: int, plain: bool) -> None:
    """Known later than made, in any order, with ties and gaps: still the plain ranks of what is known."""
    rng = np.random.default_rng(seed)
    c, n, steps, least = 2, 60, 3, 9
    errors = rng.normal(0, 1, (c, steps, n)).round(int(rng.integers(0, 3)))
    errors[rng.random(errors.shape) < 0.2] = np.nan
    bins = np.minimum(np.arange(n) + rng.integers(1, 12, (steps, n)), n)
    out = np.empty((3, c, n, steps))
    form = kernel.error_quantiles.py_func if plain else kernel.error_quantiles
    form(errors, np.argsort(errors, axis=2), np.argsort(bins, axis=1, kind="stable"), bins, least, out)
    for k in range(c):
        for i in range(n):
            for j in range(steps):
                known = errors[k, j, bins[j] <= i]
                known = np.sort(known[np.isfinite(known)])
                m = len(known)
                low = (m + 1) // 10
                wanted = (known[low - 1], np.median(known), known[m - low]) if m >= least and low else (np.nan,) * 3
                np.testing.assert_array_equal(out[:, k, i, j], wanted)


@pytest.mark.parametrize("n", [9, 19, 40, 99])
def test_a_new_error_lies_outside_at_most_as_often_as_promised(n: int) -> None:
    """Exchangeable errors: 20 % at most outside both ends together, and nearly that for many errors."""
    rng = np.random.default_rng(n)
    errors = np.ascontiguousarray(rng.normal(0, 1, (4000, 1, n + 1)))
    bins = np.arange(1, n + 2)[None, :].astype(np.int64)
    out = np.empty((3, 4000, n + 1, 1))
    kernel.error_quantiles(errors, np.argsort(errors, axis=2), np.argsort(bins, axis=1), bins, 1, out)
    inside = (errors[:, 0, n] >= out[0, :, n, 0]) & (errors[:, 0, n] <= out[2, :, n, 0])
    assert inside.mean() == pytest.approx(1 - 2 * ((n + 1) // 10) / (n + 1), abs=0.02)
    assert inside.mean() > 0.78


def test_windows_add_up_their_own_rows_only() -> None:
    binned = np.array([[[1.0, 1e300, 2.0, 3.0, 4.0]]])
    out = np.empty_like(binned)
    kernel.sum_windows(binned, np.array([0, 0, 1, 2, 3]), out)
    assert out.tolist() == [[[1.0, 1e300, 1e300, 5.0, 7.0]]]
