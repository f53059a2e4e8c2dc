from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from jobs.svg import Axis, Chart, apart, log_ticks, round_ticks


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.1), (0.70, 0.74), (1e5, 9e5), (1e-9, 3e-9)])
def test_round_ticks_lie_inside_and_are_few(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


@pytest.mark.parametrize(("low", "high"), [(1e-4, 1e4), (2.0, 60.0), (3.0, 4.0)])
def test_log_ticks(low: float, high: float) -> None:
    assert len(log_ticks(low, high)) >= 2


def test_near_ticks_have_names_of_their_own() -> None:
    chart = Chart(Axis("x"), Axis("y"))
    chart.line([1, 2], [0.996, 1.014], 0, "a")
    drawn = chart.svg("t")
    assert all(f">{name}<" in drawn for name in ("1", "1.005", "1.01"))


def test_names_do_not_overlap() -> None:
    found = apart([50.0, 50.0, 50.0, 51.0, 10.0], 14, 0, 100)
    placed = sorted(found)
    assert all(b - a >= 14 - 1e-9 for a, b in pairwise(placed))
    assert found[4] == placed[0]
    assert max(apart([99.0, 98.0], 14, 0, 100)) <= 100


def test_values_that_are_missing_are_left_out() -> None:
    chart = Chart(Axis("x"), Axis("y"))
    chart.line([1, 2, 3], [1.0, math.nan, 2.0], 0, "a & b")
    drawn = chart.svg("t")
    ET.fromstring(drawn)
    assert drawn.count("<circle") == 2
    assert "a &amp; b" in drawn
    assert "nan" not in drawn


def test_one_point_and_a_flat_line_have_a_scale() -> None:
    chart = Chart(Axis("x"), Axis("y"))
    chart.line([1], [5.0], 0, "one")
    assert not re.search(r"nan|inf", chart.svg("t"))


def test_nothing_to_draw() -> None:
    chart = Chart(Axis("x", log=True), Axis("y"))
    chart.points([math.nan], [1.0], 0)
    assert "Nothing to draw" in chart.svg("t")
