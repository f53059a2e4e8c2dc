"""The engine's own tables, and what it demands of a module's: exact types, finite floats, no foreign column."""

from __future__ import annotations

import pyarrow as pa

from engine.module import Status, Table, column

TIME = pa.timestamp("us", tz="UTC")

FILES = Table(
    schema=pa.schema(
        [
            column("work_key", pa.string(), "1", "unit of work that the input belonged to", required=True),
            column("file", pa.string(), "1", "input name relative to its root; null where Work has no files"),
            column("subject_id", pa.string(), "1", "subject of the unit of work"),
            column("source_id", pa.string(), "1", "Source that the input belonged to; joins with every table"),
            column("uri", pa.string(), "1", "where the input was read"),
            column(
                "facts", pa.string(), "1", "JSON: what was known of the Source (zone, device offset, night hint, …)"
            ),
            column("input_identity", pa.string(), "1", "SHA-256 over all that the result depends on besides the code"),
            column("status", pa.string(), "1", "ok, partial, rejected, failed or quarantined", required=True),
            column("cause", pa.string(), "1", "what failed: data, module, contract, timeout, memory or killed"),
            column("reasons", pa.list_(pa.string()), "1", "reason codes, in the order of the documented list"),
            column("message", pa.string(), "1", "one sentence for a person"),
            column("fingerprint", pa.string(), "1", "groups failures of one origin"),
            column("traceback", pa.string(), "1", "innermost frames of a module's exception"),
            column("content_key", pa.string(), "1", "etag or version id, or size and modification time"),
            column("bytes_sha256", pa.string(), "1", "SHA-256 of the bytes that were processed"),
            column("size_bytes", pa.int64(), "By", "size of the input"),
            column("signal", pa.string(), "1", "signal that ended the process, for quarantined inputs"),
            column("exit_code", pa.int64(), "1", "exit code of the process, for quarantined inputs"),
            column("run_id", pa.string(), "1", "run that decided the status"),
            column("attempt", pa.int64(), "1", "how often this input was tried in that run"),
            column("seconds", pa.float64(), "s", "wall time of the unit of work"),
            column("peak_memory_mb", pa.float64(), "MB", "highest resident memory of the process during the work"),
            column("host", pa.string(), "1", "machine that did the work"),
            column("committed_at", TIME, "1", "when the commit was made"),
        ]
    ),
    key=("work_key", "file"),
    sort=("work_key", "file"),
    owner="work_key",
)
BAD = (str(Status.FAILED), str(Status.QUARANTINED))
"""Statuses that count against a run's budget and make its exit code 3."""

RUN_TIME_COLUMNS = ("run_id", "attempt", "seconds", "peak_memory_mb", "host", "committed_at")
"""Columns of the ledger that differ between two equal runs."""

RUNS = Table(
    schema=pa.schema(
        [
            column("run_id", pa.string(), "1", "unique, sorts by start", required=True),
            column("module_id", pa.string(), "1", "identity of what was mapped", required=True),
            column("started_at", TIME, "1", "start of the run"),
            column("ended_at", TIME, "1", "end of the run; null while it runs"),
            column("state", pa.string(), "1", "running, finished, stopped or interrupted", required=True),
            column("config", pa.string(), "1", "settings as JSON, secrets removed"),
            column("closure", pa.string(), "1", "JSON: source file to SHA-256, over the module's import closure"),
            column("parameters", pa.string(), "1", "the module's parameters as canonical JSON"),
            column("versions", pa.string(), "1", "JSON: library to version"),
            column("machine", pa.string(), "1", "JSON: CPU, cores, memory, host"),
            column("counts", pa.string(), "1", "JSON: status to number of files"),
        ]
    ),
    key=("run_id",),
    sort=("run_id",),
    owner="run_id",
)

DICTIONARY = Table(
    schema=pa.schema(
        [
            column("table", pa.string(), "1", "table name", required=True),
            column("column", pa.string(), "1", "column name", required=True),
            column("unit", pa.string(), "1", "UCUM unit; 1 for none"),
            column("meaning", pa.string(), "1", "definition"),
            column("minimum_data", pa.string(), "1", "least data for a value; else null"),
            column("source", pa.string(), "1", "publication or rule"),
            column("since", pa.string(), "1", "version that introduced the column"),
        ]
    ),
    key=("table", "column"),
    sort=("table", "column"),
    owner="table",
)
