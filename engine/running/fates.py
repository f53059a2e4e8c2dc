"""Fates: from what became of Works to rows of the ledger, one for each input, with status, cause and reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from engine.identity import content_key
from engine.module import Status, Verdict
from engine.schemas import FILES
from engine.work import Input, Work
from engine.workers.failures import Failure, Result, shorten

KNOWN_TO_COMMITTER = ("run_id", "committed_at")
SCHEMA = pa.schema(
    [pa.field(field.name, field.type, field.nullable) for field in FILES.schema if field.name not in KNOWN_TO_COMMITTER]
)
"""`FILES` without what only the committer knows; no field metadata, since receipts are small."""
SEVERITY = tuple(Status)
Row = dict[str, Any]


def ledger(results: Sequence[Result], host: str, attempt: int = 1) -> bytes:
    """The ledger's rows of these results as an Arrow IPC stream. `attempt` is how often the batch was sent."""
    rows = [row for result in results for row in _rows(result, host, attempt)]
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, SCHEMA, options=options) as writer:
        writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
    return bytes(sink.getvalue())


def quarantined(work: Work, failure: Failure, host: str, attempt: int) -> bytes:
    """The ledger's rows of a Work that took its worker along; nothing is known of how long it ran."""
    return ledger([Result(work, None, (failure,), 0.0, 0.0)], host, attempt)


def _rows(result: Result, host: str, attempt: int) -> Iterator[Row]:
    work = result.work
    spent = {
        "work_key": work.key,
        "input_identity": work.identity,
        "attempt": attempt + result.attempt - 1,
        "seconds": result.seconds,
        "peak_memory_mb": result.peak_memory_mb,
        "host": host,
    }
    for one in work.inputs or (None,):
        fate = _fate(result, one) | spent | {key: work.known.get(key) for key in ("subject_id", "source_id", "facts")}
        yield {name: _storable(value) for name, value in fate.items()}


def _fate(result: Result, one: Input | None) -> Row:
    about = {} if one is None else _about(one)
    for failure in result.failures:
        if not failure.inputs or (one is not None and one.name in failure.inputs):
            return about | _failed(failure)
    if result.evaluation is None:
        raise AssertionError(f"{result.work.key}: neither rows nor a failure")
    digest = None if one is None else result.evaluation.bytes_sha256.get(one.name)
    return about | {"bytes_sha256": digest} | _judged(result.evaluation.outcome.verdicts, one)


def _about(one: Input) -> Row:
    return {"file": one.name, "uri": where(one), "content_key": content_key(one), "size_bytes": one.size_bytes}


def _failed(failure: Failure) -> Row:
    return {
        "status": str(failure.status),
        "cause": failure.cause,
        "message": failure.message,
        "fingerprint": failure.fingerprint,
        "traceback": failure.traceback,
        "signal": failure.signal,
        "exit_code": failure.exit_code,
        "reasons": [],
    }


def _judged(verdicts: Sequence[Verdict], one: Input | None) -> Row:
    """The worst that the module says of an input and its files. Silence on all is praise; on one only, a breach."""
    if not verdicts:
        return {"status": str(Status.OK), "reasons": []}
    names = set() if one is None else {one.name, *(file.name for file in one.files)}
    mine = [verdict for verdict in verdicts if one is None or verdict.file in names]
    if not mine:
        return _failed(Failure("contract", "the module gave no verdict on this input", None, "contract: no verdict"))
    worst = max(mine, key=lambda verdict: SEVERITY.index(verdict.status))
    return {
        "status": str(worst.status),
        "cause": None if worst.status == Status.OK else "data",
        "reasons": list(dict.fromkeys(reason for verdict in mine for reason in verdict.reasons)),
        "message": shorten(worst.message) or None,
    }


def where(one: Input) -> str | None:
    """Where an input lies: its file, or the folder of its files."""
    first = min(one.files, key=lambda file: file.name, default=None)
    if first is None or len(one.files) == 1:
        return None if first is None else first.uri
    return first.uri.rpartition("/")[0]


def _storable(value: Any) -> Any:
    """Names of files need not be UTF-8, and texts of a module may hold anything; columns are UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return [_storable(one) for one in value] if isinstance(value, Iterable) else value
