from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.errors import UserError
from engine.planning.estimate import ENOUGH, SAMPLES, Interval, estimate, from_ledger, refuse_too_large
from engine.workers.child import Limits

TOLD = Limits(300.0, 2000.0)


def samples(
    sizes_mb: list[float], s_per_mb: float = 0.1, mb_per_mb: float = 20.0, level_mb: float = 200.0
) -> pl.DataFrame:
    size = pl.Series(sizes_mb) * 1e6
    return pl.DataFrame(
        {
            "size_bytes": size.cast(pl.Int64),
            "seconds": size / 1e6 * s_per_mb,
            "peak_mb": level_mb + size / 1e6 * mb_per_mb,
            "output_bytes": size * 0.5,
        }
    )


def test_exact_proportions_leave_no_doubt() -> None:
    sizes = pl.Series([1_000_000, 2_000_000, 7_000_000])
    made = estimate(samples([1.0, 2.0, 3.0]), sizes, TOLD)
    for found, expected in ((made.seconds, 1.0), (made.output_bytes, 5e6), (made.memory_mb, 340.0)):
        assert found is not None
        assert (found.likely, found.high) == (pytest.approx(expected), pytest.approx(expected))
    assert (made.works_measured, made.too_large) == (3, 0)
    assert made.seconds.times(2.0).likely == pytest.approx(2.0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    noise, held = np.random.default_rng(1), 0
    for _ in range(100):
        size = noise.uniform(0.5, 2.0, 32)
        found = samples(size.tolist()).with_columns(seconds=pl.Series(0.1 * size * noise.lognormal(0.0, 0.4, 32)))
        truth = 0.1 * np.exp(0.08) * 1000
        interval = estimate(found, pl.Series([1_000_000] * 1000), TOLD).seconds
        held += interval.low <= truth <= interval.high
        assert interval.low < interval.likely < interval.high
    assert held >= 86  # of 100; 95 % would be 95, and percentile intervals of 32 samples are a little narrow


def test_no_output_where_none_was_measured_and_the_largest_counts_for_memory_only() -> None:
    told = samples([1.0, 1.0, 10.0]).with_columns(drawn=pl.Series([True, True, False]))
    told = told.with_columns(seconds=pl.Series([0.1, 0.1, 100.0]), peak_mb=pl.Series([300.0, 300.0, 1500.0]))
    made = estimate(told, pl.Series([1_000_000, 10_000_000]), TOLD)
    assert made.works_measured == 2
    assert made.seconds.likely == pytest.approx(1.1)
    assert made.memory_mb.likely == pytest.approx(1500.0)
    unknown = told.with_columns(output_bytes=pl.lit(None, pl.Float64))
    assert estimate(unknown, pl.Series([1_000_000]), TOLD).output_bytes is None


def test_one_sample_is_an_estimate_without_width() -> None:
    made = estimate(samples([1.0]), pl.Series([3_000_000]), TOLD)
    assert made.seconds == Interval(*[pytest.approx(0.3)] * 3)
    assert made.memory_mb.likely == pytest.approx(220.0)  # no slope from one point


def test_limits_are_learned_generously_and_never_above_what_was_told() -> None:
    fast = estimate(samples([1.0, 2.0]), pl.Series([2_000_000]), TOLD)
    assert fast.limits == Limits(60.0, 1024.0)
    slow = estimate(samples([1.0, 2.0], s_per_mb=50.0, mb_per_mb=300.0), pl.Series([4_000_000]), TOLD)
    assert slow.limits == Limits(2000.0, 2000.0)


def test_tiny_files_do_not_stretch_the_limit_of_a_large_one() -> None:
    """Hundreds of files of 34 bytes in 5 ms each had given 77 minutes to a file of 1.7 MB."""
    tiny = samples([34e-6] * 32).with_columns(seconds=pl.lit(0.005))
    assert estimate(tiny, pl.Series([34] * 1000 + [1_721_552]), TOLD).limits.seconds == 60.0


def test_what_fits_no_worker_is_refused_with_numbers() -> None:
    sizes = pl.Series([1_000_000] * 15 + [9_000_000] * 5)
    made = estimate(samples([1.0, 2.0, 9.0], mb_per_mb=250.0), sizes, TOLD)
    assert made.too_large == 5
    with pytest.raises(UserError, match=r"5 of 20 units of work .* largest about 2,450 MB .* 2,000 MB is a worker's"):
        refuse_too_large(made, len(sizes), 2000.0)
    few = pl.Series([1_000_000] * 99 + [9_000_000])
    made = estimate(samples([1.0, 9.0], mb_per_mb=250.0), few, TOLD)
    assert made.too_large == 1
    refuse_too_large(made, len(few), 2000.0)


def ledger(module_id: str, works: int, seconds: float, status: str = "ok") -> pl.DataFrame:
    number = range(works)
    return pl.DataFrame(
        {
            "module_id": module_id, "work_key": [f"{module_id}{n}" for n in number], "size_bytes": 1_000_000,
            "seconds": seconds, "peak_memory_mb": 300.0, "status": status,
        },
    )  # fmt: skip


def test_samples_of_the_ledger_are_this_versions_if_it_has_any() -> None:
    old, now, other = "night-000000000000", "night-111111111111", "other-111111111111"
    rows = [ledger(old, 3, 2.0), ledger(other, 3, 9.0), ledger(old, 2, 99.0, "quarantined")]
    found = from_ledger(pl.concat(rows).lazy(), now)
    assert found.columns == list(SAMPLES)
    assert found["seconds"].to_list() == [2.0] * 3
    found = from_ledger(pl.concat([*rows, ledger(now, 2, 1.0)]).lazy(), now)
    assert found["seconds"].to_list() == [1.0] * 2
    assert 0 < from_ledger(ledger(now, 3 * ENOUGH, 1.0).lazy(), now).height < 1.2 * ENOUGH
    assert from_ledger(ledger(other, 1, 1.0).lazy(), now).is_empty()
