"""A module of one table whose files say what it should do, and Works over texts in memory; shared by engine tests."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numba
import pyarrow as pa

from engine.errors import InputUnreadable, StaleWorker
from engine.module import Outcome, RawFile, Source, Status, Table, Verdict, column
from engine.tables.coded import CODED, coded_as
from engine.work import Death, Evaluation, FileRef, Input, Work
from engine.workers.child import Limits
from engine.workers.telling import piece

SCHEMA = pa.schema(
    [
        column("subject_id", pa.string(), "1", "subject"),
        column("source_id", pa.string(), "1", "source"),
        column("file", pa.string(), "1", "file that the row comes from"),
        column("ts", pa.timestamp("us", tz="UTC"), "1", "time"),
        column("night_date", pa.date32(), "1", "night"),
        column("value", pa.float64(), "1", "length of the text"),
        column("reasons", pa.list_(pa.string()), "1", "codes"),
    ]
)
CODED_SCHEMA = pa.schema([one.with_type(CODED) if one.type == pa.string() else one for one in SCHEMA])
KEPT: list[bytes] = []
KEY = ("source_id", "file", "ts")
SHORT = Limits(seconds=1.5, memory_mb=300)


@dataclass(frozen=True)
class Toy:
    """Does what each file's text says; other text gives `rows` rows, and `coded` gives them with texts as codes."""

    name: ClassVar[str] = "toy"
    rows: int = 3

    @property
    def outputs(self) -> Mapping[str, Table]:
        totals = SCHEMA.remove(SCHEMA.get_field_index("night_date"))
        return {"texts": Table(SCHEMA, KEY, ("ts",), "night_date"), "totals": Table(totals, KEY, KEY)}

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
        rows: list[dict[str, Any]] = []
        verdicts = []
        for file in files:
            text = file.data.decode()
            if text == "reject":
                verdicts.append(Verdict(file.name, Status.REJECTED, ("FORMAT_UNKNOWN",), "not for us"))
                continue
            misbehave(text)
            verdicts.append(Verdict(file.name, Status.OK))
            rows += [_row(source, file, text, i) for i in range(self.rows)]
        texts = pa.Table.from_pylist(rows, SCHEMA)
        if any(file.data == b"coded" for file in files):
            texts = texts.cast(coded_as(SCHEMA, CODED_SCHEMA))
        return Outcome({"texts": texts, "totals": texts.drop_columns("night_date")}, tuple(verdicts))


def _row(source: Source, file: RawFile, text: str, i: int) -> dict[str, Any]:
    day = date(2020, 1, 30) + timedelta(days=i)
    ts = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
    value = float("nan") if text == "nan" else float(len(text))
    known = {"subject_id": source.subject_id, "source_id": source.source_id, "file": file.name}
    return known | {"ts": ts, "night_date": day, "value": value, "reasons": ["LONG"] if len(text) > 5 else []}


@numba.njit  # type: ignore[untyped-decorator, unused-ignore]
def _spin(start: int) -> int:
    total = start
    while total != -1:
        total = (total + 3) % 1000003
    return total


def misbehave(text: str) -> None:
    match text.split():
        case ["raise", *words]:
            raise ValueError(" ".join(words))
        case ["exit", code]:
            os._exit(int(code))
        case ["sys.exit"]:
            raise SystemExit(4)
        case ["segfault"]:
            ctypes.string_at(0)
        case ["kill", "parent"]:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        case ["loop"]:
            while True:
                pass
        case ["compiled", "loop"]:
            _spin(1)
        case ["eat"]:
            eaten = []
            while True:
                eaten.append(b"x" * 10_000_000)
        case ["keep", megabytes]:
            KEPT.append(b"x" * (int(megabytes) * 1_000_000))
        case ["memory", "error"]:
            raise MemoryError
        case ["print"]:
            os.write(1, b"junk" * 1000)
            os.write(2, b"junk" * 1000)
        case ["once", mark]:  # fails the first time, in whatever process
            if not Path(mark).exists():
                Path(mark).touch()
                os._exit(9)
        case ["sleep", seconds]:
            time.sleep(float(seconds))
        case ["busy", seconds]:
            until = time.process_time() + float(seconds)
            while time.process_time() < until:
                pass


