"""`nightmill module check`: does a module keep the contract?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import click
import polars as pl
from rich.console import Console

from cluster.workstation import Workstation
from engine.certify import Certificate, Elsewhere, certify
from engine.code.probe import Answer, Trial
from engine.load import ModuleRef
from jobs import exits
from jobs.opened import storage_options, store_options
from jobs.options import as_json, module_options, taking
from jobs.options import parameters as parse
from jobs.show import draw


@click.group(
    epilog="""\b
Example:
  nightmill module check mypackage.sleep:Sleep raw/P01/1774645200_A7B3C1.zip
"""
)
def command() -> None:
    """Certify a processing module."""


@command.command(
    epilog="""\b
Example:
  nightmill module check mypackage.sleep:Sleep raw/P01/1774645200_A7B3C1.zip --set min_h=3
"""
)
@click.argument("ref")
@click.argument("files", nargs=-1)
@taking(module_options[1])
@click.option("--zone", metavar="IANA", help="Time zone of the files, such as Europe/Zurich.")
@click.option("--dask/--no-dask", default=True, help="Ask a Dask worker, too [yes].")
@taking(*storage_options)
@as_json
def check(
    ref: str, files: tuple[str, ...], parameters: tuple[str, ...], zone: str | None, dask: bool, **flags: Any
) -> int:
    """Run REF on FILES and on bad bytes, and say whether it keeps the contract.

    It must pickle, give equal tables twice and elsewhere, keep its schemas exactly, answer garbage and truncation with
    a rejection, and open neither socket nor file. Prints milliseconds and peak memory a file. Exit code 2 if it fails.
    """
    with _dask() if dask else nullcontext() as elsewhere:
        certificate = certify(
            ref, parse(parameters), files, options=store_options(flags), zone=zone, elsewhere=elsewhere
        )
    if flags["as_json"]:
        click.echo(json.dumps(as_dict(certificate)))
    else:
        show(Console(), certificate)
    return exits.FINISHED if certificate.passed else exits.USER


@contextmanager
def _dask() -> Iterator[Elsewhere]:
    """A Dask worker in another process that calls what it is given."""
    with Workstation(workers=1).lend() as client:

        def ask(function: Callable[..., list[Answer]], ref: ModuleRef, trials: Sequence[Trial]) -> list[Answer]:
            # Scattered: a night's bytes inside the task itself would make Dask warn.
            held = client.scatter({"trials": list(trials)})["trials"]
            return list(client.submit(function, ref, held, pure=False).result())

        yield ask


def as_dict(certificate: Certificate) -> dict[str, Any]:
    checks = [{"name": one.name, "passed": one.passed, "sentence": one.sentence} for one in certificate.checks]
    return {
        "module_id": certificate.module_id,
        "passed": certificate.passed,
        "checks": checks,
        "measures": measures(certificate).to_dicts(),
    }


def measures(certificate: Certificate) -> pl.DataFrame:
    names = ("source_id", "files", "size_mb", "ms", "peak_memory_mb", "rows")
    return pl.DataFrame([{name: getattr(one, name) for name in names} for one in certificate.measures])


def show(console: Console, certificate: Certificate) -> None:
    rows = [("pass" if one.passed else "FAIL", one.name, one.sentence) for one in certificate.checks]
    draw(console, pl.DataFrame(rows, schema=["result", "check", "why"], orient="row"), certificate.module_id, {}, 100)
    if certificate.measures:
        draw(console, measures(certificate), "cost, second call", {"size_mb": "MB", "peak_memory_mb": "MB"}, 50)
    verdict = "keeps the contract" if certificate.passed else "does not keep the contract"
    console.print(f"{certificate.module_id} {verdict}")
