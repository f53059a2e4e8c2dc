from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.module import RawFile, Source
from engine.night.formats import nrf, nrf_write
from engine.night.formats.nrf import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.recording import MISSING, Channel, Device, Recording, Segment, Unreadable
from tests.engine.night.formats import hostile
from tests.engine.night.formats.e4_files import START_S, csvs, zipped

T0 = START_S * 10**6
Rows = list[dict[str, Any]]


def native(seconds: int = 150) -> Recording:
    (recording,), _ = read([RawFile("night.zip", zipped(csvs(seconds)))], 512)
    return recording


def equal(one: Recording, other: Recording) -> None:
    """Equal in everything but `file` and `sha256`."""
    assert one.channels.keys() == other.channels.keys()
    assert one.events.keys() == other.events.keys()
    for name, channel in one.channels.items():
        twin = other.channels[name]
        assert replace(channel, segments=()) == replace(twin, segments=())
        assert [(s.t0_us, s.fs_hz) for s in channel.segments] == [(s.t0_us, s.fs_hz) for s in twin.segments]
        for mine, theirs in zip(channel.segments, twin.segments, strict=True):
            assert np.array_equal(mine.values, theirs.values)
            assert theirs.values.dtype == np.int32
    for name, events in one.events.items():
        assert np.array_equal(events.t_us, other.events[name].t_us)
        assert np.array_equal(events.values, other.events[name].values)
    bare = {"file": "", "sha256": "", "channels": {}, "events": {}}
    assert replace(one, **bare) == replace(other, **bare)


def parsed(data: bytes, max_unpacked_mb: int = 512) -> Recording:
    recording = nrf.read(RawFile("night.parquet", data), max_unpacked_mb)
    assert isinstance(recording, Recording)
    return recording


def refused(data: bytes, max_unpacked_mb: int = 512) -> Unreadable:
    why = nrf.read(RawFile("night.parquet", data), max_unpacked_mb)
    assert isinstance(why, Unreadable)
    return why


def rewritten(data: bytes, change: Callable[[Rows], Rows | None], meta: dict[str, Any] | None = None) -> bytes:
    """The file with other rows, one row group; its lists may hold nulls, as others write them."""
    table = pq.read_table(io.BytesIO(data))
    rows = table.to_pylist()
    rows = change(rows) or rows
    known = {**json.loads(table.schema.metadata[b"nrf"]), **(meta or {})}
    at = table.schema.get_field_index("values")
    schema = table.schema.set(at, pa.field("values", pa.list_(pa.int32()))).with_metadata({"nrf": json.dumps(known)})
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
    return sink.getvalue()


def only(rows: Rows, channel: str) -> Rows:
    return [row for row in rows if row["channel"] == channel]


def test_a_round_trip_is_exact() -> None:
    recording = native()
    equal(recording, parsed(export_nrf(recording)))


def test_a_round_trip_keeps_segments_zone_device_and_unknown_keys() -> None:
    step = np.arange(100, dtype=np.int32)
    holed = np.where(step % 7 == 0, MISSING, step).astype(np.int32)
    segments = (Segment(T0, 25.0, step), Segment(T0 + 4_000_000, 25.0, holed), Segment(T0 + 9_123_457, 24.97, step))
    recording = replace(
        native(20),
        channels={"ppg_green": Channel("ppg_green", "1", 0.5, -3.25, segments, {"has_dc": True, "made_up": [1, 2]})},
        device=Device("Maker", "Model", "S1", "1.2"),
        subject_id="s",
        session_id="n1",
        zone="Europe/Zurich",
        offset_s=20_700,
        expected=("ppg_green", "skin_temp"),
        codes={"ROW_BAD": 3},
        metadata={"wear_location": "left", "clock": {"drift_ppm": 4.5}, "device": {"colour": "red"}},
    )
    equal(recording, parsed(export_nrf(recording)))


