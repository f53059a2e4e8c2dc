"""Nothing secret in any record: a planted key is looked for in all that a run on S3 writes, says and sends."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from engine import plan
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.storage import Store, StoreOptions
from engine.task import TaskSpec
from tests.engine.s3_server import KEYS, s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.jobs.conftest import Mill

pytestmark = pytest.mark.s3
SECRET = KEYS["AWS_SECRET_ACCESS_KEY"]
TOKEN = "planted-token-0123456789"
FORMS = [form for key in (SECRET, TOKEN) for form in (key.encode(), base64.b64encode(key.encode())[:-4])]


@pytest.fixture
def place(s3_store: Store, mill: Mill) -> Store:  # noqa: F811
    """Six files on the server, and the key where settings could catch it."""
    raw = Store(f"{s3_store.uri}/raw", s3_store.options)
    for path in (mill.folder / "raw").rglob("*.txt"):
        raw.write(path.relative_to(mill.folder / "raw").as_posix(), path.read_bytes())
    raw.write("P09/1774645200_A1.txt", b"raise an error, please")
    return s3_store


def _said(data: bytes) -> bytes:
    """Bytes with what is compressed in them unpacked."""
    if data[:4] != b"PAR1":
        return data
    return data + "\n".join(map(str, pl.read_parquet(BytesIO(data)).iter_rows())).encode()


def _everything(place: Store, folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in place.list():
        yield entry.path, _said(place.read(entry.path))
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), _said(path.read_bytes())


@pytest.mark.slow
def test_no_record_holds_the_key(
    place: Store,
    mill: Mill,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On workers, with a module that raises, so that tracebacks and retries are looked at too."""
    endpoint = str(place.options.endpoint)
    settings = mill.folder / "run.yaml"
    settings.write_text(
        f"inputs: [{{uri: '{place.uri}/raw', include: ['*.txt']}}]\noutput: {place.uri}/out\n"
        f"storage: {{endpoint: '{endpoint}'}}\nmax_failures: '100%'\n"
    )
    ended = mill.apart("reprocess", "run.yaml", "-m", mill.module, "--workers", "1", "--progress", "json")
    assert ended.returncode == 3, ended.stderr
    told = [ended, *(mill(*words, f"{place.uri}/out", "--endpoint", endpoint) for words in (["status"], ["errors"]))]
    wrong = mill("status", f"{place.uri}/none", "--endpoint", endpoint)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", TOKEN)
    denied = mill("status", f"{place.uri}/out", "--endpoint", endpoint)
    assert (wrong.returncode, denied.returncode) == (2, 2)
    said = "".join(one.stdout + one.stderr for one in [*told, wrong, denied]).encode()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    found = [*_everything(place, mill.folder), ("said", said)]
    assert len(found) > 20
    assert [name for name, data in found if any(form in data for form in FORMS)] == []


def test_nothing_that_travels_holds_the_key(place: Store, mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickles of what workers get, also after the connections were used, and the forms in which a log would show it."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    monkeypatch.syspath_prepend(str(mill.folder))
    mapped, _ = refer(mill.module, {})
    inventory = take([InputSpec(f"{place.uri}/raw", include=("*.txt",))], place.options)
    works = tuple(plan.everything(inventory, place.options).works())
    assert len(works) == 7 and works[0].evaluate(mapped.load())
    place.read("raw/P09/1774645200_A1.txt")
    spec = TaskSpec(mapped, f"{place.uri}/out", place.options)
    shown = repr([spec, works, place, place.options]).encode()
    for data in (pickle.dumps(spec), pickle.dumps(works), pickle.dumps(place), shown):
        assert not any(form in data for form in FORMS)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"output: s3://user:{TOKEN}@bucket/out", 2),
        (f"output: out\nstorage: {{endpoint: 'http://user:{TOKEN}@127.0.0.1:1'}}", 2),
        (f"output: out\nstorage: {{secret_access_key: {TOKEN}}}", 2),
        (f"output: out\naws_secret_access_key: {TOKEN}", 2),
    ],
)
def test_a_key_in_the_settings_is_refused_without_repeating_it(line: str, code: int, mill: Mill) -> None:
    (mill.folder / "run.yaml").write_text(f"inputs: [{{uri: raw, include: ['*.txt']}}]\n{line}\n")
    ended = mill("reprocess", "run.yaml", "-m", mill.module, "--in-process")
    assert ended.returncode == code, ended
    assert TOKEN not in ended.stdout + ended.stderr
    found = [path for path in mill.folder.rglob("*") if path.is_file() and path.name != "run.yaml"]
    assert [path for path in found if TOKEN.encode() in path.read_bytes()] == []


def test_an_input_with_a_key_in_its_address_is_refused(mill: Mill) -> None:
    ended = mill("reprocess", f"s3://user:{TOKEN}@bucket/raw", "-o", "out", "-m", mill.module, "--in-process")
    assert ended.returncode == 2 and TOKEN not in ended.stdout + ended.stderr


def test_options_refuse_what_would_be_recorded() -> None:
    assert "secret" not in {field.lower() for field in StoreOptions.__dataclass_fields__}
