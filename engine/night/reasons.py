"""Reason codes: one append-only list. Tables carry names, `epochs` a bit mask whose bit i is the i-th code."""

from __future__ import annotations

from collections.abc import Iterable

WRONG_CLOCK = "dated before 2005 or after it was received: check `received_at` of its subject and the device's clock"
"""What to say where `CLK_IMPLAUS` leaves nothing."""

CODES: tuple[str, ...] = (
    "ZIP_TRUNC",
    "ZIP_UNSAFE",
    "ROW_BAD",
    "SIG_EMPTY",
    "SIG_MISSING",
    "BLK_BAD",
    "T_DUP",
    "T_CONFLICT",
    "T_BACK",
    "CLK_RESET",
    "GAP",
    "CLK_IMPLAUS",
    "FS_DRIFT",
    "FS_BAD",
    "NANV",
    "FLAT",
    "SAT",
    "ACC_UNIT",
    "TEMP_RANGE",
    "REBOOT",
    "MULTI_SRC",
    "FORMAT_UNKNOWN",
    "DST",
    "TZ_CHANGE",
    "TZ_UNKNOWN",
    "SHORT",
    "NONWEAR",
    "MOTION",
    "PPG_LOW",
    "IBI_SPARSE",
    "TEMP_UNSTABLE",
    "NO_SPT",
    "ACC_UNCAL",
    "LOW_FS",
    "NO_DC",
    "RR_UNSURE",
    "DERIVED",
    "TEMP_UNIT",
)
BIT: dict[str, int] = {code: 1 << index for index, code in enumerate(CODES)}


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Each code once, in the order of the list.

    >>> in_order(["SHORT", "GAP", "SHORT"])
    ('GAP', 'SHORT')
    """
    wanted = set(codes)
    unknown = wanted.difference(CODES)
    if unknown:
        raise ValueError(f"unknown reason codes: {sorted(unknown)}")
    return tuple(code for code in CODES if code in wanted)
