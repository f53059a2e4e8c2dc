"""H7.3: whatever is compiled has a slow, obvious twin that a test holds it against."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNELS = sorted(p.stem for p in (ROOT / "kernels").glob("*.py") if "njit" in p.read_text())
ELSEWHERE = {
    "serving": "tests/engine/backtest/serve/test_serve.py",
    "past_errors": "tests/engine/backtest/serve/test_serve.py",
    "arima_filter": "tests/kernels/test_arima.py",
    "stl_sweep": "tests/kernels/test_stl.py",
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_has_a_naive_twin(kernel: str) -> None:
    test = ROOT / ELSEWHERE.get(kernel, f"tests/kernels/test_{kernel}.py")
    assert "naive" in test.read_text(), f"{test} compares kernels/{kernel}.py with no naive twin"


def test_no_kernel_may_reorder_sums() -> None:
    texts = [(ROOT / "kernels" / f"{kernel}.py").read_text() for kernel in KERNELS]
    assert not any(word in text for text in texts for word in ("fastmath", "parallel=True"))
