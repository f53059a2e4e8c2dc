"""Small E4 sessions as bytes, for the readers' tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

START_S = 1_600_000_000


def csvs(seconds: int = 60, start_s: float = START_S) -> dict[str, bytes]:
    """Member name → content of a session: a pulse, a turning wrist, a warm skin."""
    rng = np.random.default_rng(seconds)
    acc = rng.integers(-80, 80, (32 * seconds, 3))
    bvp = np.rint(4000 * np.sin(np.arange(64 * seconds) / 9) + rng.normal(0, 300, 64 * seconds)) / 100
    head = f"{start_s:.6f}"
    return {
        "ACC.csv": f"{head}, {head}, {head}\n32.000000, 32.000000, 32.000000\n".encode()
        + "".join(f"{x},{y},{z}\n" for x, y, z in acc).encode(),
        "BVP.csv": f"{start_s:.2f}\n64.000000\n".encode() + "".join(f"{v:.2f}\n" for v in bvp).encode(),
        "EDA.csv": f"{head}\n4.000000\n".encode() + b"0.155022\n0.203707\n" * (2 * seconds),
        "HR.csv": f"{start_s + 10:.6f}\n1.000000\n".encode() + b"61.50\n" * max(0, seconds - 10),
        "IBI.csv": f"{head}, IBI\n".encode() + b"3.500000,0.843750\n4.343750,0.843750\n9.250000,0.812500\n",
        "TEMP.csv": f"{head}\n4.000000\n".encode() + b"33.41\n33.43\n" * (2 * seconds),
        "info.txt": b"made for a test\n",
        "tags.csv": f"{start_s + 5:.2f}\n".encode(),
    }


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The same bytes for the same members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 9, 13, 12, 0, 0)), content, method)
    return target.getvalue()
