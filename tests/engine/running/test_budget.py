"""When failures stop a run."""

from __future__ import annotations

import polars as pl
import pytest

from engine.errors import ConfigError
from engine.running.budget import ALL, Budget, Overrun, Strata, Tally


@pytest.mark.parametrize(
    ("text", "bad", "files", "over"),
    [
        ("20%", 19, 19, False),  # too few files to speak of a share
        ("20%", 4, 20, False),
        ("20%", 5, 20, True),
        ("5%", 51, 1000, True),
        ("5 %", 50, 1000, False),
        ("0%", 1, 20, True),
        ("100%", 20, 20, False),
        ("0", 1, 1, True),
        ("3", 3, 4, False),
    ],
)
def test_exceeded(text: str, bad: int, files: int, over: bool) -> None:
    assert Budget.parse(text).exceeded(bad, files) is over


@pytest.mark.parametrize("text", ["", "%", "many", "-1", "5.5%", "101%", "5%%", "1e3"])
def test_anything_else_is_a_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match="max_failures"):
        Budget.parse(text)


NAMES = [f"{site}/{firmware}/n{number}.zip" for site in "AB" for firmware in ("1.0", "2.0") for number in range(30)]


def rows(bad: str) -> pl.DataFrame:
    status = ["failed" if name.startswith(bad) and int(name.split("n")[1][:-4]) < 9 else "ok" for name in NAMES]
    return pl.DataFrame({"file": NAMES, "status": status})


@pytest.mark.parametrize(
    ("field", "text", "overrun"),
    [
        (None, "10%", None),  # 9 of 120
        ("site", "16%", None),  # 9 of 60
        ("site", "14%", Overrun("B", 9, 60)),
        ("firmware", "14%", Overrun("2.0", 9, 60)),
        ("site", "9", None),
        ("site", "8", Overrun("B", 9, 60)),
        (None, "8", Overrun(ALL, 9, 120)),
    ],
)
def test_each_stratum_has_the_budget_for_itself(field: str | None, text: str, overrun: Overrun | None) -> None:
    strata = None if field is None else Strata.by(field, [None, "{site}/{firmware}/{night_no}.zip"])
    tally = Tally(Budget.parse(text), strata)
    for batch in rows("B/2.0").iter_slices(7):
        tally.take(batch)
    assert tally.exceeded() is (overrun is not None)
    assert tally.overrun == overrun


def test_a_number_is_each_stratums_own_and_a_share_also_of_all() -> None:
    strata = Strata.by("site", ["{site}/{rest}.zip"])
    failed = pl.DataFrame({"file": [f"S{n}/x.zip" for n in range(30)], "status": ["failed"] * 30})
    number, share = Tally(Budget.parse("5"), strata), Tally(Budget.parse("5%"), strata)
    for tally in (number, share):
        tally.take(failed)
    assert (number.exceeded(), share.exceeded()) == (False, True)
    assert (number.overrun, share.overrun) == (None, Overrun(ALL, 30, 30))


def test_folders_have_strata_and_what_has_no_name_or_matches_nothing_counts_among_all() -> None:
    tally = Tally(Budget.parse("1"), Strata.by("site", ["{site}/{rest}.zip"]))
    tally.take(pl.DataFrame({"file": ["A/folder", "A/x.zip", "odd.txt", None], "status": ["failed"] * 4}))
    assert tally.exceeded()
    assert tally.overrun == Overrun("A", 2, 2)
    tally.take(pl.DataFrame({"file": ["A/y.zip"] * 9, "status": ["ok"] * 9}))
    assert tally.overrun == Overrun("A", 2, 2)


def test_a_field_that_no_template_has_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"max_failures_by: no template has the field 'size' \(site, start\)"):
        Strata.by("size", ["{site}/{start}.zip"])
    with pytest.raises(ConfigError, match="there is no template"):
        Strata.by("site", [None])
