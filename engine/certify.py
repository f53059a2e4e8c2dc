"""`nightmill module check`: does a module keep the contract? A certificate says so, check by check.

What cannot be seen from outside: files that compiled code opens by itself, and a clock or random numbers that change
nothing between two calls and two processes.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.code.probe import Answer, Trial, answer_all
from engine.errors import ModuleError
from engine.identity import canonical_json, parameters_of
from engine.inputs.sources import SourceWork
from engine.inventory import take_files
from engine.load import ModuleRef, refer
from engine.module import RawFile, Source, Status
from engine.plan import everything
from engine.storage import StoreOptions
from engine.work import FileRef, Input

Elsewhere = Callable[[Callable[..., list[Answer]], ModuleRef, Sequence[Trial]], list[Answer]]
"""Calls a function with these arguments on another machine, such as `lambda f, *a: client.submit(f, *a).result()`."""

GARBAGE_BYTES = 4096
KEPT = (0.5, 0.98)
"""Shares of a file that a truncation leaves."""

CALLS = 2


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One Source, second call in a process of its own: wall ms, highest resident memory of that process, rows."""

    source_id: str
    files: int
    size_mb: float
    ms: float
    peak_memory_mb: float
    rows: int


@dataclass(frozen=True, slots=True)
class Certificate:
    module_id: str
    checks: tuple[Check, ...]
    measures: tuple[Measure, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def certify(
    reference: str,
    parameters: Mapping[str, Any],
    files: Sequence[str] = (),
    *,
    options: StoreOptions | None = None,
    zone: str | None = None,
    limit_s: float = 600.0,
    elsewhere: Elsewhere | None = None,
) -> Certificate:
    """Try a module on `files` and on bad bytes; without files, on bad bytes alone.

    `elsewhere` adds the check that a Dask worker agrees. Raises `ModuleError` if the module does not load, `UserError`
    for a missing file.
    """
    ref, identity = refer(reference, parameters)
    trials = [*_given(files, options or StoreOptions(), zone)]
    trials += _bad(trials[0] if trials else _nothing())
    first, ended = _in_process(ref, trials, limit_s, hash_seed="1")
    pairs = [(trial, first[n * CALLS : (n + 1) * CALLS]) for n, trial in enumerate(trials)]
    whole = [(trial, answers) for trial, answers in pairs if len(answers) == CALLS]
    checks = [_pickles(ref), _survives(trials, first, ended), *_kept(identity.parameters, whole), *_answers(whole)]
    if ended is None:
        again, _ = _in_process(ref, trials, limit_s, hash_seed="2")
        checks.append(_agrees("fresh process", "another process with another hash seed", first, again))
    if ended is None and not any(answer.opened for answer in first):  # else it would do so unwatched
        here = answer_all(ref, trials, CALLS)
        checks.append(_agrees("same process", "the process that asks", first, here))
        if elsewhere is not None:
            checks.append(_agrees("Dask", "a Dask worker", first[::CALLS], elsewhere(answer_all, ref, trials)))
    return Certificate(ref.module_id, tuple(checks), tuple(_measured(whole)))


def _given(files: Sequence[str], options: StoreOptions, zone: str | None) -> Iterator[Trial]:
    if not files:
        return
    for work in everything(take_files(files, options, zone=zone), options).works():
        assert isinstance(work, SourceWork)
        yield Trial("given", work.source, work.inputs, work.read())


def _nothing() -> Trial:
    name = "subject/1586909000_device.zip"
    source = Source("subject/2020-04-14", (name,), "subject")
    return Trial("given", source, (Input(name, (FileRef(name, name, 0, ""),)),), (RawFile(name, b""),))


def _bad(like: Trial) -> list[Trial]:
    """The first Source again with noise, with nothing, and cut short."""
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(GARBAGE_BYTES // 32))
    changed = {"garbage": [[noise] * len(like.files)], "empty": [[b""] * len(like.files)]}
    if any(file.data for file in like.files):
        changed["truncated"] = [[file.data[: int(len(file.data) * part)] for file in like.files] for part in KEPT]
    return [
        replace(
            like, kind=kind, files=tuple(RawFile(file.name, data) for file, data in zip(like.files, one, strict=True))
        )
        for kind, several in changed.items()
        for one in several
    ]


def _in_process(
    ref: ModuleRef, trials: Sequence[Trial], limit_s: float, hash_seed: str
) -> tuple[list[Answer], str | None]:
    """Answers of a watched process, and how it ended if it did not end well."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-P", "-c", "from engine.code.probe import main; main()"]
    job = pickle.dumps((ref, list(trials), CALLS))
    try:
        done = subprocess.run(
            command, input=job, capture_output=True, env=environment, timeout=limit_s, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return _read_answers(error.stdout or b""), f"did not finish within {limit_s:g} s"
    if done.returncode == 0:
        return _read_answers(done.stdout), None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return _read_answers(done.stdout), f"ended the process with {how}{': ' + lines[-1][:200] if lines else ''}"


def _read_answers(stream: bytes) -> list[Answer]:
    answers, position = list[Answer](), 0
    while position + 8 <= len(stream):
        size = int.from_bytes(stream[position : position + 8], "big")
        if position + 8 + size > len(stream):
            break
        answers.append(pickle.loads(stream[position + 8 : position + 8 + size]))
        position += 8 + size
    return answers


def _pickles(ref: ModuleRef) -> Check:
    module = ref.load()
    try:
        copy = pickle.loads(pickle.dumps(module))
        equal = canonical_json(parameters_of(copy)) == ref.parameters
    except (pickle.PicklingError, AttributeError, TypeError, ValueError, ModuleError) as error:
        return Check("pickles", False, f"it does not pickle: {error}")
    return Check("pickles", equal, "a pickled copy has " + ("the same parameters" if equal else "other parameters"))


def _survives(trials: Sequence[Trial], answers: Sequence[Answer], ended: str | None) -> Check:
    if ended is None:
        return Check("survives", True, f"{len(trials)} trials, {CALLS} calls each, ended no process")
    trial = trials[min(len(answers) // CALLS, len(trials) - 1)]
    return Check("survives", False, f"on {trial.kind} bytes of {trial.source.source_id} it {ended}")


def _kept(parameters: str, pairs: Sequence[tuple[Trial, list[Answer]]]) -> Iterator[Check]:
    """Same answer twice, unchanged parameters, nothing opened."""
    unlike = _first(pairs, lambda answers: not answers[0].equals(answers[1]))
    yield Check("deterministic", not unlike, f"two calls differ on {unlike}" if unlike else "two calls agree")
    moved = _first(pairs, lambda answers: any(answer.parameters != parameters for answer in answers))
    yield Check("frozen", not moved, f"a call changed parameters, on {moved}" if moved else "calls change no parameter")
    opened = list(dict.fromkeys(name for _, answers in pairs for answer in answers for name in answer.opened))
    more = f" and {len(opened) - 3} more" if len(opened) > 3 else ""
    said = f"it opens {'; '.join(opened[:3])}{more}" if opened else "it opens neither file nor socket"
    yield Check("pure", not opened, said)


def _answers(pairs: Sequence[tuple[Trial, list[Answer]]]) -> Iterator[Check]:
    """No exception and exact schemas, whatever the bytes; garbage and nothing are rejected."""
    given = [pair for pair in pairs if pair[0].kind == "given"]
    for kind, needed in (("given", False), ("garbage", True), ("empty", True), ("truncated", False)):
        asked = [pair for pair in pairs if pair[0].kind == kind]
        if not asked:
            continue
        broken = [(trial, answers[0].error) for trial, answers in asked if answers[0].error is not None]
        taken = [trial for trial, answers in asked if needed and not _is_rejection(answers[0])]
        if broken:
            yield Check(kind, False, f"{broken[0][0].source.source_id}: {broken[0][1]}")
        elif taken:
            yield Check(kind, False, f"{kind} bytes are not rejected: return Outcome.reject(source, reasons, message)")
        else:
            yield Check(kind, True, "rejected" if needed else f"{len(asked)} answered, schemas exact: {_said(asked)}")
    if not given:
        yield Check("given", True, "no file was given: nothing but bad bytes was tried")


def _is_rejection(answer: Answer) -> bool:
    return not answer.rows and bool(answer.verdicts) and all(v.status == Status.REJECTED for v in answer.verdicts)


def _said(pairs: Sequence[tuple[Trial, list[Answer]]]) -> str:
    statuses = [str(v.status) for _, answers in pairs for v in answers[0].verdicts] or [str(Status.OK)]
    return ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses)))


def _agrees(name: str, place: str, first: Sequence[Answer], other: Sequence[Answer]) -> Check:
    equal = len(first) == len(other) and all(one.equals(two) for one, two in zip(first, other, strict=True))
    return Check(name, equal, f"{place} gives {'equal' if equal else 'other'} tables")


def _first(pairs: Sequence[tuple[Trial, list[Answer]]], holds: Callable[[list[Answer]], bool]) -> str | None:
    found = (f"{trial.kind} bytes of {trial.source.source_id}" for trial, answers in pairs if holds(answers))
    return next(found, None)


def _measured(pairs: Sequence[tuple[Trial, list[Answer]]]) -> Iterator[Measure]:
    for trial, answers in pairs:
        if trial.kind == "given":
            last = answers[-1]
            yield Measure(
                trial.source.source_id, len(trial.files), trial.size_bytes / 1e6, last.seconds * 1e3,
                last.peak_memory_mb, last.rows,
            )  # fmt: skip
