from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from engine.module import RawFile, Source
from engine.night import diagnostics
from engine.night.diagnostics import Diagnosed, of_intervals, of_waves
from engine.night.epochs import ASLEEP, blank
from engine.night.features import NightOfSource
from engine.night.grid import EPOCH_US
from engine.night.night import Night
from engine.night.nights import Session, split
from engine.night.recording import MISSING
from engine.night.signals.intervals import Beats
from engine.night.sleep import Sleep
from engine.night.wear import ON
from engine.simulate import nights
from tests.engine.night.hand import EVENING_US, channel, recording, source

FILES = [RawFile("n.zip", nights.draw(seed=11, night_date=date(2026, 3, 28), hours=5.0).zip())]
SOURCE = Source("s", ("n.zip",), "P01", zone="Europe/Zurich")


def sine(hz: float, seconds: int = 120) -> tuple[Session, ...]:
    wave = np.round(1000 * np.sin(2 * np.pi * hz * np.arange(64 * seconds) / 64)).astype(np.int32)
    return split([recording([channel("bvp", (EVENING_US, 64.0, wave))])], source())  # type: ignore[arg-type]


def waves(sessions: tuple[Session, ...]) -> np.ndarray:  # type: ignore[type-arg]
    epochs = replace(blank(sessions[0].grid.n), ts_us=sessions[0].grid.ts_us, session=np.zeros(12, np.int32))
    return of_waves(sessions, epochs)


def test_known_answer_f1_d_of_a_pure_sine() -> None:
    kurtosis, share, crossings = waves(sine(1.2))
    np.testing.assert_allclose(kurtosis[2:-2], 1.5, atol=2e-3)
    np.testing.assert_allclose(share[2:-2], 1.0, atol=1e-3)
    assert np.all(np.abs(crossings - 24) <= 1)
    _, fast, _ = waves(sine(4.0))
    np.testing.assert_allclose(fast[2:-2], 0.0, atol=1e-3)


def test_an_epoch_without_its_samples_has_no_shape() -> None:
    (session,) = sine(1.2)
    (segment,) = session.recording.channels["bvp"].segments
    values = segment.values.copy()
    values[64 * 32 : 64 * 34] = MISSING
    bvp = replace(session.recording.channels["bvp"], segments=(replace(segment, values=values),))
    poorer = replace(session, recording=replace(session.recording, channels={"bvp": bvp}))
    assert np.flatnonzero(np.isnan(waves((poorer,))[2])).tolist() == [3]
    without = replace(session, recording=replace(session.recording, channels={}))
    assert np.isnan(waves((without,))).all()


def night_of(n: int, session: list[int]) -> NightOfSource:
    epochs = replace(
        blank(n),
        ts_us=EVENING_US + EPOCH_US * np.arange(n),
        session=np.array(session, np.int32),
        sleep=np.full(n, ASLEEP, np.int8),
        wear=np.full(n, ON, np.int8),
    )
    sleep = Sleep("hdcza", EVENING_US, int(epochs.ts_us[-1]) + EPOCH_US, epochs.sleep, np.zeros(n, np.bool_))
    return NightOfSource(19_675, epochs, (), sleep, np.ones(n, np.bool_), {}, frozenset())


def beats(ibi_ms: list[float]) -> Beats:
    ibi = np.array([np.nan, *ibi_ms])
    t_us = EVENING_US + np.concatenate([[0], np.cumsum(np.nan_to_num(ibi[1:], nan=3000.0) * 1000)]).astype(np.int64)
    return Beats(t_us, ibi, np.isfinite(ibi))


def test_known_answer_d1_pnn_of_a_night(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = [800.0, 810, 790, 805, 795], [1000.0, 1100, 900, 1050, 1000, 960]
    few = of_intervals(night_of(6, [0] * 6), [beats(first)])
    assert few == {"night_date": date(2023, 11, 14), "nn_pairs": 4, "pnn20": None, "pnn50": None}
    monkeypatch.setattr(diagnostics, "RMSSD_PAIRS", 4)
    assert of_intervals(night_of(6, [0] * 6), [beats(first)])["pnn20"] == 0.0
    assert of_intervals(night_of(6, [0] * 6), [beats(second)])["pnn50"] == 0.6
    hole = of_intervals(night_of(6, [0] * 6), [beats([*first, np.nan, *second])])
    assert (hole["nn_pairs"], hole["pnn20"], hole["pnn50"]) == (9, 5 / 9, 3 / 9)  # none across the hole


def test_a_night_takes_each_epochs_own_session_worn_and_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "RMSSD_PAIRS", 1)
    quick, slow = beats([500.0] * 120), beats([1000.0, 1100.0] * 28)
    both = of_intervals(night_of(6, [0, 0, 0, 1, 1, 1]), [quick, slow])
    assert both["nn_pairs"] == 58 + 27  # of 59 intervals in the first half minute, and 28 of the other in the second
    assert both["pnn50"] == 27 / 85
    night = night_of(6, [0] * 6)
    night.epochs.wear[:3] = 0
    night.epochs.sleep[4] = 0
    assert of_intervals(night, [quick, slow])["nn_pairs"] == 19 + 19  # epochs 3 and 5


def test_two_tables_more_and_the_others_to_the_bit() -> None:
    plain, diagnosed = Night()(FILES, SOURCE), Diagnosed()(FILES, SOURCE)
    assert diagnosed.verdicts == plain.verdicts
    for name, table in plain.tables.items():
        assert diagnosed.tables[name].equals(table)
    for name, outputs in Diagnosed().outputs.items():
        assert diagnosed.tables[name].schema.equals(outputs.schema)
    told = pl.DataFrame(diagnosed.tables["diagnostics"]).join(pl.DataFrame(plain.tables["epochs"]), on="ts")
    assert told.height == plain.tables["epochs"].num_rows - 2  # the first and the last are not whole
    good = told.filter(pl.col("q_ppg") >= 0.6)
    beats_in_ten = good["hr_bpm"] / 6
    assert (good["zero_crossings"] / beats_in_ten).median() == pytest.approx(2.0, abs=0.2)
    poor = told.filter(pl.col("q_ppg") < 0.3)
    assert good["spectral_share"].median() > poor["spectral_share"].median()  # type: ignore[operator]
    (row,) = diagnosed.tables["diagnostics_nights"].to_pylist()
    assert row["nn_pairs"] > 1000 and 0 < row["pnn50"] < row["pnn20"] < 1


def test_what_is_no_recording_is_rejected_as_ever() -> None:
    files = [RawFile("n.zip", b"hello")]
    assert Diagnosed()(files, SOURCE) == Night()(files, SOURCE)
