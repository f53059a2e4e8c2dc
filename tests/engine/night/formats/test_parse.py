from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.module import RawFile
from engine.night.formats.parse import read
from engine.night.reasons import CODES
from engine.night.recording import MISSING, Recording, Unreadable
from tests.engine.night.formats.e4_files import START_S, csvs, zipped

T0 = START_S * 10**6
LIMIT_MB = 512


def one(data: bytes, name: str = "night.zip") -> Recording:
    recordings, unreadable = read([RawFile(name, data)], LIMIT_MB)
    assert not unreadable
    (recording,) = recordings
    return recording


def refused(data: bytes, name: str = "night.zip") -> Unreadable:
    recordings, unreadable = read([RawFile(name, data)], LIMIT_MB)
    assert not recordings
    (why,) = unreadable
    assert why.file == name
    return why


def values(recording: Recording, channel: str) -> list[int]:
    (segment,) = recording.channels[channel].segments
    return segment.values.tolist()


def test_a_session() -> None:
    recording = one(zipped(csvs(60)), "x/1600000000_A0204B.zip")
    assert recording.codes == {}
    assert recording.device.serial == "A0204B"
    assert set(recording.channels) == {"acc_x", "acc_y", "acc_z", "bvp", "eda", "skin_temp", "hr_device"}
    assert set(recording.expected) == set(recording.channels) - {"hr_device"}
    assert (recording.start_us, recording.end_us) == (T0, T0 + 60 * 10**6)
    rates = {name: channel.segments[0].fs_hz for name, channel in recording.channels.items()}
    assert rates == {"acc_x": 32, "acc_y": 32, "acc_z": 32, "bvp": 64, "eda": 4, "skin_temp": 4, "hr_device": 1}
    assert recording.channels["hr_device"].segments[0].t0_us == T0 + 10 * 10**6
    assert values(recording, "skin_temp")[:2] == [3341, 3343]
    assert values(recording, "eda")[:2] == [155022, 203707]
    assert recording.events["ibi"].t_us.tolist() == [T0 + 3_500_000, T0 + 4_343_750, T0 + 9_250_000]
    assert recording.events["ibi"].values.tolist() == [843_750, 843_750, 812_500]
    assert recording.events["event"].t_us.tolist() == [T0 + 5_000_000]


def test_the_pulse_is_turned_upright() -> None:
    rows = b"1600000000.00\n64.0\n-0.00\n12.50\nx\n-3.25\n"
    recording = one(zipped({**csvs(1), "BVP.csv": rows}))
    assert values(recording, "bvp") == [0, -1250, MISSING, 325]
    assert recording.channels["bvp"].info["polarity"] == -1
    assert recording.channels["bvp"].info["has_dc"] is False


def test_known_acceleration() -> None:
    head = b"1600000000.0, 1600000000.0, 1600000000.0\n32.0, 32.0, 32.0\n"
    recording = one(zipped({**csvs(1), "ACC.csv": head + b"-61,25,6\n64,0,0\n"}))
    axes = [recording.channels[f"acc_{axis}"] for axis in "xyz"]
    vectors = np.array([axis.physical(axis.segments[0]) for axis in axes])
    assert np.sqrt((vectors**2).sum(axis=0)) == pytest.approx([1.0343230727, 1.0], rel=1e-9)


def test_known_intervals_contiguity() -> None:
    rows = b"1600000000.0, IBI\n83.503822,0.609403\n99.973326,0.843789\n100.770238,0.796911\n"
    ibi = one(zipped({**csvs(1), "IBI.csv": rows})).events["ibi"]
    off = np.diff(ibi.t_us) - ibi.values[1:]
    assert (np.abs(off) <= 8000).tolist() == [False, True]


@pytest.mark.parametrize(
    "rename",
    [lambda n: f"session/{n}", str.lower, lambda n: n.replace(".csv", "_S01.csv"), lambda n: n.replace(".", " (1).")],
)
def test_where_and_how_members_are_named(rename) -> None:  # type: ignore[no-untyped-def]
    recording = one(zipped({rename(name): content for name, content in csvs(12).items()}))
    assert recording.codes == {}
    assert len(recording.channels) == 7


