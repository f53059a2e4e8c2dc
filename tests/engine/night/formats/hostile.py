"""Files made to hurt: each a few kB or MB that ask for far more. `python -m tests.engine.night.formats.hostile` reads
them all with 1.5 GB of address space above what the imports took, and ends with a row a file."""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.module import RawFile
from engine.night.formats.parse import read
from tests.engine.night.formats.e4_files import START_S, csvs, zipped

ALLOWED = 1536 << 20
HEAD = f"{START_S}.00\n64.000000\n".encode()


def files() -> Iterator[tuple[str, str, bytes]]:
    """(what it is, file name, bytes)."""
    deep = zipped({"BVP.csv": HEAD + b"0.00\n" * 12_000_000})
    yield "deflated 1000-fold", "bomb.zip", deep
    yield "a zip in a zip", "nested.zip", zipped({f"BVP ({n}).csv": deep for n in range(9)} | {"BVP.csv": deep})
    yield "one stream under 5,000 names", "overlap.zip", overlapping(5000)
    yield "100,000 local headers without a directory", "headers.zip", headers(100_000)
    yield "a directory of 12,000 entries", "directory.zip", zipped({f"{n}.csv": b"" for n in range(12_000)})
    yield "a digit a row", "BVP.csv", HEAD + b"1\n" * 40_000_000
    yield "a line feed a row", "EDA.csv", HEAD + b"\n" * 50_000_000
    yield "one row without end", "TEMP.csv", HEAD + b"1" * 50_000_000
    yield "a press a row", "tags.csv", b"1\n" * 20_000_000
    nothing = {"type": "array", "items": "null"}
    yield "a quadrillion nulls in Avro", "nulls.avro", avro_of(nothing, zigzag(2**50) + zigzag(0))
    numbers = {"type": "array", "items": "long"}
    yield "numbers that grow eightfold", "longs.avro", avro_of(numbers, zigzag(70 << 20) + bytes(70 << 20) + zigzag(0))
    yield "deflated Avro", "deflated.avro", avro_of("bytes", zigzag(70 << 20) + bytes(70 << 20), deflate=True)
    yield "an ActiGraph log of separators", "a.gt3x", zipped({"info.txt": b"", "log.bin": b"\x1e" * (20 << 20)})
    yield "30 million values in 3 kB", "bomb.parquet", run_lengths(30_000_000)
    yield "a dictionary of two billion words", "words.parquet", dictionary_of(2**31 - 1)
    yield "30 million values under another name", "bomb.parquet", renamed(run_lengths(30_000_000))
    yield "a word of 1 MB in 20,000 rows", "long.parquet", long_word(20_000)


def overlapping(names: int) -> bytes:
    """One stream of 10 MB of rows, listed `names` times; each header claims a size of one byte."""
    one = zipped({"BVP.csv": HEAD + b"0.00\n" * 2_000_000})
    local = one[: one.index(b"PK\1\2")]
    entry = one[one.index(b"PK\1\2") : one.index(b"PK\5\6")]
    forged = entry[:24] + struct.pack("<L", 1) + entry[28:]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, names, names, len(forged) * names, len(local), 0)
    return local + forged * names + end


def headers(count: int) -> bytes:
    """Local headers of one name, each of unknown size."""
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 8, 8, 0, 0, 0, 0, 0, 7, 0) + b"BVP.csv"
    return (head + b"\x03\x00") * count


def run_lengths(values: int) -> bytes:
    """NRF whose one block holds far more values than its footer says, run-length encoded."""
    row = {"channel": "bvp", "seq": 0, "t0_us": START_S * 10**6, "fs_hz": 64.0, "n": values}
    row |= {"scale": 1.0, "offset": 0.0, "unit": "1"}
    lists = pa.ListArray.from_arrays(pa.array([0, values], pa.int32()), pa.array(np.full(values, 7, np.int32)))
    table = pa.table({**{key: [value] for key, value in row.items()}, "values": lists})
    sink = io.BytesIO()
    words = ["channel", "unit", "values.list.element"]
    pq.write_table(
        table.replace_schema_metadata({"nrf": json.dumps({})}), sink, compression="zstd", use_dictionary=words,
        data_page_size=1 << 30, write_batch_size=1 << 30,
    )  # fmt: skip
    return in_footer(sink.getvalue(), values, 100)


