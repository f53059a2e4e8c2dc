"""Fed piece by piece, a night gives what the whole file gives: bit for bit, once, and after the declared time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.module import Calibration, Outcome, RawFile, Source, Status
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.night import Night
from engine.night.recording import MISSING, Device, Recording
from engine.night.stream import LATENCY_S, Stream
from engine.simulate import e4, nights
from tests.engine.night.formats import avro_files
from tests.engine.night.pieces import anywhere, pieces, quarters
from tests.engine.night.signals.test_calibration import turned

SOURCE = Source("s", ("n.zip",), "P01", zone="Europe/Zurich")
HOURS = 2.5
HALF_TRUE = Calibration("Maker M 7", "half", '{"offset_g": [0.0, 0.01, 0.0], "scale": [0.99, 1.0, 1.0]}')


@pytest.fixture(scope="module")
def made() -> nights.Night:
    return nights.draw(seed=11, night_date=date(2026, 3, 28), hours=HOURS)


@pytest.fixture(scope="module")
def recording(made: nights.Night) -> Recording:
    (one,), _ = read([RawFile("n.zip", made.zip())], 512)
    return one


@pytest.fixture(scope="module")
def whole(made: nights.Night) -> Outcome:
    return Night()([RawFile("n.zip", made.zip())], SOURCE)


def fed(stream: Stream, parts: Iterable[RawFile | Recording]) -> list[pl.DataFrame]:
    return [pl.DataFrame(stream.push(part)) for part in parts]


def agrees(live: Sequence[pl.DataFrame], whole: Outcome) -> pl.DataFrame:
    """The epochs that were told, checked against the whole file's."""
    told = pl.concat(live)
    epochs = pl.DataFrame(whole.tables["epochs"])
    assert told["ts"].is_sorted() and told["ts"].is_unique().all()
    same = epochs.filter(pl.col("ts") <= told["ts"].max()) if told.height else epochs.head(0)  # none is left out
    assert same.select(told.columns).equals(told)
    return told


@pytest.mark.parametrize("seed", range(4))
def test_cut_anywhere_it_equals_the_whole(recording: Recording, whole: Outcome, seed: int) -> None:
    stream = Stream(SOURCE)
    told = agrees(fed(stream, pieces(recording, anywhere(recording, 4 + 6 * seed, seed))), whole)
    assert told.height > (HOURS * 3600 - 420) / 10
    for name in ("hr_bpm", "rmssd_ms", "sdnn_ms", "rr_brpm", "hrv_ratio", "enmo_mg"):
        assert told[name].is_not_null().mean() > 0.5, name  # type: ignore[operator]
    closed = stream.close()
    assert all(closed.tables[name].equals(table) for name, table in whole.tables.items())
    (verdict,) = closed.verdicts
    assert replace(verdict, file="n.zip") == whole.verdicts[0]


def test_files_every_quarter_of_an_hour(made: nights.Night, whole: Outcome) -> None:
    """As E4 exports, as neutral files; several at once."""
    session, stream = made.session, Stream(SOURCE)
    parts = [session.between(s, min(s + 900, session.duration_s)) for s in range(0, session.duration_s, 900)]
    files = [RawFile(f"{p.start_s}.zip", e4.pack(e4.members(p), p.start_s)) for p in parts]
    for number in (1, 4, 5):
        (one,), _ = read([files[number]], 64)
        files[number] = RawFile(f"{number}.parquet", export_nrf(one))
    live = [*fed(stream, files[:6]), pl.DataFrame(stream.push(*files[6:9])), *fed(stream, files[9:])]
    bvp = "hr_bpm", "rmssd_ms", "sdnn_ms"  # the first ten rows of a generated BVP.csv are 0: of each piece here
    told = pl.concat(live).drop(*bvp)
    assert told.height > (HOURS * 3600 - 420) / 10
    epochs = pl.DataFrame(whole.tables["epochs"]).head(told.height)
    assert told.select("ts", "enmo_mg", "mad_mg", "q_acc").equals(epochs.select("ts", "enmo_mg", "mad_mg", "q_acc"))
    assert [v.status for v in stream.close().verdicts] == [Status.OK]


