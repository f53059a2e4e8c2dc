"""Gain and offset of three axes, slowly."""

from __future__ import annotations

import numpy as np


def distance(points, scale, offset):  # type: ignore[no-untyped-def]
    return float(np.mean(np.abs(np.linalg.norm((points + offset) * scale, axis=1) - 1)))


def fit_sphere(points):  # type: ignore[no-untyped-def]
    scale, offset, weight, errors = np.ones(3), np.zeros(3), np.ones(len(points)), [np.inf]
    for _ in range(1000):
        calibrated = (points + offset) * scale
        target = calibrated / np.linalg.norm(calibrated, axis=1, keepdims=True)
        fitted = np.empty_like(target)
        for k in range(3):
            design = np.column_stack([np.ones(len(points)), calibrated[:, k]])
            root = np.sqrt(weight)[:, None]
            (start, slope), *_ = np.linalg.lstsq(design * root, target[:, k] * root[:, 0], rcond=None)
            offset[k] += start / (scale[k] * slope)
            scale[k] *= slope
            fitted[:, k] = start + slope * calibrated[:, k]
        residual = np.linalg.norm(fitted - target, axis=1)
        errors.append(float(np.average(residual**2, weights=weight)))
        with np.errstate(divide="ignore"):
            weight = np.minimum(1 / residual, 100)
        if abs(errors[-1] - errors[-2]) < 1e-10:
            break
    return scale, offset
