"""The flags of a backtest, and how they lie over a settings file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from configs.backtest import BacktestSettings
from configs.read import load_as, read_yaml
from engine.errors import ConfigError
from jobs.opened import storage, storage_options

backtest_options: tuple[Callable[[Any], Any], ...] = (
    click.argument("what", nargs=-1, metavar="[SETTINGS.yaml] [SERIES]..."),
    click.option("-o", "--output", metavar="OUT", help="Folder or s3:// prefix of the tables."),
    click.option("--models", metavar="NAME,…", help="Built-in names or package.module:Name."),
    click.option("--windows", metavar="H,…", help="Training windows in hours, or expanding [72,168,336]."),
    click.option("--refits", metavar="H,…", help="Hours between two fits [1,6,24]."),
    click.option("--policies", metavar="P,…", help="Between two fits: update, stale [update]."),
    click.option("--horizon", type=int, metavar="H", help="Hours ahead [24]."),
    click.option("--every", type=int, metavar="H", help="Hours between two origins [1]."),
    click.option("--evaluate", metavar="H|all", help="Origins lie in the last so many hours [168]."),
    click.option("--vitals", metavar="NAME,…", help="Which vitals to take [all]."),
    click.option("--at-least", type=int, metavar="H", help="Leave out shorter series."),
    click.option(
        "--cluster", metavar="WHERE", help="workstation, in-process, tcp:// or tls://HOST:PORT [workstation]."
    ),
    click.option("--workers", type=int, metavar="N", help="Worker processes [one a core]."),
    click.option("--in-process", is_flag=True, help="No cluster and no guard: one span after the other, here."),
    click.option("--limit-seconds", type=float, metavar="S", help="Longest time for one fit [60]."),
    click.option("--limit-memory-mb", type=float, metavar="MB", help="Most memory for one process [a worker's share]."),
    click.option("--retry", metavar="STATUS,…", help="Do spans again: partial,failed,quarantined."),
    *storage_options,
)
_PLAIN = {"output": "output", "horizon": "horizon_h", "every": "every_h", "cluster": "cluster", "workers": "workers"}
_LISTS = {"models": "models", "windows": "windows_h", "refits": "refits_h", "policies": "policies", "retry": "retry"}


def settings(flags: Mapping[str, Any]) -> BacktestSettings:
    """Settings of a backtest: its settings file, if it names one, with the flags over it."""
    what = tuple(flags["what"])
    files = [item for item in what if item.endswith((".yaml", ".yml"))]
    if len(files) > 1:
        raise ConfigError(f"one settings file at a time, not {', '.join(files)}")
    given = _given(flags)
    uris = [item for item in what if item not in files]
    about = _about(flags)
    if uris:
        given["series"] = [{"uri": uri, **about} for uri in uris]
    found = load_as(BacktestSettings, files[0] if files else None, given)
    if about and not uris and found.series:
        series = [{**one.model_dump(), **about} for one in found.series]
        found = load_as(BacktestSettings, files[0] if files else None, {**given, "series": series})
    return found


def is_backtest(what: tuple[str, ...]) -> bool:
    """Whether a command that takes settings of any kind was given a backtest's."""
    files = [Path(item) for item in what if item.endswith((".yaml", ".yml"))]
    return len(files) == 1 and "series" in read_yaml(files[0])


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {key: flags[flag] for flag, key in _PLAIN.items() if flags.get(flag) is not None}
    for flag, key in _LISTS.items():
        if flags.get(flag) is not None:
            given[key] = [_number(item.strip()) for item in flags[flag].split(",") if item.strip()]
    if flags.get("evaluate") is not None:
        given["evaluate_h"] = _number(flags["evaluate"])
    if flags.get("in_process"):
        given["cluster"] = "in-process"
    limits = {"seconds": flags.get("limit_seconds"), "memory_mb": flags.get("limit_memory_mb")}
    given["limits"] = {key: value for key, value in limits.items() if value is not None}
    given["storage"] = storage(flags)
    return given


def _about(flags: Mapping[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {}
    if flags.get("vitals"):
        about["vitals"] = [item.strip() for item in flags["vitals"].split(",")]
    if flags.get("at_least") is not None:
        about["at_least_h"] = flags["at_least"]
    return about


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
