"""From frozen series and stored attempts to the tables of serving: all of it that is computed, nothing that is read."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from engine.backtest.series import describe
from engine.backtest.series.series import Series
from engine.backtest.serve.mapped import Serve
from engine.backtest.serve.observed import Observed, observe
from engine.backtest.serve.output import Output
from engine.backtest.serve.rows import Rows
from engine.backtest.serve.serve import serve
from engine.backtest.serve.stored import Stored, gather


def make(
    how: Serve, series: Sequence[Series], fits: pa.Table, attempts: pa.Table, work_key: str
) -> dict[str, pa.Table]:
    """All tables of `how.outputs`. series: in the order of (subject_id, vital); fits, attempts: rows of theirs, among
    others perhaps, with at least `stored.FIT_COLUMNS` and `stored.ATTEMPT_COLUMNS`."""
    stored = gather(fits, attempts, [(one.subject_id, one.vital) for one in series], how.layout.specs)
    tables = serve_all(how, [observe(one, how.grid) for one in series], stored).tables(work_key)
    return {**tables, "series": describe.rows(work_key, series)}


def serve_all(how: Serve, observed: Sequence[Observed], stored: Stored) -> Output:
    """Serve some series, in the order of (subject_id, vital), out of what `stored` holds of them in the same order."""
    layout, steps = how.layout, how.horizon_h
    n = sum(len(one.origins) for one in observed) * len(layout.configurations) * steps
    output = Output(layout, Rows(layout, steps, n))
    for number, one in enumerate(observed):
        mine = stored.of(number)
        output.add(one, mine, serve(one, mine, layout, how.serving, how.phase_h, steps))
    return output
