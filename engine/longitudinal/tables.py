"""The tables of the longitudinal step: a person's nights held against that person's own earlier nights."""

from __future__ import annotations

import pyarrow as pa

from engine.longitudinal.features import FEATURES
from engine.module import Table, column

F8, I8, TEXT, DATE = pa.float64(), pa.int64(), pa.string(), pa.date32()
SINCE = "0.2.0"
MOST, LEAST = 28, 7
RATIO_MOST = 30

NO_VALUE, REJECTED, FEW_NIGHTS = "NO_VALUE", "REJECTED", "FEW_NIGHTS"
REASONS = (NO_VALUE, REJECTED, FEW_NIGHTS)
"""Why a night has no deviation; the first that applies."""

_FLOORS = ", ".join(f"{one.name} {one.floor:g}" for one in FEATURES)
_BEFORE = f"the last {MOST} nights of band A or B before this one in which the feature has a value"
_LEAST = f"{LEAST} such nights"
_WHOSE = [
    column("work_key", TEXT, "1", "unit of work that wrote the row", since=SINCE, required=True),
    column("subject_id", TEXT, "1", "person, as in nights", since=SINCE, required=True),
]


def _said(name: str, kind: pa.DataType, meaning: str, minimum: str = "", unit: str = "unit of the feature") -> pa.Field:
    return column(name, kind, unit, meaning, minimum=minimum, since=SINCE)


BASELINES = Table(
    schema=pa.schema(
        [
            *_WHOSE,
            column("feature", TEXT, "1", "column of nights, or pulse_amp_ratio", since=SINCE, required=True),
            column("night_date", DATE, "1", "night, as in nights", since=SINCE, required=True),
            column("source_id", TEXT, "1", "the night's best row in nights", since=SINCE, required=True),
            column("unit", TEXT, "1", "UCUM unit of value, median and mad", since=SINCE),
            _said(
                "value",
                F8,
                f"the feature; pulse_amp_ratio is pulse_amp_median over its median in the last {RATIO_MOST} nights of "
                "band A or B before this one",
                f"as in nights; of pulse_amp_ratio {LEAST} earlier nights",
            ),
            _said("n_baseline", I8, f"how many nights are in the baseline: {_BEFORE}", unit="1"),
            _said("baseline_from", DATE, "the oldest of them", unit="1"),
            _said("median", F8, f"median over {_BEFORE}", _LEAST),
            _said("mad", F8, "median absolute deviation from that median", _LEAST),
            _said(
                "dev_z",
                F8,
                f"(value − median) / (1.4826 mad), mad being at least: {_FLOORS}",
                f"{_LEAST}; this night of band A, B or C",
                unit="1",
            ),
            _said(
                "reason",
                TEXT,
                "why dev_z is null: NO_VALUE (the night lacks the feature), REJECTED (band D) or FEW_NIGHTS",
                unit="1",
            ),
        ]
    ),
    key=("subject_id", "feature", "night_date"),
    sort=("subject_id", "feature", "night_date"),
    owner="work_key",
)

SHIFTS = Table(
    schema=pa.schema(
        [
            *_WHOSE,
            column(
                "night_date",
                DATE,
                "1",
                "first of three nights that are all above the highest of the six before, in wst_p99_stable",
                minimum="9 nights of band A or B with the value; others are passed over",
                since=SINCE,
                required=True,
            ),
            column("source_id", TEXT, "1", "that night's best row in nights", since=SINCE, required=True),
            column("reported_date", DATE, "1", "third of the three: nobody can know earlier", since=SINCE),
            column("before_from", DATE, "1", "first of the six nights before", since=SINCE),
            column("before_max", F8, "Cel", "highest of the six nights before", since=SINCE),
            column("after_min", F8, "Cel", "lowest of the three nights", since=SINCE),
            column("rise", F8, "Cel", "after_min − before_max", since=SINCE),
        ]
    ),
    key=("subject_id", "night_date"),
    sort=("subject_id", "night_date"),
    owner="work_key",
)

OUTPUTS = {"baselines": BASELINES, "shifts": SHIFTS}
