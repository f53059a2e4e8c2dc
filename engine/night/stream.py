"""A night while it is being recorded: epochs as soon as nothing that comes can change them, the rest at its end.

A service that receives a file every 15 minutes keeps one `Stream` for each device that is worn:

    stream = Stream(Source("P01/2026-11-22", (), "P01", zone="Europe/Zurich"))
    for file in arriving:
        epochs = stream.push(RawFile(file.name, file.data))  # what is settled now; no epoch ever comes twice
    night = stream.close()  # what the module says of the whole: epochs, nights, vitals and verdicts

What `push` returns equals the whole file's epochs bit for bit, and so does all that `close` returns. A push measures
the last half hour by the stages that the module has, so that it costs the same early and late in the night.

`LATENCY_S` says how much later than its epoch's end a column is settled. The columns that it lacks hang on the whole
night (wear and what hangs on it, sleep, night_date, reasons) and come with `close`. So do epochs where the unit of
acceleration is in doubt, and all after a doubt about clock, rate or which way up the pulse is: of these only the whole
file decides. The first epochs wait for a minute at rest, which shows the unit; after an hour the stated one stands.

One exception: with 72 h of acceleration a recording is calibrated by itself (DOMAIN C2), for which nobody can wait. A
push corrects by what the Source brings for the device (`calibrations`), or not at all. So a stream is closed within 72
h, as one is that is closed every noon, or `superseded` says after its end which epochs the whole gives otherwise:
movement, by some mg, and where an epoch's movement passes 50 mg its quality and variability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.module import Outcome, RawFile, Source
from engine.night import epochs as stage
from engine.night import nights, rows, verdicts
from engine.night.clean import AXES, FLAT_S, clean, rest_norm
from engine.night.formats import parse
from engine.night.formats.device_clock import placed
from engine.night.formats.nrf_write import export_nrf
from engine.night.grid import EPOCH_S, EPOCH_US
from engine.night.join import joined, latest, polarity, refuse_strangers, since
from engine.night.night import Night
from engine.night.recording import Recording, Unreadable

_BEATS_S = FLAT_S + 60 + 20 + 7
"""Until a beat is settled: a flat line is known as one after 10 s; a block is filtered with 20 s after it; and a window
of beats sees a second more, into the next block."""
_NORMAL_S = _BEATS_S + 48 * 2
"""Until it is settled whether an interval is normal: 48 beats later, each of 2 s at most."""
LATENCY_S = {
    **dict.fromkeys(("utc_offset_min", "enmo_mg", "mad_mg", "angle_z_deg", "q_acc"), FLAT_S),
    **dict.fromkeys(("pulse_amp", "perfusion_index_pct"), _BEATS_S),
    **dict.fromkeys(("hr_bpm", "q_ppg"), _NORMAL_S + 15),
    **dict.fromkeys(("rmssd_ms", "q_ibi"), _NORMAL_S + EPOCH_S + 30),
    **dict.fromkeys(("rr_brpm", "rr_n"), _NORMAL_S + 60 + 20 + 16 + 5),
    "sdnn_ms": _NORMAL_S + EPOCH_S + 150,
    **dict.fromkeys(("lf_ms2", "hf_ms2", "hrv_ratio"), _NORMAL_S + EPOCH_S + 150 + 30 + 15 + 5),
}
"""Seconds after an epoch's end at which its value of a column is settled."""
UNDECIDED = frozenset({"ACC_UNIT", "FS_DRIFT", "FS_BAD", "CLK_RESET", "CLK_IMPLAUS"})
CONTEXT_US = 900 * 1_000_000
"""What is kept before the next epoch: over twice what any column looks back."""
PATIENCE_US = 3_600_000_000
LATE_US = 2_000_000
"""By how much a piece may begin before the end of what was received."""


