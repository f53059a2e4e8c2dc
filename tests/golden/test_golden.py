"""Golden nights (DOMAIN H7.12): no value changes unnoticed. A change that is meant is frozen by

    python -m tests.golden.bump

which first tells how far each feature moved, before against after, and how many nights changed their band. A new column
changes nothing here until it is frozen; a column that is gone or another value of an old one does. On another kind of
CPU than they were frozen on only the features are asked for, to 1e-4.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.simulate import nights as drawn
from tests.golden import bump, frozen
from tests.golden.nights import GENERATED, REAL, Files, processed, real

FROZEN = frozen.load()
TOLD = "python -m tests.golden.bump says by how much; freeze it if it is meant"


def agrees(name: str, files: Files) -> None:
    kept, outcome = FROZEN[name], processed(files)
    now = frozen.of(files, outcome)
    if now["cpu"] != kept["cpu"]:
        alike(kept.get("features", []), frozen.features(outcome))
        return
    assert now["input"] == kept["input"], f"{name}: the generated files changed, not the module; {TOLD}"
    assert now["verdicts"] == kept["verdicts"]
    for table, before in kept["tables"].items():
        after = now["tables"].get(table, {"rows": 0, "columns": {}})
        columns = {column: after["columns"].get(column, "gone") for column in before["columns"]}
        moved = [column for column, value in columns.items() if value != before["columns"][column]]
        assert not moved, f"{name}: {table} has other values of {', '.join(moved)}: {TOLD}"
        assert (after["rows"], frozen.table_hash(columns)) == (before["rows"], before["sha256"])


def alike(kept: list[frozen.Kept], now: list[frozen.Kept]) -> None:
    """On another kind of CPU: the last bits of a sine may differ there, no feature may be another."""
    for before, after in zip(kept, now, strict=True):
        for name, value in before.items():
            same = pytest.approx(value, rel=1e-4, abs=1e-6) if isinstance(value, float) else value
            assert after[name] == same, name


@pytest.mark.parametrize("name", GENERATED)
def test_generated(name: str) -> None:
    agrees(name, GENERATED[name]())


@pytest.mark.real
def test_real(shared_data: Path) -> None:
    found = dict(real(shared_data))
    assert set(found) == set(REAL)
    for name, files in found.items():
        agrees(name, files)


def test_another_kind_of_cpu_is_asked_for_features_only() -> None:
    row = {"band": "A", "hr_mean": 50.0, "rr_iqr": None}
    alike([row], [{**row, "hr_mean": 50.0 + 1e-9, "new": 1.0}])
    for other in ({"band": "B"}, {"hr_mean": 50.1}, {"rr_iqr": 1.0}):
        with pytest.raises(AssertionError):
            alike([row], [{**row, **other}])


def test_all_are_frozen_and_there_are_enough() -> None:
    assert set(FROZEN) == {*GENERATED, *REAL}
    assert len(GENERATED) >= 10
    assert sum(len(FROZEN[name].get("features", ())) for name in GENERATED) >= 10
    assert not any("features" in FROZEN[name] for name in REAL)  # hashes only: no data of others


def test_another_last_digit_is_nothing_and_the_ninth_is_a_change() -> None:
    files = {"n.zip": drawn.draw(2, hours=1.5).zip()}
    outcome = processed(files)
    table = outcome.tables["epochs"]
    at = table.column_names.index("hr_bpm")
    hashes = []
    for factor in (1.0, 1 + 1e-13, 1 + 1e-8):
        bpm = table["hr_bpm"].to_pylist()
        changed = [None if one is None else one * factor for one in bpm]
        outcome.tables["epochs"] = table.set_column(at, table.schema.field(at), [changed])  # type: ignore[index]
        hashes.append(frozen.of(files, outcome)["tables"]["epochs"]["columns"]["hr_bpm"])
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_report_says_how_far_features_moved() -> None:
    before = [{"band": "A", "hr_mean": 50.0, "valid_h": 6.0}, {"band": "B", "hr_mean": 60.0, "valid_h": 5.0}]
    after = [{"band": "A", "hr_mean": 51.0, "valid_h": 6.0}, {"band": "C", "hr_mean": 63.0, "valid_h": 5.0}]
    features, bands = bump.report(before, after)
    (row,) = features.filter(features["feature"] == "hr_mean").to_dicts()
    assert (row["changed"], row["median"], row["p95"]) == (1.0, 2.0, pytest.approx(2.9))
    assert bands.to_dicts() == [{"before": "B", "after": "C", "rows": 1}]
