from __future__ import annotations

import pytest

from cluster.environment import worker_environment


def test_a_worker_has_one_thread_whatever_the_driver_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    said = worker_environment()
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ):
        assert said[name] == "1"
    assert all(isinstance(value, str) for value in said.values())
