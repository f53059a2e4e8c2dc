"""GENEActiv's pages, one digit string at a time."""

from __future__ import annotations


def page(text: bytes) -> list[tuple[int, int, int, int, int]] | None:
    """x, y, z, light and button of 300 samples; None unless the text begins with exactly 3600 digits."""
    digits, after = text[:3600], text[3600:3601]
    if len(digits) < 3600 or (after and after[0] > 32) or any(c not in b"0123456789abcdefABCDEF" for c in digits):
        return None
    return [sample(digits[i : i + 12].decode()) for i in range(0, 3600, 12)]


def sample(digits: str) -> tuple[int, int, int, int, int]:
    bits = f"{int(digits, 16):048b}"
    x, y, z = (int(bits[at : at + 12], 2) for at in (0, 12, 24))
    light, button = int(bits[36:46], 2), int(bits[46])
    return _signed(x), _signed(y), _signed(z), light, button


def _signed(value: int) -> int:
    return value - 4096 if value >= 2048 else value
