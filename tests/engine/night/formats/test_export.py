"""Any format as NRF: reprocessing what was exported gives the rows of the original."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from engine.module import Outcome, RawFile, Source
from engine.night.formats.export import Nrf, export
from engine.night.night import Night
from engine.night.recording import Unreadable
from tests.engine.night.formats import derived_files
from tests.engine.night.formats.avro_files import START_US, packed, record
from tests.engine.night.formats.cwa_files import blocks, cwa
from tests.engine.night.formats.e4_files import csvs, zipped
from tests.engine.night.formats.edf_files import edf, wrist
from tests.engine.night.formats.geneactiv_files import geneactiv, pages
from tests.engine.night.formats.gt3x_files import gt3x, log

FORMATS = {
    "s/e4.zip": zipped(csvs(1200)),
    "s/a.cwa": cwa(blocks(60)),
    "s/g.bin": geneactiv(pages(60)),
    "s/e.edf": edf(wrist(600)),
    "s/l.gt3x": gt3x(log(300)),
    "s/1.avro": packed([record(600)]),
}
ZONE = "Europe/Zurich"


def rows(outcome: Outcome) -> dict[str, pa.Table]:
    return {name: table.drop_columns(["source_id"]) for name, table in outcome.tables.items()}


def night(*files: RawFile) -> Outcome:
    return Night()(files, Source("s", tuple(file.name for file in files), "p", zone=ZONE))


def made(*files: RawFile) -> list[Nrf | Unreadable]:
    return list(export(files, 512))


def only(file: RawFile) -> Nrf:
    (one,) = made(file)
    assert isinstance(one, Nrf), one
    return one


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_exported_reprocesses_to_the_same_rows(name: str) -> None:
    file = RawFile(name, FORMATS[name])
    exported = only(file)
    assert (exported.files, exported.name) == ((name,), f"{name}.nrf.parquet")
    native, again = night(file), night(RawFile(exported.name, exported.data))
    assert native.tables["epochs"].num_rows > 0
    assert rows(native) == rows(again)
    assert [(v.status, v.reasons, v.message) for v in native.verdicts] == [
        (v.status, v.reasons, v.message) for v in again.verdicts
    ]
    assert only(file).data == exported.data


def test_a_folder_is_one_recording() -> None:
    files = [RawFile(f"P01/s/{name}", data) for name, data in csvs(60).items()]
    (one,) = made(*files)
    assert isinstance(one, Nrf)
    assert (one.files, one.name) == (("P01/s",), "P01/s.nrf.parquet")


def test_the_many_files_of_a_night_become_one() -> None:
    files = [RawFile(f"v6/{n}.avro", packed([record(300, START_US + 300_000_000 * n)])) for n in range(3)]
    (one,) = made(*files)
    assert isinstance(one, Nrf)
    assert (one.files, one.name) == (("v6/0.avro", "v6/1.avro", "v6/2.avro"), "v6/0.avro.nrf.parquet")
    native, again = night(*files), night(RawFile(one.name, one.data))
    assert native.tables["epochs"].num_rows == 90
    assert rows(native) == rows(again)


def test_sessions_of_one_zip_are_numbered() -> None:
    both = {f"{folder}/{name}": data for folder in ("a", "b") for name, data in csvs(60).items()}
    names = [one.name for one in made(RawFile("x.zip", zipped(both))) if isinstance(one, Nrf)]
    assert names == ["x.zip.nrf.parquet", "x.zip-2.nrf.parquet"]


def test_damage_is_told_and_goes_along() -> None:
    hurt = FORMATS["s/a.cwa"][:-700]
    one = only(RawFile("a.cwa", hurt))
    assert "BLK_BAD" in one.codes
    native, again = night(RawFile("a.cwa", hurt)), night(RawFile(one.name, one.data))
    assert native.verdicts[0].reasons == again.verdicts[0].reasons


def test_what_cannot_be_exported_says_why() -> None:
    given = {
        "a.nrf.parquet": only(RawFile("s/e4.zip", FORMATS["s/e4.zip"])).data,
        "hr.json": derived_files.heart_rate(3),
        "a.txt": b"nothing",
        "b.zip": b"PK\x03\x04",
    }
    told = made(*(RawFile(name, data) for name, data in given.items()))
    assert all(isinstance(one, Unreadable) for one in told)
    why = {one.file: one.message for one in told if isinstance(one, Unreadable)}
    assert set(why) == set(given)
    assert "NRF already" in why["a.nrf.parquet"] and "no signal" in why["hr.json"]


@pytest.mark.real
@pytest.mark.parametrize(
    "path",
    [
        "nurse_e4/7E/7E_1604965789.zip",
        "stress_predict/raw/S01.zip",
        "formats_zoo/ggirread_apache2/ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa",
        "formats_zoo/skdh_io_mit/ax6_sample.cwa",
        "formats_zoo/ggirread_apache2/GENEActiv_testfile.bin",
        "formats_zoo/vitalsqi_ppg_mit/example.edf",
    ],
)
def test_real_recordings_reprocess_to_the_same_rows(path: str, shared_data: Path) -> None:
    file = RawFile(path, (shared_data / path).read_bytes())
    exported = only(file)
    native, again = night(file), night(RawFile(exported.name, exported.data))
    assert native.tables["epochs"].num_rows > 0
    assert rows(native) == rows(again)
