"""What a file of no format that is read here seems to be, and what to do with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.module import RawFile

READ_HERE = (
    "an Empatica E4 zip or its csv files, EmbracePlus .avro, Axivity .cwa, ActiGraph .gt3x, GENEActiv .bin, EDF, NRF, "
    "or vitals of Fitbit, Apple Health or Withings"
)
_CONVERT = "convert it to EDF+ or NRF"
_UNPACK = "unpack it"
_OTHER = "it holds counts only, give another device's file of that night"
_SIGNAL = "give the recording it was computed from"
_WORN = "give the file of the device on the wrist"
_FITBIT = "give heart_rate-*.json, HRV details or skin temperature"
_HEAD_BYTES = 4096
_TEXT = re.compile(rb"[^\x00-\x08\x0e-\x1f]*")

_KINDS = tuple(
    (re.compile(pattern), what, advice)
    for pattern, what, advice in (
        (rb"GENEA/", "a GENEA .bin file", _CONVERT),
        (rb"RIFF", "a .wav file", "give the .cwa it was made from"),
        (rb"(?s).{0,1020}MDTC.{8}MDTCPACK", "a Matrix .bin file", _CONVERT),
        (rb"ISHNE", "a Holter electrocardiogram", _WORN),
        (rb"\x89HDF", "an HDF5 file", _CONVERT),
        (rb"(?i)-+ Data (?:Table )?File Created By ActiGraph", "an ActiGraph csv export", "give the .gt3x"),
        (rb"Actical", "an Actical csv export", _OTHER),
        (rb"[^\r\n]{0,40}Actiware", "an Actiwatch csv export", _OTHER),
        (
            rb"[^\r\n]{1,40}\r?\n\d\d-[A-Z][a-z]{2}-\d{4}\r?\n\d\d:\d\d\r?\n",
            "an Actiwatch .AWD file",
            _OTHER,
        ),
        (rb"\d{4}-\d\d-\d\dT[^;\r\n]{8,30};", "a Garmin csv export", _CONVERT),
        (
            rb'\s*\[\s*\{\s*"dateTime"',
            "a Fitbit export without vitals",
            _FITBIT,
        ),
        (rb'\s*\[\s*\{\s*"logId"', "a Fitbit log of sleep", _FITBIT),
        (
            rb"start,duration,value\s",
            "a Withings raw export without vitals",
            "give raw_*_hr.csv and raw_*_respiratory-rate.csv, under these names",
        ),
        (
            rb"start,length,",
            "a Withings raw export with other columns",
            "name them start,duration,value, as Withings does",
        ),
        (rb'[^\r\n]{0,200}"?Duration to sleep', "a Withings summary of nights", "give its raw_*_hr.csv"),
        (rb"timestamp, ?rr\s?,?", "a csv of beat intervals", _SIGNAL),
        (rb"mean_nni,", "a csv of HRV features", _SIGNAL),
        (rb"\x1f\x8b", "a gzip file", _UNPACK),
        (rb"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
        (rb"Rar!", "a RAR archive", _UNPACK),
    )
)


def told(file: RawFile) -> str:
    """One sentence. It guesses by how the file begins.

    >>> told(RawFile("a.gz", bytes([31, 139])))
    'this looks like a gzip file, which is not read here: unpack it'
    """
    head = file.data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf")
    for pattern, what, advice in _KINDS:
        if pattern.match(head):
            return f"this looks like {what}, which is not read here: {advice}"
    what = "a text of no known format" if _TEXT.fullmatch(head) else "no known format"
    return f"{what}: give {READ_HERE}"


def told_of_zip(names: Sequence[str]) -> str:
    """Of a sound zip without a recording; names: of its members."""
    last = {name.rpartition("/")[2] for name in names}
    if "[Content_Types].xml" in last:
        return "this looks like a spreadsheet (.xlsx), which is not read here: give the device's own file"
    if any(name.endswith(".npy") for name in last):
        return "this looks like a NumPy archive, which is not read here: " + _CONVERT
    if any(name.startswith("Takeout/") for name in names):
        return "this looks like a Google Takeout zip: unpack it and give its Fitbit folder"
    if "export.xml" in last:
        return "this looks like Apple Health's export.zip: unpack it and give its export.xml"
    return "a zip without an E4's csv files: export the session again"
