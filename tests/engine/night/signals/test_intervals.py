from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.night.signals.intervals import clean_intervals, correct
from kernels.artefacts import ECTOPIC, EXTRA, LONGSHORT, MISSED, classify

PLACE = np.arange(200)
RR = np.round(800 + 25 * np.sin(2 * np.pi * PLACE / 12) + 10 * np.sin(2 * np.pi * PLACE / 5))
BEATS = np.concatenate([[0.0], np.cumsum(RR)])


def _rmssd(beats: NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean(np.diff(np.diff(beats)) ** 2)))


def _marked(beats: NDArray[np.float64]) -> dict[int, list[int]]:
    """Number of the beat that ends each marked interval, by class."""
    kinds = classify(np.diff(beats))
    return {int(k): (np.flatnonzero(kinds == k) + 1).tolist() for k in np.unique(kinds) if k}


def test_known_answer_c6_nothing_flagged() -> None:
    assert _marked(BEATS) == {}
    assert _rmssd(BEATS) == pytest.approx(12.508489579, rel=1e-9)


def test_known_answer_c6_missed() -> None:
    beats = np.delete(BEATS, 100)
    assert _marked(beats) == {MISSED: [100]}
    assert _rmssd(beats) == pytest.approx(83.162006, abs=1e-6)
    corrected = correct(beats.astype(np.int64), classify(np.diff(beats)))
    assert (corrected[100], BEATS[100]) == (80060, 80057)
    assert _rmssd(corrected) == pytest.approx(12.501256, abs=1e-6)


def test_known_answer_c6_extra() -> None:
    beats = np.insert(BEATS, 101, BEATS[100] + 300)
    assert _marked(beats) == {EXTRA: [101], LONGSHORT: [102]}
    np.testing.assert_array_equal(correct(beats.astype(np.int64), classify(np.diff(beats))), BEATS)


def test_known_answer_c6_ectopic() -> None:
    beats = BEATS.copy()
    beats[100] -= 200
    assert _marked(beats) == {ECTOPIC: [101], LONGSHORT: [100]}


def test_marks_become_invalid_and_nothing_else() -> None:
    beats = clean_intervals([(np.delete(BEATS, 100) * 1000).astype(np.int64)])
    assert np.isnan(beats.ibi_ms[0])
    assert np.flatnonzero(~beats.valid).tolist() == [0, 100]


@pytest.mark.parametrize(("interval_ms", "valid"), [(299.999, False), (300, True), (2000, True), (2000.001, False)])
def test_range(interval_ms: float, valid: bool) -> None:
    beats = clean_intervals([np.array([0, round(interval_ms * 1000)])])
    assert beats.valid.tolist() == [False, valid]


def test_no_interval_across_a_hole() -> None:
    first = np.arange(5) * 900_000
    beats = clean_intervals([first, np.empty(0, np.int64), first + 5 * 900_000, np.array([20_000_000])])
    assert np.flatnonzero(np.isnan(beats.ibi_ms)).tolist() == [0, 5, 10]
    assert np.flatnonzero(~beats.valid).tolist() == [0, 5, 10]
    assert (np.diff(beats.t_us) > 0).all()


@pytest.mark.parametrize("runs", [[], [np.empty(0, np.int64)], [np.array([5])]])
def test_too_little_for_an_interval(runs: list[NDArray[np.int64]]) -> None:
    beats = clean_intervals(runs)
    assert len(beats.t_us) == len(beats.ibi_ms) == len(beats.valid) == sum(map(len, runs))
    assert not beats.valid.any()
