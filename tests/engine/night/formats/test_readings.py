from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from engine.module import RawFile, Status
from engine.night.formats.readings import Collector, Readings, clean, hours, instant_us, number, verdicts
from engine.night.zones import Zone
from tests.engine.night.hand import us

FILE = RawFile("a.csv", b"a")
NOON = us("2026-03-27 12:00")
BERLIN = Zone(ZoneInfo("Europe/Berlin"))


def made(vital: str, rows: list[tuple[int, float]], file: RawFile = FILE) -> Readings:
    found = Collector()
    for ts_us, value in rows:
        found.add(vital, ts_us, value)
    return found.readings(file, "a test")


def test_an_instant_is_the_walls_unless_it_has_an_offset() -> None:
    assert instant_us("2026-03-27T13:00", BERLIN) == NOON
    assert instant_us("2026-07-01T14:00:00", BERLIN) == us("2026-07-01 12:00")
    assert instant_us("2026-03-27 14:00:00+0200", BERLIN) == NOON
    assert instant_us("2026-03-27T12:00:00Z", BERLIN) == NOON
    assert [instant_us(text, BERLIN) for text in ("", "noon", "2026-13-01", "0001-01-01T00:00")][:3] == [None] * 3
    assert number("12.5") == 12.5 and number("x") is None


def test_only_a_time_and_a_finite_number_make_a_reading() -> None:
    found = Collector()
    for value in (60, 60.5, True, None, "60", float("nan"), float("inf"), 10**400):
        found.add("hr_bpm", NOON, value)
    found.add("hr_bpm", None, 60)
    readings = found.readings(FILE, "a test")
    assert readings.vitals["hr_bpm"].values.tolist() == [60.0, 60.5]
    assert (readings.rows, readings.codes) == (9, {"ROW_BAD": 7})


def test_readings_come_in_order_each_instant_once() -> None:
    rows = [(NOON + 2, 61.0), (NOON, 60.0), (NOON, 60.0), (NOON + 2, 99.0)]
    cleaned = clean(made("hr_bpm", rows), None)
    assert cleaned.vitals["hr_bpm"].ts_us.tolist() == [NOON, NOON + 2]
    assert cleaned.vitals["hr_bpm"].values.tolist() == [60.0, 61.0]
    assert cleaned.codes == {"T_DUP": 1, "T_CONFLICT": 1}


def test_zeros_and_impossible_values_are_left_out_and_counted() -> None:
    rows = [(NOON + i, value) for i, value in enumerate((0.0, 24.0, 25.0, 250.0, 251.0))]
    cleaned = clean(made("hr_bpm", rows), None)
    assert cleaned.vitals["hr_bpm"].values.tolist() == [25.0, 250.0]
    assert cleaned.implausible == 3
    assert "implausible" not in cleaned.codes


def test_fahrenheit_and_kelvin_become_celsius_and_are_flagged() -> None:
    cleaned = clean(made("core_temp_c", [(NOON, 98.6), (NOON + 1, 310.15), (NOON + 2, 36.6)]), None)
    assert cleaned.vitals["core_temp_c"].values.round(2).tolist() == [37.0, 37.0, 36.6]
    assert cleaned.codes == {"TEMP_UNIT": 2}


def test_dates_that_cannot_be_are_left_out() -> None:
    late, old = us("2026-03-29 12:00"), us("2004-12-31 23:59")
    rows = [(old, 60.0), (us("2010-06-01"), 61.0), (NOON, 62.0), (late, 63.0)]
    cleaned = clean(made("hr_bpm", rows), datetime(2026, 3, 28, tzinfo=UTC))
    assert cleaned.vitals["hr_bpm"].values.tolist() == [61.0, 62.0]
    assert cleaned.codes == {"CLK_IMPLAUS": 3}
    assert clean(made("hr_bpm", [(old, 60.0)]), None).vitals == {}


def test_one_reading_makes_an_hour_and_rates_are_limited() -> None:
    found = hours([made("hr_bpm", [(NOON, 60.0), (NOON + 1_000_000, 150.0)])])["hr_bpm"]
    assert (found.value.tolist(), found.n.tolist()) == ([60.0], [1])
    assert found.sd.tolist() != found.sd.tolist()  # NaN


def test_files_of_one_source_are_pooled_and_the_first_counts() -> None:
    one, two = made("hr_bpm", [(NOON, 60.0)]), made("hr_bpm", [(NOON, 70.0), (NOON + 10**7, 61.0)])
    found = hours([one, two])["hr_bpm"]
    assert (found.value.tolist(), found.n.tolist()) == ([60.5], [2])


def test_verdicts() -> None:
    good = made("hr_bpm", [(NOON, 60.0)])
    twin = made("hr_bpm", [(NOON, 60.0)], RawFile("b.csv", b"a"))
    relative = clean(made("skin_temp_c", [(NOON, -1.2)], RawFile("c.csv", b"c")), None)
    empty = Collector().readings(RawFile("d.csv", b"d"), "a test", is_local=True)
    bad = Collector()
    bad.add("hr_bpm", NOON, 60)
    bad.bad()
    told = list(
        verdicts([good, twin, relative, empty, bad.readings(RawFile("e.csv", b"e"), "a test")], Zone(UTC, False))
    )
    statuses = [Status.OK, Status.OK, Status.REJECTED, Status.REJECTED, Status.PARTIAL]
    assert [one.status for one in told] == statuses
    assert [one.reasons for one in told] == [
        ("DERIVED",),
        ("T_DUP", "DERIVED"),
        ("DERIVED",),
        ("TZ_UNKNOWN", "DERIVED"),
        ("ROW_BAD", "DERIVED"),
    ]
    assert "same bytes as a.csv" in told[1].message
    assert "export absolute ones" in told[2].message
    assert "vitals only" in told[0].message
