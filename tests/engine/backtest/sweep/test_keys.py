"""A fit's key changes with whatever the fit depends on, and with nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from engine.backtest.grid import Grid
from engine.backtest.sweep.keys import Keys, data_hash, keys
from engine.backtest.sweep.requests import Request, request
from tests.engine.backtest.sweep.grids import MODELS, Traits, series

GRID = Grid(MODELS, (24, None), (1, 24), horizon_h=2, evaluate_h=60)
MODEL = "ab" * 32


def asked(grid: Grid = GRID, poison: int | None = None, selects: bool = True) -> Request:
    values = 70 + np.random.default_rng(1).normal(size=150)
    if poison is not None:
        values[poison] = 1e9
    return request(series(480_000, values, grid)[1], grid, Traits(selects=selects))


def named(made: Request, found: Keys) -> dict[tuple[int, int], str]:
    return dict(zip(zip(made.window_h.tolist(), made.cutoff.tolist(), strict=True), found.fit_id, strict=True))


def test_equal_sweeps_have_equal_keys_and_all_differ() -> None:
    first, again = keys(asked(), MODEL), keys(asked(), MODEL)
    assert first == again
    assert len(set(first.fit_id)) == len(first.fit_id)
    assert all(len(key) == 16 and len(whole) == 64 for key, whole in zip(first.fit_id, first.data_hash, strict=True))


def test_data_hashes_are_those_of_the_slices() -> None:
    made = asked()
    for start, end, found in zip(made.start.tolist(), made.end.tolist(), keys(made, MODEL).data_hash, strict=True):
        assert found == data_hash(made.y[start:end]) == hashlib.sha256(made.y[start:end].astype("<f8")).hexdigest()


def test_fewer_configurations_leave_the_keys_alone() -> None:
    few = replace(GRID, windows_h=(24,), refits_h=(24,))
    some, all_ = asked(few), asked()
    mine, whole = named(some, keys(some, MODEL)), named(all_, keys(all_, MODEL))
    assert mine.items() <= whole.items()


def test_a_key_changes_with_what_a_fit_depends_on() -> None:
    made = asked()
    found = named(made, keys(made, MODEL))
    assert not set(found.values()) & set(keys(made, "cd" * 32).fit_id)
    dearer = asked(replace(GRID, evaluations=999))
    assert not set(found.values()) & set(keys(dearer, MODEL).fit_id)
    one_form = asked(selects=False)
    assert not set(found.values()) & set(keys(one_form, MODEL).fit_id)


def test_a_value_changes_the_keys_that_saw_it_and_those_that_start_from_them() -> None:
    """Hour 120 is seen from 121 on; a window of 24 h forgets it at 145, but starts from 144, which saw it."""
    made, other = asked(), asked(poison=120)
    before, after = named(made, keys(made, MODEL)), named(other, keys(other, MODEL))
    changed = {name for name, key in before.items() if after[name] != key}
    assert changed == {name for name in before if name[1] > 480_120}


def test_a_fit_that_its_anchor_did_not_start_has_another_key() -> None:
    made = asked(selects=False)
    warm = [True] * made.tried.size
    dead = next(i for i, anchor in enumerate(made.fits.anchor.tolist()) if anchor >= 0)
    warm[dead] = False
    first, other = keys(made, MODEL), keys(made, MODEL, warm)
    differ = [i for i, (a, b) in enumerate(zip(first.fit_id, other.fit_id, strict=True)) if a != b]
    assert differ == [int(made.tried[dead])]


def test_what_was_not_tried_has_no_key() -> None:
    made = asked(replace(GRID, windows_h=(200,)))
    assert set(keys(made, MODEL).fit_id) == {""}
