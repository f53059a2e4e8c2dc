"""Heart rate and variability against the truth of generated nights."""

from __future__ import annotations

import numpy as np
import pytest

from engine.module import RawFile
from engine.night import clean
from engine.night.formats import parse
from engine.night.grid import EPOCH_US, cover
from engine.night.signals import motion, ppg
from engine.simulate import nights


@pytest.mark.parametrize("user", [0, 1])
def test_rate_and_variability_of_a_generated_night(user: int) -> None:
    night = nights.draw(seed=7, user=user, hours=3.0)
    (recording,), _ = parse.read([RawFile("night.zip", night.zip())], 512)
    recording = clean.clean(recording, None)
    grid = cover(recording.start_us, recording.end_us)
    moved = motion.measure(recording, grid)
    assert moved is not None
    found = ppg.measure(recording, grid, moved.enmo_mg)
    truth = night.truth.epochs
    epoch = (truth["ts"].dt.timestamp("us").to_numpy() - grid.start_us) // EPOCH_US
    rates = {}
    for name in ("hr_bpm", "rmssd_ms"):
        rates[name] = np.full(grid.n, np.nan)
        rates[name][epoch] = truth[name].cast(float).to_numpy()
    good = found.q_ppg >= ppg.GOOD
    assert good.mean() > 0.6
    assert np.nanmean(np.abs(found.hr_bpm - rates["hr_bpm"])[good]) <= 0.5
    both = good & np.isfinite(found.rmssd_ms) & np.isfinite(rates["rmssd_ms"])
    assert both.mean() > 0.5
    for average in (np.mean, np.median):
        assert average(found.rmssd_ms[both]) == pytest.approx(average(rates["rmssd_ms"][both]), rel=0.05)
