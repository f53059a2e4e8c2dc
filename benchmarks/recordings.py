"""One generated night as the files of several devices: what the speed benchmarks read."""

from __future__ import annotations

import numpy as np

from engine.module import RawFile
from engine.night.formats import parse
from engine.night.formats.nrf_write import export_nrf
from engine.simulate import nights
from tests.engine.night.formats import cwa_files

CWA_HZ, CWA_BLOCK, CWA_STEPS_A_G = 100, 120, 256
FORMATS = ("E4 zip", "CWA 100 Hz", "NRF of the E4", "NRF of the CWA")


def files(hours: float, user: int = 0) -> dict[str, tuple[bytes, float]]:
    """Of each of FORMATS: the bytes, and how many million raw values of all channels are in them."""
    night = nights.draw(user=user, hours=hours)
    zipped, cwa = night.zip(level=6), as_cwa(night)
    given = (zipped, cwa, neutral(zipped), neutral(cwa))
    return {name: (data, values(data) / 1e6) for name, data in zip(FORMATS, given, strict=True)}


def as_cwa(night: nights.Night) -> bytes:
    """The wrist's movement as an AX3 at 100 Hz writes it: packed samples of 1/256 g, with noise of 3 steps."""
    acc, random = night.session.acc, np.random.default_rng(0)
    times_s = np.arange(len(acc) * CWA_HZ // 32) / CWA_HZ
    axes = [np.interp(times_s, np.arange(len(acc)) / 32, axis) * CWA_STEPS_A_G / 64 for axis in acc.T]
    steps = np.rint(np.stack(axes, axis=1) + random.normal(0, 3, (len(times_s), 3))).astype(np.int64).clip(-512, 511)
    whole = range(len(steps) // CWA_BLOCK)
    own = (steps[i * CWA_BLOCK : (i + 1) * CWA_BLOCK] for i in whole)
    start_s = night.session.start_s
    return cwa_files.cwa(
        cwa_files.block(i, start_s + i * CWA_BLOCK / CWA_HZ, cwa_files.packed(part)) for i, part in enumerate(own)
    )


def neutral(data: bytes) -> bytes:
    """The recording as NRF."""
    (recording,), _ = parse.read([RawFile("night", data)], 512)
    return export_nrf(recording)


def values(data: bytes) -> int:
    """Raw values of all regular channels."""
    (recording,), _ = parse.read([RawFile("night", data)], 512)
    return sum(len(part.values) for channel in recording.channels.values() for part in channel.segments)