def test_an_embraceplus_uploads_a_file_every_quarter_of_an_hour(made: nights.Night) -> None:
    session = made.session
    begins = range(0, session.duration_s, 900)
    parts = [avro_files.of_session(session, begin, min(begin + 900, session.duration_s)) for begin in begins]
    files = [RawFile(f"{number}.avro", avro_files.packed([part])) for number, part in enumerate(parts)]
    expected, stream = Night()(files, replace(SOURCE, files=tuple(f.name for f in files))), Stream(SOURCE)
    assert agrees(fed(stream, files), expected).height > (HOURS * 3600 - 420) / 10
    closed = stream.close()
    assert all(closed.tables[name].equals(table) for name, table in expected.tables.items())


def test_a_piece_that_does_not_say_which_way_up_it_is_follows_the_others(made: nights.Night) -> None:
    session = made.session
    parts = [avro_files.of_session(session, begin, begin + 900, sign=-1) for begin in range(0, 8100, 900)]
    files = [RawFile(f"{number}.avro", avro_files.packed([part])) for number, part in enumerate(parts)]
    expected = Night()(files, replace(SOURCE, files=tuple(f.name for f in files)))
    parts[4]["rawData"]["systolicPeaks"] = {"peaksTimeNanos": []}
    files[4] = RawFile("4.avro", avro_files.packed([parts[4]]))
    stream = Stream(SOURCE)
    assert agrees(fed(stream, files), expected).height < 5 * 90
    assert stream.close().tables["epochs"].equals(expected.tables["epochs"])


def test_each_column_is_told_after_its_own_time(recording: Recording, whole: Outcome) -> None:
    """However the future of a piece goes on: the worst is that nothing comes."""
    end_us = recording.start_us + 5_000_000_000
    for column, latency_s in LATENCY_S.items():
        stream = Stream(SOURCE, columns=(column,))
        told = agrees(fed(stream, pieces(recording, [recording.start_us, end_us])), whole)
        behind_s = end_us / 1e6 - told["ts"].max().timestamp() - 10  # type: ignore[union-attr]
        assert latency_s <= behind_s < latency_s + 10
    with pytest.raises(ValueError, match=r"\['wear'\] come with the night"):
        Stream(SOURCE, columns=("hr_bpm", "wear"))


def test_gaps_flat_lines_and_lost_samples_move_no_beat(recording: Recording) -> None:
    """The first detector sees every third sample from where a stretch begins: a cut must not move it."""
    rng = np.random.default_rng(3)
    (segment,) = recording.channels["bvp"].segments
    values = segment.values.copy()
    for at in rng.integers(64 * 600, len(values) - 64 * 600, 12).tolist():
        values[at : at + int(rng.integers(2, 64 * 40))] = rng.choice([MISSING, 700])
    poor = replace(recording.channels["bvp"], segments=(replace(segment, values=values),))
    spoiled = replace(recording, channels={**recording.channels, "bvp": poor})
    expected = Night()([RawFile("n", export_nrf(spoiled))], SOURCE)
    for seed in range(3):
        agrees(fed(Stream(SOURCE), pieces(spoiled, anywhere(spoiled, 25, seed))), expected)


def test_a_push_costs_the_same_early_and_late(recording: Recording) -> None:
    stream, held = Stream(SOURCE), []
    for part in pieces(recording, quarters(recording)):
        stream.push(part)
        assert stream._tail is not None
        held.append(sum(len(s.values) for c in stream._tail.channels.values() for s in c.segments))
    assert max(held) <= held[2] * 1.1


def test_what_is_lost_between_pieces_is_a_gap(recording: Recording) -> None:
    parts = list(pieces(recording, quarters(recording)))
    del parts[5]
    stream = Stream(SOURCE)
    live = fed(stream, parts)
    expected = Night()([RawFile("s", stream.recording())], replace(SOURCE, files=("s",)))
    assert agrees(live, expected).height < len(parts) * 90
    assert stream.close().tables["epochs"].equals(expected.tables["epochs"])