def test_a_folder_of_csvs_equals_its_zip() -> None:
    members = csvs(30)
    recordings, unreadable = read([RawFile(f"s/e4/{name}", data) for name, data in members.items()], LIMIT_MB)
    (folder,) = recordings
    assert not unreadable
    assert folder.file == "s/e4"
    zipfile = one(zipped(members))
    assert folder.events.keys() == zipfile.events.keys()
    assert all(values(folder, name) == values(zipfile, name) for name in zipfile.channels)


def test_two_folders_are_two_sessions() -> None:
    members = {f"{folder}/{name}": data for folder in "ab" for name, data in csvs(12).items()}
    recordings, _ = read([RawFile("two.zip", zipped(members))], LIMIT_MB)
    assert [recording.session_id for recording in recordings] == ["a", "b"]


def test_missing_and_empty_members() -> None:
    members = csvs(20)
    del members["BVP.csv"], members["ACC.csv"]
    members |= {"IBI.csv": b"", "EDA.csv": b"1600000000.0\n4.0\n", "tags.csv": b""}
    recording = one(zipped(members))
    assert recording.codes == {"SIG_MISSING": 2, "SIG_EMPTY": 2}
    fates = recording.metadata["signals"]
    assert {part: fates[part] for part in ("acc", "bvp", "ibi", "eda", "temp")} == {
        "acc": "missing", "bvp": "missing", "ibi": "empty", "eda": "header only", "temp": "read"}  # fmt: skip


@pytest.mark.parametrize("rate", [b"0.0", b"nan", b"", b"-4.0", b"x"])
def test_no_rate_no_channel(rate: bytes) -> None:
    recording = one(zipped({**csvs(20), "TEMP.csv": b"1600000000.0\n" + rate + b"\n33.41\n33.42\n"}))
    assert "skin_temp" not in recording.channels
    assert recording.codes == {"FS_BAD": 1}


def test_a_start_time_apart_from_the_others_is_false() -> None:
    lone = csvs(20, START_S + 86_400)["BVP.csv"]
    recording = one(zipped({**csvs(20), "BVP.csv": lone}))
    assert "bvp" not in recording.channels
    assert recording.codes == {"CLK_IMPLAUS": 1}


def test_the_same_member_twice() -> None:
    members = csvs(20)
    assert one(zipped({**members, "BVP (1).csv": members["BVP.csv"]})).codes == {"T_DUP": 1}
    assert one(zipped({**members, "BVP (1).csv": members["BVP.csv"] + b"1.0\n"})).codes == {"T_CONFLICT": 1}


def test_a_flipped_bit_loses_its_channel_only() -> None:
    data = bytearray(zipped(csvs(60)))
    data[data.index(b"BVP.csv") + 2000] ^= 1
    recording = one(bytes(data))
    assert recording.codes == {"SIG_EMPTY": 1, "ZIP_TRUNC": 1}
    assert "bvp" not in recording.channels
    assert "acc_x" in recording.channels


def test_a_cut_zip_keeps_what_is_there() -> None:
    whole = one(zipped(csvs(60)))
    data = zipped(csvs(60))
    recording = one(data[: data.index(b"BVP.csv") + 2900])
    assert recording.codes == {"ROW_BAD": 1, "SIG_MISSING": 4, "ZIP_TRUNC": 2}
    cut = values(recording, "bvp")
    assert 0 < len(cut) < 60 * 64
    assert values(whole, "bvp")[: len(cut)] == cut
    assert values(whole, "acc_x") == values(recording, "acc_x")


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.zip", "SIG_EMPTY"),
        (b"hello", "a.bin", "FORMAT_UNKNOWN"),
        (b"PK\3\4", "a.zip", "ZIP_TRUNC"),
        (b"PK\5\6" + bytes(18), "a.zip", "FORMAT_UNKNOWN"),
        (zipped({"notes.txt": b"x"}), "a.zip", "FORMAT_UNKNOWN"),
        (zipped({"BVP.csv": b"", "ACC.csv": b""}), "a.zip", "SIG_EMPTY"),
        (zipped({"ACC.csv": b"2019-10-16T12:09:01;-36;620\n2019\n"}), "a.zip", "FORMAT_UNKNOWN"),
        (zipped({"../BVP.csv": b"1\n"}), "a.zip", "ZIP_UNSAFE"),
        (zipped({"a/b/BVP.csv": b"1\n"}), "a.zip", "ZIP_UNSAFE"),
        (zipped({"xl/_rels/book.rels": b"1\n"}), "a.xlsx", "FORMAT_UNKNOWN"),
        (zipped({"BVP.csv": b"1600000000\n64\n" + b"0.00\n" * 16_000_000}), "a.zip", "ZIP_UNSAFE"),
        (b"2019-10-16T12:09:01.702+02:00;-36;620;-824\n", "acc.csv", "FORMAT_UNKNOWN"),
        (b"1600000000.0\n64.0\n", "BVP.csv", "SIG_EMPTY"),
        (b"PAR1", "a.parquet", "BLK_BAD"),
        (b"MD\xfc\x03" + bytes(2000), "a.cwa", "BLK_BAD"),
    ],
)
def test_what_cannot_be_read_says_so(data: bytes, name: str, code: str) -> None:
    why = refused(data, name)
    assert code in why.codes
    assert len(why.message) > 20


