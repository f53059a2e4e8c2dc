"""The module contract: what production code looks like to nightmill.

A module is a frozen dataclass that satisfies :class:`Module`. Its fields are its parameters; calling it turns the bytes
of one subject-night into tables. It is pure: bytes in, tables out, no paths, clock, network, environment or randomness.
There is no base class to import: a module needs only to hand back objects with these attributes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Protocol, runtime_checkable

import pyarrow as pa

CONTRACT_VERSION = 1
"""Raised when the meaning of anything here changes; it enters every module's identity instead of this file's bytes."""


class Status(StrEnum):
    """The fate of one input. A module says the first three, the engine the other two."""

    OK = "ok"
    PARTIAL = "partial"
    REJECTED = "rejected"
    FAILED = "failed"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class RawFile:
    """One raw file as it lies on disk: its name relative to the input's root, and its bytes."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Of `data`, in hex; engine and module ask for it, it is computed once."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was once measured of a device, to be applied to its recordings. Only the module reads `coefficients`."""

    device: str
    cal_id: str
    coefficients: str


@dataclass(frozen=True, slots=True)
class Source:
    """One unit to process: the raw files of one subject-night and what is known of them.

    `files` are the names of the raw files, in the order in which the module receives them. `zone` is an IANA name,
    `device_offset_s` the device clock's fixed offset from UTC in seconds. `night_hint` only hints: the module decides.
    `calibrations` are those in force for the subject's devices when the recording began, at most one a device.
    """

    source_id: str
    files: tuple[str, ...]
    subject_id: str
    zone: str | None = None
    device_offset_s: int | None = None
    night_hint: date | None = None
    received_at: datetime | None = None
    calibrations: tuple[Calibration, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One output table.

    `schema` has every column but `module_id`, which the engine adds as a partition; each field's metadata says unit and
    meaning (see :func:`column`). Types are those of Delta Lake: truth values, signed whole numbers, float32, float64,
    decimal128, text, bytes, dates, timestamps in ms or us (UTC or without a zone), lists, structs and maps of them.
    `key` is unique within a module's rows, `sort` orders the rows of a part, `partition` names a date column whose
    month (YYYY-MM) partitions the table, or is None. `owner` is the column that holds the key of the unit of work that
    a row came from: rows are replaced by it. `nullable_key` are columns of the key in which null is a value like any
    other.
    """

    schema: pa.Schema
    key: tuple[str, ...]
    sort: tuple[str, ...]
    partition: str | None = None
    owner: str = "source_id"
    nullable_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the module says of one input (where a folder is one input: of the folder, or of each of its files)."""

    file: str
    status: Status
    reasons: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tables, or a rejection. Without verdicts every file of the Source is `ok`."""

    tables: Mapping[str, pa.Table]
    verdicts: tuple[Verdict, ...] = field(default=())

    @classmethod
    def reject(cls, source: Source, reasons: Sequence[str], message: str) -> Outcome:
        """No rows, and every file of the Source rejected for the same reasons."""
        verdicts = tuple(Verdict(name, Status.REJECTED, tuple(reasons), message) for name in source.files)
        return cls({}, verdicts)


@runtime_checkable
class Module(Protocol):
    """The contract. `name` becomes the slug of the module's identity; `outputs` names the tables it writes."""

    @property
    def name(self) -> str: ...

    @property
    def outputs(self) -> Mapping[str, Table]: ...

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome: ...


def column(
    name: str,
    kind: pa.DataType,
    unit: str,
    meaning: str,
    *,
    minimum: str = "",
    source: str = "",
    since: str = "0.1.0",
    required: bool = False,
) -> pa.Field:
    """A documented column: unit and meaning travel in the field's metadata and become the `dictionary` table.

    >>> column("hr_bpm", pa.float64(), "bpm", "heart rate").metadata[b"unit"]
    b'bpm'
    """
    notes = {"unit": unit, "meaning": meaning, "minimum_data": minimum, "source": source, "since": since}
    return pa.field(name, kind, nullable=not required, metadata=notes)
