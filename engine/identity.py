"""Identities: a result belongs to (input identity, module identity), so nothing changed hides among old rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from engine.code.closure import closure
from engine.code.function import FunctionModule
from engine.errors import ModuleError, StaleWorker
from engine.module import Module, Source
from engine.work import Input

SEPARATOR = "\0"
"""Between the fields of an input identity: the one character that no path and no zone holds."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a module's results depend on besides the input.

    `module_id` is the slug of the name and the first 12 hex digits of `sha256`, which covers reference, parameters and
    closure. `parameters` is canonical JSON; `closure` maps dotted module names to the SHA-256 of their files.
    """

    module_id: str
    sha256: str
    reference: str
    parameters: str
    closure: Mapping[str, str]


def identify(reference: str, module: Module) -> Identity:
    """The identity of a loaded module; `reference` is `package.module:Name`, not the name of an entry point.

    Raises `ModuleError` where a parameter is no JSON value or a source file cannot be read.
    """
    files = closure(reference.partition(":")[0])
    parameters = canonical_json(parameters_of(module))
    text = canonical_json({"reference": reference, "parameters": parameters, "closure": files})
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Identity(f"{slug(module.name)}-{sha256[:12]}", sha256, reference, parameters, files)


def refuse_other_code(found: Identity, module_id: str, does: str = "runs") -> None:
    """Raises `StaleWorker` where this process finds other code than the driver, which `does` it with `module_id`."""
    if found.module_id != module_id:
        raise StaleWorker(
            f"the driver {does} {module_id}, but {socket.gethostname()} (process {os.getpid()}) finds "
            f"{found.module_id} for {found.reference}: give all machines the same code and restart the workers"
        )


def slug(name: str) -> str:
    """At most 32 of [a-z0-9-].

    >>> slug("Night v2 (wrist)")
    'night-v2-wrist'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].rstrip("-") or "module"


def module_name(module_id: str) -> str:
    """The slug in front of the hash: equal for all versions of one module."""
    return module_id.rpartition("-")[0]


def parameters_of(module: Module) -> dict[str, Any]:
    """The module's fields as JSON values. Raises `ModuleError` naming the field that is none."""
    if isinstance(module, FunctionModule):
        return {key: _json_value(module.name, key, value) for key, value in module.keywords.items()}
    if not dataclasses.is_dataclass(module):
        raise ModuleError(f"{module.name!r} is no dataclass: make it a frozen dataclass, its fields are its parameters")
    fields = [field.name for field in dataclasses.fields(module) if field.init]
    return {name: _json_value(module.name, name, getattr(module, name)) for name in fields}


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _json_value(module: str, name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [_json_value(module, f"{name}[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _json_value(module, f"{name}.{key}", item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return {key: _json_value(module, f"{name}.{key}", getattr(value, key)) for key in fields}
    raise ModuleError(
        f"module {module!r}: parameter {name} is a {type(value).__name__} ({repr(value).splitlines()[0][:60]}), which "
        "JSON cannot hold; use numbers, text, lists or mappings, and make what is no parameter a property or a ClassVar"
    )


def input_identity(source: Source, inputs: Sequence[Input]) -> str:
    """SHA-256 over what is known of a Source and the sorted (name, size, content key) of its files.

    A corrected zone, a late file or changed bytes change it; the order of listing and the place of the files do not.
    """
    files = sorted((file.name, str(file.size_bytes), file.content_key) for one in inputs for file in one.files)
    return identity_of_text(identity_head(source), (field for file in files for field in file))


def identity_head(source: Source) -> str:
    """The part of an input identity that says what is known of a Source."""
    facts = (
        source.subject_id,
        source.zone or "",
        "" if source.device_offset_s is None else str(source.device_offset_s),
        "" if source.night_hint is None else source.night_hint.isoformat(),
        "" if source.received_at is None else str(round(source.received_at.timestamp() * 1e6)),
        *([calibrations_text(source)] if source.calibrations else []),
    )
    return SEPARATOR.join(facts)


def calibrations_text(source: Source) -> str:
    """JSON of (device, cal_id, coefficients), as an inventory holds it."""
    return canonical_json(sorted((one.device, one.cal_id, one.coefficients) for one in source.calibrations))


def identity_of_text(head: str, fields: Iterable[str]) -> str:
    """SHA-256 of both parts joined; `fields` are name, size and content key of each file in turn, sorted by name."""
    return hashlib.sha256(SEPARATOR.join((head, *fields)).encode("utf-8", "surrogateescape")).hexdigest()


def facts_json(source: Source) -> str:
    """What is known of a Source besides its files, as the ledger keeps it."""
    received_at = source.received_at and source.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return canonical_json(
        {
            "zone": source.zone,
            "device_offset_s": source.device_offset_s,
            "night_hint": None if source.night_hint is None else source.night_hint.isoformat(),
            "received_at": received_at,
            **({"calibrations": calibrations_text(source)} if source.calibrations else {}),
        }
    )


def content_key(one: Input) -> str:
    """The content key of an input: its file's, or of a folder a hash over all of its files'."""
    if len(one.files) == 1:
        return one.files[0].content_key
    files = sorted((file.name, str(file.size_bytes), file.content_key) for file in one.files)
    return identity_of_text("", (field for file in files for field in file))
