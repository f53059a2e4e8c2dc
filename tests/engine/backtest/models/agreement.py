"""What every swept model must keep, whatever it computes: each function takes the model and fails where it does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from engine.backtest.contract import COLD, FitError, Fits, Floats, Paths, Sweeping
from tests.engine.backtest.models.replay import forecasts_equally_elsewhere


def daily(n: int, seed: int = 0, level: float = 70.0, swing: float = 8.0, noise: float = 1.5) -> Floats:
    """A daily rhythm about a slow random walk, hourly, positive."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n)
    drift = np.cumsum(rng.normal(0, 0.15, n))
    beat = swing * np.sin(2 * np.pi * hours / 24) + 0.4 * swing * np.cos(4 * np.pi * hours / 24)
    return level + drift + beat + rng.normal(0, noise, n)


def rolling(y: Floats, windows: tuple[int, ...], cuts: range, steps: int = 24, evaluations: int = 200) -> Fits:
    """Fits of every window at every cutoff; daily anchors; each serves six hours or up to the next day."""
    start, end, first, at, anchor, chosen = [], [], [0], [], [], []
    for window in windows:
        last = COLD
        for cut in cuts:
            is_anchor = cut % 24 == 0
            last = len(start) if is_anchor else last
            anchor.append(COLD if is_anchor else last)
            chosen.append(COLD if is_anchor else last)
            start.append(cut - window)
            end.append(cut)
            at += range(cut, min(cut + (25 if is_anchor else 6), y.size + 1))
            first.append(len(at))
    arrays = [np.array(part, np.int64) for part in (start, end, first, at, anchor, chosen)]
    return Fits(*arrays, ("",) * len(start), steps, evaluations)


def one_by_one(
    model: Sweeping, y: Floats, fits: Fits
) -> tuple[list[Any], list[str], list[str], list[int], list[Paths]]:
    """The sweep as the contract words it."""
    params: list[Any] = []
    forms: list[str] = []
    failures, evaluations, paths = [], [], []
    for i in range(fits.start.size):
        piece = y[fits.start[i] : fits.end[i]].copy()
        form = fits.form[i]
        if model.selects and not form:
            form = forms[fits.chosen[i]] if fits.chosen[i] != COLD else model.select(piece, fits.evaluations)
        warm = params[fits.anchor[i]] if fits.anchor[i] != COLD else None
        at = fits.at[fits.first[i] : fits.first[i + 1]]
        forms.append(form)
        try:
            fitted = model.fit(piece, form, warm, fits.evaluations)
        except FitError as error:
            params.append(None)
            failures.append(str(error))
            evaluations.append(0)
            paths.append(Paths(np.full((at.size, fits.steps), np.nan)))
            continue
        params.append(json.loads(json.dumps(fitted.params, allow_nan=False)))
        failures.append("")
        evaluations.append(fitted.evaluations)
        after = y[fits.end[i] : at[-1]].copy()
        paths.append(model.predict(params[-1], after, at - fits.end[i], fits.steps))
    return params, failures, forms, evaluations, paths


def sweep_equals_one_by_one(model: Sweeping, y: Floats, fits: Fits) -> None:
    swept = model.sweep(y, fits)
    params, failures, forms, evaluations, paths = one_by_one(model, y, fits)
    assert list(swept.params) == params
    assert list(swept.failures) == failures
    assert list(swept.form) == forms
    assert swept.evaluations.tolist() == evaluations
    np.testing.assert_array_equal(swept.paths.mean, np.concatenate([path.mean for path in paths]))
    if swept.paths.low is not None and not any(failures):
        np.testing.assert_array_equal(swept.paths.low, np.concatenate([path.low for path in paths]))
        np.testing.assert_array_equal(swept.paths.high, np.concatenate([path.high for path in paths]))


def subset_equals_whole(model: Sweeping, y: Floats, windows: tuple[int, ...], cuts: range) -> None:
    """A fit does not depend on which others are asked for (its anchor comes along)."""
    whole = model.sweep(y, rolling(y, windows, cuts))
    at = 0
    for window in windows:
        part = model.sweep(y, rolling(y, (window,), cuts))
        assert list(whole.params[at : at + len(part.params)]) == list(part.params)
        at += len(part.params)


def nothing_after_an_origin_matters(model: Sweeping, y: Floats, fits: Fits, poison: float) -> None:
    """Poison test: rows made at or before an origin do not change when all that follows does."""
    clean = model.sweep(y, fits)
    for origin in (int(fits.end[len(fits.end) // 2]), int(np.median(fits.at))):
        bad = y.copy()
        bad[origin:] = poison
        swept = model.sweep(bad, fits)
        known = np.flatnonzero(fits.end <= origin)
        assert [swept.params[i] for i in known] == [clean.params[i] for i in known]
        owner = np.repeat(fits.end, np.diff(fits.first))
        rows = (fits.at <= origin) & (owner <= origin)
        for ours, theirs in ((swept.paths.mean, clean.paths.mean), (swept.paths.low, clean.paths.low)):
            if ours is not None and theirs is not None:
                np.testing.assert_array_equal(ours[rows], theirs[rows])


def errors_by_age(model: Sweeping, seeds: range, window: int) -> Floats:
    """Mean absolute error of the first step by age, 0 … 23 h, on stationary seasonal series: (24,) float64."""
    total = np.zeros(24)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        y = 70 + 8 * np.sin(2 * np.pi * np.arange(window + 24 * 30) / 24) + rng.normal(0, 1.5, window + 24 * 30)
        cuts = np.arange(window, y.size - 24, 24)
        at = (cuts[:, None] + np.arange(24)).ravel()
        none = np.full(cuts.size, COLD)
        first = 24 * np.arange(cuts.size + 1)
        paths = model.sweep(y, Fits(cuts - window, cuts, first, at, none, none, ("",) * cuts.size, 1, 200)).paths
        total += np.abs(y[at] - paths.mean[:, 0]).reshape(-1, 24).mean(axis=0)
    return total / len(seeds)


def json_forecasts_equally_elsewhere(models: Sequence[Sweeping], y: Floats) -> None:
    """The JSON of fits, in a new process, forecasts the same bits."""
    after, at = y[168:200], np.array([0, 3, 32])
    asks = []
    for model in models:
        form = model.select(y[:168], 200) if model.selects else ""
        params = json.dumps(model.fit(y[:168], form, None, 200).params, allow_nan=False)
        asks.append(
            {
                "module": type(model).__module__, "name": type(model).__name__,
                "parameters": asdict(model),  # type: ignore[call-overload]
                "params": json.loads(params), "after": after.tolist(), "at": at.tolist(), "steps": 30,
            }
        )  # fmt: skip
    forecasts_equally_elsewhere(models, asks)


def short_slices_fail_alone(model: Sweeping, y: Floats) -> None:
    """A slice below the model's least fails with a sentence; its neighbours stay as they were."""
    fits = rolling(y, (168,), range(240, 246), 5)
    start = fits.start.copy()
    start[2] = fits.end[2] - model.shortest + 1
    swept, clean = model.sweep(y, replace(fits, start=start)), model.sweep(y, fits)
    assert swept.params[2] is None and "fewer hours" in swept.failures[2]
    rows = np.repeat(np.arange(6), np.diff(fits.first))
    assert np.isnan(swept.paths.mean[rows == 2]).all()
    np.testing.assert_array_equal(swept.paths.mean[rows != 2], clean.paths.mean[rows != 2])
