from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.certificates import FILES, VARIABLE, NoCertificates, check, exposed, tls_settings
from cluster.hosts import Hosts, NoCluster
from tests.cluster.test_hosts import free_port, started


def certificates(folder: Path) -> Path:
    """A folder with a certificate that is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    folder.mkdir()
    told = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=nightmill"
    made = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", *told.split(), *made], check=True, capture_output=True)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


def test_without_the_variable_nothing_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert tls_settings() == {}
    check("tcp://10.0.0.1:8786")
    with pytest.raises(NoCertificates, match=r"tls://10.0.0.1:8786 is encrypted: set NIGHTMILL_TLS to a folder with"):
        check("tls://10.0.0.1:8786")


def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "ca.pem").touch()
    with pytest.raises(NoCertificates, match=r"has no cert.pem, key.pem: it needs ca.pem, cert.pem, key.pem"):
        tls_settings()
    for name in FILES:
        (tmp_path / name).touch()
    with pytest.raises(NoCertificates, match=r"ca\.pem of .* cannot be used"):
        tls_settings()
    with pytest.raises(NoCertificates, match="write tls://"):
        check("tcp://10.0.0.1:8786")


def test_files_that_dask_cannot_use_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Dask would say that no scheduler answers."""
    folder = certificates(tmp_path / "ours")
    monkeypatch.setenv(VARIABLE, str(folder))
    assert set(tls_settings().values()) == {True, "tls", *(str(folder / name) for name in FILES)}
    key = folder / "key.pem"
    shutil.copy(certificates(tmp_path / "theirs") / "key.pem", key)
    with pytest.raises(NoCertificates, match=r"cert\.pem with key\.pem of") as told:
        tls_settings()
    assert key.read_text().splitlines()[1] not in str(told.value)
    key.unlink()
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-aes256",
         "-pass", "pass:word", "-out", str(key)], check=True, capture_output=True,
    )  # fmt: skip
    with pytest.raises(NoCertificates, match="has a password"):
        tls_settings()


def test_a_folder_that_may_not_be_entered_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(Path, "is_file", refuse)  # root may enter any
    with pytest.raises(NoCertificates, match="may not be entered"):
        tls_settings()


@pytest.mark.parametrize("mode, open_to_others", [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_key_that_others_may_read_is_exposed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int, open_to_others: bool
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "key.pem").touch(mode)
    (tmp_path / "key.pem").chmod(mode)
    assert exposed() == open_to_others


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An encrypted scheduler with one worker."""
    monkeypatch.setenv(VARIABLE, str(certificates(tmp_path / "ours")))
    port = free_port()
    scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port))
    worker = started("worker", f"tls://127.0.0.1:{port}", "--workers", "1", "--memory-mb", "2000")
    yield f"tls://127.0.0.1:{port}"
    for one in (worker, scheduler):
        one.terminate()
        assert one.wait(timeout=20) == 0


@pytest.mark.slow
def test_work_is_encrypted_and_strangers_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Hosts(address, 60).lend() as client:
        assert client.submit(sum, [1, 2]).result(timeout=30) == 3
        (info,) = client.scheduler_info(n_workers=-1)["workers"]
        assert info.startswith("tls://")
    monkeypatch.setenv(VARIABLE, str(certificates(tmp_path / "theirs")))
    with pytest.raises(NoCluster, match="no scheduler answers"), Hosts(address, 3).lend():
        raise AssertionError("a stranger was let in")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(NoCluster, match="no scheduler answers"), Hosts(address.replace("tls", "tcp"), 3).lend():
        raise AssertionError("an unencrypted link was taken")