def test_the_layout() -> None:
    data = export_nrf(native(150))
    file = pq.ParquetFile(io.BytesIO(data))
    rows = file.read().to_pylist()
    assert file.num_row_groups == len({row["channel"] for row in rows}) == 9
    assert [row["n"] for row in only(rows, "bvp")] == [3840, 3840, 1920]
    assert [row["seq"] for row in only(rows, "bvp")] == [0, 1, 2]
    assert all(row["dt_us"] is None for row in only(rows, "bvp"))
    (beats,) = only(rows, "ibi")
    assert (beats["fs_hz"], beats["unit"], beats["dt_us"][:2]) == (None, "ms", [0, 843_750])
    assert [field.type for field in file.schema_arrow if field.name in ("seq", "t0_us", "crc32")] == [
        pa.int32(), pa.int64(), pa.uint32()]  # fmt: skip
    assert export_nrf(native(150)) == data


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.update(crc32=1),
        lambda row: row.update(n=row["n"] + 1),
        lambda row: row.update(values=None),
        lambda row: row.update(t0_us=None),
        lambda row: row.update(scale=float("nan")),
        lambda row: row.update(scale=99.0),
        lambda row: row.update(values=row["values"] * 70, n=row["n"] * 70, crc32=None),
    ],
)
def test_a_bad_block_is_a_gap(spoil: Callable[[dict[str, Any]], None]) -> None:
    def change(rows: Rows) -> None:
        spoil(only(rows, "bvp")[1])

    recording = parsed(rewritten(export_nrf(native(150)), change))
    assert recording.codes == {"BLK_BAD": 1}
    assert [len(segment.values) for segment in recording.channels["bvp"].segments] == [3840, 1920]


def test_repeated_and_shuffled_rows() -> None:
    recording = native(150)
    data = rewritten(export_nrf(recording), lambda rows: rows[::-1] + only(rows, "bvp")[:1])
    found = parsed(data)
    assert found.codes == {"T_DUP": 1}
    assert np.array_equal(found.channels["bvp"].segments[0].values, recording.channels["bvp"].segments[0].values)


def test_optional_columns_may_be_absent() -> None:
    table = pq.read_table(io.BytesIO(export_nrf(native(70)))).drop_columns(["crc32", "dt_us"])
    sink = io.BytesIO()
    pq.write_table(table, sink)
    found = parsed(sink.getvalue())
    assert set(found.channels) == set(native(70).channels)
    assert found.codes == {"BLK_BAD": 2}  # irregular channels have no times then


def test_nulls_inside_are_missing() -> None:
    def change(rows: Rows) -> None:
        row = only(rows, "eda")[0]
        row.update(values=[None, *row["values"][1:]], crc32=None)

    assert parsed(rewritten(export_nrf(native(20)), change)).channels["eda"].segments[0].values[0] == MISSING


def test_bad_rates_and_times() -> None:
    def change(rows: Rows) -> None:
        only(rows, "bvp")[0]["fs_hz"] = 0.0
        only(rows, "eda")[0]["fs_hz"] = float("inf")
        only(rows, "skin_temp")[0]["t0_us"] = 2**63 - 1

    recording = parsed(rewritten(export_nrf(native(20)), change))
    assert recording.codes == {"CLK_IMPLAUS": 1, "FS_BAD": 2}
    assert not {"bvp", "eda", "skin_temp"} & set(recording.channels)


@pytest.mark.parametrize(
    "meta",
    [
        {"tz_iana": "Mars/Phobos"},
        {"tz_iana": "../../etc/passwd"},
        {"tz_iana": "America"},
        {
            "tz_iana": 5,
            "tz_offset_min": "x",
            "device": [],
            "channels": 3,
            "codes": {"GAP": "x", "NO": 1},
            "expected": 1,
        },
        {"tz_offset_min": 1e300, "segments": {"bvp": {}}, "subject_id": 5, "codes": []},
        {"channels": {"bvp": {"nominal_hz": 10**400, "sat_low": [], "sat_high": 10**300}}, "subject_id": "\ud800"},
        {"device": {"vendor": 4, "serial": {"a": 1}, "firmware": [3]}, "segments": {"bvp": [[1], {}]}},
    ],
)
def test_senseless_metadata(meta: dict[str, Any]) -> None:
    recording = parsed(rewritten(export_nrf(native(20)), lambda rows: None, meta))
    assert recording.zone is None
    assert recording.offset_s is None
    assert recording.device.serial is None or isinstance(recording.device.serial, str)
    assert set(recording.codes) <= {"TZ_UNKNOWN"}


def test_a_named_channel_without_rows_is_missing() -> None:
    data = export_nrf(replace(native(20), codes={}))
    table = pq.read_table(io.BytesIO(data))
    meta = json.loads(table.schema.metadata[b"nrf"])
    del meta["codes"]
    kept = [row for row in table.to_pylist() if row["channel"] != "bvp"]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(kept, schema=table.schema.with_metadata({"nrf": json.dumps(meta)})), sink)
    found = parsed(sink.getvalue())
    assert found.codes == {"SIG_MISSING": 1}
    assert "bvp" in found.expected


def test_other_parquet_files_are_unknown() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    assert refused(sink.getvalue()).codes == {"FORMAT_UNKNOWN": 1}


