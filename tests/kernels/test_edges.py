from __future__ import annotations

import pytest

from kernels import edges as kernel
from tests.naive import edges as naive

T0_US = 1_594_751_512_345_678


@pytest.mark.parametrize("form", [kernel.first_samples, kernel.first_samples.py_func], ids=["compiled", "plain"])
@pytest.mark.parametrize("fs_hz", [0.5, 4.0, 31.99871, 100.0])
@pytest.mark.parametrize("early_us", [-70_000_000, -2_345_678, 0, 1, 12_345_678, 400_000_000])
def test_equals_the_naive_twin(form, fs_hz: float, early_us: int) -> None:  # type: ignore[no-untyped-def]
    args = (T0_US, fs_hz, 300, T0_US - early_us, 5_000_000, 20)
    assert form(*args).tolist() == naive.first_samples(*args)


def test_no_slots_have_one_edge() -> None:
    assert kernel.first_samples(0, 1.0, 5, 3_000_000, 1_000_000, 0).tolist() == [3]
