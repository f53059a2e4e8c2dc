from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import AccessDenied, ConfigError, NightmillError
from engine.storage import Store, StoreOptions
from engine.stores.refusals import meaning
from engine.tables.delta import open_table
from tests.engine.s3_server import KEYS

ANSWERS = {
    "RequestTimeTooSkewed": (403, AccessDenied, "clock"),
    "ExpiredToken": (400, AccessDenied, "have expired: renew them"),
    "InvalidToken": (400, AccessDenied, "AWS_SESSION_TOKEN"),
    "AuthorizationHeaderMalformed": (400, ConfigError, "another region: name it by --region"),
    "PermanentRedirect": (301, ConfigError, "another region: name it by --region"),
    "AccessDenied": (403, AccessDenied, "AWS_ACCESS_KEY_ID"),
}


@contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """A server that answers every request with AWS's error `code`."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>hush-hush</Message></Error>'.encode()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("code", ANSWERS)
def test_each_refusal_says_whose_move_it_is(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, kind, told = ANSWERS[code]
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with answering(status, code) as endpoint:
        store = Store("s3://test/x", StoreOptions(endpoint=endpoint, attempts=1))
        for ask in (lambda: store.read("y"), lambda: list(store.list()), lambda: open_table(store, "nights")):
            with pytest.raises(kind, match=told) as caught:
                ask()
            assert "s3://test/x" in str(caught.value)
            assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "objects.example.org", "https://"])
def test_an_endpoint_is_an_address_with_a_scheme(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for ask in (lambda s: s.read("y"), lambda s: open_table(s, "nights")):
        with pytest.raises(ConfigError, match="begins with http"):
            ask(Store("s3://test/x", StoreOptions(endpoint=endpoint)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(ConfigError, match="begins with http"):
        Store("s3://test/x").read("y")


def test_a_profile_that_is_not_there_is_the_users_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    for ask in (lambda s: s.read("y"), lambda s: open_table(s, "nights")):
        with pytest.raises(AccessDenied, match=r"(?i)AWS.profile"):
            ask(Store("s3://test/x"))


@pytest.mark.parametrize(
    "text, kind",
    [
        ("PUT http://169.254.169.254/latest/api/token: 403", AccessDenied),
        ("Permission denied (os error 13)", AccessDenied),
        ("<Code>NoSuchBucket</Code>", ConfigError),
        ("connection reset", None),
    ],
)
def test_words_without_a_server(text: str, kind: type[NightmillError] | None) -> None:
    found = meaning(text)
    assert (found and found[0]) == kind
