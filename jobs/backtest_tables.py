"""The tables and sentences of a backtest's report, as HTML."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.scores.clinical import Agreement
from engine.backtest.scores.findings import BASELINE, Findings
from engine.backtest.scores.leaderboard import Leaderboard
from engine.vitals.severity import SEVERITIES
from jobs.backtest_plots import Row, forest, label
from jobs.page import Head, html_row, html_table

SHOWN = 20
WORST_SKILL = -0.5
"""Where the drawn intervals of skill are cut off."""
_HEADS: tuple[Head, ...] = (
    ("", "", "n"), ("model", "", ""), ("window", "h", "n"), ("refit", "h", "n"), ("policy", "", ""), ("MASE", "", "n"),
    ("skill", "", "n"), ("", "95 % over users", ""), ("against the best", "Holm", ""), ("MAE", "", "n"),
    ("covered", "of 80 %", "n"), ("bounded", "have intervals", "n"), ("own fits", "", "n"), ("answered", "", "n"),
    ("CPU", "s", "n"), ("", "Pareto", ""),
    ("rows", "", "n"), ("MASE", "all origins", "n"), ("rows", "all origins", "n"),
)  # fmt: skip
_STATUS_COLOURS = {
    "ok": "var(--c2)", "constant": "var(--c5)", "too_short": "var(--dim)", "error": "var(--c1)",
    "nonfinite": "var(--c4)", "timeout_soft": "var(--c3)", "timeout_hard": "var(--c6)", "quarantined": "var(--ink)",
}  # fmt: skip


def verdict(found: Findings) -> str:
    """What the leaderboard means, in sentences."""
    frame = found.board.frame.filter(pl.col("mase_charged").is_not_null())
    if frame.is_empty():
        return (
            "<p>No configuration has a defined score: a MASE takes 24 pairs of hours a season apart before the origin. "
            "The order is by skill, and no difference is tested.</p>"
        )
    best = frame.row(0, named=True)
    lines = [f"<b>{escape(label(best))}</b> has the least error: MASE {digits(best['mase_charged'])}{_skill(best)}."]
    equals = frame.filter(pl.col("as_good").fill_null(False) & ~pl.col("best"))
    if found.board.n_users < 2:
        lines.append("With one user, no difference between configurations can be tested.")
    else:
        worse = len(frame) - 1 - len(equals)
        apart = f"; {len(equals)} are not told apart from it by {found.board.n_users} users: they need not be equal"
        rest = apart if len(equals) else ""
        lines.append(f"{worse} of {len(frame) - 1} others are shown to be worse, after Holm's correction{rest}.")
    priced = pl.concat([frame.head(1), equals]).drop_nulls("cpu_s").sort("cpu_s")
    if len(priced) > 1 and priced["cpu_s"][0] < (best["cpu_s"] or math.inf):
        cheap = priced.row(0, named=True)
        times = _times(best["cpu_s"], cheap["cpu_s"])
        lines.append(f"The cheapest not shown to be worse is <b>{escape(label(cheap))}</b>{times}.")
    if math.isfinite(found.board.best_unseen):
        lines.append(
            f"Choosing the best on some users and using it for others gave MASE {digits(found.board.best_unseen)}: "
            f"expect that, not the first line, of new users."
        )
    if found.board.basis == "all":
        lines.append('<span class="warn">No origin is common to all configurations: rows differ between them.</span>')
    return "".join(f"<p>{line}</p>" for line in lines)


def board(found: Leaderboard, mae: bool) -> str:
    """The leaderboard; rows after the first twenty fold. mae: whether all rows have one unit."""
    ends = found.frame.select(pl.col("skill_low").min(), pl.col("skill_high").max()).row(0)
    low, high = max(min(ends[0] or 0.0, 0.0), WORST_SKILL), max(ends[1] or 0.0, 0.0)
    left_out = _told_by_none(found) | (set() if mae else {("MAE", "")})
    rows = [_board_row(i + 1, row, low, high, left_out) for i, row in enumerate(found.frame.rows(named=True))]
    heads = [head for head in _HEADS if head[:2] not in left_out]
    first = html_table(heads, rows[:SHOWN], "wide")
    if len(rows) <= SHOWN:
        return first
    rest = html_table(heads, rows[SHOWN:], "wide")
    return f"{first}<details><summary>{len(rows) - SHOWN} more</summary>{rest}</details>"


def _told_by_none(found: Leaderboard) -> set[tuple[str, str]]:
    """Columns that would say the same in every row."""
    frame = found.frame
    same = {
        ("bounded", "have intervals"): found.is_bounded,
        ("policy", ""): frame["policy"].n_unique() < 2,
        ("CPU", "s"): frame["cpu_s"].null_count() == len(frame),
        ("", "Pareto"): frame["cpu_s"].null_count() == len(frame),
        ("answered", ""): (frame["answered"] == 1.0).all(),
        ("MASE", "all origins"): frame["n_all"].equals(frame["n_common"]),
        ("rows", "all origins"): frame["n_all"].equals(frame["n_common"]),
    }
    return {head for head, out in same.items() if out}


def _board_row(place: int, row: Row, low: float, high: float, left_out: set[tuple[str, str]]) -> str:
    window = "all" if row["window_h"] is None else row["window_h"]
    cells = [
        place, escape(row["model"]), window, row["refit_h"], row["policy"], digits(row["mase_charged"]),
        fixed(row["skill"]), forest(row, low, high), _against(row), digits(row["mae"]), percent(row["covered"]),
        percent(row["bounded"]), percent(row["own"]), percent(row["answered"]), digits(row["cpu_s"]),
        '<span class="good">●</span>' if row["pareto"] else "", f"{row['n_common'] or 0:,}", digits(row["mase_all"]),
        f"{row['n_all']:,}",
    ]  # fmt: skip
    kept = [(cell, head[2]) for cell, head in zip(cells, _HEADS, strict=True) if head[:2] not in left_out]
    return html_row(kept, "best" if row["best"] else "")


def _against(row: Row) -> str:
    if row["best"]:
        return "best"
    if row["p_holm"] is None:
        return '<span class="soft">–</span>'
    p = "&lt; 0.001" if row["p_holm"] < 0.001 else f"{row['p_holm']:.3f}"
    kind, word = ("", "not told apart") if row["as_good"] else ("soft", "worse")
    return f'<span class="{kind}" title="p {p}">{word}</span>'


def statuses(found: Findings) -> str:
    """Fates of fits by model: a bar and counts."""
    if found.statuses.is_empty():
        return '<p class="none">No fits.</p>'
    present = [one for one in _STATUS_COLOURS if one in set(found.statuses["status"])]
    key = "".join(f'<span class="key"><i style="background:{_STATUS_COLOURS[s]}"></i>{s}</span>' for s in present)
    rows = []
    for (model,), part in found.statuses.group_by("model", maintain_order=True):
        n = dict(part.select("status", "n").iter_rows())
        bar = "".join(
            f'<i style="background:{_STATUS_COLOURS[s]};flex:{n[s]}" title="{s}: {n[s]:,}"></i>'
            for s in present if s in n
        )  # fmt: skip
        counts = [(f"{n[s]:,}" if s in n else "–", "n") for s in present]
        cells = [(escape(str(model)), ""), (f'<div class="bar">{bar}</div>', ""), (f"{sum(n.values()):,}", "n")]
        rows.append(html_row([*cells, *counts, (digits(part["cpu_s"].sum()), "n")]))
    heads = [("model", "", ""), ("", "", ""), ("fits", "", "n"), *((s, "", "n") for s in present), ("CPU", "s", "n")]
    return key + html_table(heads, rows) + _faults(found)


def _faults(found: Findings) -> str:
    if found.faults.is_empty():
        return ""
    rows = [
        html_row([(escape(row["model"]), ""), (row["status"], ""), (f"{row['n']:,}", "n"),
              (escape(row["error_class"] or "–"), ""), (escape(row["error_message"] or "–"), "text")])
        for row in found.faults.rows(named=True)
    ]  # fmt: skip
    heads = ("model", "status", "fits", "class", "message")
    table = html_table([(head, "", "n" if head == "fits" else "") for head in heads], rows)
    return f"<details><summary>What went wrong, most frequent first</summary>{table}</details>"


def origins(found: Findings) -> str:
    """How many origins could be forecast at all."""
    total = found.origins["n"].sum()
    told = [f"{row['status']} {row['n']:,} ({percent(row['n'] / total)})" for row in found.origins.rows(named=True)]
    return f"<p class='note'>Origins: {escape(', '.join(told))}.</p>" if told else ""


def difference(found: Findings) -> str:
    """Diebold–Mariano statistics, coloured where Holm's p is below 0.05."""
    statistic, corrected = found.difference
    names = [label(row) for row in found.chosen.rows(named=True)]
    rows = []
    for i, name in enumerate(names):
        cells = [_difference_cell(statistic[i, j], corrected[i, j], i == j) for j in range(len(names))]
        rows.append(f'<tr><td class="n soft">{i + 1}</td><th class="side">{escape(name)}</th>{"".join(cells)}</tr>')
    heads = "<th></th>" + "".join(f'<th class="mid">{i + 1}</th>' for i in range(len(names)))
    return f'<div class="scroll"><table><tr><th></th>{heads}</tr>{"".join(rows)}</table></div>'


