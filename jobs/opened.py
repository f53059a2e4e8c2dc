"""An output that a command reads: it must be one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from engine.errors import UserError
from engine.results.open import tables
from engine.storage import Store, StoreOptions

storage_options: tuple[Callable[[Any], Any], ...] = (
    click.option("--endpoint", metavar="URL", help="S3 server, where it is not AWS."),
    click.option("--region", metavar="NAME", help="S3 region."),
)


def store_options(flags: Mapping[str, Any]) -> StoreOptions:
    return StoreOptions(flags.get("endpoint"), flags.get("region"))


def storage(flags: Mapping[str, Any]) -> dict[str, str]:
    """What the flags say of a settings file's `storage:`."""
    return {name: flags[name] for name in ("endpoint", "region") if flags.get(name)}


def opened(output: str, flags: Mapping[str, Any]) -> Store:
    """The output's storage. Raises `UserError` where there is none."""
    store = Store(output, store_options(flags))
    if not tables(store):
        raise UserError(f"{output}: no nightmill output here; `nightmill reprocess … -o {output}` makes one")
    return store
