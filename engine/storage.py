"""Storage: whole files read and written under one root, on a local disk or on S3, with the same promises on both.

A reader sees a file whole or not at all. Paths are relative to the root, with forward slashes. A `Store` is a value: it
pickles as its URI and options, opens its connection on first use in each process, and never holds, prints or pickles a
secret: credentials come from the environment, or from where the AWS tools keep them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from engine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How to reach storage; no secrets. All but `attempts` concern S3 only.

    `endpoint` is the URL of an S3-compatible server (None = AWS); `attempts` and `timeout_s` bound the retries of one
    request.
    """

    endpoint: str | None = None
    region: str | None = None
    attempts: int = 5
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if "@" in (self.endpoint or ""):  # it is kept in every run's record
            raise ConfigError("endpoint: an address without credentials, please; those come from the environment")


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed file. `content_key` changes when the content may have: S3's etag, or size and modification time."""

    path: str
    size_bytes: int
    content_key: str


class Place(Protocol):
    """What a kind of storage must do; `Store` adds the URI. See `Store` for the promises."""

    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes) -> None: ...
    def put_if_absent(self, path: str, data: bytes) -> bool: ...
    def list(self, prefix: str) -> Iterator[Entry]: ...
    def children(self, prefix: str) -> tuple[Sequence[str], Sequence[Entry]]: ...
    def entry(self, path: str) -> Entry | None: ...
    def delete(self, path: str) -> None: ...
    def delta_options(self) -> dict[str, str]: ...
    def filesystem(self) -> Any: ...


class Store:
    """Files under one root URI: a local path, `file://…` or `s3://bucket/prefix`; nothing is connected or created yet.

    Raises `ConfigError` for an unknown kind of URI.

    >>> Store("s3://bucket/results/")
    Store('s3://bucket/results')
    """

    def __init__(self, uri: str | Path, options: StoreOptions | None = None) -> None:
        self.uri = _normal(str(uri))
        self.options = options or StoreOptions()

    def read(self, path: str) -> bytes:
        """The whole content. Raises `InputMissing`, `AccessDenied`, or `InputUnreadable` after retries."""
        return self._place.read(path)

    def write(self, path: str, data: bytes) -> None:
        """Write whole, replacing what was there. Raises `AccessDenied`, or `InfrastructureError` after retries."""
        self._place.write(path, data)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Write whole unless the path exists: of several writers exactly one gets True."""
        return self._place.put_if_absent(path, data)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below the folder `prefix`, at any depth, in no promised order; nothing where it is absent."""
        return self._place.list(prefix.strip("/"))

    def children(self, prefix: str = "") -> tuple[Sequence[str], Sequence[Entry]]:
        """Folders (their paths) and files directly in the folder `prefix`."""
        return self._place.children(prefix.strip("/"))

    def entry(self, path: str) -> Entry | None:
        """One file as `list` would give it; None if absent."""
        return self._place.entry(path)

    def size(self, path: str) -> int | None:
        """Size in bytes; None if absent."""
        found = self._place.entry(path)
        return None if found is None else found.size_bytes

    def delete(self, path: str) -> None:
        """Remove a file; its absence is no error."""
        self._place.delete(path)

    def delta_uri(self, table: str) -> str:
        """Where the Delta table `table` lies, as deltalake and polars want it."""
        return f"{self.uri}/{table}"

    def delta_options(self) -> dict[str, str]:
        """`storage_options` for deltalake and polars. Holds secrets only where a profile names them: never log it."""
        return self._place.delta_options()

    def filesystem(self) -> Any:
        """An fsspec filesystem over the same storage, for readers that want one; paths are full, as in `uri`."""
        return self._place.filesystem()

    @property
    def is_local(self) -> bool:
        return not self.uri.startswith("s3://")

    @cached_property
    def _place(self) -> Place:
        # Imported here: a process that never touches S3 does not pay for its client.
        if self.is_local:
            from engine.stores.disk import Disk

            return Disk(Path(self.uri))
        from engine.stores.bucket import Bucket

        return Bucket(self.uri, self.options)

    def __repr__(self) -> str:
        return f"Store({self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and (self.uri, self.options) == (other.uri, other.options)

    def __hash__(self) -> int:
        return hash((self.uri, self.options))

    def __reduce__(self) -> tuple[type[Store], tuple[str, StoreOptions]]:
        return Store, (self.uri, self.options)


def split_uri(uri: str) -> tuple[str, str]:
    """The parent folder's URI and the last name: `Store(parent).read(name)` reads a single file.

    >>> split_uri("s3://bucket/a/b.zip")
    ('s3://bucket/a', 'b.zip')
    """
    parent, _, name = _normal(uri).rpartition("/")
    return parent or "/", name


def _normal(uri: str) -> str:
    scheme, colon, _ = uri.partition("://")
    if not colon:
        return str(Path(uri).expanduser().absolute())
    parts = urlsplit(uri)
    if scheme == "file":
        return str(Path(unquote(parts.path)).absolute())
    if scheme not in ("s3", "s3a"):
        raise ConfigError(f"{uri}: unknown kind of storage {scheme!r}; give a local path or s3://bucket/prefix")
    bucket, _, prefix = uri.partition("://")[2].partition("/")
    if not bucket or "@" in bucket:
        raise ConfigError(f"{scheme}://…: an S3 URI is s3://bucket/prefix, without credentials")
    return f"s3://{bucket}/{prefix}".rstrip("/")
