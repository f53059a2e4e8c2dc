"""`nightmill drift --report`: one HTML page of what alarms, with what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from html import escape

import polars as pl

from engine.drift.courses import Course, courses
from engine.drift.find import Drift
from engine.drift.judge import SUBJECT
from engine.drift.measures import ACT, LEAST, STABLE
from engine.drift.nights import Nights
from engine.storage import Store
from jobs import drift_plots as plots
from jobs import drift_words as words
from jobs import page
from jobs.page import Head, html_row, html_table
from jobs.show import count, text

DRAWN, SHOWN, LISTED = 12, 20, 200
"""Things that alarm of which figures are drawn, and that are not folded away; comparisons listed that are to be
watched."""
_ALARMS: tuple[Head, ...] = (
    ("nights of", "", ""), ("what", "", ""), ("was → now", "", "n"), ("told by", "", ""), ("what to do next", "", ""),
)  # fmt: skip
_WATCHED: tuple[Head, ...] = (
    ("level", "", ""), ("nights of", "", ""), ("what", "", ""), ("days", "", "n"), ("before", "", ""), ("test", "", ""),
    ("", "", "n"), ("p", "", "n"), ("was → now", "", "n"),
)  # fmt: skip
_GROUPS: tuple[Head, ...] = (
    ("nights of", "", ""), ("nights", "now", "n"), ("nights", "before", "n"), ("alarms", "things", "n"),
    ("most", "", ""),
)  # fmt: skip


def render(store: Store, module_id: str, nights: Nights, found: Drift) -> str:
    """The page. nights: those that `found` compared."""
    units = words.units_of(store)
    alarms = found.findings.filter("alarm")
    things = alarms.partition_by(SUBJECT, maintain_order=True)
    watched = found.findings.filter(pl.col("level") != STABLE, ~pl.col("alarm"))
    drawn = [_drawn(one, found, units) for one in courses(nights, found.days, found.findings, DRAWN)]
    left = len(things) - len(drawn)
    note = f"{left} more without figures." if drawn and left else ""
    sections = [
        page.section("Alarms", "", _alarms(store, things, units)) if things else "",
        page.section("What moved", note, "".join(drawn)) if drawn else "",
        page.section("Groups", "", _groups(found, units)),
        page.section("To watch, and acts seen once", "", _watched(watched, units)) if watched.height else "",
    ]
    totals = {
        "nights tested": int(found.compared["n"].max() or 0),  # type: ignore[arg-type]
        "nights before": int(found.compared["n_reference"].max() or 0),  # type: ignore[arg-type]
        "comparisons": found.findings.height,
        "things that alarm": len(things),
        "to watch": watched.height,
    }
    subtitle = f"{store.uri} · {module_id} · {page.now()}"
    return page.render("Drift", subtitle, totals, _verdict(found, things, units), sections, "drift_terms.html")


def _verdict(found: Drift, things: list[pl.DataFrame], units: Mapping[str, str]) -> str:
    days = found.days
    periods = f"Nights up to {days.newest} against {days.reference}, in windows of {_lengths(days.windows)} days."
    if not found.is_enough:
        return f"<p><b>Nothing could be compared.</b></p><p>{LEAST} nights of band A or B are needed on both sides.</p>"
    if not things:
        stable = found.findings.filter(level=STABLE).height
        told = f"{stable:,} of {count(found.findings.height, 'comparison')} are stable."
        return f'<p><b class="good">No alarm.</b> {told}</p><p>{periods}</p>'
    worst = [_thing(one, units) for one in things[:3]]
    lines = [f'<b class="warn">{count(len(things), "thing alarms", "things alarm")}.</b> First: {"; ".join(worst)}.']
    lines += [told for told in (_which_groups(found),) if told]
    return "".join(f"<p>{line}</p>" for line in [*lines, periods])


def _lengths(windows: tuple[int, ...]) -> str:
    return " and ".join(map(str, windows))


def _thing(alarms: pl.DataFrame, units: Mapping[str, str]) -> str:
    row = _telling(alarms)
    return escape(f"{_what(row, units)} in {'all nights' if row['by'] is None else words.whose(row)}")


def _what(row: words.Row, units: Mapping[str, str]) -> str:
    return words.subject(row, units) + ("" if row["now"] is None else f" {words.moved(row)}")


def _telling(alarms: pl.DataFrame) -> dict[str, object]:
    """The row that says what was and is, of all about one thing."""
    told = alarms.filter(pl.col("now").is_not_null())
    return (told if told.height else alarms).row(0, named=True)


def _which_groups(found: Drift) -> str:
    """Of each column of groups: which of them alarm, which do not."""
    enough = found.compared.filter("is_enough", pl.col("by").is_not_null())
    moved = set(found.findings.filter("alarm", pl.col("by").is_not_null()).select("by", "group").iter_rows())
    lines = []
    for (by,), rows in enough.group_by("by", maintain_order=True):
        groups = rows["group"].unique(maintain_order=True).to_list()
        those = [group for group in groups if (by, group) in moved]
        still = [group for group in groups if (by, group) not in moved]
        if those and still:
            lines.append(f"Of {by}, {', '.join(those)} moved and {', '.join(still)} did not.")
        elif those:
            lines.append(f"Of {by}, all moved: {', '.join(those)}.")
    return escape(" ".join(lines))


def _alarms(store: Store, things: list[pl.DataFrame], units: Mapping[str, str]) -> str:
    rows = []
    for one in things:
        row = _telling(one)
        asked = words.query(row)
        command = f'nightmill query {shlex.quote(store.uri)} "{asked}"' if asked else ""
        next_ = escape(words.advice(row)) + (f"<br><code>{escape(command)}</code>" if command else "")
        cells = (escape(words.whose(row)), escape(words.subject(row, units)), words.moved(row), _told_by(one), next_)
        styles = ("", "", "n", "", "text")
        rows.append(html_row(list(zip(cells, styles, strict=True))))
    first, rest = html_table(_ALARMS, rows[:SHOWN], "wide"), html_table(_ALARMS, rows[SHOWN:], "wide")
    return first + (f"<details><summary>{len(rows) - SHOWN} more</summary>{rest}</details>" if rows[SHOWN:] else "")


def _told_by(alarms: pl.DataFrame) -> str:
    told = [
        f"{row['test']}: {row['changed_at']}"
        if row["window_d"] is None
        else f"{row['test']} {text(row['statistic'])} ({row['window_d']} d)"
        for row in alarms.iter_rows(named=True)
    ]
    return "<br>".join(map(escape, told))


def _drawn(course: Course, found: Drift, units: Mapping[str, str]) -> str:
    row = {"by": course.by, "group": course.group, "kind": course.kind, "what": course.what}
    title = escape(f"{words.subject(row, units)} · nights of {words.whose(row)}")
    return plots.figures(course, found.days, title, units.get(course.what, course.what))


def _groups(found: Drift, units: Mapping[str, str]) -> str:
    rows = []
    for one in found.compared.filter(window_d=max(found.days.windows)).iter_rows(named=True):
        same = (pl.col(name).eq_missing(pl.lit(one[name], pl.String)) for name in ("by", "group"))
        own = found.findings.filter(*same)
        alarms = own.filter("alarm").select(SUBJECT).unique().height
        if one["is_enough"]:
            first = own.filter(pl.col("level") == ACT).head(1).to_dicts()
            most = _what(first[0], units) if first else "nothing"
        else:
            most = f"too few: {one['good']:,} and {one['good_reference']:,} of band A or B, {LEAST} are needed"
        cells = (escape(words.whose(one)), f"{one['n']:,}", f"{one['n_reference']:,}", alarms)
        styled = list(zip(cells, ("", "n", "n", "n"), strict=True))
        rows.append(html_row([*styled, (escape(most), "")], "best" if alarms else ""))
    none = "" if found.compared["by"].null_count() < found.compared.height else (
        '<p class="note">Asked of all nights alone: <code>--by device,firmware</code> tells such groups apart.</p>'
    )  # fmt: skip
    return html_table(_GROUPS, rows) + none


def _watched(watched: pl.DataFrame, units: Mapping[str, str]) -> str:
    rows = []
    for row in watched.head(LISTED).iter_rows(named=True):
        cells = (
            row["level"], escape(words.whose(row)), escape(words.subject(row, units)), row["window_d"] or "each",
            row["before"] or "–", row["test"], text(row["statistic"]), text(row["p"]), words.moved(row),
        )  # fmt: skip
        rows.append(html_row([(cell, head[2]) for cell, head in zip(cells, _WATCHED, strict=True)]))
    more = f"<p class='note'>{watched.height - LISTED:,} more.</p>" if watched.height > LISTED else ""
    summary = f"<summary>{count(watched.height, 'comparison')}</summary>"
    return f"<details>{summary}{html_table(_WATCHED, rows)}{more}</details>"
