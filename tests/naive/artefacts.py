"""Artefacts among intervals, after figure 1 of Lipponen & Tarvainen 2019."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def thresholds(x: Floats) -> Floats:
    limits = []
    for i in range(len(x)):
        q1, q3 = np.quantile(np.abs(x[max(i - 45, 0) : i + 46]), [0.25, 0.75])
        limits.append(max(5.2 * (q3 - q1) / 2, 8.0))
    return np.array(limits)


def running_median(x: Floats) -> Floats:
    return np.array([np.median(x[max(i - 5, 0) : i + 6]) for i in range(len(x))])


def classify(rr: Floats) -> list[str]:
    n = len(rr)
    kinds = ["normal"] * n
    if n < 3:
        return kinds
    drr = np.diff(rr, prepend=rr[0])
    drr = drr / thresholds(drr)
    med = running_median(rr)
    mrr = rr - med
    mrr = np.where(mrr < 0, 2 * mrr, mrr)
    th2 = thresholds(mrr)
    mrr = mrr / th2
    d = dict(enumerate(drr)) | {-1: drr[1], n: drr[n - 2]}
    i = 0
    while i < n - 2:
        if abs(d[i]) <= 1:
            i += 1
            continue
        s12 = max(d[i - 1], d[i + 1]) if d[i] > 0 else min(d[i - 1], d[i + 1])
        if (d[i] > 1 and s12 < -0.13 * d[i] - 0.17) or (d[i] < -1 and s12 > -0.13 * d[i] + 0.17):
            kinds[i] = "ectopic"
            i += 1
            continue
        candidates = [i, i + 1] if abs(d[i + 1]) < abs(d[i + 2]) else [i]
        for j in candidates:
            s22 = min(d[j + 1], d[j + 2]) if d[j] >= 0 else max(d[j + 1], d[j + 2])
            long, short = d[j] > 1 and s22 < -1, d[j] < -1 and s22 > 1
            if not (long or short or abs(mrr[j]) > 3):
                continue
            if short and abs(rr[j] + rr[j + 1] - med[j]) < th2[j]:
                kinds[j] = "extra"
            elif long and abs(rr[j] / 2 - med[j]) < th2[j]:
                kinds[j] = "missed"
            else:
                kinds[j] = "longshort"
        i += len(candidates)
    return kinds
