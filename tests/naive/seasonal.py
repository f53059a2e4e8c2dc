"""Slow, obvious forms of kernels/seasonal.py: one origin at a time, the whole slice and what followed in one list."""

from __future__ import annotations

import math

from kernels.seasonal import Z90


def seasonal_naive(y: list[float], end: int, season: int, steps: int) -> tuple[list[float], list[float]]:
    """Mean and 90 % quantile from the end of y, where the fit ended at `end`."""
    differences = [y[t] - y[t - season] for t in range(season, end)]
    spread = math.sqrt(sum(d * d for d in differences) / len(differences)) if differences else math.nan
    mean = [y[len(y) - season + j % season] for j in range(steps)]
    return mean, [mean[j] + Z90 * spread * math.sqrt(j // season + 1) for j in range(steps)]


def average(y: list[float], size: int, steps: int) -> list[float]:
    return [sum(y[-size:]) / size] * steps
