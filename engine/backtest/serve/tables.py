"""Tables of serving beside `forecasts`: what each member of an ensemble weighed, and who was excluded when and why."""

from __future__ import annotations

import pyarrow as pa

from engine.backtest.columns import column
from engine.backtest.fits.batch import FitStatus
from engine.backtest.scores.table import SERVERS
from engine.backtest.series.origins import STATUSES as ORIGIN_STATUSES
from engine.backtest.tables import FORECASTS
from engine.module import Table

FIT_STATUSES = tuple(str(status) for status in FitStatus)
FAILURES = ("error", "nonfinite", "timeout_soft", "timeout_hard", "quarantined")
"""Statuses that are a model's own fault."""
IMPLAUSIBLE, NOT_STORED, NO_MEMBERS = "implausible", "not_stored", "no_members"
ROW_STATUSES = (
    *FIT_STATUSES,
    *(str(one) for one in ORIGIN_STATUSES if one != "ok"),
    IMPLAUSIBLE,
    NOT_STORED,
    NO_MEMBERS,
)
"""Statuses of rows. Besides those of fits and origins: an implausible value; no fit or forecast was stored; an ensemble
none of whose members takes part."""
SERVED_BY = SERVERS

_KEY = ("subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin")
_WHERE = [FORECASTS.schema.field(name) for name in ("work_key", *_KEY)]

MEMBER_STATUSES = ("used", "failed", "implausible", "excluded")
WEIGHTS = Table(
    schema=pa.schema(
        [
            *_WHERE,
            column(
                "member", pa.string(), "1", "model of the member; window, refit and policy are the row's", required=True
            ),
            column("weight", pa.float64(), "1", "share in the ensemble; used members of one origin add up to 1"),
            column("status", pa.string(), "1", "used, failed, implausible or excluded", required=True),
            column("n_errors", pa.int64(), "1", "errors known at the origin from which the weight was learned"),
            column("mae", pa.float64(), "unit of the vital", "their mean absolute value"),
        ]
    ),
    key=(*_KEY, "member"),
    sort=(*_KEY, "member"),
    owner="work_key",
    nullable_key=("window_h",),
)
"""One row for each ensemble, origin with status ok, and member."""

RULES = ("failures_in_row", "mase_ratio", "budget_s")
EXCLUSIONS = Table(
    schema=pa.schema(
        [
            *_WHERE,
            column("rule", pa.string(), "1", "failures_in_row, mase_ratio or budget_s", required=True),
            column("excluded", pa.bool_(), "1", "true: out from this origin on; false: back in", required=True),
            column("value", pa.float64(), "1", "what was compared: failures in a row, ratio of MASEs, CPU seconds"),
            column("allowed", pa.float64(), "1", "the most that the rule allows"),
        ]
    ),
    key=(*_KEY, "rule"),
    sort=(*_KEY, "rule"),
    owner="work_key",
    nullable_key=("window_h",),
)
"""Changes only: a configuration is out from a row that says so until one that takes it back."""
