from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from engine.night.formats.zips import Archive, Refused, looks_like_zip
from tests.engine.night.formats.e4_files import csvs, zipped

MEMBERS = {"ACC.csv": b"1,2,3\n" * 500, "BVP.csv": b"".join(b"%d.25\n" % (i * i) for i in range(900)), "tags.csv": b""}


def contents(data: bytes, max_unpacked_mb: int = 512) -> dict[str, bytes | None]:
    archive = Archive(data, max_unpacked_mb)
    return {entry.name: archive.read(entry) for entry in archive.entries}


def edit(data: bytes, needle: bytes, at: int, new: bytes, which: int = 0) -> bytes:
    """`new` written `at` bytes behind the which-th `needle`."""
    place = -1
    for _ in range(which + 1):
        place = data.index(needle, place + 1)
    return data[: place + at] + new + data[place + at + len(new) :]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_reads_what_zipfile_wrote(method: int) -> None:
    archive = Archive(zipped({"night/": b"", **MEMBERS}, method), 512)
    assert not archive.damaged
    assert {entry.name: archive.read(entry) for entry in archive.entries} == MEMBERS
    assert archive.broken == 0


def test_sizes_behind_the_stream_and_zip64() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, part) -> int:  # type: ignore[no-untyped-def, override]
            self.parts.append(bytes(part))
            return len(part)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, content in MEMBERS.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    data = b"".join(pipe.parts)
    assert contents(data) == MEMBERS
    assert contents(data[: data.index(b"PK\1\2")]) == MEMBERS


def test_bytes_before_and_behind_the_archive() -> None:
    data = zipped(MEMBERS)
    assert contents(b"preamble" + data) == MEMBERS
    assert contents(data + b"trailer" * 9) == MEMBERS
    assert looks_like_zip(data)
    assert not looks_like_zip(b"1600000000.00\n64.0\n")


@pytest.mark.parametrize(
    "name",
    ["../BVP.csv", "/BVP.csv", "C:/BVP.csv", "night/../../BVP.csv", "..\\BVP.csv", "\\\\host\\BVP.csv"],
)
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        Archive(zipped({name: b"1\n"}), 512)


def test_nesting() -> None:
    for name in ("a/b/BVP.csv", "a\\b\\BVP.csv"):
        with pytest.raises(Refused):
            Archive(zipped({name: b"1\n"}), 512).refuse_nested()
    Archive(zipped({"a/b/": b"", "a/BVP.csv": b"1\n", "__MACOSX/a/._BVP.csv": b"x"}), 512).refuse_nested()


def test_a_folder_and_the_finder_s_leavings_are_fine() -> None:
    kept = contents(zipped({"night/": b"", "night/BVP.csv": b"1\n", "__MACOSX/night/._BVP.csv": b"x"}))
    assert kept["night/BVP.csv"] == b"1\n"


def test_encryption_is_refused() -> None:
    data = edit(edit(zipped({"BVP.csv": b"1\n"}), b"PK\3\4", 6, b"\1"), b"PK\1\2", 8, b"\1")
    with pytest.raises(Refused, match="encrypted"):
        Archive(data, 512)


def test_declared_size_is_refused_before_inflating() -> None:
    data = edit(edit(zipped(MEMBERS), b"PK\1\2", 24, b"\xff\xff\xff\x7f"), b"PK\3\4", 22, b"\xff\xff\xff\x7f")
    with pytest.raises(Refused, match="declares"):
        Archive(data, 512)


def test_a_bomb_is_refused_within_its_allowance() -> None:
    data = zipped({"BVP.csv": b"0.00\n" * 20_000_000})
    lying = edit(edit(data, b"PK\1\2", 24, b"\1\0\0\0"), b"PK\3\4", 22, b"\1\0\0\0")
    tracemalloc.start()
    for bomb in (data, lying):
        with pytest.raises(Refused, match="unpacks to more than"):
            contents(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 << 20


def test_the_allowance_counts_all_members() -> None:
    noise = bytes(range(256)) * 2048
    data = zipped({"ACC.csv": noise, "BVP.csv": noise, "EDA.csv": noise})
    lying = data
    for which in range(3):
        lying = edit(edit(lying, b"PK\1\2", 24, b"\1\0\0\0", which), b"PK\3\4", 22, b"\1\0\0\0", which)
    with pytest.raises(Refused, match="more than"):
        contents(lying, 1)


def test_constant_rows_may_deflate_far_below_the_ratio_s_floor() -> None:
    rows = b"-61,25,6\n" * 1_000_000
    assert contents(zipped({"ACC.csv": rows})) == {"ACC.csv": rows}


def test_a_missing_directory_costs_nothing() -> None:
    data = zipped(MEMBERS)
    archive = Archive(data[: data.index(b"PK\1\2")], 512)
    assert archive.damaged
    assert {entry.name: archive.read(entry) for entry in archive.entries} == MEMBERS


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_of_a_cut_member_what_is_there_is_kept(method: int) -> None:
    data = zipped(MEMBERS, method)
    begin = data.index(b"BVP.csv") + 7
    size = struct.unpack_from("<L", data, begin - 7 - 12)[0]
    archive = Archive(data[: begin + size // 2], 512)
    found = {entry.name: archive.read(entry) for entry in archive.entries}
    part = found["BVP.csv"]
    assert found["ACC.csv"] == MEMBERS["ACC.csv"]
    assert part is not None
    assert 100 < len(part) < len(MEMBERS["BVP.csv"])
    assert MEMBERS["BVP.csv"].startswith(part)
    assert archive.broken == 1


def test_a_flipped_bit_gives_up_its_member_only() -> None:
    data = bytearray(zipped(MEMBERS))
    data[data.index(b"BVP.csv") + 400] ^= 4
    archive = Archive(bytes(data), 512)
    found = {entry.name: archive.read(entry) for entry in archive.entries}
    assert found == {**MEMBERS, "BVP.csv": None}
    assert (archive.damaged, archive.broken) == (False, 1)


def test_a_directory_that_disagrees_is_not_believed() -> None:
    data = zipped(MEMBERS)
    forged = [
        edit(data, b"PK\5\6", 10, b"\xff\xff"),
        edit(data, b"PK\1\2", 46, b"X"),
        edit(data, b"PK\1\2", 20, b"\1\0\0\0"),
        edit(data, b"PK\1\2", 42, b"\xff\xff\xff\x7f"),
    ]
    for one in forged:
        archive = Archive(one, 512)
        assert archive.damaged
        assert {entry.name: archive.read(entry) for entry in archive.entries} == MEMBERS


def test_unknown_method_is_a_broken_member() -> None:
    archive = Archive(zipped({"BVP.csv": b"1\n"}, zipfile.ZIP_BZIP2), 512)
    assert [archive.read(entry) for entry in archive.entries] == [None]
    assert archive.broken == 1


def test_no_bytes_raise_anything_but_a_refusal() -> None:
    data = zipped(csvs(12))
    for at in range(0, len(data), 13):
        for spoiled in (data[:at], data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :], data[at:]):
            try:
                contents(spoiled)
            except Refused:
                continue


def test_check_sums_agree_with_zlib() -> None:
    archive = Archive(zipped(MEMBERS), 512)
    assert {entry.name: entry.crc32 for entry in archive.entries} == {k: zlib.crc32(v) for k, v in MEMBERS.items()}
