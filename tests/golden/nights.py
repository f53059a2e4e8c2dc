"""Nights whose results are frozen: generated, spoiled, of each device whose files can be written; and real ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from engine.module import Outcome, RawFile, Source
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.recording import Recording
from engine.simulate import dirt, e4, nights
from engine.simulate.plan import Span
from tests.engine.night.formats import avro_files, cwa_files, edf_files, geneactiv_files, gt3x_files
from tests.engine.night.formats.e4_files import zipped

Files = Mapping[str, bytes]
SPRING = date(2026, 3, 28)
"""The night in which the clocks of Zurich go forward."""


@lru_cache
def _drawn(seed: int, hours: float, off_wrist: bool = False) -> nights.Night:
    away = (Span(3600, 7200),) if off_wrist else ()
    return nights.draw(seed, night_date=SPRING, hours=hours, off_wrist=away)


def _spoiled(kind: str) -> Files:
    """A short night after `kind` of dirt."""
    session = _drawn(2, 1.5).session
    cut = session.duration_s // 2
    sessions = (session.between(0, cut), session.between(cut + 180, session.duration_s)) if kind == "restart" else ()
    files = {
        f"{number}.zip": e4.pack(dirt.spoil(e4.members(one), kind), one.start_s)
        for number, one in enumerate(sessions or (session,))
    }
    if kind == "truncated":
        files["0.zip"] = dirt.truncate(files["0.zip"])
    return {**files, "copy.zip": files["0.zip"]} if kind == "duplicate" else files


def _recording(seed: int, hours: float) -> Recording:
    (recording,), _ = read([RawFile("n.zip", _drawn(seed, hours).zip())], 512)
    return recording


def _with_dc() -> Files:
    """The pulse on a steady light, as raw PPG is."""
    recording = _recording(3, 4.0)
    bvp = recording.channels["bvp"]
    lit = tuple(replace(s, values=s.values + 500_000) for s in bvp.segments)
    green = replace(
        bvp, name="ppg_green", segments=lit, info={"has_dc": True, "polarity": 1, "sensor_range": 1_000_000}
    )
    channels = {n: c for n, c in recording.channels.items() if n != "bvp"} | {"ppg_green": green}
    expected = tuple("ppg_green" if name == "bvp" else name for name in recording.expected)
    return {"n.parquet": export_nrf(replace(recording, channels=channels, expected=expected))}


def _folder() -> Files:
    return {f"night/{name}": content for name, content in e4.members(_drawn(2, 1.5).session).items()}


def _quarters() -> Files:
    """An EmbracePlus uploads a file every quarter of an hour."""
    session = _drawn(2, 1.5).session
    begins = range(0, session.duration_s, 900)
    ends = [min(begin + 900, session.duration_s) for begin in begins]
    parts = [avro_files.of_session(session, begin, end) for begin, end in zip(begins, ends, strict=True)]
    packed = [avro_files.packed([part]) for part in parts]
    return {f"{n}.avro": data.replace(data[-16:], bytes(16)) for n, data in enumerate(packed)}  # markers are random


def _actigraph() -> Files:
    with zipfile.ZipFile(io.BytesIO(gt3x_files.gt3x(gt3x_files.log(3900)))) as archive:
        return {"n.gt3x": zipped({name: archive.read(name) for name in archive.namelist()})}  # at a fixed date


GENERATED: Mapping[str, Callable[[], Files]] = {
    "e4": lambda: {"n.zip": _drawn(1, 5.0).zip()},
    "e4 laid aside": lambda: {"n.zip": _drawn(1, 4.0, True).zip()},
    **{f"e4 {kind}": lambda kind=kind: _spoiled(kind) for kind in dirt.SPOILING},  # type: ignore[misc]
    "e4 folder": _folder,
    "neutral": lambda: {"n.parquet": export_nrf(_recording(2, 1.5))},
    "neutral with a steady light": _with_dc,
    "axivity packed": lambda: {"n.cwa": cwa_files.cwa(cwa_files.blocks(3000))},
    "axivity ax6": lambda: {"n.cwa": cwa_files.cwa(cwa_files.blocks(1000, axes=cwa_files.AX6), hardware=0x64)},
    "geneactiv": lambda: {"n.bin": geneactiv_files.geneactiv(geneactiv_files.pages(650))},
    "embraceplus": _quarters,
    "actigraph": _actigraph,
    "edf": lambda: {"n.edf": edf_files.edf(edf_files.wrist(3900), kind="EDF+D")},
}

REAL = (
    "nurse_e4/*/6D_1594757863.zip",
    "nurse_e4/*/5C_1586886712.zip",
    "stress_predict/raw/S02.zip",
    "formats_zoo/uniba_e4_mit/*.csv",
    "formats_zoo/skdh_io_mit/ax3_sample.cwa",
    "formats_zoo/skdh_io_mit/ax6_sample.cwa",
    "formats_zoo/skdh_io_mit/gnactv_sample.bin",
    "formats_zoo/ggirread_apache2/ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa",
    "formats_zoo/vitalsqi_ppg_mit/example.edf",
)


def real(folder: Path) -> Iterator[tuple[str, Files]]:
    """The real recordings that are there."""
    for pattern in REAL:
        paths = sorted(folder.glob(pattern))
        if paths:
            yield pattern, {"/".join(path.parts[-2:]): path.read_bytes() for path in paths}


def processed(files: Files) -> Outcome:
    raw = [RawFile(name, content) for name, content in files.items()]
    return Night()(raw, Source("s", tuple(files), "P01", zone="Europe/Zurich"))
