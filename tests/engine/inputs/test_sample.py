from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.inputs.sample import drawn
from engine.inventory import InputSpec, take
from engine.plan import make
from tests.engine.test_plan import NO_RUNS, NOTHING, NOW, ran, removed
from tests.engine.trees import NOON, OPTIONS, write_empty

SHARES = st.floats(0.001, 1.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=5), unique=True, max_size=30), SHARES, SHARES)
def test_samples_are_nested_and_others_change_nothing(subjects: list[str], one: float, other: float) -> None:
    ids = pl.Series(subjects, dtype=pl.String)
    small, large = drawn(ids, min(one, other)), drawn(ids, max(one, other))
    assert not (small & ~large).any()
    assert drawn(ids.reverse(), one).reverse().equals(drawn(ids, one))
    assert drawn(ids, 1.0).all()


def test_a_share_is_about_that_share() -> None:
    ids = pl.Series([f"P{n}" for n in range(20_000)])
    assert drawn(ids, 0.01).sum() == pytest.approx(200, abs=45)
    assert drawn(pl.Series(["P1"] * 3, dtype=pl.String), 0.5).n_unique() == 1


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_what_is_no_share(share: float) -> None:
    with pytest.raises(ConfigError, match="no share of the subjects"):
        drawn(pl.Series(["a"]), share)


def test_a_full_run_reuses_what_the_sample_did(tmp_path: Path) -> None:
    write_empty(tmp_path, *(f"S{n:02}/x_{NOON + 86_400 * day}.zip" for n in range(40) for day in range(2)))
    whole = take([InputSpec(str(tmp_path))], OPTIONS)
    sample = whole.sampled(0.2)
    assert 0 < sample.counts.subjects < 20 and sample.counts.inputs == 2 * sample.counts.subjects
    assert sample.sources.equals(whole.sources.join(sample.sources.select("source_id"), on="source_id", how="semi"))
    first = make(sample, NOTHING, NOW, NO_RUNS)
    ledger = ran(first, NOW)
    assert make(sample, ledger, NOW, NO_RUNS).count == 0
    rest = make(whole, ledger, NOW, NO_RUNS)
    assert rest.count == whole.counts.sources - first.count
    assert removed(rest) == frozenset()


def test_unsampled_sources_are_not_gone(tmp_path: Path) -> None:
    write_empty(tmp_path, *(f"S{n:02}/x_{NOON}.zip" for n in range(40)))
    whole = take([InputSpec(str(tmp_path))], OPTIONS)
    ledger = ran(make(whole, NOTHING, NOW, NO_RUNS), NOW)
    again = make(whole.sampled(0.2), ledger, NOW, NO_RUNS)
    assert (again.count, removed(again)) == (0, frozenset())


def test_a_sample_of_nobody_is_empty_and_freezes(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1/x.zip")
    nobody = take([InputSpec(str(tmp_path))], OPTIONS).sampled(1e-9)
    assert (nobody.counts.inputs, nobody.counts.subjects) == (0, 0)
    assert make(nobody, NOTHING, NOW, NO_RUNS).count == 0
    assert type(nobody).from_parquet(nobody.to_parquet()).frame.equals(nobody.frame)
