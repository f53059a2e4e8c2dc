"""Compiled kernels are kept apart by the bytes of all kernels, in a folder that can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import kernel_cache


def test_a_user_who_set_the_folder_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    assert kernel_cache.prepare() == tmp_path / "mine"


def test_the_folder_is_writable_and_named_by_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = kernel_cache.prepare()
    assert folder.is_dir() and folder.parent == tmp_path / "nightmill"
    assert folder.name == f"numba-{kernel_cache.fingerprint()}"


def test_one_changed_kernel_changes_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "kernels"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "beats.py").write_text("STEP = 1\n")

    class Spec:
        origin = str(package / "__init__.py")

    monkeypatch.setattr(kernel_cache, "find_spec", lambda name: Spec)
    before = kernel_cache.fingerprint()
    (package / "beats.py").write_text("STEP = 2\n")
    assert kernel_cache.fingerprint() != before


def test_without_a_writable_home_a_temporary_folder_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    root = kernel_cache.cache_root()
    assert not root.is_relative_to(tmp_path / "file")


def test_every_kernel_is_compiled_ahead_by_one_process() -> None:
    shares = kernel_cache._shares(2, ())
    names = sorted(name for share in shares for name in share)
    folder = Path(kernel_cache.__file__).parents[1] / "kernels"
    assert len(shares) == 2
    assert names == sorted(f"kernels.{path.stem}" for path in folder.glob("[a-z]*.py"))


def test_a_filled_cache_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (tmp_path / "beats.nbi").touch()
    monkeypatch.setattr(kernel_cache, "_importing", lambda names: pytest.fail("compiled"))
    with kernel_cache.compiled_ahead(2):
        pass


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["reprocess", "raw"], True), (["reprocess", "--help"], False), (["status", "out"], False), ([], False)],
)
def test_the_first_use_is_told(
    arguments: list[str], told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert (kernel_cache.first_use(arguments) is not None) == told
    (tmp_path / "k.nbi").touch()
    assert kernel_cache.first_use(arguments) is None
