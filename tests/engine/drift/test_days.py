from __future__ import annotations

from datetime import date

import pytest

from engine.drift.days import Period, choose
from engine.errors import UserError

NEWEST = date(2026, 3, 31)


def test_the_reference_is_the_28_days_before_two_of_the_longest_windows() -> None:
    days = choose(NEWEST, (1, 7))
    assert days.window(7, 0) == Period(date(2026, 3, 25), NEWEST)
    assert days.window(7, 1) == Period(date(2026, 3, 18), date(2026, 3, 24))
    assert days.window(1, 1) == Period(date(2026, 3, 30), date(2026, 3, 30))
    assert days.tested == Period(date(2026, 3, 18), NEWEST)
    assert days.reference == Period(date(2026, 2, 18), date(2026, 3, 17))
    assert days.whole == Period(date(2026, 2, 18), NEWEST)


def test_a_reference_that_is_given_is_taken() -> None:
    given = Period(date(2025, 1, 1), date(2025, 1, 31))
    assert choose(NEWEST, (1,), given).reference == given


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 3, 1), date(2026, 3, 18), "must end before 2026-03-18"),
        (date(2026, 3, 2), date(2026, 3, 1), "ends before it begins"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(first: date, last: date, said: str) -> None:
    with pytest.raises(UserError, match=said):
        choose(NEWEST, (1, 7), Period(first, last))
