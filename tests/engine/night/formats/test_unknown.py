from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.module import RawFile, Source, Status
from engine.night.formats.unknown import _KINDS, READ_HERE, told, told_of_zip
from engine.night.night import Night
from engine.workers.failures import MESSAGE_CHARACTERS
from tests.engine.night.formats.e4_files import csvs, zipped

TOLD_WHAT_TO_DO = re.compile(r"[:;,] (?:give|convert|unpack|name|export|check) ")


@pytest.mark.parametrize(
    ("data", "seems"),
    [
        (b"GENEA/0", "GENEA .bin file"),
        (b"\x00" * 512 + b"MDTC\x04\x00\x00\x00\x08\x00\xd0\x07MDTCPACK", "Matrix .bin file"),
        (b"------------ Data Table File Created By Actigraph Link", "ActiGraph csv export"),
        (b"0123\n01-Oct-2009\n17:00\n 4 \n", "Actiwatch .AWD file"),
        ('\ufeff"Actiware-export"'.encode(), "Actiwatch csv export"),
        (b"2019-10-16T12:09:01.702+02:00;-36;620;-824\n", "Garmin csv export"),
        (b'[{\n  "dateTime" : "06/24/95 16:00:00",\n  "value" : "1.48"', "Fitbit export without vitals"),
        (b'[{\n  "logId" : 1', "Fitbit log of sleep"),
        (b"start,duration,value\n", "Withings raw export without vitals"),
        (b"ISHNE1.0", "Holter electrocardiogram"),
        (b"\x1f\x8b\x08", "gzip file"),
    ],
)
def test_what_is_known_but_not_read_is_named_with_advice(data: bytes, seems: str) -> None:
    sentence = told(RawFile("a", data))
    assert seems in sentence
    assert TOLD_WHAT_TO_DO.search(sentence)


@pytest.mark.parametrize(("what", "advice"), [(what, advice) for _, what, advice in _KINDS])
def test_every_advice_says_what_to_do(what: str, advice: str) -> None:
    assert TOLD_WHAT_TO_DO.search(f"{what}: {advice}")


def test_anything_else_says_what_is_read() -> None:
    assert told(RawFile("a", b"The MIT Licence\n")) == f"a text of no known format: give {READ_HERE}"
    assert told(RawFile("a", bytes(range(256)))) == f"no known format: give {READ_HERE}"
    assert len(f"a text of no known format: give {READ_HERE}") <= MESSAGE_CHARACTERS


def test_zips_of_others() -> None:
    assert "spreadsheet" in told_of_zip(["[Content_Types].xml", "xl/workbook.xml"])
    assert "NumPy" in told_of_zip(["acc.npy"])
    assert "give its export.xml" in told_of_zip(["apple_health_export/export.xml"])
    assert "Fitbit folder" in told_of_zip(["Takeout/Fitbit/Global Export Data/heart_rate-2026-03-27.json"])
    assert "E4" in told_of_zip(["a.txt"])
    outcome = Night()([RawFile("a.npz", zipped({"time.npy": b"x"}))], Source("s", ("a.npz",), "p"))
    assert outcome.verdicts[0].reasons == ("FORMAT_UNKNOWN",) and "NumPy" in outcome.verdicts[0].message


def test_a_lone_file_with_an_e4s_name_is_its_own_input() -> None:
    """Not its folder, which the inventory never listed."""
    for data, status in ((b"2019-10-16T12:09:01;-36\n", Status.REJECTED), (csvs(120)["ACC.csv"], Status.PARTIAL)):
        outcome = Night()([RawFile("garmin/acc.csv", data)], Source("s", ("garmin/acc.csv",), "p"))
        assert [(one.file, one.status) for one in outcome.verdicts] == [("garmin/acc.csv", status)]


@pytest.mark.real
def test_the_zoos_strangers(shared_data: Path) -> None:
    zoo = shared_data / "formats_zoo"
    for path, seems in {
        "ggirread_apache2/genea_testfile.bin": "GENEA",
        "ggirread_apache2/mtx_25Hz_acc_HR.BIN": "Matrix",
        "ggirread_apache2/mtx_corrupted_full.bin": "Matrix",
        "ggirread_apache2/ActiGraph61.csv": "ActiGraph",
        "ggirread_apache2/Actiwatch.AWD": "Actiwatch",
        "ggirread_apache2/Actiwatch.csv": "Actiwatch",
        "ggirread_apache2/sleep-1995-06-23_Fitbit.json": "Fitbit log of sleep",
        "flirt_mit/holter/holter.ecg": "Holter",
        "flirt_mit/garmin/data.csv": "Garmin",
        "withings_sleep_mit/sleep.csv": "summary of nights",
        "withings_sleep_mit/raw_sleep-monitor_snoring.csv": "without vitals",
        "wearablehrv_mit/test_kyto.csv": "beat intervals",
        "skdh_io_mit/test_activity_index.h5": "HDF5",
    }.items():
        data = (zoo / path).read_bytes()
        (verdict,) = Night()([RawFile(path, data)], Source("s", (path,), "p")).verdicts
        assert (verdict.status, verdict.reasons) == (Status.REJECTED, ("FORMAT_UNKNOWN",)), path
        assert seems in verdict.message and TOLD_WHAT_TO_DO.search(verdict.message), path