def _difference_cell(statistic: float, p: float, diagonal: bool) -> str:
    if diagonal or not math.isfinite(statistic):
        return '<td class="cell soft">–</td>'
    strength = 0.12 + 0.38 * min(abs(statistic) / 8, 1.0) if p < 0.05 else 0.0
    hue = "var(--cool)" if statistic < 0 else "var(--hot)"
    return (
        f'<td class="cell" style="background:rgba({hue},{strength:.2f})" title="Holm p {p:.3g}">{statistic:+.1f}</td>'
    )


def clinical(found: Findings) -> str:
    """Agreement of severities, a row a configuration, and confusion matrices."""
    if not any(one.n for one in found.clinical):
        return '<p class="none">No vital that is a parameter of NEWS2.</p>'
    rows, matrices = [], []
    for row, one in zip(found.chosen.rows(named=True), found.clinical, strict=True):
        leads = one.lead_h
        lead = f"{np.median(leads):.0f} ({percent(float((leads > 0).mean()))})" if len(leads) else "–"
        rows.append(
            html_row([(escape(label(row)), ""), (digits(one.kappa), "n"), (percent(one.missed_severe), "n"),
                  (percent(one.false_severe), "n"), (f"{one.n_severe:,}", "n"), (lead, "n"), (f"{len(leads):,}", "n"),
                  (f"{int(one.unanswered.sum()):,}", "n"), (f"{one.n:,}", "n")])
        )  # fmt: skip
        matrices.append(f"<figure><h3>{escape(label(row))}</h3>{_confusion(one)}</figure>")
    heads = [
        ("configuration", "", ""), ("kappa", "quadratic weights", "n"), ("severe missed", "of severe hours", "n"),
        ("severe in vain", "of severe forecasts", "n"), ("severe", "hours × steps", "n"),
        ("lead", "h, median (share > 0)", "n"), ("onsets", "", "n"), ("unanswered", "", "n"),
        ("compared", "hours × steps", "n"),
    ]  # fmt: skip
    folded = f"<details><summary>Confusion matrices</summary><div class='row small'>{''.join(matrices)}</div></details>"
    return html_table(heads, rows) + folded


