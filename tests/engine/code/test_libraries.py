from __future__ import annotations

import pickle

import pytest

from engine.code import libraries
from engine.code.libraries import check_versions, versions
from engine.errors import StaleWorker
from engine.task import TaskSpec
from engine.workers.readiness import order, taken
from tests.engine.toy import ToyMapped


def test_the_same_libraries_are_fine() -> None:
    told = versions()
    assert {"python", "numpy", "pyarrow"} <= told.keys()
    check_versions(told)


@pytest.mark.parametrize(
    ("drivers", "said"),
    [({"numpy": "1.0"}, "numpy .*, not 1.0 as the driver"), ({"more": "2"}, "more missing, not 2 as the driver")],
)
def test_another_version_is_named(drivers: dict[str, str], said: str) -> None:
    with pytest.raises(StaleWorker, match=said):
        check_versions(versions() | drivers)


def test_a_library_that_only_the_worker_has() -> None:
    less = versions()
    del less["isal"]
    with pytest.raises(StaleWorker, match=r"isal [\d.]+, not missing"):
        check_versions(less)


def test_an_order_is_taken_by_a_worker_of_the_same_libraries_only(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = TaskSpec(ToyMapped(), "/nowhere")
    assert taken(order(spec)) == spec
    monkeypatch.setattr(libraries, "LIBRARIES", ("numpy",))
    with pytest.raises(StaleWorker, match="pyarrow"):
        taken(pickle.dumps((spec, versions() | {"pyarrow": "1.2.3"})))
