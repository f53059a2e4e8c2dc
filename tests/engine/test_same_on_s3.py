"""The same nights from and to a disk and an S3 server give the same rows, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.s3_cost import compare
from engine.executors import InProcess
from engine.simulate import nights
from engine.storage import StoreOptions
from tests.engine.s3_server import s3_endpoint, s3_options  # noqa: F401


@pytest.mark.s3
def test_the_same_rows(tmp_path: Path, s3_options: StoreOptions) -> None:  # noqa: F811
    nights.write(tmp_path / "raw", users=2, nights=1, hours=1.5, level=6)
    found = compare(tmp_path / "raw", tmp_path, s3_options, InProcess(), repeat=1)
    assert found["equal"]
    rows = found["rows"]
    assert isinstance(rows, dict)
    assert rows["epochs"] > 500
    assert rows["files"] == found["files"] == 2
