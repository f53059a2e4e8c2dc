"""`nightmill module check`: does a module keep the contract?"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from engine.certify import certify
from jobs import exits
from jobs.options import as_json, module_options, taking
from jobs.options import parameters as parse


@click.group()
def command() -> None:
    """Certify a processing module."""


@command.command(
    epilog="""\b
Example:
  nightmill module check mypackage.sleep:Sleep raw/P01/1774645200_A7B3C1.zip --set min_h=3
"""
)
@click.argument("ref")
@click.argument("files", nargs=-1, required=True)
@taking(module_options[1])
@as_json
def check(ref: str, files: tuple[str, ...], parameters: tuple[str, ...], as_json: bool) -> int:
    """Run REF on FILES and say whether it keeps the contract.

    It must pickle, give equal tables twice and elsewhere, keep its schemas exactly, answer garbage and truncation with
    a rejection, and open neither socket nor file. Prints milliseconds and peak memory a file. Exit code 2 if it fails.
    """
    certificate = certify(ref, parse(parameters), files)
    if as_json:
        click.echo(json.dumps(asdict(certificate), default=str))
    return exits.FINISHED if certificate.passed else exits.USER
