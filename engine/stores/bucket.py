"""S3 as storage, over obstore: one PUT is atomic, `If-None-Match: *` makes one winner, retries back off.

obstore and not s3fs for the calls themselves: bulk reads 3-5 times as fast for a third of the CPU, listing 20,000 keys
in 0.6 s instead of 4, and put-if-absent with one meaning on all servers. `filesystem` hands out fsspec's shape of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NoReturn

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from engine.errors import AccessDenied, ConfigError, InfrastructureError, InputMissing, InputUnreadable, UserError
from engine.storage import Entry, StoreOptions
from engine.stores.refusals import NO_ANSWER, REFUSED, meaning

LONGEST_SINGLE_PUT = 64 << 20
"""Bytes; longer objects go up as a multipart upload, which becomes visible whole as well."""


class Bucket:
    def __init__(self, uri: str, options: StoreOptions) -> None:
        self._uri = uri
        self._options = options

    def read(self, path: str) -> bytes:
        bucket, _, prefix = self._uri.removeprefix("s3://").partition("/")
        with self._asking(path, InputUnreadable):
            client = _reader(bucket, self._options, _credentials_mark())
            return bytes(obstore.get(client, f"{prefix}/{path}".lstrip("/")).bytes())

    def write(self, path: str, data: bytes) -> None:
        with self._asking(path, InfrastructureError):
            obstore.put(self._client, path, data, use_multipart=len(data) > LONGEST_SINGLE_PUT)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        with self._asking(path, InfrastructureError):
            try:
                obstore.put(self._client, path, data, mode="create")
            except AlreadyExistsError:
                return False
            return True

    def list(self, prefix: str) -> Iterator[Entry]:
        with self._asking(prefix, InfrastructureError):
            for chunk in obstore.list(self._client, prefix=prefix or None, chunk_size=1000):
                for found in chunk:
                    yield _entry(found)

    def children(self, prefix: str) -> tuple[Sequence[str], Sequence[Entry]]:
        with self._asking(prefix, InfrastructureError):
            found = obstore.list_with_delimiter(self._client, prefix=prefix or None)
        return list(found["common_prefixes"]), [_entry(one) for one in found["objects"]]

    def entry(self, path: str) -> Entry | None:
        try:
            with self._asking(path, InfrastructureError):
                return _entry(obstore.head(self._client, path))
        except InputMissing:
            return None

    def delete(self, path: str) -> None:
        try:
            with self._asking(path, InfrastructureError):
                obstore.delete(self._client, path)
        except InputMissing:
            return

    def delta_options(self) -> dict[str, str]:
        options = {f"AWS_{key.upper()}": value for key, value in _config(self._options).items()}
        options["AWS_ALLOW_HTTP"] = str(options.get("AWS_ENDPOINT", "").startswith("http://")).lower()
        provider = _provider()
        if provider is not None:
            keys = provider()
            options |= {"AWS_ACCESS_KEY_ID": keys["access_key_id"], "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"]}
            if keys["token"]:
                options["AWS_SESSION_TOKEN"] = keys["token"]
        return options

    def filesystem(self) -> Any:
        from obstore.fsspec import FsspecStore

        return FsspecStore("s3", **_connection(self._options))

    @cached_property
    def _client(self) -> Any:
        bucket, _, prefix = self._uri.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix=prefix or None, **_connection(self._options))

    @contextmanager
    def _asking(self, path: str, failure: type[InfrastructureError]) -> Iterator[None]:
        """Translate the client's errors, whose texts may quote the request, into ours, which say whose move it is."""
        try:
            yield
        except FileNotFoundError as error:
            self._refuse(error, path, InputMissing, "no such object")
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            self._refuse(error, path, *(meaning(str(error)) or (AccessDenied, REFUSED)))
        except (BaseError, OSError, ValueError) as error:
            self._refuse(error, path, *_sort_out(str(error), failure))

    def _refuse(self, error: Exception, path: str, kind: type[Exception], why: str) -> NoReturn:
        # `from None`: the client's message can hold the signed request.
        server = f" at {self._options.endpoint}" if self._options.endpoint else ""
        raise kind(f"{self._uri}/{path}{server}: {why} ({type(error).__name__})") from None


def _connection(options: StoreOptions) -> dict[str, Any]:
    seconds = timedelta(seconds=options.timeout_s)
    return {
        "config": _config(options),
        "client_options": {"timeout": seconds, "connect_timeout": timedelta(seconds=10), "allow_http": True},
        "retry_config": {"max_retries": options.attempts - 1, "retry_timeout": 3 * seconds},
        "credential_provider": _provider(),
    }


def _config(options: StoreOptions) -> dict[str, str]:
    endpoint = options.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    config = {"region": region or "us-east-1"}
    if endpoint:
        if not re.match(r"https?://[^/]", endpoint):
            raise ConfigError(f"endpoint {endpoint}: a server's address begins with http:// or https://")
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": "false"}
    return config


@lru_cache(maxsize=16)
def _reader(bucket: str, options: StoreOptions, _mark: int) -> Any:
    """One client a bucket for all reads of this process: files lie in many folders, and connections are dear."""
    return S3Store(bucket, **_connection(options))


def _credentials_mark() -> int:
    """Another number where the environment says other credentials."""
    return hash(tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))))


def _sort_out(text: str, failure: type[InfrastructureError]) -> tuple[type[Exception], str]:
    """What a generic error means."""
    odd = re.search(r'whilst parsing path segment "(.*?)"(?:\n\n|$)', text, re.DOTALL)
    if odd:
        return UserError, f"the name {odd[1]!r} holds characters that cannot be addressed here: rename that object"
    return meaning(text) or (failure, NO_ANSWER)


def _entry(found: Any) -> Entry:
    key = found.get("version") or (found.get("e_tag") or "").strip('"') or f"{found['size']}-{found['last_modified']}"
    return Entry(found["path"], found["size"], key)


def _kept_credentials() -> dict[str, Any]:
    """Credentials from the AWS tools' own files (through botocore, which s3fs brings); asked again as they expire."""
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]
    from botocore.session import Session  # type: ignore[import-untyped]

    profile = f"AWS profile {os.environ.get('AWS_PROFILE', 'default')}"
    try:
        found = Session().get_credentials()
    except BotoCoreError as error:  # no such profile, a file that cannot be read, a login that has ended
        raise AccessDenied(f"{profile}: {error}") from None
    if found is None:
        raise AccessDenied(f"{profile}: no credentials")
    keys = found.get_frozen_credentials()
    return {
        "access_key_id": keys.access_key,
        "secret_access_key": keys.secret_key,
        "token": keys.token,
        "expires_at": datetime.now(UTC) + timedelta(minutes=30),
    }


def _provider() -> Callable[[], dict[str, Any]] | None:
    """None where the client finds credentials itself: environment, web identity, the machine's role."""
    kept = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")).expanduser()
    in_files = "AWS_PROFILE" in os.environ or kept.is_file()
    return _kept_credentials if in_files and "AWS_ACCESS_KEY_ID" not in os.environ else None
