from __future__ import annotations

import numpy as np
import pytest

from kernels import psi as kernel
from tests.naive import psi as naive


@pytest.mark.parametrize(
    ("e", "a", "told"),
    [
        ([0.25] * 4, [0.2, 0.3, 0.3, 0.2], 0.0405465108),
        ([0.1] * 10, [0.05] * 3 + [0.1] * 4 + [0.15] * 3, 0.1647918433),
        ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5], 0.5497744391),
        ([0.5, 0.5], [1.0, 0.0], 4.6043185),
    ],
)
def test_known_answers_h5_psi(e: list[float], a: list[float], told: float) -> None:
    assert kernel.psi(np.array(e), np.array(a)) == pytest.approx(told, abs=5e-8)
    assert kernel.psi(np.array(e), np.array(e)) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 9, 300])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("digits", [0, 6])
def test_it_equals_its_naive_twin(n: int, missing: float, digits: int) -> None:
    rng = np.random.default_rng(n)
    reference, test = (rng.normal(at, 1, n).round(digits) for at in (0, 1))
    for x in (reference, test):
        x[rng.random(n) < missing] = np.nan
    if n > 20:
        test[3:5] = np.inf, -1e300
    edges = kernel.inner_edges(reference)
    assert edges.tolist() == naive.inner_edges(reference)
    pairs = [(kernel.shares(x, edges), naive.shares(x, edges)) for x in (reference, test)]
    assert all(found.tolist() == told for found, told in pairs)
    assert kernel.psi(*(found for found, _ in pairs)) == pytest.approx(naive.psi(*(told for _, told in pairs)))


def test_missing_values_have_a_bin_of_their_own() -> None:
    reference, test = np.arange(1000.0), np.arange(1000.0)
    test[::5] = np.nan
    edges = kernel.inner_edges(reference)
    assert len(edges) == 9
    assert kernel.shares(test, edges)[-1] == 0.2
    assert kernel.psi(kernel.shares(reference, edges), kernel.shares(test, edges)) > 1
