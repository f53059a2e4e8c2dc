"""Texts as codes: the same columns, however they are held."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from engine.tables.coded import CODED, FEW, as_text, coded, coded_as, fewest, is_sound, ranks, table_of, whole_array

PLAIN = pa.schema([pa.field("a", pa.string(), nullable=False, metadata={"unit": "1"}), pa.field("n", pa.int64())])


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64])
def test_codes_say_texts_and_null_where_negative(kind: type) -> None:
    made = coded(["x", "y", "x"], np.array([2, -1, 1, 0], kind))
    assert made.type == CODED
    assert made.to_pylist() == ["x", None, "y", "x"]
    assert is_sound(pa.chunked_array([made]))
    assert coded([], np.array([], kind)).to_pylist() == []
    assert coded([], np.array([-1, -1], kind)).to_pylist() == [None, None]


def test_a_schema_is_told_as_text_and_a_table_keeps_its_notes() -> None:
    made = table_of({"n": pa.array([1]), "a": coded(["x"], np.zeros(1, np.int8))}, PLAIN)
    assert made.schema.types == [CODED, pa.int64()]
    assert made.schema.field("a").metadata == {b"unit": b"1"}
    assert as_text(made.schema).equals(PLAIN, check_metadata=True)
    assert coded_as(PLAIN, made.schema).equals(made.schema, check_metadata=True)
    assert coded_as(PLAIN, PLAIN).equals(PLAIN)


@pytest.mark.parametrize("texts", [["b", "a", "c"], ["a", "b", "c"], ["a"], []])
def test_ranks_are_in_the_order_of_texts(texts: list[str]) -> None:
    codes = np.array([*range(len(texts)), -1])
    found = ranks(coded(texts, codes)).to_pylist()
    assert found[-1] is None
    assert [texts[i] for i in np.argsort(found[:-1])] == sorted(texts)


def test_equal_texts_have_equal_ranks_even_where_a_dictionary_is_unsound() -> None:
    unsound = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), ["x", "x"])
    assert len(set(ranks(unsound).to_pylist())) == 1
    assert not is_sound(pa.chunked_array([unsound]))


@pytest.mark.parametrize(("apart", "held"), [(2, ["t1", "t2", "t3"]), (FEW, [f"t{FEW + 1}", "t1"])])
def test_the_fewest_texts_are_those_that_occur_and_a_few_between(apart: int, held: list[str]) -> None:
    codes = np.array([1 + apart, -1, 1, 1 + apart])
    rows = pa.table({"a": coded([f"t{i}" for i in range(2 * FEW)], codes), "n": [1, 2, 3, 4]})
    found = fewest(rows)
    assert found["a"].to_pylist() == rows["a"].to_pylist()
    assert found["a"].chunk(0).dictionary.to_pylist() == held
    assert fewest(rows.slice(1, 1))["a"].chunk(0).dictionary.to_pylist() == []


def test_chunks_with_texts_of_their_own_become_one_array() -> None:
    both = pa.chunked_array([coded(["x"], np.zeros(2, int)), coded(["y", "x"], np.array([0, 1]))])
    assert whole_array(both).to_pylist() == ["x", "x", "y", "x"]
    assert whole_array(both.slice(0, 0)).to_pylist() == []
