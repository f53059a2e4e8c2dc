"""The page of outputs says what the schemas say."""

from __future__ import annotations

from pathlib import Path

from engine.night.reasons import CODES
from jobs.dictionary_page import page
from jobs.reason_codes import MEANINGS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_generated_from_the_schemas() -> None:
    told = "run `python -m jobs.dictionary_page > docs/outputs.md`"
    assert (ROOT / "docs" / "outputs.md").read_text() == "\n".join(page()) + "\n", told


def test_every_reason_code_has_a_meaning() -> None:
    assert tuple(MEANINGS) == CODES
