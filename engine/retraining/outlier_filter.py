"""The first step: values that are not believed become null."""

from __future__ import annotations

import hashlib

import polars as pl

from engine.code.closure import closure
from engine.identity import canonical_json
from engine.retraining.decisions import decide
from engine.retraining.plain import whole
from engine.retraining.rows import DATE, SUBJECT, features_of
from engine.retraining.step import Step

CODE = "engine.retraining.decisions"


class OutlierFilter(Step):
    """Plausibility (DOMAIN H3), then a causal Hampel filter over each person's last `most` nights, from `least` on.

    Learns nothing: what it decides depends on its parameters, its code and the person's nights up to that one.
    """

    def __init__(self, most: int = 14, least: int = 5) -> None:
        self.most = most
        self.least = least

    def check(self) -> None:
        whole("most", self.most, 1)
        whole("least", self.least, 1, self.most)

    @property
    def filter_hash(self) -> str:
        """SHA-256 over the parameters and the source files that decide: equal hashes decide equally."""
        text = canonical_json({"parameters": self.parameters(), "code": closure(CODE)})
        return hashlib.sha256(text.encode()).hexdigest()

    def decisions(self, nights: pl.DataFrame) -> pl.DataFrame:
        """See `decisions.decide`."""
        self.check()
        return decide(nights, self.most, self.least)

    def transform(self, nights: pl.DataFrame) -> pl.DataFrame:
        """The same rows in the same order, null where `decisions` has a row."""
        found = self.decisions(nights)
        believed = nights.with_columns(pl.col(features_of(nights)).cast(pl.Float64))
        for name in found["feature"].unique():
            gone = found.filter(feature=name).select(SUBJECT, DATE, pl.lit(True).alias("gone"))
            marked = believed.select(SUBJECT, DATE).join(gone, [SUBJECT, DATE], "left", maintain_order="left")["gone"]
            believed = believed.with_columns(pl.when(marked.is_null()).then(pl.col(name)).alias(name))
        return believed
