from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from kernels.thrift import DATA, DICTIONARY, I32, LIST, PAGE_FACTS, STRUCT, below, leaves, pages_hold, read_page
from tests.naive import thrift as naive

SCALARS = (1, 2, 3, 7, naive.I16, naive.I32, naive.I64, naive.WORD)


def value(random: Random, kind: int, depth: int) -> Any:
    if kind == STRUCT:
        numbers = sorted(random.sample(range(1, 60), random.randrange(6)))
        kinds = [random.choice((*SCALARS, LIST, STRUCT) if depth else SCALARS) for _ in numbers]
        return [(number, own, value(random, own, depth - 1)) for number, own in zip(numbers, kinds, strict=True)]
    if kind == LIST:
        own = random.choice((*SCALARS, LIST, STRUCT) if depth else SCALARS)
        return own, [value(random, own, depth - 1) for _ in range(random.choice((0, 1, 3, 17)))]
    if kind == naive.WORD:
        return random.randbytes(random.randrange(20))
    return random.choice((0, -1, 63, 64, 2**31, 2**63 - 1, -(2**63))) if kind in (4, 5, 6) else 0


def found(data: bytes, most: int = 10_000) -> tuple[list[naive.Leaf], int]:
    out = np.empty((most, 3), np.int64)
    count, end = leaves(np.frombuffer(data, np.uint8), 0, out)
    rows = out[:count].tolist()
    words = [
        (path, data[value : value + size]) if path % 16 == naive.WORD and size >= 0 else (path, value)
        for path, value, size in rows
    ]
    return words, end


@pytest.mark.parametrize("seed", range(60))
def test_as_the_naive_twin(seed: int) -> None:
    struct = value(Random(seed), STRUCT, 4)
    data, known = naive.packed(struct), naive.leaves(struct)
    told, end = found(data + b"behind")
    assert end == len(data)
    assert [path for path, _ in told] == [path for path, _ in known]
    assert [leaf for leaf in told if leaf[0] >= 0] == [leaf for leaf in known if leaf[0] >= 0]
    assert found(data, len(known))[1] == len(data)
    assert not known or found(data, len(known) - 1)[1] < 0
    assert all(found(data[:cut])[1] < 0 for cut in range(max(len(data) - 300, 0), len(data)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x10\0",  # no kind
        b"\x15\x02\x05\x02\x02\0",  # field 1 twice
        b"\x25\x02\x05\x02\x02\0",  # field 2, then 1
        b"\x05\x01\x02\0",  # a number below 0
        b"\x1b\x01\x55\x02\x02\0",  # a map
        b"\x15" + b"\xff" * 10 + b"\0",  # a number without end
        b"\x18\x05abc\0",  # a word beyond the end
        b"\x19\xfc" + naive.varint(2**63) + b"\0" * 30,  # a list of more elements than bytes
        b"\x1c" * 40 + b"\0" * 41,  # structs in structs
        b"\x19" + b"\x19" * 40 + b"\x15\0",  # lists in lists
        b"\x17\0\0",  # a float beyond the end
    ],
)
def test_no_struct(data: bytes) -> None:
    assert found(data)[1] == -1


def test_damage_never_reaches_outside() -> None:
    random = Random(0)
    data = naive.packed(value(random, STRUCT, 4))
    for at in range(len(data)):
        found(data[:at] + random.randbytes(1) + data[at + 1 :])
        found(random.randbytes(at), 5)


def test_paths() -> None:
    assert below(below(0, 4, LIST), 0, STRUCT) != below(below(0, 4, STRUCT), 0, LIST)
    assert below(0, 32, I32) == below(-1, 1, I32) == below(1 << 54, 1, I32) == -1
    deepest = 0
    for _ in range(7):
        deepest = below(deepest, 31, STRUCT)
    assert deepest == naive.below(deepest >> 9, 31, STRUCT) > 0


def header(kind: int, unpacked: int, packed: int, **own: int) -> bytes:
    structs = {"data": 5, "index": 6, "words": 7, "second": 8}
    headers = [(number, STRUCT, [(1, I32, own[name])]) for name, number in structs.items() if name in own]
    return naive.packed([(1, I32, kind), (2, I32, unpacked), (3, I32, packed), *headers])


def holds(data: bytes, values: int, unpacked: int = 1000) -> bool:
    return bool(pages_hold(np.frombuffer(data, np.uint8), 0, len(data), values, unpacked))


def test_pages_that_hold_what_is_said() -> None:
    words = header(DICTIONARY, 40, 8, words=10) + bytes(8)
    pages = words + header(DATA, 30, 7, data=70) + bytes(7) + header(3, 20, 5, second=30) + bytes(5)
    assert holds(pages, 100)
    assert not holds(pages, 99)
    assert not holds(pages, 101)
    assert not holds(pages, 100, 90)
    assert not holds(pages[:-1], 100)
    assert not holds(pages + b"\0", 100)
    assert holds(b"", 0)
    assert not holds(header(DATA, 10, 0, data=0) + words, 0)  # the dictionary comes first


@pytest.mark.parametrize(
    "page",
    [
        header(DATA, 10, 4, words=2),  # its kind says how it is read
        header(DATA, 10, 4, data=2**31, words=2),
        header(DICTIONARY, 10, 4, data=0, words=2**31),
        header(DATA, 2**62, 4, data=2),
        header(DATA, 10, 2**62, data=2),
        header(DATA, -10, 4, data=2),
        header(DATA, 10, -4, data=2),
        header(DATA, 10, 4, data=-2),
        header(1, 10, 4, index=2),
        header(9, 10, 4, data=2),
    ],
)
def test_pages_that_cannot_be(page: bytes) -> None:
    assert not holds(page + bytes(4), 2)


def test_words_that_repeat_the_last_one_are_refused() -> None:
    v1, v2 = (
        naive.packed([(1, I32, kind), (2, I32, 10), (3, I32, 0), (at, STRUCT, [(1, I32, 2), (of, I32, 7)])])
        for kind, at, of in ((DATA, 5, 2), (3, 8, 4))
    )
    assert not holds(v1, 2)
    assert not holds(v2, 2)
    assert holds(header(DATA, 10, 0, data=2), 2)


def test_what_a_page_says() -> None:
    page = np.empty(PAGE_FACTS, np.int64)
    body = read_page(np.frombuffer(b"??" + header(DATA, 10, 4, data=2), np.uint8), 2, page)
    assert (body, page.tolist()) == (2 + len(header(DATA, 10, 4, data=2)), [DATA, 10, 4, 2, -1, -1, -1])
    assert read_page(np.frombuffer(b"\x15", np.uint8), 0, page) == -1
