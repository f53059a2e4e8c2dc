"""H7.11: every row says which unit of work it came from; a night also which calibration; the engine adds module_id."""

from __future__ import annotations

from datetime import date

import pytest

from engine.module import RawFile, Source
from engine.night.night import Night
from engine.night.tables import OUTPUTS
from engine.simulate import nights


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_row_says_where_it_comes_from(name: str) -> None:
    field = OUTPUTS[name].schema.field("source_id")
    assert not field.nullable
    assert OUTPUTS[name].owner == "source_id"


def test_a_night_can_be_made_alone_again() -> None:
    data = nights.draw(6, night_date=date(2026, 3, 28), hours=1.5).zip()
    source = Source("P01/1", ("n.zip",), "P01", zone="Europe/Zurich")
    one, again = (Night()([RawFile("n.zip", data)], source) for _ in range(2))
    assert one.verdicts == again.verdicts
    for name, table in one.tables.items():
        assert table.equals(again.tables[name])
        assert set(table["source_id"].to_pylist()) <= {"P01/1"}
    assert all(one.tables["nights"]["cal_id"].to_pylist())
