"""Flags lie over the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from configs.settings import Settings
from engine.errors import ConfigError
from jobs.options import parameters, run_options, settings, taking


def parsed(*arguments: str) -> Settings:
    found: list[Settings] = []

    @click.command()
    @taking(*run_options)
    def command(**flags: Any) -> None:
        found.append(settings(flags))

    CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return found[0]


def test_flags_alone() -> None:
    given = parsed("raw", "-o", "out", "--zone", "America/Chicago", "--set", "min_h=2.5", "--in-process")
    assert [(one.uri, one.zone) for one in given.inputs] == [("raw", "America/Chicago")]
    assert (given.output, given.cluster, given.module.parameters) == ("out", "in-process", {"min_h": 2.5})


def test_flags_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    told = "inputs: [{uri: a, zone: UTC}, {uri: b}]\noutput: x\nworkers: 3\nretry: [failed]\nstorage: {region: r}\n"
    file.write_text(told)
    given = parsed(
        str(file), "-o", "y", "--zone", "Europe/Dublin", "--retry", "quarantined,failed", "--endpoint", "http://s3"
    )
    assert (given.storage.endpoint, given.storage.region) == ("http://s3", "r")
    assert [(one.uri, one.zone) for one in given.inputs] == [("a", "Europe/Dublin"), ("b", "Europe/Dublin")]
    assert (given.output, given.workers, given.retry) == ("y", 3, ("quarantined", "failed"))


def test_inputs_on_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text("inputs: [{uri: a, zone: UTC}]\noutput: x\n")
    assert [one.uri for one in parsed(str(file), "c", "d").inputs] == ["c", "d"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "out"], "no input"),
        (["a.yaml", "b.yaml"], "one settings file at a time"),
        (["raw", "--zone", "Zurich"], "no IANA time zone"),
        (["raw", "--set", "fast"], "write NAME=VALUE"),
        (["raw", "--set", "fast=["], "no value that YAML knows"),
        (["raw", "--retry", "broken"], "retry.0"),
    ],
)
def test_mistakes_are_named(arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parsed(*arguments)


def test_parameters_mean_what_they_look_like() -> None:
    assert parameters(("a=1", "b=1.5", "c=x=y", "d=null")) == {"a": 1, "b": 1.5, "c": "x=y", "d": None}
