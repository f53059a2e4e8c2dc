from __future__ import annotations

import errno
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import AccessDenied, ConfigError, InfrastructureError, InputMissing, InputUnreadable
from engine.storage import Store, StoreOptions, split_uri
from engine.stores.disk import UNFINISHED
from tests.engine.s3_server import KEYS, s3_endpoint, s3_options, s3_store  # noqa: F401

ODD_NAMES = ["plain.bin", "module_id=night-0a/month=2020-04/ab.parquet", "with space/ä+b%20c#d.zip", "_intents/1.json"]


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "root") if request.param == "disk" else request.getfixturevalue("s3_store")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_what_is_written_is_read_and_listed(store: Store, name: str) -> None:
    store.write(name, b"first")
    before = store.entry(name)
    store.write(name, b"second!")
    assert store.read(name) == b"second!"
    assert store.size(name) == 7
    (entry,) = store.list()
    assert entry == store.entry(name)
    assert (entry.path, entry.size_bytes) == (name, 7)
    assert before is not None
    assert before.content_key != entry.content_key


def test_an_empty_file_is_a_file(store: Store) -> None:
    store.write("empty", b"")
    assert store.read("empty") == b""
    assert store.size("empty") == 0


def test_a_prefix_is_a_folder(store: Store) -> None:
    for name in ("a/1", "a/b/2", "ab/3"):
        store.write(name, b"x")
    assert sorted(entry.path for entry in store.list("a")) == ["a/1", "a/b/2"]
    assert sorted(entry.path for entry in store.list("a/")) == ["a/1", "a/b/2"]
    assert list(store.list("absent")) == []


def test_what_is_absent_is_told_apart(store: Store) -> None:
    with pytest.raises(InputMissing, match="no such"):
        store.read("absent")
    assert store.size("absent") is None
    assert store.size("absent/deeper") is None
    store.delete("absent")
    store.write("here", b"x")
    store.delete("here")
    assert store.size("here") is None


def test_of_many_writers_one_puts(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: store.put_if_absent("_intents/1.json", b"%d" % n), range(8)))
    assert sum(won) == 1
    assert store.read("_intents/1.json") == b"%d" % won.index(True)
    assert len(list(store.list())) == 1


def test_a_store_travels_as_its_address(store: Store) -> None:
    store.write("x", b"1")
    blob = pickle.dumps(store)
    copy = pickle.loads(blob)
    assert copy == store
    assert copy.read("x") == b"1"
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in repr(store) + repr(store.options) + repr(blob)


def test_fsspec_reads_the_same(store: Store) -> None:
    store.write("x/y", b"1")
    with store.filesystem().open(f"{store.uri}/x/y") as file:
        assert file.read() == b"1"


def test_uris_have_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Store("out").uri == Store(tmp_path / "out").uri == Store(f"file://{tmp_path}/out/").uri
    assert Store("s3a://b/p//").uri == "s3://b/p"
    assert Store("s3://b/p").delta_uri("nights") == "s3://b/p/nights"
    assert split_uri("s3://b/x.zip") == ("s3://b", "x.zip")
    assert split_uri("/x.zip") == ("/", "x.zip")


@pytest.mark.parametrize("uri", ["gs://bucket/x", "s3://", "s3://key:secret@bucket/x"])
def test_other_uris_are_the_users_mistake(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store(uri)
    assert "secret" not in str(caught.value)


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write("x", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for put in (store.write, store.put_if_absent):
        with pytest.raises(InfrastructureError, match="No space left"):
            put("x", b"new")
    assert store.read("x") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_disk_that_is_read_only_is_the_users_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(AccessDenied, match="Read-only file system"):
        Store(tmp_path / "out").write("x", b"new")


def test_unfinished_files_and_loops_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / f".x.0{UNFINISHED}").write_bytes(b"half")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "f").write_bytes(b"x")
    (tmp_path / "linked").symlink_to(tmp_path / "a" / "f")
    assert sorted(entry.path for entry in Store(tmp_path).list()) == ["a/f", "linked"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(InputUnreadable, match="directory"):
        Store(tmp_path).read("a")
    assert Store(tmp_path).size("a") is None


@pytest.mark.s3
@pytest.mark.parametrize("wrong", [{"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, {"AWS_ACCESS_KEY_ID": "nobody"}])
def test_bad_credentials_are_the_users_mistake(
    s3_store: Store,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, str],
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    calls = (lambda: s3_store.read("x"), lambda: s3_store.write("x", b""), lambda: list(s3_store.list()))
    for call in (*calls, lambda: s3_store.size("x"), lambda: s3_store.put_if_absent("x", b"")):
        with pytest.raises(AccessDenied, match="credentials") as caught:
            call()
        assert "wrong-secret" not in str(caught.value)


@pytest.mark.s3
def test_credentials_of_a_profile(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    kept = tmp_path / "credentials"
    kept.write_text("[lab]\n" + "\n".join(f"{name.lower()} = {value}" for name, value in KEYS.items()))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(kept))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "lab")
    store = Store("s3://test/profile", StoreOptions(endpoint=s3_endpoint))
    store.write("x", b"1")
    assert store.read("x") == b"1"
    assert store.delta_options()["AWS_ACCESS_KEY_ID"] == KEYS["AWS_ACCESS_KEY_ID"]


@pytest.mark.s3
def test_a_missing_bucket_is_missing(s3_options: StoreOptions) -> None:  # noqa: F811
    with pytest.raises(InputMissing):
        Store("s3://no-such-bucket/x", s3_options).read("y")


def test_a_dead_server_is_infrastructure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    store = Store("s3://test/x", StoreOptions(endpoint="http://127.0.0.1:9", attempts=2, timeout_s=1))
    with pytest.raises(InputUnreadable, match="after retries"):
        store.read("y")
    with pytest.raises(InfrastructureError, match="after retries"):
        store.write("y", b"")
