"""H7.6: what is implausible is one function's to say, for nights, hours and the series that models are fitted to."""

from __future__ import annotations

import re
from pathlib import Path

from engine.backtest.series import clean, hourly
from engine.backtest.serve import ensemble
from engine.night import readings
from engine.vitals import hours, plausibility

ENGINE = Path(__file__).resolve().parents[2] / "engine"


def test_all_judge_plausibility_by_one_function() -> None:
    assert hours.plausible is ensemble.plausible is readings.plausible is plausibility.plausible
    assert clean.LIMITS is hourly.LIMITS is ensemble.LIMITS is plausibility.LIMITS
    assert hours.within_rate is hourly.within_rate is plausibility.within_rate
    assert clean.to_celsius is readings.to_celsius is plausibility.to_celsius
    defining = [p.name for p in ENGINE.rglob("*.py") if re.search(r"^(def plausible|LIMITS\b)", p.read_text(), re.M)]
    assert defining == ["plausibility.py"]
