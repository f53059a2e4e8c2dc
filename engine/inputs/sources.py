"""A Source as a unit of work: reads its files' bytes and calls the module on them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from engine.identity import facts_json
from engine.module import Module, RawFile, Source
from engine.storage import Store, StoreOptions, split_uri
from engine.work import Evaluation, Input
from engine.workers.telling import reading


@dataclass(frozen=True, slots=True)
class SourceWork:
    """See `engine.work.Work`. A piece keeps key and identity of the whole, since its rows belong to the whole."""

    source: Source
    inputs: tuple[Input, ...]
    identity: str
    predicted_s: float
    options: StoreOptions

    @property
    def key(self) -> str:
        return self.source.source_id

    @property
    def hint(self) -> str:
        """Month of the night hint, `YYYY-MM`; empty without one."""
        return "" if self.source.night_hint is None else self.source.night_hint.strftime("%Y-%m")

    @property
    def known(self) -> Mapping[str, str | None]:
        source = self.source
        return {"subject_id": source.subject_id, "source_id": source.source_id, "facts": facts_json(source)}

    def evaluate(self, mapped: Module) -> Evaluation:
        """Read, hash, call. Raises `InputUnreadable` where storage fails, and whatever the module raises."""
        with reading():
            files = self.read()
        held = {file.name: file for file in files}
        digests = {one.name: digest([held[file.name] for file in one.files]) for one in self.inputs}
        return Evaluation(mapped(files, self.source), digests)

    def read(self) -> tuple[RawFile, ...]:
        """The raw files, in the order of `source.files`. Raises `InputUnreadable` where storage fails."""
        files = [RawFile(file.name, read_file(file.uri, self.options)) for one in self.inputs for file in one.files]
        return tuple(sorted(files, key=lambda file: file.name))

    def only(self, names: Collection[str]) -> SourceWork:
        kept = tuple(one for one in self.inputs if one.name in names)
        files = tuple(sorted(file.name for one in kept for file in one.files))
        share = sum(one.size_bytes for one in kept) / max(sum(one.size_bytes for one in self.inputs), 1)
        source = replace(self.source, files=files)
        return replace(self, source=source, inputs=kept, predicted_s=self.predicted_s * share)


def digest(files: Collection[RawFile]) -> str:
    """SHA-256 of an input's bytes; of a folder's over the names and SHA-256s of its files.

    >>> digest([RawFile("a.zip", b"")])[:12]
    'e3b0c44298fc'
    """
    digests = {file.name: file.sha256 for file in files}
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{name.rpartition('/')[2]}\0{digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def read_file(uri: str, options: StoreOptions) -> bytes:
    """A raw file's bytes. Raises `InputUnreadable` where storage fails."""
    parent, name = split_uri(uri)
    return Store(parent, options).read(name)
