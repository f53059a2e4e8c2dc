"""Erasure: nothing that a run writes holds a word of the subject afterwards, and all others keep every row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from engine import erase
from engine.commit import recover
from engine.results.query import query
from engine.storage import Store
from engine.tables import delta, intents
from tests.engine.drive import drive
from tests.engine.outputs import digests, rows
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.engine.users import install_package


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six files of three subjects."""
    install_package(tmp_path / "user", "killable", monkeypatch)
    for number in range(6):
        file = tmp_path / "raw" / f"P{number % 3:02d}" / f"{1774645200 + 86400 * number}_A.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"PK" + b"." * number)
    return tmp_path / "raw"


def _two_versions(raw: Path, store: Store) -> None:
    drive(str(raw), store)
    drive(str(raw), store, factor=2.0)


def _words(store: Store) -> Iterator[tuple[str, str]]:
    """Everything in an output, as text."""
    for entry in store.list():
        data = store.read(entry.path)
        if entry.path.endswith(".parquet"):
            frame = pl.read_parquet(data)
            yield entry.path, "\n".join(str(row) for row in frame.iter_rows())
        else:
            yield entry.path, data.decode()


def _without(raw: Path, store: Store, subject: str) -> Store:
    """An output that never saw the subject."""
    for file in (raw / subject).iterdir():
        file.unlink()
    other = Store(f"{store.uri}-other", store.options)
    _two_versions(raw, other)
    return other


@pytest.mark.parametrize("place", ["local", pytest.param("remote", marks=pytest.mark.s3)])
def test_no_word_of_the_subject_is_left(place: str, raw: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    store = Store(tmp_path / "out") if place == "local" else request.getfixturevalue("s3_store")
    _two_versions(raw, store)
    assert any("P01" in text for _, text in _words(store))
    assert erase.find(store, "P01") == {"sizes": 4, "files": 4}
    told = erase.erase(store, "P01")
    assert told.rows == {"sizes": 4, "files": 4}
    assert told.files > 0 and told.inventory_rows == 4
    assert [path for path, text in _words(store) if "P01" in text] == []
    assert erase.find(store, "P01") == {}
    other = _without(raw, store, "P01")
    assert digests(store, ("sizes", "files")) == digests(other, ("sizes", "files"))
    assert query(store, "select count(*) n from sizes_all").to_pylist() == [{"n": 8}]
    drive(str(raw), store)  # and life goes on
    assert rows(store, "files").height == 8


STEPS = ["_without", "_forget_parts", "_cut_log", "_forget_inventory", "_remains"]


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_killed_is_completed(
    step: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, done, calls = Store(tmp_path / "out"), getattr(erase, step), iter((0, 1))
    _two_versions(raw, store)

    def killed(*args: object) -> object:
        if next(calls) == 1 or step == "_remains":
            raise KeyboardInterrupt
        return done(*args)

    with monkeypatch.context() as patch:
        patch.setattr(erase, step, killed)
        with pytest.raises(KeyboardInterrupt):
            erase.erase(store, "P01")
    erase.erase(store, "P01")
    assert [path for path, text in _words(store) if "P01" in text] == []
    assert rows(store, "files").height == rows(store, "sizes").height == 8


def test_orphans_go_too(raw: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    _two_versions(raw, store)
    part = next(found.part for found in delta.live(delta.open_table(store, "sizes"), "sizes"))
    orphan = f"sizes/module_id={part.partition['module_id']}/{'0' * 64}.parquet"
    store.write(orphan, store.read(f"sizes/{part.path}"))
    erase.erase(store, "P01")
    assert store.size(orphan) is None


def test_a_subject_that_nobody_knows_changes_no_row(raw: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    _two_versions(raw, store)
    before = digests(store, ("sizes", "files"))
    assert erase.find(store, "P0") == {}
    assert erase.erase(store, "P0").rows == {}
    assert digests(store, ("sizes", "files")) == before


def test_the_numbers_of_commits_stay_taken(raw: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    _two_versions(raw, store)
    number = recover(store)
    erase.erase(store, "P01")
    assert recover(store) == number + 1
    assert intents.earlier(store, number + 1) == list(range(1, number + 1))


def test_settings_that_name_the_subject_are_told(raw: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.engine.drive import SETTINGS

    store = Store(tmp_path / "out")
    drive(str(raw), store, replace(SETTINGS, config='{"inputs": [{"uri": "raw/P01"}]}'))
    assert any("settings of run" in one for one in erase.erase(store, "P01").remains)