def test_csvs_above_the_allowance() -> None:
    recordings, (why,) = read([RawFile("f/BVP.csv", bytes(3 << 20))], 2)
    assert not recordings
    assert why.codes == {"ZIP_UNSAFE": 1}


def spoiled(data: bytes) -> list[bytes]:
    """Truncated and with a byte flipped at shares of the length, and cut at each member's boundaries."""
    places = [int(len(data) * share) for share in (0.01, 0.1, 0.5, 0.99)]
    for mark in (b"PK\3\4", b"PK\1\2", b"PK\5\6"):
        at = data.find(mark)
        while at >= 0:
            places += [at, at + 1]
            at = data.find(mark, at + 4)
    flipped = [data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :] for at in places if at < len(data)]
    return flipped + [data[:at] for at in places]


def prefix_or_same(whole: Recording, other: Recording) -> None:
    """No value that the intact file does not have at that time."""
    for name, channel in other.channels.items():
        (mine,), (theirs,) = channel.segments, whole.channels[name].segments
        assert (mine.t0_us, mine.fs_hz) == (theirs.t0_us, theirs.fs_hz)
        assert np.array_equal(mine.values, theirs.values[: len(mine.values)])


def check_spoiled(data: bytes) -> None:
    whole = one(data)
    for bad in spoiled(data):
        file = RawFile("night.zip", bad)
        recordings, unreadable = read([file], LIMIT_MB)
        again, unreadable_again = read([file], LIMIT_MB)
        codes = [dict(each.codes) for each in (*recordings, *unreadable)]
        assert codes == [dict(each.codes) for each in (*again, *unreadable_again)]
        assert all(set(found) <= set(CODES) for found in codes)
        assert len(codes) == 1
        for recording in recordings:
            prefix_or_same(whole, recording)


@pytest.mark.parametrize("members", [csvs(12), csvs(60), {f"s/{n}": d for n, d in csvs(20).items()}])
def test_damage_never_raises_and_invents_nothing(members: dict[str, bytes]) -> None:
    check_spoiled(zipped(members))


def test_damaged_csvs_never_raise() -> None:
    members = csvs(12)
    for name, data in members.items():
        for bad in spoiled(data) if data else [b"\0"]:
            read([RawFile(f"s/{other}", bad if other == name else d) for other, d in members.items()], LIMIT_MB)


@pytest.mark.real
def test_real_sessions(shared_data: Path) -> None:
    paths = sorted([*shared_data.glob("nurse_e4/*/*.zip"), *shared_data.glob("stress_predict/raw/*.zip")])
    for path in paths:
        recording = one(path.read_bytes(), path.name)
        assert set(recording.codes) <= {"SIG_EMPTY", "SIG_MISSING"}, path
    assert len(paths) == 71
    check_spoiled(paths[-1].read_bytes())


@pytest.mark.real
@pytest.mark.parametrize("folder", ["flirt_mit/empatica", "uniba_e4_mit"])
def test_real_folders(shared_data: Path, folder: str) -> None:
    paths = sorted((shared_data / "formats_zoo" / folder).iterdir())
    recordings, unreadable = read([RawFile(f"{folder}/{path.name}", path.read_bytes()) for path in paths], LIMIT_MB)
    (recording,) = recordings
    assert recording.file == folder
    assert set(recording.expected) <= set(recording.channels)
    assert {why.file.rsplit("/")[-1] for why in unreadable} <= {"LICENSE", "SOURCE.txt"}
