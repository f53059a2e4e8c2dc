"""`nightmill export` over generated nights: every recording once, whole, and nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.module import RawFile, Source
from engine.night.night import Night
from engine.simulate.nights import write
from engine.storage import Store
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.jobs.conftest import Ended, Mill

ZONE = "Europe/Zurich"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "raw"
    write(folder, users=1, nights=2, hours=1.5, seed=3, dirt=("garbage",), zone=ZONE)
    return folder


def told(ended: Ended) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(ended.stdout)
    return rows


def test_each_recording_is_exported_and_reprocesses_to_the_same_rows(raw: Path, mill: Mill) -> None:
    rows = told(mill("export", str(raw), "--to", "nrf", "--json"))
    listed = sorted(str(path.relative_to(raw)) for path in raw.rglob("*.zip"))
    assert sorted(row["input"] for row in rows) == listed
    done = [row for row in rows if row["status"] == "exported"]
    assert len(done) == len(listed) - 1
    assert all(row["file"] == f"{row['input']}.nrf.parquet" for row in done)
    assert all((mill.folder / "nrf" / row["file"]).stat().st_size == row["size_bytes"] for row in done)
    one = done[0]
    source = Source("s", (one["input"],), "P01", zone=ZONE)
    native = Night()([RawFile(one["input"], (raw / one["input"]).read_bytes())], source)
    again = Night()([RawFile(one["file"], (mill.folder / "nrf" / one["file"]).read_bytes())], source)
    assert native.tables["epochs"].num_rows > 500
    assert native.tables == again.tables


def test_both_say_the_same_of_subject_and_night(raw: Path, mill: Mill) -> None:
    mill("export", str(raw), "--to", "nrf")
    works = [json.loads(mill("plan", folder, "-o", "out", "--json").stdout)["stale"] for folder in (str(raw), "nrf")]
    before, after = ({work["source_id"] for work in each} for each in works)
    assert after <= before and len(after) == 2


def test_nothing_is_overwritten_without_force(raw: Path, mill: Mill) -> None:
    first = mill("export", str(raw), "--to", "nrf")
    assert first.returncode == 0 and "refused" in first.stdout and "no known format" in first.stdout
    again = told(mill("export", str(raw), "--to", "nrf", "--json"))
    assert {row["status"] for row in again} == {"unchanged", "refused"}
    path = next((mill.folder / "nrf").rglob("*.parquet"))
    before = path.read_bytes()
    path.write_bytes(b"mine")
    ended = mill("export", str(raw), "--to", "nrf")
    assert (ended.returncode, path.read_bytes()) == (2, b"mine")
    assert "--force" in ended.stderr and path.name in ended.stderr
    assert mill("export", str(raw), "--to", "nrf", "--force").returncode == 0
    assert path.read_bytes() == before


def test_the_users_mistakes_are_one_line(raw: Path, mill: Mill) -> None:
    inside = f"{raw}/nrf"
    for arguments in (["nowhere", "--to", "nrf"], [str(raw), "--to", inside], [str(raw), "--to", str(raw)], [str(raw)]):
        ended = mill("export", *arguments)
        assert ended.returncode == 2, arguments
        assert ended.stderr.startswith("error: ") and ended.stderr.count("\n") == 1
    assert not (raw / "nrf").exists()


@pytest.mark.s3
def test_to_s3(raw: Path, mill: Mill, s3_store: Store) -> None:  # noqa: F811
    endpoint = s3_store.options.endpoint or ""
    for status in ("exported", "unchanged"):
        rows = told(mill("export", str(raw), "--to", f"{s3_store.uri}/nrf", "--endpoint", endpoint, "--json"))
        assert {row["status"] for row in rows} == {status, "refused"}
    assert len(list(s3_store.list("nrf"))) == len([row for row in rows if row["status"] == "unchanged"])
