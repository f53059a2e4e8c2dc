"""The environment of a worker process: one thread, memory kept. Its kernel cache is the driver's, by inheritance."""

from __future__ import annotations

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}
"""glibc gives large arrays back to the kernel and asks again: keeping them took a night from 107 to 84 ms."""


def worker_environment() -> dict[str, str]:
    """What every worker's environment must say, whatever the driver's says."""
    return dict.fromkeys(ONE_THREAD, "1") | MALLOC