def _confusion(one: Agreement) -> str:
    rows = [
        f'<tr><th class="side">{name}</th>' + "".join(f'<td class="n">{n:,}</td>' for n in counts.tolist()) + "</tr>"
        for name, counts in zip(SEVERITIES, one.severity, strict=True)
    ]
    heads = "".join(f'<th class="n">{name}</th>' for name in SEVERITIES)
    return f"<table><tr><th>actual ↓ forecast →</th>{heads}</tr>{''.join(rows)}</table>"


def digits(value: Any) -> str:
    """Three significant digits, a dash for missing.

    >>> digits(0.81234), digits(1234.5), digits(None), digits(float("nan"))
    ('0.812', '1,234', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def fixed(value: Any) -> str:
    """Three decimals, a dash for missing; no minus before zero.

    >>> fixed(-0.0333), fixed(-0.0001), fixed(None)
    ('−0.033', '0.000', '–')
    """
    return "–" if value is None else f"{value:.3f}".replace("-0.000", "0.000").replace("-", "−")


def percent(share: Any) -> str:
    """A share, never rounded to all or nothing.

    >>> percent(0.5), percent(0.9999), percent(1.0), percent(None)
    ('50 %', '> 99.9 %', '100 %', '–')
    """
    if share is None or not math.isfinite(share):
        return "–"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.0f} %" if share in (0, 1) or 0.1 <= share <= 0.9 else f"{100 * share:.1f} %"


def _skill(row: Row) -> str:
    if row["skill"] is None or row["model"] == BASELINE:
        return ""
    ends = f" (95 % {fixed(row['skill_low'])} to {fixed(row['skill_high'])})" if row["skill_low"] is not None else ""
    return f", skill {fixed(row['skill'])}{ends} against seasonal naive"


def _times(dear: float | None, cheap: float) -> str:
    return f", at 1/{dear / cheap:,.0f} of the CPU time" if dear and cheap > 0 and dear / cheap >= 1.5 else ""


def front(found: Findings) -> str:
    """The configurations of the Pareto front, numbered as in the figure."""
    rows = found.board.frame.filter((pl.col("cpu_s") > 0) & pl.col("pareto")).sort("cpu_s").rows(named=True)
    cells = [
        html_row(
            [(i + 1, "n"), (escape(label(row)), ""), (digits(row["cpu_s"]), "n"), (digits(row["mase_charged"]), "n")]
        )
        for i, row in enumerate(rows)
    ]
    return html_table([("", "", "n"), ("Pareto front", "", ""), ("CPU", "s", "n"), ("MASE", "", "n")], cells)
