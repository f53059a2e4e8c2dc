"""Theta with its weight optimised and a line that learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.backtest.models.theta import Theta


@dataclass(frozen=True, slots=True)
class DynamicOptimizedTheta(Theta):
    """DOTM of Fiorucci et al. 2016, 10.1016/j.ijforecast.2015.12.007."""

    name: ClassVar[str] = "dynamic_optimized_theta"
    code: ClassVar[int] = 3
