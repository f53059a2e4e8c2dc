"""Coverage-guided fuzzing of every reader, by hand: it runs until it finds something or is stopped.

    pip install atheris
    python fuzz/parsers.py fuzz/corpus -max_len=20000 -max_total_time=600

The first byte of an input chooses the file's name, the rest is the file. What is found goes to `crash-…`; put it into
`fuzz/corpus` and a test into tests/engine/night. `python fuzz/parsers.py --seed` writes the corpus anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["engine.night"]):
    from engine.module import RawFile
    from engine.night.formats.parse import read
    from engine.night.reasons import CODES

NAMES = ("a.zip", "a.parquet", "night/ACC.csv", "night/BVP.csv", "night/IBI.csv", "night/tags.csv", "a.cwa", "a.bin")
LIMIT_MB = 16


def one(data: bytes) -> None:
    """Reading never raises, says the same twice, and only what it may say."""
    file = RawFile(NAMES[data[0] % len(NAMES)] if data else "empty", data[1:])
    told = [
        [(kind.file, sorted(kind.codes.items())) for found in read([file], LIMIT_MB) for kind in found]
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert told[0]
    assert all(code in CODES for _, codes in told[0] for code, _ in codes)


def seed(folder: Path) -> None:
    """Small files of every kind, whole and slightly wrong."""
    from engine.night.formats.nrf_write import export_nrf
    from tests.engine.night.formats.e4_files import csvs, zipped

    session = csvs(2)
    (recording,), _ = read([RawFile("a.zip", zipped(session))], LIMIT_MB)
    seeds = {"zip": (0, zipped(session)), "stored": (0, zipped(session, 0)), "nrf": (1, export_nrf(recording))}
    seeds |= {
        name: (NAMES.index(f"night/{name}"), session[name]) for name in ("ACC.csv", "BVP.csv", "IBI.csv", "tags.csv")
    }
    folder.mkdir(exist_ok=True)
    for name, (number, data) in seeds.items():
        (folder / name).write_bytes(bytes([number]) + data)


if __name__ == "__main__":
    if "--seed" in sys.argv:
        seed(Path(__file__).parent / "corpus")
    else:
        atheris.Setup(sys.argv, one)
        atheris.Fuzz()
