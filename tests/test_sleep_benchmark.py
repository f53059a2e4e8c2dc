"""The benchmark against polysomnography: its measures on series made by hand, and the real nights where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sleep_psg import SCORES, Person, area, factor_of, judge, people, rows


def person(name: str, scale: float = 1.0, minutes: int = 240) -> Person:
    rng = np.random.default_rng(len(name))
    awake = np.arange(minutes) % 60 < 15
    counts = np.where(awake, rng.uniform(20, 200, minutes), 0.0) * scale
    return Person(name, counts, np.repeat(~awake, 2))


def test_area_counts_ties_half() -> None:
    asleep = np.array([True, True, False, False])
    assert area(np.array([0.0, 1.0, 2.0, 3.0]), asleep) == 1.0
    assert area(np.array([1.0, 1.0, 1.0, 1.0]), asleep) == 0.5
    assert area(np.array([2.0, 3.0, 0.0, 1.0]), asleep) == 0.0


@pytest.mark.parametrize("method", SCORES)
def test_edges_stay_unscored_and_clear_nights_are_told(method: str) -> None:
    found = judge(person("a"), SCORES[method], 1.0)
    assert found["scored"] == 1 - (6 if method == "cole_kripke" else 10) / 240
    assert found["sensitivity"] > 0.8 and found["specificity"] > 0.8 and found["auc"] > 0.95


@pytest.mark.parametrize("method", SCORES)
def test_the_factor_never_sees_the_subject_it_scores(method: str) -> None:
    others = [person("a"), person("bb"), person("ccc")]
    odd = person("dddd", scale=1e-4)
    table = {(r["method"], r["scaling"], r["subject"]): r["factor"] for r in rows([*others, odd])}
    assert table[method, "scaled", "dddd"] == factor_of(others, SCORES[method])
    assert table[method, "raw", "dddd"] == 1.0


@pytest.mark.real
def test_real_nights(shared_data: Path) -> None:
    crowd = people(shared_data / "sleepaccel_features" / "first10subjects.parquet")
    table = rows(crowd)
    assert len(crowd) == 10 and len(table) == 40
    for method in SCORES:
        own = [r for r in table if (r["method"], r["scaling"]) == (method, "scaled")]
        told = {name: float(np.mean([r[name] for r in own])) for name in ("sensitivity", "specificity", "auc")}
        assert told["sensitivity"] >= 0.90 and told["specificity"] >= 0.35 and told["auc"] >= 0.80
