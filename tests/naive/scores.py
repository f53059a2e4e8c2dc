"""Sums of forecast errors, row by row out of plain metrics."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from engine.backtest.scores import metrics
from engine.backtest.scores.sums import Rows
from engine.backtest.scores.table import NONE
from kernels.scores import SUMS

Key = tuple[int, bool, int, int]


def cells(rows: Rows) -> dict[Key, dict[str, float]]:
    """{(server, common, step, age): sums} of one series."""
    found: dict[Key, dict[str, float]] = defaultdict(lambda: dict.fromkeys(SUMS, 0.0))
    for o, j in np.ndindex(*rows.y.shape):
        y, f, b = rows.y[o, j], rows.yhat[o, j], rows.baseline[o, j]
        if np.isnan(y):
            continue
        server = NONE if np.isnan(f) else int(rows.served[o, j])
        age = -1 if server == NONE else int(rows.age_h[o, j])
        cell = found[server, bool(rows.common[o]), j + 1, age]
        row = {"n_due": 1.0}
        scale, square = rows.scale[o], rows.scale_square[o]
        has_scale = scale > 0 and square > 0
        if not np.isnan(b):
            row |= {"n_baseline": 1.0, "abs_baseline": abs(y - b)}
            if has_scale:
                row |= {"n_scaled_baseline": 1.0, "scaled_baseline": metrics.mase([y], [b], scale)}
        if not np.isnan(f):
            row |= {
                "n": 1.0,
                "abs_error": metrics.mae([y], [f]),
                "square_error": metrics.rmse([y], [f]) ** 2,
                "error": metrics.bias([y], [f]),
                "smape": metrics.smape([y], [f]),
                "abs_beside": 0.0 if np.isnan(b) else abs(y - f),
            }
            if has_scale:
                row |= {
                    "n_scaled": 1.0,
                    "scaled_abs": metrics.mase([y], [f], scale),
                    "scaled_square": metrics.rmsse([y], [f], square) ** 2,
                }
            row |= quantiles(y, rows.q10[o, j], rows.q50[o, j], rows.q90[o, j])
        for name, value in row.items():
            cell[name] += value
    return dict(found)


def quantiles(y: float, q10: float, q50: float, q90: float) -> dict[str, float]:
    if np.isnan([q10, q50, q90]).any():
        return {}
    return {
        "n_quantiles": 1.0,
        "abs_y": abs(y),
        "pinball10": metrics.pinball([y], [q10], 0.1),
        "pinball50": metrics.pinball([y], [q50], 0.5),
        "pinball90": metrics.pinball([y], [q90], 0.9),
        "width": q90 - q10,
        "n_covered": metrics.coverage([y], [q10], [q90]),
    }
