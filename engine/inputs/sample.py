"""Nested samples of subjects: the same subjects every time, and a larger share holds all of a smaller one."""

from __future__ import annotations

import hashlib

import polars as pl

from engine.errors import ConfigError


def drawn(subject_ids: pl.Series, share: float) -> pl.Series:
    """Whether each subject is in the sample: its hash, as a number from 0 to 1, lies below `share`.

    Nothing else counts, neither other subjects nor their order; so 0.001 ⊂ 0.01 ⊂ 1, and whoever joins the study later
    moves nobody. Raises `ConfigError` for a share outside (0, 1].

    >>> drawn(pl.Series(["P01", "P02", "P03"]), 0.5).to_list()
    [True, True, False]
    """
    if not 0 < share <= 1:
        raise ConfigError(f"sample: {share} is no share of the subjects; give one above 0 and at most 1, such as 0.01")
    distinct = subject_ids.unique()
    kept = [subject for subject in distinct if rank(subject) < share]
    return subject_ids.is_in(pl.Series(kept, dtype=pl.String).implode())


def rank(subject_id: str) -> float:
    """The subject's place in the order in which samples grow, from 0 to 1 (52 bits of a SHA-256)."""
    return int.from_bytes(hashlib.sha256(subject_id.encode()).digest()[:8], "big") / 2**64
