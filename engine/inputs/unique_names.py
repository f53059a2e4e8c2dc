"""One name for each input of a run, where several folders hold files of the same name."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.errors import UserError


class UniqueNames:
    """Prefixes for names that several inputs have: as many last folders of their roots as tell these apart."""

    def __init__(self, names: pl.DataFrame, shared: pl.Series, prefixes: Sequence[str]) -> None:
        self._shared = shared.implode()
        self._prefixes = prefixes
        self._renamed: list[pl.DataFrame] = []
        self._others = names.filter(~pl.col("name").is_in(self._shared))

    @classmethod
    def over(cls, names: pl.DataFrame, roots: Sequence[str]) -> UniqueNames:
        """`names` has the hash of each input's name and the number of its listing."""
        if len(roots) < 2:
            return cls(names.clear(), pl.Series([], dtype=pl.UInt64), [""])
        shared = names.group_by("name").agg(pl.col("listing").n_unique()).filter(pl.col("listing") > 1)["name"]
        distinct = {root: root.split("/") for root in roots}
        depth = next(n for n in range(1, 1000) if len({tuple(p[-n:]) for p in distinct.values()}) == len(distinct))
        return cls(names, shared, ["/".join(distinct[root][-depth:]).strip("/") + "/" for root in roots])

    def rename(self, rows: pl.DataFrame, listing: int) -> pl.DataFrame:
        if not self._prefixes[0]:
            return rows
        shared = pl.col("input").hash().is_in(self._shared)
        prefix = pl.when(shared).then(pl.lit(self._prefixes[listing])).otherwise(pl.lit(""))
        named = rows.with_columns(input=prefix + pl.col("input"), file=prefix + pl.col("file"), shared=shared)
        new = named.filter("shared").select("input", name=pl.col("input").hash(), listing=pl.lit(listing, pl.UInt32))
        self._renamed.append(new)
        return named.drop("shared")

    def check(self) -> None:
        """Raises `UserError` where two inputs still have files of one name."""
        if not self._renamed:
            return
        every = pl.concat([self._others, *self._renamed], how="diagonal")
        clash = every.filter((pl.col("listing").n_unique().over("name") > 1) & pl.col("input").is_not_null())
        if clash.height:
            raise UserError(f"two inputs have a file called {clash['input'][0]!r}; give their folders distinct names")
