"""Frames between a worker, its zygote and the zygote's children: a length, JSON, and a body of Arrow IPC.

Nothing that a child says is unpickled: what came out of a user's file stays data.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from engine.module import Outcome, Status, Table, Verdict
from engine.work import Evaluation
from engine.workers.failures import Failure

_LENGTHS = struct.Struct("<IQ")  # bytes of JSON, bytes of body
READ_BYTES = 1 << 20
Header = dict[str, Any]


class Garbled(Exception):
    """What arrived is no frame of ours."""


def write_frame(descriptor: int, header: Header, body: bytes | memoryview = b"") -> None:
    """Write one frame whole. Raises OSError where the other end is gone."""
    text = json.dumps(header).encode()
    for piece in (_LENGTHS.pack(len(text), len(body)) + text, body):
        left = memoryview(piece)
        while left:
            left = left[os.write(descriptor, left) :]


def read_frame(descriptor: int) -> tuple[Header, bytes] | None:
    """Wait for one frame; None where the other end is gone."""
    lengths = _read_exactly(descriptor, _LENGTHS.size)
    if lengths is None:
        return None
    header_bytes, body_bytes = _LENGTHS.unpack(lengths)
    rest = _read_exactly(descriptor, header_bytes + body_bytes)
    return None if rest is None else (json.loads(rest[:header_bytes]), rest[header_bytes:])


def read_some(descriptor: int, most: int = READ_BYTES) -> bytes:
    """What has arrived, waiting for the first byte; empty where the other end is gone."""
    try:
        return os.read(descriptor, most)
    except ConnectionResetError:  # it went without reading all that it was told
        return b""


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    held = bytearray()
    while len(held) < count:
        got = read_some(descriptor, min(count - len(held), READ_BYTES))
        if not got:
            return None
        held += got
    return bytes(held)


class Inbox:
    """Frames out of a stream that arrives in pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Header, bytes]]:
        """Take what arrived; yields the frames that it completed. Raises `Garbled`."""
        self._held += data
        while len(self._held) >= _LENGTHS.size:
            header_bytes, body_bytes = _LENGTHS.unpack_from(self._held)
            body_at = _LENGTHS.size + header_bytes
            if len(self._held) < body_at + body_bytes:
                return
            frame = bytes(self._held[_LENGTHS.size : body_at]), bytes(self._held[body_at : body_at + body_bytes])
            del self._held[: body_at + body_bytes]
            yield _header(frame[0]), frame[1]

    @property
    def held_bytes(self) -> int:
        return len(self._held)


def _header(text: bytes) -> Header:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise Garbled("no JSON") from error
    if not isinstance(header, dict):
        raise Garbled("no header")
    return header


def tell_evaluation(evaluation: Evaluation) -> tuple[Header, bytes]:
    """An evaluation as header and body."""
    bodies = {name: _to_ipc(rows) for name, rows in evaluation.outcome.tables.items()}
    verdicts = [[v.file, str(v.status), list(v.reasons), v.message] for v in evaluation.outcome.verdicts]
    sizes = {name: len(body) for name, body in bodies.items()}
    header = {"tables": sizes, "verdicts": verdicts, "bytes_sha256": dict(evaluation.bytes_sha256)}
    return header, b"".join(bodies.values())


def hear_evaluation(header: Header, body: bytes) -> Evaluation:
    """The inverse of `tell_evaluation`; tables look into `body` without a copy. Raises `Garbled`."""
    try:
        whole, at, tables = pa.py_buffer(body), 0, {}
        for name, size in header["tables"].items():
            tables[name] = pa.ipc.open_stream(whole.slice(at, size)).read_all()
            tables[name].validate(full=True)
            at += size
        verdicts = tuple(Verdict(f, Status(s), tuple(reasons), m) for f, s, reasons, m in header["verdicts"])
        return Evaluation(Outcome(tables, verdicts), header["bytes_sha256"])
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise Garbled(str(error)) from error


def tell_failure(failure: Failure) -> Header:
    return {"cause": failure.cause, "message": failure.message, "at": [failure.traceback, failure.fingerprint]}


def hear_failure(header: Header) -> Failure:
    try:
        return Failure(header["cause"], header["message"], *header["at"])
    except (KeyError, TypeError) as error:
        raise Garbled(str(error)) from error


def tell_outputs(outputs: Mapping[str, Table]) -> tuple[Header, bytes]:
    """A module's declared tables, so that the worker need not load the module to know them."""
    schemas = {name: table.schema.serialize().to_pybytes() for name, table in outputs.items()}
    shapes = {
        name: [len(schemas[name]), list(table.key), list(table.sort), table.partition, table.owner, _nullable(table)]
        for name, table in outputs.items()
    }
    return {"outputs": shapes}, b"".join(schemas.values())


def hear_outputs(header: Header, body: bytes) -> dict[str, Table]:
    outputs, at = {}, 0
    for name, (size, key, sort, partition, owner, nullable) in header["outputs"].items():
        schema = pa.ipc.read_schema(pa.py_buffer(body[at : at + size]))
        outputs[name] = Table(schema, tuple(key), tuple(sort), partition, owner, tuple(nullable))
        at += size
    return outputs


def _nullable(table: Table) -> list[str]:
    return list(getattr(table, "nullable_key", ()))  # of a user's own class perhaps, from before there was such a thing


def _to_ipc(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())
