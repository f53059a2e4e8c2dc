"""Exports without a raw signal, through the module: vitals and nothing else, whatever becomes of the bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.module import Outcome, RawFile, Source, Status
from engine.night.formats.apple import looks_like_export
from engine.night.formats.derived import reader_of
from engine.night.night import Night
from engine.night.reasons import CODES
from engine.night.tables import OUTPUTS
from tests.engine.night.formats import derived_files
from tests.engine.night.formats.e4_files import csvs, zipped
from tests.engine.night.hand import us

EXPORTS = {
    "heart_rate-2026-03-27.json": derived_files.heart_rate(),
    "Heart Rate Variability Details - 2026-03-27.csv": derived_files.hrv(),
    "Device Temperature - 2026-03-27.csv": derived_files.skin([33.0 + i % 3 / 10 for i in range(120)]),
    "export.xml": derived_files.apple_night(),
    "raw_sleep-monitor_hr.csv": derived_files.withings([[60, 61, 62, 63, 64]] * 24),
    "raw_sleep-monitor_respiratory-rate.csv": derived_files.withings([[14, 15, 16, 15, 14]] * 24),
}


def night(files: dict[str, bytes], zone: str | None = "Europe/Berlin", **changes: object) -> Outcome:
    source = replace(Source("s", tuple(files), "p", zone=zone), **changes)  # type: ignore[arg-type]
    return Night()([RawFile(name, data) for name, data in files.items()], source)


def rows(outcome: Outcome) -> list[tuple[str, int, float, int]]:
    table = outcome.tables["vitals"].to_pylist()
    return [(row["vital"], round(row["ts"].timestamp()) * 10**6, row["value"], row["n"]) for row in table]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("heart_rate-2026-03-27.json", [("hr_bpm", us("2026-03-27 22:00"), 62.0, 360)]),
        ("Heart Rate Variability Details - 2026-03-27.csv", [("rmssd_ms", us("2026-03-27 22:00"), 41.0, 12)]),
        ("Device Temperature - 2026-03-27.csv", [("skin_temp_c", us("2026-03-27 22:00"), 33.1, 60)]),
        ("raw_sleep-monitor_hr.csv", [("hr_bpm", us("2026-03-27 22:00"), 62.0, 60)]),
        ("raw_sleep-monitor_respiratory-rate.csv", [("rr_brpm", us("2026-03-27 22:00"), 15.0, 60)]),
        (
            "export.xml",
            [
                ("core_temp_c", us("2026-03-27 23:00"), 37.0, 1),
                ("hr_bpm", us("2026-03-27 22:00"), 62.0, 120),
                ("rr_brpm", us("2026-03-27 23:00"), 14.5, 1),
                ("sdnn_ms", us("2026-03-27 23:00"), 55.5, 1),
                ("spo2_pct", us("2026-03-27 23:00"), 97.0, 1),
            ],
        ),
    ],
)
def test_an_export_gives_vitals_and_nothing_else(name: str, expected: list[tuple[str, int, float, int]]) -> None:
    outcome = night({name: EXPORTS[name]})
    assert (outcome.tables["epochs"].num_rows, outcome.tables["nights"].num_rows) == (0, 0)
    found = [(vital, ts, round(value, 6), n) for vital, ts, value, n in rows(outcome)]
    assert [one for one in expected if one not in found] == []
    assert {vital for vital, *_ in found} == {vital for vital, *_ in expected}
    assert set(outcome.tables["vitals"]["source_level"].to_pylist()) == {"derived"}
    assert outcome.tables["vitals"].schema.equals(OUTPUTS["vitals"].schema)
    (verdict,) = outcome.verdicts
    assert verdict.status is Status.OK
    assert verdict.reasons == (("DERIVED", "TEMP_UNIT") if name == "export.xml" else ("DERIVED",))


def test_without_a_zone_wall_clocks_are_read_as_utc_and_say_so() -> None:
    name = "Heart Rate Variability Details - 2026-03-27.csv"
    outcome = night({name: EXPORTS[name]}, zone=None)
    assert rows(outcome)[0][1] == us("2026-03-27 23:00")
    assert outcome.verdicts[0].reasons == ("TZ_UNKNOWN", "DERIVED")
    assert night({name: EXPORTS[name]}, zone=None, device_offset_s=3600).verdicts[0].reasons == ("DERIVED",)


def test_low_confidence_and_low_coverage_are_no_readings() -> None:
    unsure = night({"heart_rate-1.json": derived_files.heart_rate(confidence=1)})
    sparse = night({"hrv.csv": derived_files.hrv(coverage=0.69)})
    for outcome in (unsure, sparse):
        assert outcome.tables == {}
        assert (outcome.verdicts[0].status, outcome.verdicts[0].reasons) == (Status.REJECTED, ("DERIVED",))


def test_a_signals_hours_stand_before_a_devices_own() -> None:
    start_s = us("2026-03-27 22:00") // 10**6
    signal = {"s.zip": zipped(csvs(1500, start_s))}
    alone, mixed = night(signal), night(signal | EXPORTS)
    ours = {(row["vital"], row["ts"]): row for row in alone.tables["vitals"].to_pylist()}
    both = {(row["vital"], row["ts"]): row for row in mixed.tables["vitals"].to_pylist()}
    assert ours and len(both) == mixed.tables["vitals"].num_rows
    assert all(both[key] == row and row["source_level"] == "raw" for key, row in ours.items())
    assert {row["source_level"] for row in both.values()} == {"raw", "derived"}
    for name in ("epochs", "nights"):
        assert mixed.tables[name].equals(alone.tables[name])


@pytest.mark.parametrize("name", EXPORTS)
def test_damage_never_raises_nor_invents(name: str) -> None:
    """KAT A8: cut and flipped at 1, 10, 50, 99 %; what is left is what the intact file has, or less."""
    data = EXPORTS[name]
    whole = reader_of(RawFile(name, data))
    assert whole is not None
    intact = set(rows(night({name: data})))
    for share in (0.01, 0.1, 0.5, 0.99):
        at = int(share * len(data))
        for hurt in (data[:at], data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]):
            first, second = night({name: hurt}), night({name: hurt})
            assert first.verdicts == second.verdicts
            assert set(first.verdicts[0].reasons) <= set(CODES)
            if first.tables:
                known = {(vital, ts) for vital, ts, *_ in intact}
                assert {(vital, ts) for vital, ts, *_ in rows(first)} <= known
                assert all(
                    n <= most for vital, ts, _, n in rows(first) for v, t, _, most in intact if (v, t) == (vital, ts)
                )


def test_a_cut_file_is_partial() -> None:
    for name in ("heart_rate-2026-03-27.json", "export.xml"):
        verdict = night({name: EXPORTS[name][: len(EXPORTS[name]) // 2]}).verdicts[0]
        assert (verdict.status, "BLK_BAD" in verdict.reasons) == (Status.PARTIAL, True)
        assert "part of the file was lost" in verdict.message


def test_a_last_line_without_an_end_may_be_cut() -> None:
    outcome = night({"t.csv": derived_files.skin([33.0, 34.9])[:-7]})  # … ,34.9 became ,34
    assert [n for *_, n in rows(outcome)] == [1]
    assert outcome.verdicts[0].status is Status.PARTIAL


def test_entities_are_never_expanded() -> None:
    bomb = derived_files.apple([("HeartRate", "count/min", "2026-03-27 23:00:00 +0100", "&b;")])
    declared = b'<!DOCTYPE HealthData [<!ENTITY a "6"><!ENTITY b "&a;&a;">]>\n<HealthData'
    outcome = night({"export.xml": bomb.replace(b"<HealthData", declared, 1)})
    assert outcome.tables == {}
    assert outcome.verdicts[0].reasons == ("BLK_BAD", "DERIVED")


def test_a_tag_without_an_end_is_damage() -> None:
    endless = derived_files.apple_night()[: -len("</HealthData>\n")] + b"<Record " + b'a="1" ' * 1_000_000
    verdict = night({"export.xml": endless}).verdicts[0]
    assert (verdict.status, verdict.reasons) == (Status.PARTIAL, ("BLK_BAD", "DERIVED", "TEMP_UNIT"))


@pytest.mark.parametrize(
    "hostile",
    [
        b'[{"dateTime" : {' + b"[" * 100_000 + b'}}, {"bpm"',
        b'[{ "dateTime" : "03/27/26 22:00:00", "value" : {"bpm" : ' + b"9" * 5000 + b', "confidence" : 3}}]',
        b'[{"value": {"bpm": "x", "confidence": null}, "dateTime": 7}]',
        b"timestamp,rmssd,coverage\n" + b'"' * 200_000,
        b"start,duration,value\n" + b"2026-03-27T23:00:00+01:00," + b"[" * 100_000 + b",[1]\n",
        b"start,duration,value\n2026-03-27T23:00:00+01:00,[60,60],[1]\n0001-01-01T00:00:00+14:00,[true],[1e999]\n",
        b"<?xml?><HealthData>" + b"<a>" * 100_000,
        b"<HealthData><Record type='HKQuantityTypeIdentifierHeartRate' startDate='x' value='nan'/></HealthData>",
    ],
)
def test_hostile_bytes_are_rejected(hostile: bytes) -> None:
    for name in ("a.json", "raw_x_hr.csv"):
        outcome = night({name: hostile})
        assert outcome.tables == {}
        assert outcome.verdicts[0].status is Status.REJECTED


def test_other_exports_are_not_taken_for_vitals() -> None:
    others = {
        "steps.json": b'[{\n "dateTime" : "06/24/26 16:00:00",\n "value" : "0"\n}]',
        "raw_sleep-monitor_snoring.csv": EXPORTS["raw_sleep-monitor_hr.csv"],
        "sleep-monitor_hr.csv": b"start,length,heart_rate\n",
        "svg.xml": b"<?xml version='1.0'?><svg/>",
    }
    assert [reader_of(RawFile(name, data)) for name, data in others.items()] == [None] * 4
    assert looks_like_export(b"\xef\xbb\xbf" + EXPORTS["export.xml"])


@pytest.mark.real
def test_real_exports(shared_data: Path) -> None:
    zoo = shared_data / "formats_zoo"
    name = "raw_sleep-monitor_hr.csv"
    real = (zoo / "withings_sleep_mit" / name).read_bytes()
    first = next(row for row in rows(night({name: real})) if row[1] == us("2020-10-23 20:00"))
    assert first[0] == "hr_bpm" and 50 < first[2] < 70
    old = night({"heart_rate.json": (zoo / "ggirread_apache2" / "heart_rate-1995-06-24.json").read_bytes()})
    assert (old.tables, old.verdicts[0].reasons) == ({}, ("CLK_IMPLAUS", "DERIVED"))
