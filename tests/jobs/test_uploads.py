"""EmbracePlus nights as the vendor's bucket holds them: a file every quarter of an hour, a row for each in `files`."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.simulate import nights
from tests.engine.night.formats.avro_files import of_session, packed
from tests.jobs.test_nights import ZONE, mill, table

pytestmark = pytest.mark.slow
LAYOUT = "participant_data/*/1-1-{subject}/raw_data/v6/*_{start}.avro"
HOURS, QUARTER_S = 2, 900


def upload(root: Path, user: int) -> int:
    """One person's night; how many files it is."""
    session = nights.draw(seed=5, user=user, hours=HOURS).session
    folder = root / "participant_data" / "2026-03-27" / f"1-1-P{user}" / "raw_data" / "v6"
    folder.mkdir(parents=True)
    begins = range(0, session.duration_s, QUARTER_S)
    for begin_s in begins:
        data = packed([of_session(session, begin_s, min(begin_s + QUARTER_S, session.duration_s))], codec="deflate")
        (folder / f"1-1-P{user}_{session.start_s + begin_s}.avro").write_bytes(data)
    return len(begins)


def test_a_night_of_many_files_is_one_night_and_a_row_for_each(tmp_path: Path) -> None:
    count = sum(upload(tmp_path / "raw", user) for user in range(2))
    hurt = sorted((tmp_path / "raw").glob("**/*P1_*.avro"))[3]
    hurt.write_bytes(hurt.read_bytes()[:20_000])
    output = tmp_path / "out"
    mill("reprocess", str(tmp_path / "raw"), "-o", str(output), "--zone", ZONE, "--template", LAYOUT, "--in-process")
    files, rows = table(output, "files"), table(output, "nights")
    assert files.height == count
    assert files["source_id"].n_unique() == rows.height == 2
    assert sorted(rows["subject_id"]) == ["P0", "P1"]
    told = {row["file"].rsplit("/")[-1]: row["status"] for row in files.iter_rows(named=True)}
    assert {name for name, status in told.items() if status != "ok"} == {hurt.name}
    assert rows["recorded_h"].min() > HOURS - 0.3
