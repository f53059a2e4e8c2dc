"""The features of a night that are held against a person's own past, and how small a spread is believed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of `nights`, or one made here. `floor`: the least median absolute deviation, in `unit`."""

    name: str
    unit: str
    floor: float


FEATURES = (
    Feature("hr_median", "bpm", 0.5),
    Feature("hr_min5", "bpm", 0.5),
    Feature("hrv_ratio_median", "1", 0.1),
    Feature("ln_rmssd", "1", 0.05),
    Feature("perfusion_median", "%", 0.05),
    Feature("pulse_amp_ratio", "1", 0.05),
    Feature("rhr_p10", "bpm", 0.5),
    Feature("rr_median", "brpm", 0.2),
    Feature("rr_quiet_median", "brpm", 0.2),
    Feature("sdnn_median", "ms", 2.0),
    Feature("sleep_eff", "1", 0.01),
    Feature("tst_h", "h", 0.1),
    Feature("wst_median", "Cel", 0.05),
    Feature("wst_p99_stable", "Cel", 0.05),
)
"""By name. The floors of heart rate, breathing rate, skin temperature and ln_rmssd are those of the specification; the
others are chosen alike: about 5 % of what is usual, 6 min of sleep, 1 % of the sleep period."""

RATIO, PULSE = "pulse_amp_ratio", "pulse_amp_median"
"""Made here, and what it is made of: no unit is common to two persons or devices, so it is told as a multiple."""
SHIFTING = "wst_p99_stable"
"""What the three-over-six rule looks at."""
