"""The page of outputs says what the schemas say."""

from __future__ import annotations

from pathlib import Path

from jobs.dictionary_page import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_generated_from_the_schemas() -> None:
    told = "run `python -m jobs.dictionary_page > docs/outputs.md`"
    assert (ROOT / "docs" / "outputs.md").read_text() == "\n".join(page()) + "\n", told
