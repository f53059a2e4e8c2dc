"""Settings: shipped files, flags over files, and one clear line for every mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.read import load, overlay, shipped
from engine.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "mill.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["demo.yaml", "reprocess.yaml"])
def test_shipped_files_are_valid(name: str, tmp_path: Path) -> None:
    settings = load(written(tmp_path, shipped(name)), {})
    assert settings.module.ref == "night"


def test_shipped_example_states_the_defaults(tmp_path: Path) -> None:
    example = load(written(tmp_path, shipped("reprocess.yaml")), {}).model_dump(exclude={"inputs", "output"})
    assert example == load(None, {}).model_dump(exclude={"inputs", "output"})


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "output: a\nmodule: {ref: night, parameters: {x: 1, y: 2}}\nworkers: 4\n")
    settings = load(path, {"output": "b", "module": {"parameters": {"x": 3}}})
    assert (settings.output, settings.workers) == ("b", 4)
    assert settings.module.parameters == {"x": 3, "y": 2}


def test_overlay_leaves_its_arguments_alone() -> None:
    below: dict[str, Any] = {"a": {"x": 1}}
    assert overlay(below, {"a": {"y": 2}}) == {"a": {"x": 1, "y": 2}}
    assert below == {"a": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modul: {ref: night}\n", ["unknown key 'modul'", "did you mean 'module'?"]),
        ("module: {paramters: {}}\n", ["unknown key 'module.paramters'", "did you mean 'parameters'?"]),
        ("inputs: [{uri: a, zon: UTC}]\n", ["unknown key 'inputs.0.zon'", "did you mean 'zone'?"]),
        ("qqqqqq: 1\n", ["unknown key 'qqqqqq'", "known are inputs"]),
        ("inputs: [{uri: a, zone: Europe/Zurih}]\n", ["inputs.0.zone", "'Europe/Zurih'", "'Europe/Zurich' is one"]),
        ("inputs: [{uri: a, zone: ../../etc}]\n", ["inputs.0.zone", "no IANA time zone"]),
        ("workers: 0\n", ["workers", "greater than or equal to 1"]),
        ("max_failures: many\n", ["max_failures", "neither a count such as 20 nor a share such as 5%"]),
        ("retry: [broken]\n", ["retry.0", "'failed'"]),
        ("a: [1\n", ["line 2"]),
        ("just words\n", ["`key: value` lines"]),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_reason(tmp_path: Path, text: str, words: list[str]) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    line = str(caught.value)
    assert line.startswith(str(path)) and "\n" not in line
    for word in words:
        assert word in line


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file"):
        load(tmp_path / "nowhere.yaml", {})


def test_a_wrong_flag_is_blamed_on_the_flags() -> None:
    with pytest.raises(ConfigError, match=r"^flags: limits\.seconds"):
        load(None, {"limits": {"seconds": -1}})


def test_a_count_of_failures_may_be_a_number() -> None:
    assert load(None, {"max_failures": 20}).max_failures == "20"


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing\n"), {}) == load(None, {})
