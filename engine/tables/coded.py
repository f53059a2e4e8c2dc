"""Text columns held as codes: each distinct text once, and for each row its place among them.

That is Arrow's dictionary type. A module may give any text column of its tables so; a part has plain text all the same.
Where texts repeat, as those of a key do, building, checking and writing a row costs a quarter of what plain text costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

CODED = pa.dictionary(pa.int32(), pa.string())
"""One type of code only: two tables can be put together whatever the number of their texts."""
FEW = 256
"""So many texts may lie between those that occur."""


def coded(texts: Sequence[str] | pa.Array, codes: NDArray[Any]) -> pa.DictionaryArray:
    """texts[codes], null where a code is negative."""
    held = (texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())).dictionary_encode()
    missing = codes < 0
    if len(held.dictionary) < len(held):
        codes = held.indices.to_numpy()[codes]
    places = pa.array(codes.astype(np.int32, copy=False), mask=missing if missing.any() else None)
    return pa.DictionaryArray.from_arrays(places, held.dictionary, safe=False)


def table_of(columns: Mapping[str, pa.Array], declared: pa.Schema) -> pa.Table:
    """Columns in the declared order, those of text plain or coded."""
    kinds = pa.schema([(name, columns[name].type) for name in declared.names])
    return pa.Table.from_arrays([columns[name] for name in declared.names], schema=coded_as(declared, kinds))


def as_text(schema: pa.Schema) -> pa.Schema:
    """The schema as readers of a part find it."""
    return pa.schema(
        [one.with_type(pa.string()) if one.type == CODED else one for one in schema], metadata=schema.metadata
    )


def coded_as(declared: pa.Schema, found: pa.Schema) -> pa.Schema:
    """The declared schema, with codes where the found one has them."""
    kinds = zip(declared, found, strict=True)
    return pa.schema([one.with_type(CODED) if other.type == CODED else one for one, other in kinds])


def is_sound(column: pa.ChunkedArray) -> bool:
    """Whether the texts of a column of codes are distinct and there; Parquet would mix them up else."""
    held = [one.dictionary for one in column.chunks]
    return all(texts.null_count == 0 and len(pc.unique(texts)) == len(texts) for texts in held)


def ranks(values: pa.DictionaryArray) -> pa.Array:
    """Whole numbers in the order of the texts, equal where these are; null where a text is."""
    texts, codes = values.dictionary, values.indices
    rank = pc.rank(texts, tiebreaker="dense").cast(pa.int32())
    return codes if (np.diff(rank) == 1).all() else rank.take(codes)


def fewest(rows: pa.Table) -> pa.Table:
    """The same rows, every column of codes without texts that do not occur in them, but for a few."""
    for at, field in enumerate(rows.schema):
        if field.type == CODED:
            rows = rows.set_column(at, field, _trimmed(whole_array(rows.column(at))))
    return rows


def _trimmed(values: pa.DictionaryArray) -> pa.DictionaryArray:
    codes, texts = values.indices, values.dictionary
    low, high = pc.min_max(codes).values()
    if not low.is_valid:
        return pa.DictionaryArray.from_arrays(codes, texts[:0], safe=False)
    first, count = low.as_py(), high.as_py() - low.as_py() + 1
    if count <= FEW:  # finding out which of them occur took 6 ns a row
        return pa.DictionaryArray.from_arrays(pc.subtract(codes, low), texts.slice(first, count), safe=False)
    used = pc.unique(codes).drop_null()
    place = np.zeros(len(texts), np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(place).take(codes), texts.take(used), safe=False)


def whole_array(column: pa.ChunkedArray) -> pa.Array:
    """All chunks as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