@dataclass(frozen=True, slots=True)
class ToyWork:
    """A Work whose files are texts that it carries. The text `unreadable` fails as a disk would."""

    key: str
    texts: tuple[tuple[str, str], ...]
    hint: str = ""
    predicted_s: float = 0.01

    @property
    def identity(self) -> str:
        return hashlib.sha256(json.dumps([self.key, self.texts]).encode()).hexdigest()

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(Input(name, (FileRef(name, f"/{name}", len(text), "k"),)) for name, text in self.texts)

    @property
    def known(self) -> Mapping[str, str | None]:
        return {"subject_id": "s1", "source_id": self.key, "facts": "{}"}

    def evaluate(self, mapped: Any) -> Evaluation:
        for name, text in self.texts:
            match text.split():
                case ["unreadable"]:
                    raise InputUnreadable(f"{name}: input/output error")
                case ["unreadable", "until", mark, times]:
                    _unreadable_until(Path(mark), int(times))
                case ["worker", "dies"]:
                    os.kill(_worker_pid(), signal.SIGKILL)
                    time.sleep(60)
        files = [RawFile(name, text.encode()) for name, text in self.texts]
        source = Source(self.key, tuple(name for name, _ in self.texts), "s1")
        digests = {file.name: hashlib.sha256(file.data).hexdigest() for file in files}
        return Evaluation(mapped(files, source), digests)

    def only(self, names: Collection[str]) -> ToyWork:
        return replace(self, texts=tuple(pair for pair in self.texts if pair[0] in names))


@dataclass(frozen=True, slots=True)
class PieceWork(ToyWork):
    """Its texts are pieces: it says which it is at, and those that ended their process give no rows but a reason."""

    dead: tuple[Death, ...] = ()

    @property
    def inputs(self) -> tuple[Input, ...]:
        return ()

    def without(self, death: Death) -> PieceWork:
        return replace(self, dead=(*self.dead, death))

    def evaluate(self, mapped: Any) -> Evaluation:
        source = Source(self.key, (), "s1")
        gone = {death.piece: death for death in self.dead}
        given_up, tables = False, []
        for name, text in self.texts:
            given_up = given_up or (name in gone and gone[name].and_later)
            if name not in gone and not given_up:
                piece(name)
                tables.append(mapped([RawFile(name, text.encode())], source).tables)
        piece(None)
        if self.texts[-1][1] == "die at the end":
            os._exit(5)
        rows = {name: pa.concat_tables([one[name] for one in tables]) for name in (tables[0] if tables else {})}
        reasons = tuple(f"{death.piece} {death.cause} {death.signal}" for death in self.dead)
        return Evaluation(Outcome(rows, (Verdict(self.key, Status.PARTIAL if reasons else Status.OK, reasons),)), {})


def _unreadable_until(mark: Path, times: int) -> None:
    with mark.open("a") as file:
        file.write("x")
    if mark.stat().st_size <= times:
        raise InputUnreadable("the disk is tired")


def _worker_pid() -> int:
    """The process that owns the zygote whose child this is."""
    zygote = Path(f"/proc/{os.getppid()}/stat").read_text()
    return int(zygote.rpartition(")")[2].split()[1])


@dataclass(frozen=True, slots=True)
class ToyMapped:
    """What a run maps: the toy, or one that a worker refuses."""

    rows: int = 3
    stale: bool = False
    module_id: str = "toy-0123456789ab"

    def load(self) -> Toy:
        if self.stale:
            raise StaleWorker("this worker sees toy-000000000000, the driver toy-0123456789ab")
        return Toy(self.rows)

    def outputs(self, loaded: Toy) -> Mapping[str, Table]:
        return loaded.outputs


def works(*texts: str) -> list[Work]:
    """One Work a text, with one file each."""
    return [ToyWork(f"w{i:03}", ((f"f{i:03}.txt", text),)) for i, text in enumerate(texts)]
