"""What the columns of the reference module's tables share: types, sources, and whose row it is."""

from __future__ import annotations

import pyarrow as pa

from engine.module import column

TIME = pa.timestamp("us", tz="UTC")
F8 = pa.float64()
I8 = pa.int64()
TEXT = pa.string()

HDCZA = "10.1038/s41598-018-31266-z"
SIB = "10.1371/journal.pone.0142533"
ENMO = "10.1371/journal.pone.0061691"
CALIBRATION = "10.1152/japplphysiol.00421.2014"
TASK_FORCE = "10.1161/01.CIR.93.5.1043"
SHAFFER = "10.3389/fnins.2020.594880"
PULSE_CYCLE = "10.1038/s41598-017-01433-9"
WST = "10.1042/BSR20171279"
DETACH = "10.1186/s12874-022-01633-6"
SQI = "10.1109/JBHI.2014.2338351"
BRACELET = "10.2196/13404"
FUSION = "10.1109/TBME.2013.2246160"
SINCE = "0.2.0"

SUBJECT = column("subject_id", TEXT, "1", "person, as the Source names it", required=True)
SOURCE = column("source_id", TEXT, "1", "unit of work that the row came from; joins with every table", required=True)
NIGHT_DATE = column("night_date", pa.date32(), "1", "local date of the evening of the night", required=True)
