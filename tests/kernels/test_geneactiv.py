from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.geneactiv import unpack_pages
from tests.naive import geneactiv as naive


def unpacked(text: bytes, begins: list[int]) -> list[list[tuple[int, ...]] | None]:
    out, whole = unpack_pages(np.frombuffer(text, np.uint8), np.array(begins, np.int64))
    pages = [list(map(tuple, out[:, 300 * i : 300 * i + 300].T.tolist())) for i in range(len(begins))]
    return [page if own else None for page, own in zip(pages, whole.tolist(), strict=True)]


def test_known_samples() -> None:
    text = b"F2202700B000" * 299 + b"7ff800FFF00E" + b"\r\n"
    (page,) = unpacked(text, [0])
    assert page is not None
    assert page[0] == (-222, 39, 11, 0, 0)
    assert page[-1] == (2047, -2048, -1, 3, 1)


@given(st.binary(min_size=1800, max_size=1800), st.integers(0, 3700), st.binary(max_size=1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_equal_to_the_naive_twin(data: bytes, at: int, other: bytes, upper: bool) -> None:
    text = data.hex().encode() + b"\n" + data[::-1].hex().encode()
    text = text.upper() if upper else text
    text = text[:at] + other + text[at + len(other) :]
    begins = [0, 3601, 4000]
    assert unpacked(text, begins) == [naive.page(text[begin:]) for begin in begins]


def test_no_page() -> None:
    out, whole = unpack_pages(np.frombuffer(b"", np.uint8), np.zeros(0, np.int64))
    assert (out.shape, whole.shape) == ((5, 0), (0,))
