"""The same commits on S3 as on a local disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.commit import Journal, recover
from engine.compact import compact
from engine.errors import AccessDenied, OutputBusy
from engine.events import ignore
from engine.results.open import tables
from engine.results.query import query
from engine.running.progress import CommitSettings, Progress
from engine.running.record import begin
from engine.storage import Store
from engine.tables import delta
from tests.engine.outputs import IDENTITY, OUTPUTS, committer, digests, receipt
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401

pytestmark = pytest.mark.s3


def _work(store: Store) -> None:
    progress = Progress(begin(IDENTITY, "{}"), store, recover(store), OUTPUTS, CommitSettings(every_s=0.0), ignore)
    progress.start((), b"frozen")
    for keys in (["a", "b-2"], ["c"], ["d-2"]):
        progress.take(receipt(store, keys), lambda keys: ())
    progress.end("stopped")
    committer(store).commit([receipt(store, ["c"], 70.0)], {"c"})
    compact(Journal(store, "r", "h", recover(store)), OUTPUTS)


def test_s3_equals_a_local_disk(s3_store: Store, tmp_path: Path) -> None:  # noqa: F811
    local = Store(tmp_path)
    for store in (local, s3_store):
        _work(store)
    assert digests(s3_store) == digests(local)
    assert tables(s3_store) == tables(local)
    sql = "SELECT source_id, count(*) n FROM epochs JOIN nights USING (source_id) GROUP BY 1 ORDER BY 1"
    assert query(s3_store, sql) == query(local, sql)
    one, two = committer(s3_store, "first"), committer(s3_store, "second")
    one.commit([receipt(s3_store, ["x"])])
    with pytest.raises(OutputBusy, match="run first"):
        two.commit([receipt(s3_store, ["y"])])


def test_wrong_credentials_are_the_users_move(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    committer(s3_store).commit([receipt(s3_store, ["x"])])
    journal = Journal(s3_store, "r", "h", recover(s3_store))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "expired")
    fresh = Store(s3_store.uri, s3_store.options)
    for call in (lambda: delta.open_table(fresh, "nights"), lambda: recover(fresh)):
        with pytest.raises(AccessDenied, match="refused the credentials"):
            call()
    with pytest.raises(AccessDenied):
        delta.create(fresh, "other", delta.layout(OUTPUTS["nights"]), (), journal.number)
