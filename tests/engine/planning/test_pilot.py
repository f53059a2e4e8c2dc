from __future__ import annotations

from pathlib import Path

import pytest

from engine import plan as planning
from engine.errors import UserError
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.plan import Plan, everything
from engine.planning.pilot import STRATA, WORKS, choose, fly
from engine.workers.child import Limits
from engine.workers.guards import close_guards
from tests.engine.drive import REFERENCE
from tests.engine.toy import ToyMapped
from tests.engine.trees import OPTIONS, write_tree
from tests.engine.users import install_package

LIMITS = Limits(30.0, 2000.0)


def planned(folder: Path, files: int) -> Plan:
    """Files of 2, 3, 4 … bytes."""
    write_tree(folder, {f"P{n % 7}/n{n:04}.zip": b"PK" + b"." * n for n in range(files)})
    return everything(take([InputSpec(str(folder), template="{subject}/{name}.zip")], OPTIONS), OPTIONS)


def test_all_sizes_are_tried_and_the_largest(tmp_path: Path) -> None:
    plan = planned(tmp_path, 160)
    chosen = choose(plan)
    assert chosen.equals(choose(plan))
    assert chosen.height in (WORKS, WORKS + 1)
    sized = chosen.join(plan.todo, on="position", maintain_order="left")
    strata = ((sized.filter("drawn")["size_bytes"] - 2) * STRATA // 160).value_counts(sort=True)
    assert strata["count"].to_list() == [WORKS // STRATA] * STRATA
    assert sized["size_bytes"].max() == 161
    first = sized["size_bytes"].head(STRATA + 1)
    assert len(set((first - 2) * STRATA // 160)) == STRATA  # cut short, it is still of all sizes


def test_of_few_works_all_are_tried(tmp_path: Path) -> None:
    chosen = choose(planned(tmp_path, 5))
    assert (chosen.height, chosen["drawn"].all()) == (5, True)


def test_a_pilot_measures_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_package(tmp_path / "user", "killable", monkeypatch)
    plan = planned(tmp_path / "raw", 6)
    (tmp_path / "raw" / "P0" / "n0000.zip").write_bytes(b"no")
    mapped, _ = refer(REFERENCE, {})
    before = sorted(tmp_path.rglob("*"))
    counted: list[int] = []
    try:
        found = fly(plan, mapped, LIMITS, seen=counted.append)
        assert (found.height, found["cause"].null_count(), counted) == (6, 6, [1, 2, 3, 4, 5, 6])
        assert sorted(found["size_bytes"]) == [2, 3, 4, 5, 6, 7]
        assert (found["seconds"] > 0).all() and (found["peak_mb"] > 10).all()
        assert sorted(found["output_bytes"] > 0) == [False] + [True] * 5
        assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)) == [
            path for path in before if "__pycache__" not in str(path)
        ]
        assert fly(plan, mapped, LIMITS, longest_s=0.001).height == 3
    finally:
        close_guards()


def test_nothing_to_try(tmp_path: Path) -> None:
    plan = planned(tmp_path, 1)
    empty = planning.Plan(plan.inventory, plan.todo.clear(), plan.taken, plan.rate, plan.options)
    with pytest.raises(UserError, match="nothing is to do"):
        fly(empty, ToyMapped(), LIMITS)