class Stream:
    """One device's night, fed piece by piece in the order of time. Not safe for several threads at once.

    columns: which to wait for, all of `LATENCY_S` by default; a stream of heart rates alone is 3 min faster.
    """

    def __init__(self, source: Source, module: Night | None = None, columns: Sequence[str] = tuple(LATENCY_S)) -> None:
        """Raises ValueError where a column is none of LATENCY_S."""
        unknown = set(columns).difference(LATENCY_S)
        if unknown:
            raise ValueError(f"{sorted(unknown)} come with the night; a stream has {', '.join(LATENCY_S)}")
        self.source, self.module = source, module or Night()
        self.columns = ("subject_id", "source_id", "ts", *columns)
        self.latency_us = round(max((LATENCY_S[name] for name in columns), default=0) * 1e6)
        self._pieces: list[Recording] = []
        self._unreadable: list[Unreadable] = []
        self._tail: Recording | None = None
        self._heard_us = self._next_us = 0
        self._decided, self._unit_known = True, False
        self._seen: dict[str, list[float]] = {}
        self._told: list[pa.Table] = []

    def push(self, *pieces: RawFile | Recording) -> pa.Table:
        """Take files as they arrive (or recordings of one's own reader) and return the epochs that are settled now.

        A piece from before what was already received counts at the end only. Raises ValueError where a piece comes from
        another device; whatever the bytes, nothing else.
        """
        for piece in self._read(pieces):
            refuse_strangers([*self._pieces[:1], piece])
            self._pieces.append(piece)
            self._hear(placed(piece, self.source))
        self._told.append(self._settled())
        return self._told[-1]

    def recording(self) -> bytes:
        """All that was received, as one file of the neutral format: what to keep, and to process again later."""
        return export_nrf(joined(self._pieces))

    def close(self) -> Outcome:
        """What the module makes of the whole, in one verdict named by the Source, and one for each unreadable piece."""
        refused = tuple(verdicts.unreadable(one) for one in self._unreadable)
        if not self._pieces:
            return Outcome({}, refused)
        name = self.source.source_id
        outcome = self.module([RawFile(name, self.recording())], replace(self.source, files=(name,)))
        return Outcome(outcome.tables, (*outcome.verdicts, *refused))

    def superseded(self, night: Outcome) -> pa.Table:
        """Of what `close` returned: the epochs that `push` had told with other values, in the columns of `push`. There
        are none but of a recording of 72 h or more, and beside pieces that came too late."""
        told = pa.concat_tables([self._rows(stage.blank(0)), *self._told])
        whole = night.tables["epochs"].select(self.columns) if "epochs" in night.tables else told.slice(0, 0)
        told, whole = (a.filter(pc.is_in(a["ts"], b["ts"])) for a, b in ((told, whole), (whole, told)))
        before, after = (np.array([t[name].to_numpy() for name in self.columns[3:]], np.float64) for t in (told, whole))
        return whole.filter((~((before == after) | (np.isnan(before) & np.isnan(after)))).any(0))

    def _read(self, pieces: Iterable[RawFile | Recording]) -> list[Recording]:
        files = [piece for piece in pieces if isinstance(piece, RawFile)]
        recordings, unreadable = parse.read(files, self.module.max_unpacked_mb)
        self._unreadable += unreadable
        known = {piece.sha256 for piece in self._pieces}
        found = [*recordings, *(piece for piece in pieces if isinstance(piece, Recording))]
        return sorted((one for one in found if one.sha256 not in known), key=lambda one: one.start_us)

    def _hear(self, piece: Recording) -> None:
        """Put a piece behind the tail, unless it comes too late."""
        if piece.start_us < self._heard_us - LATE_US:
            return
        seen = {(n, s.fs_hz, polarity(channel)) for n, channel in piece.channels.items() for s in channel.segments}
        steady = all(self._seen.setdefault(name, told) == told for name, *told in seen)
        self._tail = joined([*([self._tail] if self._tail else []), piece])
        self._decided &= steady and not UNDECIDED.intersection(self._tail.codes)
        self._heard_us = latest(piece)

    def _settled(self) -> pa.Table:
        until_us = (self._heard_us - self.latency_us) // EPOCH_US * EPOCH_US
        if self._tail is None or until_us <= self._next_us:
            return self._rows(stage.blank(0))
        cleaned = clean(self._tail, self.source.received_at)
        axes = [cleaned.channels[name] for name in AXES if name in cleaned.channels]
        waited = self._heard_us - self._tail.start_us >= PATIENCE_US
        self._unit_known |= waited or len(axes) < len(AXES) or rest_norm(axes) is not None
        if not self._unit_known:
            return self._rows(stage.blank(0))
        decided = self._decided and not UNDECIDED.intersection(cleaned.codes)
        parts = [stage.measure(s, n) for n, s in enumerate(nights.split([cleaned], self.source))]
        epochs = stage.concatenate(parts) if parts else stage.blank(0)
        settled = (epochs.ts_us >= self._next_us) & (epochs.ts_us < until_us)
        self._next_us = until_us
        self._tail = since(self._tail, cleaned if decided else self._tail, until_us - CONTEXT_US)
        return self._rows(epochs.take(settled & decided))

    def _rows(self, epochs: stage.Epochs) -> pa.Table:
        return rows.epochs_table(epochs, self.source).select(self.columns).replace_schema_metadata(None)
