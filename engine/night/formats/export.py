"""Any readable input as files of the neutral format (DOMAIN A7), one a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.module import RawFile
from engine.night.formats import parse
from engine.night.formats.derived import reader_of
from engine.night.formats.nrf import export_nrf, looks_like_parquet
from engine.night.reasons import in_order
from engine.night.recording import Unreadable

ENDING = ".nrf.parquet"


@dataclass(frozen=True, slots=True)
class Nrf:
    """files: the inputs that are in it, more than one where a device sends many a night. name: of the file to write,
    relative as the first input's. codes: what the reader met."""

    files: tuple[str, ...]
    name: str
    data: bytes
    codes: tuple[str, ...]


def export(files: Sequence[RawFile], max_unpacked_mb: int) -> Iterator[Nrf | Unreadable]:
    """The recordings of one Source's files, and why a file gave none. Never raises.

    A recording is named as its (first) input with `.nrf.parquet` behind, so that two inputs never meet; the second,
    third, … of one zip with `-2.nrf.parquet`, `-3.nrf.parquet`, ….
    """
    signals = []
    for file in files:
        if looks_like_parquet(file.data):
            yield Unreadable(file.name, {}, "a Parquet file: NRF already, else give the device's own file")
        elif reader_of(file) is not None:
            yield Unreadable(
                file.name, {"DERIVED": 1}, "a device's own vitals: no signal, `reprocess` reads the file itself"
            )
        else:
            signals.append(file)
    recordings, unreadable = parse.read(signals, max_unpacked_mb)
    yield from unreadable
    seen = Counter[str]()
    for one in recordings:
        seen[one.file] += 1
        which = "" if seen[one.file] == 1 else f"-{seen[one.file]}"
        files_in = tuple(upload.file for upload in one.uploads) or (one.file,)
        yield Nrf(files_in, f"{one.file}{which}{ENDING}", export_nrf(one), in_order(one.codes))
