"""Small EDF and EDF+ files as bytes, for the reader's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Signal:
    label: str
    values: NDArray[np.int16]
    """(records, samples)"""
    unit: str = ""
    physical: tuple[str, str] = ("-100", "100")
    digital: tuple[int, int] = (-2048, 2047)


def edf(
    signals: Sequence[Signal],
    *,
    kind: str = "EDF+C",
    record_s: str = "1",
    onsets: Sequence[float] | None = None,
    records: int | None = None,
    recorded: str = "Startdate 15-JAN-2024 X X X",
    patient: str = "S07 F X X",
    date: str = "15.01.24",
) -> bytes:
    """kind "" is plain EDF, without annotations."""
    count = len(signals[0].values)
    columns = [signal.values for signal in signals]
    told = list(signals)
    if kind:
        starts = [i * float(record_s) for i in range(count)] if onsets is None else onsets
        notes = [f"+{start:g}\x14\x14\x00".encode().ljust(40, b"\x00") for start in starts]
        notes[0] = notes[0].rstrip(b"\x00") + b"\x00+2.5\x1530\x14Lights off\x14\x00"
        notes[0] = notes[0].ljust(40, b"\x00")
        stamps = np.frombuffer(b"".join(notes), "<i2").reshape(count, 20)
        columns.append(stamps)
        told.append(Signal("EDF Annotations", stamps, "", ("-1", "1"), (-32768, 32767)))
    head = [("0", 8), (patient, 80), (recorded, 80), (date, 8), ("21.00.00", 8), (str(256 * (len(told) + 1)), 8)]
    head += [(kind, 44), (str(count if records is None else records), 8), (record_s, 8), (str(len(told)), 4)]
    fields = [
        [(s.label, 16) for s in told], [("", 80) for _ in told], [(s.unit, 8) for s in told],
        [(s.physical[0], 8) for s in told], [(s.physical[1], 8) for s in told],
        [(str(s.digital[0]), 8) for s in told], [(str(s.digital[1]), 8) for s in told],
        [("", 80) for _ in told], [(str(s.values.shape[1]), 8) for s in told], [("", 32) for _ in told],
    ]  # fmt: skip
    cells = head + [cell for field in fields for cell in field]
    text = "".join(content.ljust(width) for content, width in cells)
    return text.encode("latin-1") + np.hstack(columns).astype("<i2").tobytes()


def wrist(records: int = 60, seed: int = 0) -> list[Signal]:
    """A pulse, a turning wrist and its skin, records of one second."""
    rng = np.random.default_rng(seed)
    pulse = np.rint(900 * np.sin(np.arange(records * 64) / 9)).astype(np.int16).reshape(records, 64)
    acc = [rng.integers(-300, 300, (records, 32)).astype(np.int16) for _ in "xyz"]
    warm = np.full((records, 1), 500, np.int16)
    axes = [Signal(f"Acc {axis}", values, "mg", ("-4000", "4000")) for axis, values in zip("XYZ", acc, strict=True)]
    return [Signal("Pleth", pulse), *axes, Signal("Skin temp", warm, "degC", ("0", "50"), (0, 1000))]
