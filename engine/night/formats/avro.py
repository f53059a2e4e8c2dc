"""Avro object container files, read natively: the writer's schema from the header, by field names.

The usual library (fastavro, the tests' oracle) makes an object of every number, 200 ms a million against 10 for the
whole reader, and makes 20 million of them from 177 bytes if these say so. Here what the bytes say is held to an
allowance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.night.formats.avro_values import Allowance, Cursor, Damaged, Ended, Schema, Values, schema_of
from engine.night.formats.zips import RAISE, Refused, inflate

_MAGIC = b"Obj\x01"
_SYNC = 16
_MOST_RECORDS = 10_000


def looks_like_avro(data: bytes) -> bool:
    return data.startswith(_MAGIC)


def records(data: bytes, max_unpacked_mb: int) -> tuple[list[dict[str, Any]], int]:
    """The file's records as dicts, arrays of numbers in NumPy; and how many blocks were cut or damaged.

    Of a record that the end of the file cuts, all that lies before the cut. A block that does not end where its records
    end is given up whole: nothing tells which of its numbers are right. Raises Damaged where the header does not hold,
    Refused where the file unpacks to more than `max_unpacked_mb` MiB.
    """
    head = Cursor(data, len(_MAGIC))
    try:
        notes = {head.text(): head.take(head.long()) for count in head.counts() for _ in range(min(count, 1000))}
        sync = head.take(_SYNC)
    except Ended:
        raise Damaged("the header is cut") from None
    schema = schema_of(notes.get("avro.schema", b""))
    codec = notes.get("avro.codec", b"null").decode("latin-1")
    if codec not in ("null", "deflate"):
        raise Damaged(f"packed with {codec}: pack it with deflate or not at all")
    allowance = Allowance(max_unpacked_mb << 20, max_unpacked_mb << 20)
    found: list[dict[str, Any]] = []
    hurt, at = 0, head.at
    while at < len(data):
        block, at = _Block.at(data, at, sync)
        made = block.records(schema, codec, allowance) if block else None
        hurt += made is None or (block is not None and not block.whole)
        found += made or []
        if len(found) > _MOST_RECORDS:
            raise Refused(f"holds over {_MOST_RECORDS} records: send the device's own files")
    return found, hurt


@dataclass(frozen=True, slots=True)
class _Block:
    """`cut`: the end of the file cuts it. `whole`: it ends where it says."""

    count: int
    stream: bytes
    cut: bool
    whole: bool

    @classmethod
    def at(cls, data: bytes, at: int, sync: bytes) -> tuple[_Block | None, int]:
        """The block there, and where the next one begins. A size that is wrong is found out by the sync marker."""
        cursor = Cursor(data, at)
        try:
            count, size = cursor.long(), cursor.long()
        except (Ended, Damaged):
            count, size = -1, -1
        begin, end = cursor.at, cursor.at + size
        whole = size >= 0 and data[end : end + _SYNC] == sync
        end = end if whole else data.find(sync, begin)
        following = end + _SYNC if end >= 0 else len(data)
        if not 0 < count <= _MOST_RECORDS:
            return None, following
        return cls(count, data[begin : end if end >= 0 else len(data)], end < 0, whole), following

    def records(self, schema: Schema, codec: str, allowance: Allowance) -> list[dict[str, Any]] | None:
        """None where they do not hold."""
        body, cut = self.stream, self.cut
        if codec == "deflate":
            inflated = inflate(body, allowance.stream)
            if inflated is None or not (inflated[1] or cut):
                return None
            body, finished, _ = inflated
            cut = not finished
        allowance.stream -= len(body)
        if allowance.stream < 0:
            raise Refused(f"unpacks to more than is allowed: {RAISE}")
        cursor, found = Cursor(body), list[dict[str, Any]]()
        try:
            for _ in range(self.count):
                found.append(Values(cursor, schema, allowance).value(schema.root, 0))
        except Ended as ended:
            if isinstance(ended.partial, dict):
                found.append(ended.partial)
            return found if cut else None
        except Damaged:
            return None
        return found if cut or cursor.at == len(body) else None
