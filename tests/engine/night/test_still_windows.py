from __future__ import annotations

import numpy as np

from engine.night.still_windows import direction, table, thinned
from engine.night.tables import STILL_WINDOWS
from tests.engine.night.hand import night, session, source, us
from tests.kernels.test_sphere import directions

START_US = us("2026-01-10T22:00")


def test_directions_are_96_cells_of_like_size() -> None:
    count = np.bincount(direction(directions(96_000)), minlength=96)
    assert len(count) == 96
    assert count.min() > 400 and count.max() < 2000
    points = directions(1000, 1)
    assert (direction(points) == direction(points * 3.0)).all()
    assert direction(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0]])).max() < 96


def test_two_windows_of_each_direction_night_and_device() -> None:
    points = np.repeat(directions(5, 2), 100, axis=0)
    nights, devices = np.repeat([1, 2], 250).astype(np.int32), np.array([0, 1] * 250)
    kept = thinned(points, nights, devices)
    assert (np.diff(kept) > 0).all()
    groups = list(zip(nights[kept].tolist(), devices[kept].tolist(), direction(points[kept]).tolist(), strict=True))
    assert all(groups.count(group) == 2 for group in groups)
    assert len(set(groups)) == 2 * 2 * 3  # the third direction lies in both nights
    assert thinned(points[:1], nights[:1], devices[:1]).tolist() == [0]
    assert thinned(points[:0], nights[:0], devices[:0]).tolist() == []


def test_rows_hold_still_epochs_only() -> None:
    means = np.full((720, 3), np.nan)
    means[100:110] = [0.0, 0.6, 0.8]
    made = table(night(2, START_US, {"still_g": means}), (session(START_US, 2),), source())
    assert made.schema.equals(STILL_WINDOWS.schema, check_metadata=True)
    made.validate(full=True)
    assert made["device"].to_pylist() == ["Empatica E4 of p"] * 2
    assert made["z_g"].to_pylist() == [0.8, 0.8]
    assert [round((t.timestamp() - START_US / 1e6) / 10) for t in made["ts"].to_pylist()] == [102, 107]
    assert table(night(2, START_US), (session(START_US, 2),), source()).num_rows == 0
