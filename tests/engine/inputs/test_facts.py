from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.inventory import InputSpec, take
from tests.engine.trees import EVENING, NOON, OPTIONS, write_empty, write_tree


def test_subjects_table_goes_before_the_input(tmp_path: Path) -> None:
    write_empty(tmp_path / "raw", f"S1_{EVENING}.zip", f"S1_{NOON + 86400 * 30}.zip", f"S2_{NOON}.zip", "S1.zip")
    table = tmp_path / "subjects.csv"
    table.write_text(
        "subject_id,zone,valid_from,device_offset_s,received_at\n"
        "S1,Europe/Zurich,,3600,2020-04-20\n"
        "S1,Asia/Tokyo,2020-05-01,,2020-06-01T10:00:00+02:00\n"
    )
    inventory = take([InputSpec(str(tmp_path / "raw"), zone="UTC", device_offset_s=7, subjects=str(table))], OPTIONS)
    found = inventory.sources.select("source_id", "zone", "device_offset_s", "received_at").rows()
    assert found == [
        ("S1.zip", "Asia/Tokyo", 7, datetime(2020, 6, 1, 8, tzinfo=UTC)),
        ("S1/2020-04-14", "Europe/Zurich", 3600, datetime(2020, 4, 20, tzinfo=UTC)),
        ("S1/2020-05-15", "Asia/Tokyo", 7, datetime(2020, 6, 1, 8, tzinfo=UTC)),
        ("S2/2020-04-15", "UTC", 7, None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,zone\nS1,UTC\n", "needs a column subject_id; it has subject, zone"),
        ("subject_id,zone\nS1,Europe/Dublim\n", "'Europe/Dublim'; did you mean Europe/Dublin"),
        ("subject_id,device_offset_s\nS1,one hour\n", "column device_offset_s: cannot read 'one hour'"),
        ("subject_id,received_at\nS1,yesterday\n", "column received_at: cannot read 'yesterday'"),
        ("subject_id,zone\nS1,UTC\nS1,Europe/Paris\n", "'S1' has several rows; tell them apart by valid_from"),
        ("", "not a readable table"),
    ],
)
def test_wrong_subjects_table(tmp_path: Path, text: str, message: str) -> None:
    write_tree(tmp_path, {"S1.zip": b"", "subjects.csv": text})
    with pytest.raises(UserError, match=message):
        take([InputSpec(str(tmp_path), subjects=str(tmp_path / "subjects.csv"))], OPTIONS)


def test_missing_subjects_table(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1.zip")
    with pytest.raises(UserError, match="there is no such table"):
        take([InputSpec(str(tmp_path), subjects=str(tmp_path / "nobody.csv"))], OPTIONS)
