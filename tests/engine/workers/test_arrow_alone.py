from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from engine.workers.arrow_alone import leave_pandas_out
leave_pandas_out()
leave_pandas_out()
import numpy as np
import pyarrow as pa
rows = pa.Table.from_pylist([{"a": 1.0, "b": "x"}])
assert pa.array(np.ones(3)).to_numpy().sum() == 3.0 and rows.num_rows == 1
assert "pandas" not in sys.modules
import pandas
assert pandas.Series([1.0]).sum() == 1.0
"""


def test_arrow_converts_without_pandas_and_others_may_still_have_it() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
