"""Zip archives over bytes, read so that nothing in them can hurt: members are inflated one at a time into memory,
counted while they grow, and never written anywhere by name.

What a damaged archive yields: members whose CRC-32 holds, and of a member that the end of the file cuts, all that was
inflated (a cut deflate stream is right up to the cut). A member with a wrong CRC-32 or a broken stream is given up
whole: nothing tells which of its lines are right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from isal import isal_zlib

_LOCAL, _CENTRAL, _END, _END64, _LOCATOR64 = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_DESCRIPTOR = b"PK\7\b"
_LOCAL_HEAD = struct.Struct("<4s5H3L2H")
_CENTRAL_HEAD = struct.Struct("<4s6H3L5H2L")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_BEHIND = 1, 8
_MOST_ENTRIES = 10_000
_TAIL = 66_000
_RATIO, _RATIO_FREE_BYTES = 200, 64 << 20
_MEBI = 1 << 20
RAISE = "raise max_unpacked_mb if it is sound"
_AGAIN = "export it again, no recording packs so well"


class Refused(ValueError):
    """The archive is unsafe to unpack (`ZIP_UNSAFE`). Caught where files are read; never leaves the module's call."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as a header describes it; None = the header leaves it open. `begin`: first byte of its stream."""

    name: str
    flags: int
    method: int
    crc32: int | None
    packed: int | None
    unpacked: int | None
    begin: int


class Archive:
    """The members of a zip in `data`. `damaged`: the directory is missing or disagrees with the members' own headers;
    `broken`: how many members read so far were cut or damaged.

    Raises Refused for paths that climb or are absolute, for encryption, and for more than `max_unpacked_mb` declared
    MiB.
    """

    def __init__(self, data: bytes, max_unpacked_mb: int) -> None:
        self._data = data
        self._last_mark = max(data.rfind(mark) for mark in (_LOCAL, _CENTRAL, _END))
        self._left = max_unpacked_mb * _MEBI
        self.broken = 0
        listed = _directory(data)
        checked = [entry for entry in map(self._confirm, listed or ()) if entry is not None]
        self.damaged = listed is None or len(checked) != len(listed)
        if self.damaged:
            known = {entry.name for entry in checked}
            checked += [entry for entry in _scan(data) if entry.name not in known]
        self.entries = tuple(entry for entry in checked if not entry.name.endswith("/"))
        self._refuse_unsafe()

    def _refuse_unsafe(self) -> None:
        if len(self.entries) > _MOST_ENTRIES:
            raise Refused(f"holds {len(self.entries)} members: give each session as a zip")
        for entry in self.entries:
            parts = entry.name.split("/")
            if entry.name.startswith("/") or entry.name[1:2] == ":" or ".." in parts:
                raise Refused(f"member {entry.name!r} points outside the archive: export the session again")
            if entry.flags & _ENCRYPTED:
                raise Refused(f"member {entry.name!r} is encrypted: give it without a password")
        declared = sum(entry.unpacked or 0 for entry in self.entries)
        if declared > self._left:
            raise Refused(f"declares {declared / _MEBI:.0f} MiB unpacked, more than {self._left / _MEBI:.0f}: {RAISE}")

    def refuse_nested(self) -> None:
        """Raises Refused where a member lies more than one folder deep."""
        for entry in self.entries:
            if entry.name.count("/") > 1 and not entry.name.startswith("__MACOSX/"):
                raise Refused(f"member {entry.name!r} lies more than one folder deep: give each session as a zip")

    def _confirm(self, entry: tuple[Entry, int]) -> Entry | None:
        """The entry with its place in the file, if the member's own header agrees with the directory."""
        listed, offset = entry
        local = _local(self._data, offset)
        if local is None or (local.name, local.method) != (listed.name, listed.method):
            return None
        if (local.flags ^ listed.flags) & _ENCRYPTED or local.packed not in (None, listed.packed):
            return None
        return replace(listed, begin=local.begin)

    def read(self, entry: Entry) -> bytes | None:
        """A member's bytes: all that is there of one that the end of the file cuts, None for a damaged one.

        Raises Refused where it unpacks to more than is left of the allowance, or past 64 MiB and 200-fold.
        """
        end = len(self._data) if entry.packed is None else entry.begin + entry.packed
        cut = end >= len(self._data) if entry.packed is None else end > len(self._data)
        # Where something of the archive follows, the bytes that are missing are not at the end: nothing tells where.
        cut = cut and self._last_mark < entry.begin
        stream = memoryview(self._data)[entry.begin : end]
        unpacked: tuple[bytes, bool, bytes] | None = None
        if entry.method == _STORED:
            unpacked = (bytes(stream[: self._left + 1]), not cut, b"")
        elif entry.method == _DEFLATED:
            unpacked = inflate(stream, self._left)
        if unpacked is None:
            self.broken += 1
            return None
        data, finished, rest = unpacked
        self._left -= len(data)
        if self._left < 0:
            raise Refused(f"member {entry.name!r} unpacks to more than is allowed: {RAISE}")
        expected = entry.crc32 if entry.crc32 is not None else _described_crc32(rest)
        sound = cut if not finished else expected is None or isal_zlib.crc32(data) == expected
        self.broken += not (sound and finished)
        return data if sound else None


