"""The benchmark of calibration: a made device always, a real one where its recordings are."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.calibration import against_truth, ours, real


def test_a_made_device_is_found() -> None:
    found = against_truth("nightmill", ours)
    assert found["scale_off"] < 2e-4 and found["offset_off_mg"] < 0.5


@pytest.mark.real
def test_later_nights_of_a_real_device_are_better(shared_data: Path) -> None:
    (found,) = real(shared_data / "nurse_e4", "5C/*.zip")
    assert found["end"] < 10 < found["start"]
    assert found["later"] > 50 and found["later_after"] < found["later_before"] / 3
