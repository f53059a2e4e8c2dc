"""Flags that several commands share, and how they lie over a settings file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import yaml

from configs.read import load
from configs.settings import Settings
from engine.errors import ConfigError
from engine.storage import Store
from jobs.opened import storage, storage_options

F = TypeVar("F", bound=Callable[..., Any])


class HasOutput(Protocol):
    """Settings that name an output."""

    @property
    def output(self) -> str | None: ...


INPUT_FLAGS = ("zone", "device", "subjects", "calibrations", "template", "include")
"""Flags that describe an input."""

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for a machine.")
module_options: tuple[Callable[[F], F], ...] = (
    click.option("-m", "--module", "ref", metavar="REF", help="package.module:Name or an installed name [night]."),
    click.option("--set", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the module."),
)
input_options: tuple[Callable[[F], F], ...] = (
    click.option("--zone", metavar="IANA", help="Time zone of the files, such as Europe/Zurich."),
    click.option("--device", type=int, metavar="SECONDS", help="Offset of the device's clock from UTC."),
    click.option("--subjects", metavar="TABLE", help="CSV or Parquet: subject_id, zone, received_at, …."),
    click.option("--calibrations", metavar="TABLE", help="Of the subjects' devices, see `nightmill calibrate`."),
    click.option("--template", metavar="PATTERN", help="Where subject and start stand in a file's name."),
    click.option("--include", metavar="GLOB", multiple=True, help="Candidates; other objects are ignored."),
)
run_options: tuple[Callable[[F], F], ...] = (
    click.argument("what", nargs=-1, metavar="[SETTINGS.yaml] [INPUT]..."),
    click.option("-o", "--output", metavar="OUT", help="Folder or s3:// prefix of the tables."),
    *input_options,
    *module_options,
    click.option(
        "--cluster", metavar="WHERE", help="workstation, in-process, tcp:// or tls://HOST:PORT [workstation]."
    ),
    click.option("--workers", type=int, metavar="N", help="Worker processes [one a core]."),
    click.option("--in-process", is_flag=True, help="No cluster: one file after the other, in this process."),
    click.option("--batch", type=int, metavar="N", help="Units of work in a batch [sized by time]."),
    click.option(
        "--limit-seconds", type=float, metavar="S", help="Longest time for one unit of work [as learned, else 300]."
    ),
    click.option(
        "--limit-memory-mb",
        type=float,
        metavar="MB",
        help="Most memory for one unit of work [as learned, else a worker's share].",
    ),
    click.option("--max-failures", metavar="N|P%", help="Failed and quarantined files that stop the run [20%]."),
    click.option("--max-failures-by", metavar="FIELD", help="So many of each site, say: a field of the template."),
    click.option("--retry", metavar="STATUS,…", help="Run these again: failed,quarantined."),
    click.option(
        "--sample", type=float, metavar="SHARE", help="Of the subjects, such as 0.01; the same ones each time."
    ),
    click.option("--max-files", type=int, metavar="N", help="Refuse to do more [10 times what the output knows]."),
    click.option("--price-per-hour", type=float, metavar="P", help="Of one worker, for the estimate."),
    *storage_options,
)


def taking(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Applies options in reading order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def settings(flags: Mapping[str, Any]) -> Settings:
    """Settings of a command: its settings file, if it names one, with the flags over it."""
    what = tuple(flags["what"])
    files = [item for item in what if item.endswith((".yaml", ".yml"))]
    if len(files) > 1:
        raise ConfigError(f"one settings file at a time, not {', '.join(files)}")
    given = _given(flags, [item for item in what if item not in files])
    found = load(files[0] if files else None, given)
    about = {name: flags[name] for name in INPUT_FLAGS if flags[name] not in (None, ())}
    if about and "inputs" not in given and found.inputs:
        inputs = [{**entry.model_dump(), **about} for entry in found.inputs]
        found = load(files[0], {**given, "inputs": inputs})
    if not found.inputs:
        raise ConfigError("no input: name a folder of raw files, or a settings file with `inputs:`")
    return found


def _given(flags: Mapping[str, Any], uris: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if uris:
        about = {name: flags[name] for name in INPUT_FLAGS if flags[name] not in (None, ())}
        given["inputs"] = [{"uri": uri, **about} for uri in uris]
    module = {"ref": flags["ref"], "parameters": parameters(flags["parameters"])}
    limits = {"seconds": flags["limit_seconds"], "memory_mb": flags["limit_memory_mb"]}
    given["module"] = {key: value for key, value in module.items() if value}
    given["limits"] = {key: value for key, value in limits.items() if value is not None}
    given["storage"] = storage(flags)
    for key in (
        "output", "cluster", "workers", "batch", "max_failures", "max_failures_by", "sample", "max_files",
        "price_per_hour",
    ):  # fmt: skip
        if flags[key] is not None:
            given[key] = flags[key]
    if flags["in_process"]:
        given["cluster"] = "in-process"
    if flags["retry"] is not None:
        given["retry"] = [status.strip() for status in flags["retry"].split(",") if status.strip()]
    return given


def parameters(pairs: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs; values are read as YAML, so 3, true, [1, 2] and words mean what they look like.

    >>> parameters(("min_h=1.5", "zones=[a, b]", "fast=true"))
    {'min_h': 1.5, 'zones': ['a', 'b'], 'fast': True}
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigError(f"--set {pair}: write NAME=VALUE")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {pair}: {value!r} is no value that YAML knows") from error
    return found


def output_of(given: HasOutput) -> str:
    """The output, which plan, reprocess and backtest need. Readers take `a=b` in a path for a partition's value."""
    if given.output is None:
        raise ConfigError("no output: give -o OUT, or `output:` in the settings file")
    if "=" in Store(given.output).uri:
        raise ConfigError(
            f"output: {given.output!r} lies below a name with `=`; readers of tables cannot cope with that"
        )
    return given.output


def existing(path: str) -> str:
    """A local path that must exist; other addresses pass."""
    if "://" not in path and not Path(path).exists():
        raise ConfigError(f"{path}: no such file or folder")
    return path
