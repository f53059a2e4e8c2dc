"""Rows of decimal text, read one at a time with exact decimals."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

MISSING = -(2**31)
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAN = re.compile(rb"[+-]?(nan|inf|inf[\x00-\xff]{5})", re.IGNORECASE | re.DOTALL)
_BLANKS = b' "\t\r'


def cell(raw: bytes, decimals: int, point: bytes, limit: int) -> tuple[int, str]:
    text = raw.strip(_BLANKS)
    if not text:
        return 0, "blank"
    if _NAN.fullmatch(text):
        return 0, "nan"
    if point != b".":
        text = text.replace(b".", b"x").replace(point, b".")
    if not _NUMBER.fullmatch(text):
        return 0, "bad"
    mantissa, _, exponent = text.lower().partition(b"e")
    power = max(-999, min(int(exponent or b"0"), 999))
    with localcontext(prec=5000):
        exact = Decimal(mantissa.decode()).scaleb(decimals + power)
        if abs(exact) > 10 * limit + 10:
            return 0, "bad"
        whole = exact.quantize(Decimal(1), ROUND_HALF_EVEN)
    if abs(whole) > limit:
        return 0, "bad"
    return int(whole), "good" if whole == exact else "rounded"


def rows(
    text: bytes, decimals: int, columns: int, separator: bytes, point: bytes, limit: int
) -> tuple[list[list[int]], int, int, int]:
    """(values of each row, bad rows, rows with nan, rounded rows)."""
    found: list[list[int]] = []
    verdicts: list[str] = []
    for line in text.split(b"\n")[:-1]:
        cells = [line] if columns == 1 else line.split(separator)
        read = [cell(one, decimals, point, limit) for one in cells]
        kinds = {kind for _, kind in read}
        if kinds == {"blank"} and len(cells) == 1:
            verdict = "blank"
        elif kinds & {"bad", "blank"} or len(cells) != columns:
            verdict = "bad"
        else:
            verdict = "nan" if "nan" in kinds else "rounded" if "rounded" in kinds else "good"
        verdicts.append(verdict)
        found.append([value for value, _ in read] if verdict in ("good", "rounded") else [MISSING] * columns)
    while verdicts and verdicts[-1] == "blank":
        verdicts.pop()
        found.pop()
    bad = verdicts.count("bad") + verdicts.count("blank")
    return found, bad, verdicts.count("nan"), verdicts.count("rounded")
