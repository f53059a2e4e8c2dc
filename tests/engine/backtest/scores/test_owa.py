from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.metrics import mase, seasonal_scale, smape
from engine.backtest.scores.owa import is_seasonal, naive2, owa, seasonal_index


def test_multiplicative_season_is_continued_in_phase() -> None:
    figure = np.array([0.8, 1.0, 1.3, 0.9])
    y = 10.0 * np.tile(figure, 6)[:-1]
    assert seasonal_index(y, 4) == pytest.approx(figure, rel=1e-12)
    assert naive2(y, 6, 4) == pytest.approx(10 * figure[[3, 0, 1, 2, 3, 0]], rel=1e-12)


def test_without_a_season_it_is_naive() -> None:
    y = np.random.default_rng(0).normal(50, 1, 100)
    assert not is_seasonal(y, 24)
    assert naive2(y, 3, 24).tolist() == [y[-1]] * 3
    assert naive2(y, 2, 1).tolist() == [y[-1]] * 2
    assert not is_seasonal(np.full(100, 5.0), 4)


def test_odd_season() -> None:
    figure = np.array([0.5, 1.0, 1.5])
    assert seasonal_index(np.tile(figure, 5), 3) == pytest.approx(figure, rel=1e-12)


def test_owa_of_naive2_is_one() -> None:
    assert owa(18.383, 2.395, 18.383, 2.395) == 1.0
    assert owa(13.912, 1.193, 18.383, 2.395) == pytest.approx(0.627, abs=1e-3)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "season", "steps", "expected"), [("hourly", 24, 48, (18.383, 2.395)), ("weekly", 1, 13, (9.161, 2.777))]
)
def test_naive2_of_m4_is_as_published(
    shared_data: Path, name: str, season: int, steps: int, expected: tuple[float, float]
) -> None:
    history, future = (
        pl.read_parquet(shared_data / "forecast" / f"m4_{name}_{part}.parquet")
        .sort("id", "t")
        .group_by("id", maintain_order=True)
        .agg("y")["y"]
        for part in ("train", "test")
    )
    found = []
    for train, actual in zip(history, future, strict=True):
        y = train.to_numpy()
        path = naive2(y, steps, season)
        found.append((smape(actual.to_numpy(), path), mase(actual.to_numpy(), path, seasonal_scale(y, season))))
    assert np.mean(found, axis=0) == pytest.approx(expected, abs=5e-4)
