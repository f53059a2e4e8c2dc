"""Which configurations are worth their cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def front(cost: Floats, error: Floats) -> NDArray[np.bool_]:
    """(k,) bool: no other costs as little and errs less, or costs less and errs as little. NaN is on no front.

    >>> front(np.array([1.0, 2, 3, 2]), np.array([5.0, 4, 4, 6])).tolist()
    [True, True, False, False]
    """
    order = np.lexsort((error, cost))
    on_front = np.zeros(len(cost), np.bool_)
    least, least_cost = np.inf, -np.inf
    for i in order.tolist():
        if np.isnan(cost[i]) or np.isnan(error[i]):
            continue
        if error[i] < least or (error[i] == least and cost[i] == least_cost):
            on_front[i], least, least_cost = True, error[i], cost[i]
    return on_front