def inflate(stream: bytes | memoryview, left: int) -> tuple[bytes, bool, bytes] | None:
    """(bytes, whether the deflate stream came to its own end, what follows it); None for a broken stream.

    Raises Refused where it unpacks to more than `left` bytes, or past 64 MiB and 200-fold.
    """
    most = min(left, max(_RATIO_FREE_BYTES, _RATIO * len(stream)))
    inflater = isal_zlib.decompressobj(-15)
    try:
        data = inflater.decompress(stream, most + 1)
    except isal_zlib.error:  # type: ignore[misc]  # its stub declares an instance
        return None
    if len(data) > most:
        raise Refused(f"unpacks to more than {most / _MEBI:.0f} MiB: {RAISE if most == left else _AGAIN}")
    return data, inflater.eof, inflater.unused_data


def looks_like_zip(data: bytes) -> bool:
    """`PK` at the start, or the end record near the end."""
    return data.startswith(b"PK") or data.rfind(_END, max(0, len(data) - _TAIL)) >= 0


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\\", "/")


def _described_crc32(rest: bytes) -> int | None:
    """The CRC-32 in the descriptor behind a stream whose header left it open; None where the file ends before it."""
    start = 4 if rest[:4] == _DESCRIPTOR else 0
    return int.from_bytes(rest[start : start + 4], "little") if len(rest) >= start + 4 else None


def _wide(extra: bytes, fields: list[int]) -> list[int]:
    """32-bit fields with those that read 0xFFFFFFFF replaced by their 64-bit values in the zip64 extra."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + size]
            words = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            return [next(words, field) if field == 0xFFFFFFFF else field for field in fields]
        at += 4 + size
    return fields


def _local(data: bytes, offset: int) -> Entry | None:
    """The member whose local header lies at `offset`, or None."""
    if offset < 0 or data[offset : offset + 4] != _LOCAL or offset + _LOCAL_HEAD.size > len(data):
        return None
    _, _, flags, method, _, _, crc32, packed, unpacked, name_size, extra_size = _LOCAL_HEAD.unpack_from(data, offset)
    behind = offset + _LOCAL_HEAD.size
    name, begin = data[behind : behind + name_size], behind + name_size + extra_size
    if begin > len(data):
        return None
    unpacked, packed = _wide(data[behind + name_size : begin], [unpacked, packed])
    if flags & _SIZES_BEHIND and not packed:
        return Entry(_name(name), flags, method, None, None, None, begin)
    return Entry(_name(name), flags, method, crc32, packed, unpacked, begin)


def _directory(data: bytes) -> list[tuple[Entry, int]] | None:
    """The entries of the central directory with the offsets of their headers; None where it is absent or broken."""
    end = data.rfind(_END, max(0, len(data) - _TAIL))
    if end < 0 or end + 22 > len(data):
        return None
    count, size, offset = struct.unpack_from("<10xHLL", data, end)
    if data[end - 20 : end - 16] == _LOCATOR64 and end >= 76:
        end -= 76
        if data[end : end + 4] != _END64:
            return None
        count, size, offset = struct.unpack_from("<32xQQQ", data, end)
    at = end - size
    if at < 0 or at < offset:
        return None
    prefix = at - offset
    entries: list[tuple[Entry, int]] = []
    while at < end:
        if data[at : at + 4] != _CENTRAL or at + _CENTRAL_HEAD.size > end or len(entries) > _MOST_ENTRIES:
            return None
        head = _CENTRAL_HEAD.unpack_from(data, at)
        flags, method, crc32, packed, unpacked, name_size, extra_size, note_size = (head[3], head[4], *head[7:13])
        at += _CENTRAL_HEAD.size
        extra = data[at + name_size : at + name_size + extra_size]
        unpacked, packed, start = _wide(extra, [unpacked, packed, head[-1]])
        name = _name(data[at : at + name_size])
        entries.append((Entry(name, flags, method, crc32, packed, unpacked, -1), prefix + start))
        at += name_size + extra_size + note_size
    return entries if at == end and len(entries) == count else None


def _scan(data: bytes) -> Iterator[Entry]:
    """Members found by their local headers alone, the first `_MOST_ENTRIES` of them; of equal names the first."""
    seen: set[str] = set()
    central = data.find(_CENTRAL)
    at = data.find(_LOCAL)
    for _ in range(_MOST_ENTRIES + 1):
        if at < 0:
            return
        entry = _local(data, at)
        following = data.find(_LOCAL, at + 4)
        if entry is not None:
            if entry.packed is None:
                central = data.find(_CENTRAL, entry.begin) if 0 <= central < entry.begin else central
                ends = [end for end in (following, central) if end >= entry.begin]
                entry = replace(entry, packed=min(ends) - entry.begin if ends else None)
            elif data.startswith(b"PK", entry.begin + entry.packed):
                following = data.find(_LOCAL, entry.begin + entry.packed)
            if entry.name not in seen:
                seen.add(entry.name)
                yield entry
        at = following
