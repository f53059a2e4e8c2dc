"""Several hosts for real: whatever dies, nothing is lost and nothing is there twice."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from engine.storage import Store
from engine.tables.digest import Digest
from tests.engine.outputs import digests, rows
from tests.hosts.conftest import FILES, Lab, until, write_user

pytestmark = [pytest.mark.hosts, pytest.mark.slow]
TABLES = ("sizes", "files")
FINISHED, USER, STOPPED = 0, 2, 4


@pytest.fixture(scope="module")
def undisturbed(lab: Lab) -> dict[str, Digest]:
    output = lab.folder / "undisturbed"
    assert ended(lab.drive(output, hub=False))[0] == FINISHED
    found = digests(Store(output), TABLES)
    assert {table: found[table].rows for table in TABLES} == {"sizes": FILES, "files": FILES}
    return found


def ended(driver: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = driver.communicate(timeout=60)
    return driver.returncode, out + err


def parts(output: Path) -> int:
    """How many batches have left their rows so far."""
    return len(list(output.glob("sizes/*/*.parquet")))


def test_a_worker_dies_then_a_whole_host_and_the_run_goes_on(lab: Lab, undisturbed: dict[str, Digest]) -> None:
    output = lab.folder / "deaths"
    driver = lab.drive(output)
    until(lambda: parts(output) >= 3)
    for process in lab.hosts[0].processes("spawn_main"):
        process.kill()
    until(lambda: parts(output) >= 9)
    lab.hosts[1].die()
    until(lambda: parts(output) >= 15)
    lab.start_workers(lab.hosts[1])
    code, text = ended(driver)
    assert code == FINISHED, text
    assert digests(Store(output), TABLES) == undisturbed


def test_a_link_is_cut_and_heals(lab: Lab, undisturbed: dict[str, Digest]) -> None:
    output = lab.folder / "cut"
    driver = lab.drive(output)
    until(lambda: parts(output) >= 3)
    severed = lab.hosts[0].processes("spawn_main")
    lab.hosts[0].cut()
    code, text = ended(driver)  # what was under way there is done again elsewhere, once the silence was long enough
    assert code == FINISHED, text
    assert digests(Store(output), TABLES) == undisturbed
    lab.hosts[0].heal()
    until(lambda: set(lab.hosts[0].processes("spawn_main")) - set(severed))


def test_the_scheduler_dies_and_the_same_command_finishes(lab: Lab, undisturbed: dict[str, Digest]) -> None:
    output = lab.folder / "headless"
    driver = lab.drive(output)
    until(lambda: parts(output) >= 3)
    for process in lab.hub.processes("cluster scheduler") + lab.hub.processes("dask_scheduler"):
        process.kill()
    code, text = ended(driver)
    assert code == STOPPED, text
    assert "the same command resumes" in text
    assert "Traceback" not in text, text
    lab.start_scheduler()
    code, text = ended(lab.drive(output))
    assert code == FINISHED, text
    assert digests(Store(output), TABLES) == undisturbed


def test_a_worker_with_other_code_is_refused(lab: Lab) -> None:
    other = write_user(lab.folder / "other", "CHANGED = True\n")
    lab.hosts[1].die()
    lab.start_workers(lab.hosts[1], other)
    until(lambda: lab.hosts[1].processes("spawn_main"))
    output = lab.folder / "stale"
    code, text = ended(lab.drive(output))
    assert code == USER, text
    driver, worker = re.findall(r"\bslow-[0-9a-f]{12}\b", text.partition("error: ")[2])
    assert driver != worker
    assert rows(Store(output), "files").height == 0
