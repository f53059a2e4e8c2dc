"""A local disk as storage: data goes to a hidden file beside the target, is flushed, and gets its name at once."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import AccessDenied, InfrastructureError, InputMissing, InputUnreadable
from engine.storage import Entry

UNFINISHED = ".nightmill-unfinished"
"""Suffix of files being written; they are never listed."""

REREAD_AFTER_S = (0.1, 0.4, 1.0)
"""A file that changes while it is read, as an upload under way does, is read again, so often and after such a pause."""


class Disk:
    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes:
        target = self._root / path
        try:
            for pause_s in REREAD_AFTER_S:
                data = _read_still(target)
                if data is not None:
                    return data
                time.sleep(pause_s)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputMissing(f"{target}: no such file") from error
        except OSError as error:
            raise InputUnreadable(f"{target}: {error.strerror or error}") from error
        raise InputUnreadable(f"{target}: changes while it is read")

    def write(self, path: str, data: bytes) -> None:
        target = self._root / path
        with _unfinished(target, data) as written:
            written.replace(target)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        target = self._root / path
        with _unfinished(target, data) as written:
            # A hard link fails where the name exists and never shows a half file; O_EXCL on the target would.
            try:
                os.link(written, target)
            except FileExistsError:
                return False
        return True

    def list(self, prefix: str) -> Iterator[Entry]:
        seen: set[tuple[int, int]] = set()
        folders = [self._root / prefix]
        while folders:
            folder = folders.pop()
            try:
                about = folder.stat()
                paths = sorted(folder.iterdir())
            except (FileNotFoundError, NotADirectoryError):
                continue
            except PermissionError as error:
                raise AccessDenied(f"{folder}: {error.strerror}") from error
            if (about.st_dev, about.st_ino) in seen:  # a link to a folder above
                continue
            seen.add((about.st_dev, about.st_ino))
            below: deque[Path] = deque()
            for path in paths:
                yield from self._listed(path, below)
            folders.extend(reversed(below))

    def children(self, prefix: str) -> tuple[Sequence[str], Sequence[Entry]]:
        below: deque[Path] = deque()
        folder = self._root / prefix
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        files = [entry for path in paths for entry in self._listed(path, below)]
        return [path.relative_to(self._root).as_posix() for path in below], files

    def _listed(self, path: Path, below: deque[Path]) -> Iterator[Entry]:
        try:
            about = path.stat()
        except OSError:  # gone since the listing, or a dangling link
            return
        if stat.S_ISDIR(about.st_mode):
            below.append(path)
        elif stat.S_ISREG(about.st_mode) and not path.name.endswith(UNFINISHED):
            yield _entry(path.relative_to(self._root).as_posix(), about)

    def entry(self, path: str) -> Entry | None:
        try:
            about = (self._root / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _entry(path, about) if stat.S_ISREG(about.st_mode) else None

    def delete(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)

    def delta_options(self) -> dict[str, str]:
        return {}

    def filesystem(self) -> Any:
        import fsspec

        return fsspec.filesystem("file")


def _entry(path: str, about: os.stat_result) -> Entry:
    return Entry(path, about.st_size, f"{about.st_size}-{about.st_mtime_ns}")


def _read_still(target: Path) -> bytes | None:
    """The content; None where it changed meanwhile."""
    with target.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        data = file.readall()
        after = os.fstat(file.fileno())
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if same and len(data) == after.st_size else None


@contextmanager
def _unfinished(target: Path, data: bytes) -> Iterator[Path]:
    """A flushed file with the data beside the target, for the caller to give its name; then both are made durable."""
    written = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}{UNFINISHED}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield written
        _sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise AccessDenied(f"{target}: {error.strerror}") from error
        raise InfrastructureError(f"{target}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # the error that brought us here is the one to tell
            written.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
