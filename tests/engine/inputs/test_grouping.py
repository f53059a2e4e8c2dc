from __future__ import annotations

import string
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.identity import content_key, input_identity
from engine.inventory import InputSpec, take
from engine.module import Source
from engine.work import FileRef, Input
from tests.engine.trees import EVENING, NOON, OPTIONS, grouped, write_empty


def test_files_of_one_subject_night_are_one_source(tmp_path: Path) -> None:
    write_empty(
        tmp_path, f"S1/a_{NOON - 1}.zip", f"S1/b_{EVENING}.zip", f"S1/c_{NOON}.zip", f"S2/a_{NOON}.zip", "S3.zip"
    )
    assert grouped(take([InputSpec(str(tmp_path))], OPTIONS)) == {
        "S1/2020-04-14": [f"S1/a_{NOON - 1}.zip", f"S1/b_{EVENING}.zip"],
        "S1/2020-04-15": [f"S1/c_{NOON}.zip"],
        "S2/2020-04-15": [f"S2/a_{NOON}.zip"],
        "S3.zip": ["S3.zip"],
    }


def test_the_zone_decides_the_night(tmp_path: Path) -> None:
    write_empty(tmp_path, f"S1_{NOON}.zip")
    hints = {
        zone: take([InputSpec(str(tmp_path), zone=zone)], OPTIONS).sources["night_hint"].item()
        for zone in (None, "America/Chicago", "Europe/Zurich", "Pacific/Auckland")
    }
    assert hints == {
        None: date(2020, 4, 15),
        "America/Chicago": date(2020, 4, 14),
        "Europe/Zurich": date(2020, 4, 15),
        "Pacific/Auckland": date(2020, 4, 15),
    }


def test_wall_clock_in_the_zone(tmp_path: Path) -> None:
    write_empty(tmp_path, "S1_20200415T003000.zip")
    template = "{subject}_{start:%Y%m%dT%H%M%S}.zip"
    inventory = take([InputSpec(str(tmp_path), template=template, zone="America/Chicago")], OPTIONS)
    row = inventory.inputs.row(0, named=True)
    assert (row["start"], row["night_hint"]) == (datetime(2020, 4, 15, 5, 30, tzinfo=UTC), date(2020, 4, 14))


def test_inputs_merge_over_nights(tmp_path: Path) -> None:
    write_empty(tmp_path / "first", f"S1/a_{NOON}.zip")
    write_empty(tmp_path / "again", f"S1/b_{NOON + 60}.zip")
    specs = [InputSpec(str(tmp_path / "first"), zone="UTC"), InputSpec(str(tmp_path / "again"), zone="Europe/Paris")]
    sources = take(specs, OPTIONS).sources
    assert sources["inputs"].to_list() == [2]
    assert sources["zone"].to_list() == ["UTC"]  # of the earlier file


def test_identity_is_that_of_the_contract(tmp_path: Path) -> None:
    write_empty(tmp_path, f"é/b_{NOON}.zip", f"é/a_{NOON}.zip", "n/ACC.csv", "n/BVP.csv")
    (tmp_path / "subjects.csv").write_text(
        "subject_id,zone,device_offset_s,received_at\né,Europe/Paris,-5,2020-05-01\n"
    )
    inventory = take([InputSpec(str(tmp_path), subjects=str(tmp_path / "subjects.csv"))], OPTIONS)
    for row in inventory.sources.iter_rows(named=True):
        held = inventory.files.filter(pl.col("source_id") == row["source_id"])
        inputs = [
            Input(name, tuple(FileRef(f["file"], f["uri"], f["size_bytes"], f["content_key"]) for f in part.to_dicts()))
            for (name,), part in held.partition_by("input", as_dict=True).items()
        ]
        known = {name: row[name] for name in ("subject_id", "zone", "device_offset_s", "night_hint", "received_at")}
        assert row["identity"] == input_identity(Source(row["source_id"], tuple(held["file"]), **known), inputs)
        keys = dict(inventory.inputs.select("input", "content_key").rows())
        assert {one.name: content_key(one) for one in inputs}.items() <= keys.items()


PART = st.text(string.ascii_letters + string.digits + " ._-#%=+é\n'\"{}[]*?", min_size=1, max_size=8).filter(
    lambda part: part not in (".", "..")
)
NAME = st.one_of(
    PART.map("{}.zip".format),
    st.integers(1_500_000_000, 1_500_200_000).map("x_{}.zip".format),
    st.sampled_from(["ACC.csv", "BVP.csv", "IBI.csv", "2017-07-14"]),
    PART,
)
PATH = st.builds(lambda folders, name: "/".join([*folders, name]), st.lists(st.sampled_from("ab"), max_size=2), NAME)


@settings(max_examples=60, deadline=None)
@given(st.lists(PATH, min_size=1, max_size=12, unique=True), st.sampled_from([(), ("**",)]))
def test_every_file_is_in_one_source_or_ignored(paths: list[str], include: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = set()
        for path in paths:
            target = Path(folder, path)
            if not any(target.is_relative_to(other) or other.is_relative_to(target) for other in written):
                write_empty(Path(folder), path)
                written.add(target)
        spec = InputSpec(folder, zone="Europe/Zurich", include=include)
        try:
            inventory = take([spec], OPTIONS)
        except UserError as error:
            assert "is a candidate" in str(error)
            return
        kept, ignored = inventory.files["uri"].to_list(), inventory.ignored["uri"].to_list()
        assert sorted(kept + ignored) == sorted(map(str, written))
        assert inventory.inputs["input"].is_unique().all()
        assert inventory.files["file"].is_unique().all()
        assert inventory.sources["inputs"].sum() == inventory.inputs.height
        assert inventory.sources["files"].sum() == inventory.files.height
        per_input = inventory.files.group_by("input").agg(pl.col("source_id").n_unique())
        assert per_input["source_id"].eq(1).all()