def renamed(data: bytes) -> bytes:
    """NRF whose row groups call its values something else than its schema does, by which a decoder goes."""
    return data.replace(b"values\x04list", b"others\x04list")


def long_word(rows: int) -> bytes:
    """NRF whose channel has a name of 1 MB, stored once."""
    name = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * (1 << 20)]))
    same = {"t0_us": START_S * 10**6, "fs_hz": 64.0, "n": 0, "scale": 1.0, "offset": 0.0, "unit": "1"}
    columns = {key: [value] * rows for key, value in same.items()} | {"seq": range(rows)}
    table = pa.table({"channel": name, **columns, "values": pa.array([[]] * rows, pa.list_(pa.int32()))})
    sink = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({"nrf": "{}"}), sink, compression="zstd", dictionary_pagesize_limit=1 << 24
    )
    return sink.getvalue()


def dictionary_of(words: int) -> bytes:
    """NRF whose page header claims that its dictionary has so many words."""
    data = run_lengths(300_000)
    header = b"\x15\x04\x15"  # a dictionary page, and its size
    at = data.index(header)
    found = data.index(b"\x4c\x15\x02", at)  # the dictionary's header: one word
    return data[:found] + b"\x4c\x15" + varint(2 * words) + data[found + 3 :]


def in_footer(data: bytes, number: int, other: int) -> bytes:
    """`number` replaced by `other` in the footer, at the same length."""
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    old = varint(2 * number)
    return data[:begin] + data[begin:].replace(old, varint(2 * other, len(old)))


def avro_of(kind: object, body: bytes, name: str = "r", deflate: bool = False) -> bytes:
    """An Avro file of one record whose field `x` is of a kind and has such bytes."""
    schema = json.dumps({"type": "record", "name": name, "fields": [{"name": "x", "type": kind}]}).encode()
    codec = b"deflate" if deflate else b"null"
    if deflate:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body) + packer.flush()
    pairs = ((b"avro.schema", schema), (b"avro.codec", codec))
    head = zigzag(2) + b"".join(zigzag(len(part)) + part for pair in pairs for part in pair) + zigzag(0)
    return b"Obj\x01" + head + b"s" * 16 + zigzag(1) + zigzag(len(body)) + body + b"s" * 16


def zigzag(number: int) -> bytes:
    """A signed number as Avro writes it."""
    return varint(2 * number if number >= 0 else -2 * number - 1)


def varint(value: int, length: int = 1) -> bytes:
    """Thrift's variable-length number, of at least `length` bytes."""
    out = bytearray()
    while value >= 128 or len(out) + 1 < length:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def write(folder: Path) -> None:
    for number, (what, name, data) in enumerate(files()):
        (folder / f"{number:02d} {what}").mkdir()
        (folder / f"{number:02d} {what}" / name).write_bytes(data)


def main(folder: Path) -> None:
    """Reads each file with bounded memory; a line of JSON each."""
    read([RawFile("warm.zip", zipped(csvs(12)))], 512)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for path in sorted(folder.glob("*/*")):
        data = path.read_bytes()
        resource.setrlimit(resource.RLIMIT_AS, (used + len(data) + ALLOWED, resource.RLIM_INFINITY))
        started = time.process_time()
        recordings, unreadable = read([RawFile(path.name, data)], 512)
        codes = sorted({code for one in (*recordings, *unreadable) for code in one.codes})
        told = {"what": path.parent.name[3:], "recordings": len(recordings), "codes": codes}
        print(json.dumps(told | {"seconds": round(time.process_time() - started, 2)}), flush=True)  # noqa: T201
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
