"""CRC-32 of the bytes themselves."""

from __future__ import annotations

import zlib


def joined_crc32(parts: list[bytes]) -> int:
    return zlib.crc32(b"".join(parts))
