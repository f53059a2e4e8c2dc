"""Files made to hurt: no reader falls, and none takes much more memory than the file has bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.module import RawFile
from engine.night.formats.parse import read
from tests.engine.night.formats import hostile
from tests.engine.night.formats.e4_files import csvs, zipped

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.slow
def test_hostile_files_are_read_in_bounded_memory(tmp_path: Path) -> None:
    hostile.write(tmp_path)
    command = [sys.executable, "-m", "tests.engine.night.formats.hostile", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = {row["what"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert {what: set(row["codes"]) - {"SIG_MISSING", "SIG_EMPTY"} for what, row in told.items()} == {
        "deflated 1000-fold": set(),  # a flat line of two days deflates as well
        "a zip in a zip": {"FORMAT_UNKNOWN"},
        "one stream under 5,000 names": {"ZIP_UNSAFE"},
        "100,000 local headers without a directory": {"ZIP_TRUNC"},
        "a directory of 12,000 entries": {"ZIP_UNSAFE"},
        "a digit a row": {"FS_BAD"},
        "a line feed a row": set(),
        "one row without end": {"ROW_BAD"},
        "a press a row": {"FORMAT_UNKNOWN"},
        "a quadrillion nulls in Avro": {"ZIP_UNSAFE"},
        "numbers that grow eightfold": {"ZIP_UNSAFE"},
        "deflated Avro": {"ZIP_UNSAFE"},
        "an ActiGraph log of separators": {"BLK_BAD"},
        "30 million values in 3 kB": {"BLK_BAD"},
        "a dictionary of two billion words": {"BLK_BAD"},
        "30 million values under another name": {"BLK_BAD"},
        "a word of 1 MB in 20,000 rows": {"ZIP_UNSAFE"},
    }


@pytest.mark.parametrize("name", ["../BVP.csv", "/etc/BVP.csv", "C:\\BVP.csv", "a/../../BVP.csv", "..\\..\\BVP.csv"])
def test_names_that_climb_are_refused(name: str) -> None:
    recordings, (why,) = read([RawFile("a.zip", zipped({**csvs(12), name: b"1\n"}))], 512)
    assert not recordings
    assert (why.codes, "points outside" in why.message) == ({"ZIP_UNSAFE": 1}, True)
