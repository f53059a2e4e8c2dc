"""What the engine demands of an Outcome before a row of it is written; `module check` and `process` ask the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.module import Outcome, Status, Table, Verdict
from engine.tables.coded import CODED, as_text, is_sound, whole_array
from engine.tables.order import ascends
from engine.work import Input

SAYABLE = (Status.OK, Status.PARTIAL, Status.REJECTED)
"""What a module may say of an input; the other two are the engine's."""


class ContractBreach(Exception):
    """A module's result breaks its own declaration; one sentence says where. A `failed` row, cause `contract`."""


def check_outcome(outcome: Outcome, outputs: Mapping[str, Table], work_key: str, inputs: Sequence[Input]) -> Outcome:
    """The same outcome as plain values, tables as declared, verdicts about inputs. Raises `ContractBreach`."""
    tables = getattr(outcome, "tables", None)
    if not isinstance(tables, Mapping):
        raise ContractBreach(f"the module returned {type(outcome).__name__}, not an Outcome")
    for name, rows in tables.items():
        if name not in outputs:
            raise ContractBreach(f"table {name!r} is not among the module's outputs")
        if not isinstance(rows, pa.Table):
            raise ContractBreach(f"table {name!r} is a {type(rows).__name__}, not a pyarrow.Table")
        check_table(name, rows, outputs[name], work_key)
    return Outcome(dict(tables), tuple(_verdicts(outcome.verdicts, inputs)))


def check_table(name: str, rows: pa.Table, declared: Table, work_key: str) -> None:
    """Exact schema but for texts as codes, keys whole and unique, floats finite, owner and partition filled. Raises
    `ContractBreach`."""
    found = as_text(rows.schema)
    if not found.equals(declared.schema, check_metadata=False):
        raise ContractBreach(f"table {name!r}: {_difference(found, declared.schema)}")
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid as error:
        raise ContractBreach(f"table {name!r}: {error}") from error
    for field in rows.schema:
        if field.type == CODED and not is_sound(rows[field.name]):
            raise ContractBreach(f"table {name!r}: column {field.name!r} has codes for null, or two for one text")
    needed = {*declared.key, *declared.sort, declared.owner}
    needed |= {field.name for field in declared.schema if not field.nullable}
    needed |= {declared.partition} if declared.partition else set()
    needed -= set(getattr(declared, "nullable_key", ()))
    for column in sorted(needed):
        if rows[column].null_count:
            raise ContractBreach(f"table {name!r}: column {column!r} must not be null")
    for field in declared.schema:
        if not _all_finite(rows[field.name]):
            raise ContractBreach(
                f"table {name!r}: column {field.name!r} holds NaN or infinity; missing values are null"
            )
    if not _holds_only(rows[declared.owner], work_key):
        raise ContractBreach(f"table {name!r}: column {declared.owner!r} must be {work_key!r} in every row")
    if not ascends(rows, declared.key) and _distinct(rows, declared.key) != rows.num_rows:
        raise ContractBreach(f"table {name!r}: key ({', '.join(declared.key)}) is not unique")


def _holds_only(column: pa.ChunkedArray, text: str) -> bool:
    if column.type == CODED:
        whole = whole_array(column)
        column = whole.dictionary.take(pc.unique(whole.indices))
    return bool(pc.all(pc.equal(column, text), min_count=0).as_py())


def _distinct(rows: pa.Table, key: Sequence[str]) -> int:
    plain = rows.select(list(key))
    found: int = plain.cast(as_text(plain.schema)).group_by(list(key), use_threads=False).aggregate([]).num_rows
    return found


def _difference(found: pa.Schema, declared: pa.Schema) -> str:
    if found.names != declared.names:
        missing = [name for name in declared.names if name not in found.names]
        extra = [name for name in found.names if name not in declared.names]
        return f"columns missing: {missing}, undeclared: {extra}" if missing or extra else "columns in another order"
    for mine, wanted in zip(found, declared, strict=True):
        if not mine.equals(wanted, check_metadata=False):
            return f"column {wanted.name!r} is {_kind(mine)}, declared {_kind(wanted)}"
    return "another schema than declared"


def _kind(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"


def _all_finite(column: pa.ChunkedArray) -> bool:
    if pa.types.is_floating(column.type):
        # Through NumPy, where a null is NaN too: 0.2 ms for the columns of a night; is_finite and all took 0.9 ms.
        finite = np.count_nonzero(np.isfinite(column.to_numpy()))
        return bool(finite == len(column) - column.null_count)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return _all_finite(pc.list_flatten(column))
    if pa.types.is_struct(column.type):
        return all(_all_finite(pc.struct_field(column, [i])) for i in range(column.type.num_fields))
    return True


def _verdicts(said: Iterable[Verdict], inputs: Sequence[Input]) -> Iterable[Verdict]:
    known = {name for one in inputs for name in (one.name, *(file.name for file in one.files))}
    for verdict in said:
        if inputs and verdict.file not in known:
            raise ContractBreach(f"verdict on {str(verdict.file)!r}, which is not an input of this work")
        if verdict.status not in SAYABLE:
            raise ContractBreach(f"verdict {str(verdict.status)!r}: a module says {', '.join(SAYABLE)}")
        reasons = tuple(str(reason) for reason in verdict.reasons)
        yield Verdict(verdict.file, Status(verdict.status), reasons, str(verdict.message))
