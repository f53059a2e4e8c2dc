from __future__ import annotations

import numpy as np
import pytest

from engine.night.grid import cover
from engine.night.signals import perfusion, ppg
from tests.engine.night.hand import EVENING_US, channel, recording


def _wave(mean: float, **info: object):  # type: ignore[no-untyped-def]
    t = np.arange(64 * 120) / 64
    values = np.rint(1000 * (mean + 10 * np.sin(2 * np.pi * 1.25 * t))).astype(np.int32)
    made = recording([channel("ppg_green", (EVENING_US, 64.0, values), scale=0.001, **info)])
    grid = cover(made.start_us, made.end_us)
    pulse = ppg.measure(made, grid, np.zeros(grid.n))
    return perfusion.measure(made, grid, pulse.pulse_amp)


def test_known_answer_d3() -> None:
    assert _wave(1000.0, has_dc=True)[2:-2] == pytest.approx(2.0, rel=0.01)


def test_a_signal_turned_over_has_the_same() -> None:
    assert _wave(-1000.0, has_dc=True, polarity=-1)[2:-2] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("mean", "info"), [(1000.0, {}), (0.0, {"has_dc": False}), (-1000.0, {"has_dc": True})])
def test_no_mean_of_light_no_perfusion(mean: float, info: dict[str, bool]) -> None:
    assert not np.isfinite(_wave(mean, **info)).any()


def test_no_ppg_no_perfusion() -> None:
    made = recording([channel("acc_x", (EVENING_US, 1.0, [0] * 60))])
    assert not np.isfinite(perfusion.measure(made, cover(made.start_us, made.end_us), np.ones(6))).any()
