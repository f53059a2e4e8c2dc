"""Stored parameters in a new process: what every model forecasts from its JSON there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.backtest.contract import Model

ROOT = Path(__file__).resolve().parents[4]
_REPLAY = """
import json, sys
import numpy as np
from importlib import import_module
answers = []
for ask in json.load(sys.stdin):
    model = getattr(import_module(ask["module"]), ask["name"])(**ask["parameters"])
    paths = model.predict(ask["params"], np.array(ask["after"]), np.array(ask["at"]), ask["steps"])
    rows = (paths.mean, paths.low, paths.high)
    answers.append([None if row is None else [[x.hex() for x in line] for line in row.tolist()] for row in rows])
json.dump({"answers": answers, "modules": sorted(sys.modules)}, sys.stdout)
"""


def forecasts_equally_elsewhere(models: Sequence[Model], asks: Sequence[dict[str, Any]]) -> set[str]:
    """Each ask (module, name, parameters, params, after, at, steps) gives the same bits here and in a new process.

    Returns the names of the Python modules that the other process had loaded in the end.
    """
    done = subprocess.run(
        [sys.executable, "-c", _REPLAY], input=json.dumps(asks), capture_output=True, text=True, check=True, cwd=ROOT
    )
    said = json.loads(done.stdout)
    for model, ask, there in zip(models, asks, said["answers"], strict=True):
        here = model.predict(ask["params"], np.array(ask["after"]), np.array(ask["at"]), ask["steps"])
        for row, other in zip((here.mean, here.low, here.high), there, strict=True):
            assert (row is None) == (other is None)
            if row is not None:
                assert [[x.hex() for x in line] for line in row.tolist()] == other
    return set(said["modules"])