def test_size_is_judged_by_the_footer() -> None:
    values = pa.ListArray.from_arrays(pa.array([0, 40_000_000], pa.int32()), pa.array(np.full(40_000_000, 7, np.int32)))
    rest = {
        "channel": "bvp",
        "seq": 0,
        "t0_us": T0,
        "fs_hz": 64.0,
        "n": 40_000_000,
        "scale": 1.0,
        "offset": 0.0,
        "unit": "1",
    }
    table = pa.table({**{key: [value] for key, value in rest.items()}, "values": values})
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"nrf": "{}"}), sink, compression="zstd")
    assert len(sink.getvalue()) < 1 << 20
    assert refused(sink.getvalue(), 100).codes == {"ZIP_UNSAFE": 1}


@pytest.mark.parametrize("seconds", [1, 70])
def test_damage_never_raises_and_invents_nothing(seconds: int) -> None:
    recording = native(seconds)
    data = export_nrf(recording)
    rng = np.random.default_rng(seconds)
    places = [int(len(data) * share) for share in (0.01, 0.1, 0.5, 0.99)] + rng.integers(4, len(data), 60).tolist()
    for at in places:
        for bad in (data[:at], data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]):
            found = nrf.read(RawFile("night.parquet", bad), 512)
            if isinstance(found, Recording):
                within(recording, found)


def within(whole: Recording, found: Recording) -> None:
    """Block by block, a damaged file gives values of the intact one or none (metadata carries no check sum)."""
    for name, channel in found.channels.items():
        known = set(np.concatenate([segment.values for segment in whole.channels[name].segments]).tolist())
        for segment in channel.segments:
            assert set(segment.values.tolist()) <= known


@pytest.mark.real
def test_real_sessions_round_trip(shared_data: Path) -> None:
    for path in sorted(shared_data.glob("*/*/*.zip"))[::9]:
        (recording,), _ = read([RawFile(path.name, path.read_bytes())], 512)
        equal(recording, parsed(export_nrf(recording)))


def test_a_file_of_single_blocks_goes_through_the_module() -> None:
    """Its samples lie in Arrow's own memory, which cannot be written."""
    file = RawFile("night.parquet", export_nrf(native(60)))
    outcome = Night()([file], Source("p/night", (file.name,), "p"))
    assert outcome.tables["epochs"].num_rows == 6


def test_check_sums_decide_over_values_read_without_arrow() -> None:
    """Packed differences are taken as they are only where every row's check sum holds; else Arrow's lists count."""

    def packed(change: Callable[[Rows], None]) -> Recording:
        data = export_nrf(native(150))
        table = pq.read_table(io.BytesIO(data))
        rows = only(table.to_pylist(), "bvp")
        change(rows)
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), sink, **nrf_write.PLAN)
        return parsed(sink.getvalue())

    whole = native(150).channels["bvp"].segments[0].values
    assert np.array_equal(packed(lambda rows: None).channels["bvp"].segments[0].values, whole)
    unstated = packed(lambda rows: rows[1].update(crc32=None))
    assert (unstated.codes, len(unstated.channels["bvp"].segments)) == ({}, 1)
    spoilt = packed(lambda rows: rows[0].update(values=rows[1]["values"]))
    assert spoilt.codes == {"BLK_BAD": 1}
    assert np.array_equal(spoilt.channels["bvp"].segments[0].values, whole[3840:])
    moved = packed(lambda rows: (rows[0].update(n=3839), rows[1].update(n=3841))[0])
    assert moved.codes == {"BLK_BAD": 2}


@pytest.mark.parametrize("column", [1, 2, 3, 8])
def test_a_group_that_cannot_be_decoded_is_lost_alone(column: int) -> None:
    """All groups are read at once, and each by itself where that fails. No column's damage becomes another number."""
    data = export_nrf(native(70))
    pages = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(3).column(column)
    at = pages.data_page_offset + pages.total_compressed_size - 2
    found = parsed(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert found.codes == {"BLK_BAD": 1}
    assert set(native(70).channels) - set(found.channels) == {"bvp"}


def test_a_file_without_rows() -> None:
    table = pq.read_table(io.BytesIO(export_nrf(native(20))))
    sink = io.BytesIO()
    pq.write_table(table[:0], sink)
    assert refused(sink.getvalue()).codes == {"BLK_BAD": 1}


def test_values_are_counted_under_whatever_name_a_row_group_gives_them() -> None:
    assert refused(hostile.renamed(hostile.run_lengths(50_000))).codes == {"BLK_BAD": 2}


def test_words_are_counted_as_often_as_rows_name_them() -> None:
    data = hostile.long_word(100)
    assert len(data) < 20_000
    assert refused(data, 99).codes == {"ZIP_UNSAFE": 1}
    assert refused(data, 101).codes == {"BLK_BAD": 101}
