from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.tables.coded import CODED, as_text
from engine.tables.order import ascends

T0 = datetime(2026, 1, 1, tzinfo=UTC)
KINDS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "text": (pa.string(), ["", "a", "ab", "b", "ä", "漢"]),
    "coded": (CODED, ["", "a", "ab", "b", "ä", "漢"]),
    "number": (pa.int64(), [-(2**62), -1, 0, 5]),
    "small": (pa.int8(), [-5, 0, 7]),
    "time": (pa.timestamp("us", tz="UTC"), [T0, T0 + timedelta(hours=1), T0 + timedelta(days=1)]),
    "date": (pa.date32(), [date(1960, 1, 1), date(2026, 1, 1)]),
    "truth": (pa.bool_(), [False, True]),
}


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_sorting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 7))
    names = rng.choice(list(KINDS), 3, replace=False).tolist()
    rows = pa.table({
        name: pa.array([None if rng.random() < 0.1 else kind[1][rng.integers(len(kind[1]))] for _ in range(n)], kind[0])
        for name, kind in ((name, KINDS[name]) for name in names)
    })  # fmt: skip
    plain = rows.cast(as_text(rows.schema))
    order = pc.sort_indices(plain, sort_keys=[(name, "ascending") for name in names])
    in_order = rows.take(order)
    unique = plain.group_by(names).aggregate([]).num_rows == n
    assert ascends(in_order, names) is unique
    assert ascends(rows, names) is (unique and order.to_pylist() == list(range(n)))
    pieces = pa.concat_tables([in_order.slice(i, 2) for i in range(0, n, 2)]) if n else in_order
    assert ascends(pieces, names) is unique


def test_other_types_are_never_in_order() -> None:
    assert not ascends(pa.table({"x": [1.0, 2.0]}), ["x"])
    assert not ascends(pa.table({"x": [[1], [2]]}), ["x"])
    assert ascends(pa.table({"x": [1.0]}), ["x"])
    assert ascends(pa.table({"a": [1, 2], "x": [2.0, 1.0]}), ["a", "x"])  # decided before x