def test_late_and_repeated_pieces_count_at_the_end(recording: Recording, whole: Outcome) -> None:
    parts = list(pieces(recording, quarters(recording)))
    stream = Stream(SOURCE)
    live = pl.concat(fed(stream, [*parts[:4], *parts[5:8], parts[4], parts[6], parts[6], *parts[8:]]))
    night = stream.close()
    assert night.tables["nights"].equals(whole.tables["nights"])
    again = pl.DataFrame(stream.superseded(night))
    assert 0 < again.height < 100
    told = pl.DataFrame(whole.tables["epochs"]).filter(pl.col("ts").is_in(live["ts"].implode()))
    assert told.select(live.columns).equals(live.update(again, on="ts", how="left", include_nulls=True))


def test_a_doubtful_unit_or_clock_is_left_to_the_whole(recording: Recording) -> None:
    axes = {n: replace(c, scale=c.scale * 9.80665) for n, c in recording.channels.items() if n.startswith("acc_")}
    odd = replace(recording, channels={**recording.channels, **axes})
    stream = Stream(SOURCE)
    live = pl.concat(fed(stream, pieces(odd, quarters(odd))))
    agreed = agrees([live], stream.close())
    assert agreed.height == 0
    reset = replace(recording, codes={"CLK_RESET": 1})
    assert pl.concat(fed(Stream(SOURCE), pieces(reset, quarters(reset)))).height == 0


def test_what_a_long_recordings_own_calibration_changes_is_said() -> None:
    """Told epochs, with the superseded put over them, are the whole's."""
    for hours, given in ((48, ()), (48, (HALF_TRUE,)), (75, ()), (75, (HALF_TRUE,))):
        source = replace(SOURCE, calibrations=given)
        stream, made = Stream(source), turned(hours)
        days = [*range(made.start_us, made.end_us, 86_400_000_000), made.end_us + 1]
        live = pl.concat(fed(stream, pieces(made, days)))
        night = stream.close()
        again = pl.DataFrame(stream.superseded(night))
        assert live.height > hours * 360 - 60
        (cal_id,) = set(night.tables["nights"]["cal_id"].to_pylist())
        if hours < 72:
            assert again.height == 0 and cal_id == (given[0].cal_id if given else "identity")
        else:
            assert again.height > live.height * 0.9 and cal_id not in ("identity", HALF_TRUE.cal_id)
            assert (again["ts"].is_in(live["ts"].implode())).all()
        agrees([live.update(again, on="ts", include_nulls=True)], night)


def test_nothing_told_supersedes_nothing(recording: Recording, whole: Outcome) -> None:
    stream = Stream(SOURCE)
    assert stream.superseded(stream.close()).num_rows == 0
    stream.push(next(pieces(recording, [recording.start_us, recording.start_us + 60_000_000])))
    assert stream.superseded(stream.close()).num_rows == 0


def test_what_cannot_be(recording: Recording) -> None:
    stream = Stream(SOURCE)
    assert stream.push().num_rows == stream.push(RawFile("x.zip", b"hello")).num_rows == 0
    assert [(v.file, v.status) for v in stream.close().verdicts] == [("x.zip", Status.REJECTED)]
    first, second, *_ = pieces(recording, quarters(recording))
    stream.push(first)
    with pytest.raises(ValueError, match="two devices"):
        stream.push(replace(second, device=Device("Empatica", "E4", "A00001")))
    finer = {name: replace(channel, scale=channel.scale / 2) for name, channel in second.channels.items()}
    with pytest.raises(ValueError, match="different units"):
        stream.push(replace(second, channels=finer))
    assert stream.push(second).num_rows > 0


@pytest.mark.real
@pytest.mark.parametrize("number", range(0, 63, 15))
def test_real_sessions(shared_data: Path, number: int) -> None:
    path = sorted((shared_data / "nurse_e4").glob("*/*.zip"))[number]
    file, source = RawFile(path.name, path.read_bytes()), Source("s", (path.name,), "p", zone="America/Chicago")
    (recording,), _ = read([file], 512)
    whole, stream = Night()([file], source), Stream(source)
    agrees(fed(stream, pieces(recording, anywhere(recording, 12, number))), whole)
    closed = stream.close()
    assert all(closed.tables[name].equals(table) for name, table in whole.tables.items())
