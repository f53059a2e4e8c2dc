"""Keeps pandas out of processes that need pyarrow only.

At its first conversion of Python values pyarrow imports pandas, where that is installed (forecasting libraries need
it), to see whether a value is a Series. That takes 0.9 s in every process that we start or fork.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType

import pyarrow as pa


def leave_pandas_out() -> None:
    """Have pyarrow look for pandas now, and find one too old to use. Everything else imports pandas as ever."""
    held = sys.modules.get("pandas")
    if held is not None:  # then it costs nothing more
        return
    old = ModuleType("pandas")
    old.__version__ = "0.0"  # type: ignore[attr-defined]
    sys.modules["pandas"] = old
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pa.array([0.0])
    finally:
        del sys.modules["pandas"]
