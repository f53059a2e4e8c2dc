"""A driver killed at any write boundary and started again gives the rows of an undisturbed one, on disk and on S3."""

from __future__ import annotations

import random
import re
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from engine.storage import Store, StoreOptions
from tests.engine.crash import Drivers, Ended, Order
from tests.engine.crash_points import POINTS, Point, points
from tests.engine.s3_server import KEYS, s3_endpoint  # noqa: F401
from tests.engine.users import write_package

pytestmark = pytest.mark.slow
Scenarios = Callable[[str], "Scenario"]


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drivers]:
    folder = tmp_path_factory.mktemp("user")
    write_package(folder, "killable")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        with Drivers(folder) as made:
            yield made


class Scenario:
    """What happens once before the driver that is killed, and what that driver is told."""

    def __init__(self, name: str, drivers: Drivers, folder: Path, root: Store) -> None:
        self._drivers, self._root, self._tries = drivers, root, 0
        self.order = Order(str(folder), f"{root.uri}/base", root.options.endpoint, digest=True)
        for number in range(4):
            file = folder / f"P{number:02d}" / f"{1774645200 + 86400 * number}_A.zip"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"PK" + b"." * number)
        if name != "first":
            self.run()
        if name == "changed":
            file.write_bytes(b"PK" + b"." * 100)
        if name == "widened":
            self.order = replace(self.order, parameters={"wide": True})
        self.whole = self.run(output=self.fresh())

    def fresh(self) -> str:
        """A copy of the output as it was before."""
        self._tries += 1
        base, copied = (Store(f"{self._root.uri}/{name}", self._root.options) for name in ("base", self._tries))
        for entry in base.list():
            copied.write(entry.path, base.read(entry.path))
        return copied.uri

    def run_at_once(self, orders: Sequence[Order]) -> list[Ended]:
        return self._drivers.run(*orders)

    def run(self, **changes: object) -> Ended:
        return self._drivers.run(replace(self.order, **changes))[0]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def local(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Scenarios:
    folder = tmp_path_factory.mktemp("local")
    return cache(lambda name: Scenario(name, drivers, folder / name, Store(folder / f"{name}-out")))


@pytest.fixture(scope="module")
def remote(s3_endpoint: str, drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Scenarios:  # noqa: F811
    folder = tmp_path_factory.mktemp("remote")
    options = StoreOptions(endpoint=s3_endpoint, attempts=2, timeout_s=20)
    place = f"s3://test/{secrets.token_hex(6)}"
    return cache(lambda name: Scenario(name, drivers, folder / name, Store(f"{place}/{name}", options)))


@pytest.mark.parametrize("name", POINTS)
def test_every_write_of_a_driver_is_named(name: str, local: Scenarios) -> None:
    assert tuple(local(name).whole.writes) == POINTS[name]


@pytest.mark.parametrize("point", points(local=True), ids=str)
def test_killed_and_resumed_equals_undisturbed(point: Point, local: Scenarios) -> None:
    _kill_and_resume(local(point.scenario), point)


@pytest.mark.s3
@pytest.mark.parametrize("point", points(local=False), ids=str)
def test_killed_and_resumed_equals_undisturbed_on_s3(point: Point, remote: Scenarios) -> None:
    _kill_and_resume(remote(point.scenario), point)


def _kill_and_resume(scenario: Scenario, point: Point) -> None:
    output = scenario.fresh()
    killed = scenario.run(output=output, kill_at=point.number, inside=point.inside)
    assert killed.code == -signal.SIGKILL
    assert killed.writes == list(POINTS[point.scenario][: point.number + 1])
    _is_whole(scenario, scenario.run(output=output))


def _is_whole(scenario: Scenario, resumed: Ended) -> None:
    assert (resumed.code, resumed.error) == (0, None)
    assert resumed.digests == scenario.whole.digests
    assert resumed.states is not None and resumed.states[-1] == "finished"
    assert set(resumed.states) <= {"finished", "interrupted"}


def test_killed_again_and_again(local: Scenarios) -> None:
    scenario = local("first")
    output, kills = scenario.fresh(), 0
    while (ended := scenario.run(output=output, kill_at=2 * kills)).code == -signal.SIGKILL:
        kills += 1
    assert kills > 5
    _is_whole(scenario, ended)


def test_killed_at_random_moments(local: Scenarios) -> None:
    """Also inside what delta-rs does."""
    scenario, moments, codes = local("first"), random.Random(7), []
    output = scenario.fresh()
    for _ in range(8):
        codes.append(scenario.run(output=output, kill_after_s=moments.uniform(0.1, 0.4)).code)
    assert codes.count(-signal.SIGALRM) >= 3
    _is_whole(scenario, scenario.run(output=output))


def test_drivers_of_four_hosts_at_once(local: Scenarios) -> None:
    _race(local("first"), drivers=4)


@pytest.mark.s3
def test_drivers_of_four_hosts_at_once_on_s3(remote: Scenarios) -> None:
    _race(remote("first"), drivers=4)


def _race(scenario: Scenario, drivers: int) -> None:
    """All but one stop and say who was faster; what they did hurts nobody."""
    output = scenario.fresh()
    ended = scenario.run_at_once([replace(scenario.order, output=output, host=f"host{n}") for n in range(drivers)])
    assert {one.code for one in ended} == {0}
    errors = [one.error for one in ended if one.error is not None]
    assert errors and all(re.match(r"OutputBusy: .* run \S+ on host\d commits to this output too", e) for e in errors)
    assert len(errors) == drivers - 1 or not any(one.error is None for one in ended)
    _is_whole(scenario, scenario.run(output=output))
