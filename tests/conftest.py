"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.kernel_cache import prepare

prepare()  # before any kernel is imported: tests and the commands that they start share what is compiled
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real recordings that lie beside the project; a clone elsewhere has none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real recordings (../shared/data) are not beside this clone")
    return folder
