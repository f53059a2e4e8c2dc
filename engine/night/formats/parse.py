"""Bytes to recordings. The content says which format a file has; of a name only the E4's own member names count."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from engine.module import RawFile
from engine.night.formats import cwa, edf, embrace, geneactiv, gt3x, nrf, unknown, uploads
from engine.night.formats.avro import looks_like_avro
from engine.night.formats.e4 import Member, part_of, read_session
from engine.night.formats.zips import Archive, Refused, looks_like_zip
from engine.night.recording import Recording, Unreadable

Read = list[Recording | Unreadable]


def read(files: Sequence[RawFile], max_unpacked_mb: int) -> tuple[tuple[Recording, ...], tuple[Unreadable, ...]]:
    """Every recording in the files, and why a file gave none. Csv files that share a folder are one E4 session,
    Avro files of one device one recording.

    Never raises, whatever the bytes. Unpacked size counts per file against `max_unpacked_mb` (MiB).
    """
    folders: dict[str, list[RawFile]] = {}
    found: Read = []
    parts: list[embrace.Part] = []
    for file in files:
        if nrf.looks_like_parquet(file.data):
            found.append(nrf.read(file, max_unpacked_mb))
        elif looks_like_zip(file.data):
            found += _read_zip(file, max_unpacked_mb)
        elif looks_like_avro(file.data):
            told = embrace.read(file, max_unpacked_mb)
            parts += told if isinstance(told, list) else []
            found += [told] if isinstance(told, Unreadable) else []
        elif cwa.looks_like_cwa(file.data):
            found.append(cwa.read(file))
        elif geneactiv.looks_like_geneactiv(file.data):
            found.append(geneactiv.read(file))
        elif edf.looks_like_edf(file.data):
            found.append(edf.read(file))
        elif part_of(file.name):
            folders.setdefault(str(PurePosixPath(file.name).parent), []).append(file)
        else:
            found.append(_unknown(file))
    for folder, members in folders.items():
        lone = folder == "." or len(members) == 1
        found.append(_read_folder(members[0].name if lone else folder, members, max_unpacked_mb))
    found += uploads.recordings(parts)
    recordings = tuple(one for one in found if isinstance(one, Recording))
    return recordings, tuple(one for one in found if isinstance(one, Unreadable))


def _unknown(file: RawFile) -> Unreadable:
    if not file.data:
        return Unreadable(file.name, {"SIG_EMPTY": 1}, "the file is empty (0 bytes): upload it again")
    return Unreadable(file.name, {"FORMAT_UNKNOWN": 1}, unknown.told(file))


def _read_folder(name: str, files: Sequence[RawFile], max_unpacked_mb: int) -> Recording | Unreadable:
    size = sum(len(file.data) for file in files)
    if size > max_unpacked_mb << 20:
        told = f"{size >> 20} MiB of csv, more than max_unpacked_mb = {max_unpacked_mb}: raise it"
        return Unreadable(name, {"ZIP_UNSAFE": 1}, told)
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.name):
        digest.update(bytes.fromhex(file.sha256))
    members = [Member(file.name, partial(bytes, file.data)) for file in files]
    return _judged(read_session(name, digest.hexdigest(), None, members))


def _read_zip(file: RawFile, max_unpacked_mb: int) -> Read:
    """An ActiGraph's recording, or one for each folder of the archive that holds an E4's members."""
    try:
        archive = Archive(file.data, max_unpacked_mb)
        actigraph = gt3x.members(archive)
        return [gt3x.read(file, archive, actigraph)] if actigraph else _sessions(file, archive)
    except Refused as refusal:
        return [Unreadable(file.name, {"ZIP_UNSAFE": 1}, f"not unpacked: {refusal}")]


def _sessions(file: RawFile, archive: Archive) -> Read:
    sha256 = file.sha256
    damaged = int(archive.damaged)
    sessions: dict[str, list[Member]] = {}
    for entry in archive.entries:
        if part_of(entry.name) and not entry.name.startswith("__MACOSX/"):
            folder = entry.name.rpartition("/")[0]
            sessions.setdefault(folder, []).append(Member(entry.name, partial(archive.read, entry)))
    if not sessions:
        if damaged:
            told = "the zip is damaged and nothing in it could be saved: export the session again"
            return [Unreadable(file.name, {"ZIP_TRUNC": 1}, told)]
        told = unknown.told_of_zip([entry.name for entry in archive.entries])
        return [Unreadable(file.name, {"FORMAT_UNKNOWN": 1}, told)]
    archive.refuse_nested()
    found: Read = []
    for folder, members in sorted(sessions.items()):
        before = archive.broken
        recording = read_session(file.name, sha256, folder or None, members)
        hurt = damaged + archive.broken - before
        if hurt:
            recording = replace(recording, codes={**recording.codes, "ZIP_TRUNC": hurt})
        found.append(_judged(recording))
    return found


def _judged(recording: Recording) -> Recording | Unreadable:
    """The recording, or what to say of it if it has no channel."""
    if recording.channels:
        return recording
    signals = recording.metadata["signals"]
    fates = {part: fate for part, fate in signals.items() if part != "tags" and fate != "missing"}
    told = ", ".join(f"{part} {fate}" for part, fate in fates.items())
    if "ZIP_TRUNC" not in recording.codes and set(fates.values()) <= {"no start time"}:
        message = f"not an E4's csv files ({told or 'no signal'}): put a unix time in line 1, a rate in line 2"
        return Unreadable(recording.file, {"FORMAT_UNKNOWN": 1}, message)
    return Unreadable(recording.file, recording.codes, f"no signal could be read ({told}): export the session again")
