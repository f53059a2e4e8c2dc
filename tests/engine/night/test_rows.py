from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from engine.night.epochs import Epochs
from engine.night.features import describe
from engine.night.nights import Session
from engine.night.quality import judge
from engine.night.reasons import BIT
from engine.night.recording import Device
from engine.night.rows import epochs_table, nights_table, vitals_table
from engine.night.tables import OUTPUTS
from tests.engine.night.hand import night, session, source, us

START_US = us("2026-01-10T22:00")


def nights_of(epochs: Epochs, *sessions: Session) -> pa.Table:
    return nights_table([judge(describe(int(epochs.night[0]), epochs, sessions, "full"))], sessions, source())


def _finite(table: pa.Table) -> bool:
    floats = [c for c in table.columns if pa.types.is_floating(c.type)]
    return all(np.isfinite(c.drop_null().to_numpy()).all() for c in floats)


def test_schemas_are_exact_and_nan_is_null() -> None:
    epochs = night(2, START_US, {"hr_bpm": np.nan, "sleep": -1, "reasons": BIT["MOTION"]})
    made = {
        "epochs": epochs_table(epochs, source()),
        "nights": nights_of(epochs, session(START_US, 2)),
        "vitals": vitals_table(epochs, {}, source()),
    }
    for name, table in made.items():
        assert table.schema.equals(OUTPUTS[name].schema, check_metadata=True)
        table.validate(full=True)
        assert _finite(table)
    assert made["epochs"]["hr_bpm"].null_count == 720
    assert made["epochs"]["sleep_state"].null_count == 720
    assert made["epochs"]["wear"].to_pylist() == [1] * 720
    assert set(made["epochs"]["reasons"].to_pylist()) == {BIT["MOTION"]}


def test_states_are_words_and_the_unknown_is_null() -> None:
    states = {"sleep": [0, 1, -1, 1, 0, -1], "quiet": [0, 1, -1, -1, 0, -1], "wear": [0, 1, -1, 1, 1, 1]}
    epochs = night(1 / 60, START_US, {**states, "offset_s": 3600})
    table = epochs_table(epochs, source())
    assert table["sleep_state"].to_pylist() == ["wake", "sleep", None, "sleep", "wake", None]
    assert table["quiet_sleep"].to_pylist() == [0, 1, None, None, 0, None]
    assert table["wear"].to_pylist() == [0, 1, None, 1, 1, 1]
    assert table["utc_offset_min"].to_pylist() == [60] * 6


def test_a_night_row() -> None:
    epochs = night(8, START_US)
    worn = session(START_US, 8, device=Device("Empatica", "E4", "A00001", "3.1"))
    (row,) = nights_of(epochs, worn).to_pylist()
    assert (row["night_date"], row["wake_date"]) == (date(2026, 1, 10), date(2026, 1, 11))
    assert row["start"] == datetime(2026, 1, 10, 22, tzinfo=UTC)
    assert row["end"] == datetime(2026, 1, 11, 6, tzinfo=UTC)
    assert (row["recorded_h"], row["wear_h"], row["cal_id"], row["band"]) == (8.0, 8.0, "identity", "A")
    assert row["spt_onset"] < row["spt_end"]
    assert row["reasons"] == []
    assert (row["device"], row["firmware"]) == ("Empatica E4", "3.1")
    assert [name for name, value in row.items() if value is None] == ["rmssd_floor_ms"]  # made by hand, without PPG
    assert "A00001" not in str(row)


@pytest.mark.parametrize(("device", "told"), [
    (Device("Acme", "Band", "7", " Ver1.2  r3\n"), ("Acme Band", "Ver1.2 r3")),
    (Device("Acme", "Unknown", "7"), ("Acme", None)),
    (Device("unknown", "EDF+D"), (None, None)),
    (Device("Acme", "", None, ""), ("Acme", None)),
    (Device("", "", None, "unknown"), (None, None)),
])  # fmt: skip
def test_what_a_device_does_not_state_is_null(device: Device, told: tuple[str | None, str | None]) -> None:
    (row,) = nights_of(night(2, START_US), session(START_US, 2, device=device)).to_pylist()
    assert (row["device"], row["firmware"]) == told


def test_the_device_is_that_of_the_longest_part() -> None:
    devices = [
        Device("Acme", "Band", "1", "1.0"),
        Device("Acme", "Ring", "2", "2.0"),
        Device("Acme", "Cap", "3", "3.0"),
    ]
    sessions = [session(START_US, 8, device=device) for device in devices]
    which = np.repeat([2, 1, 0], [720, 1440, 720])
    (row,) = nights_of(night(8, START_US, {"session": which}), *sessions).to_pylist()
    assert (row["device"], row["firmware"]) == ("Acme Ring", "2.0")


def test_no_nights_is_an_empty_table() -> None:
    assert nights_table([], (), source()).schema.equals(OUTPUTS["nights"].schema)


@pytest.mark.parametrize(("q_ppg", "q_temp", "worn", "vitals"), [
    (0.6, 0.5, 1, {"hr_bpm", "rmssd_ms", "rr_brpm", "skin_temp_c"}),
    (0.59, 1.0, 1, {"skin_temp_c"}),
    (0.9, 0.0, 1, {"hr_bpm", "rmssd_ms", "rr_brpm"}),
    (0.9, 1.0, 0, set()),
])  # fmt: skip
def test_vitals_take_good_epochs_only(q_ppg: float, q_temp: float, worn: int, vitals: set[str]) -> None:
    epochs = night(2, START_US, {"q_ppg": q_ppg, "q_temp": q_temp, "wear": worn})
    assert set(vitals_table(epochs, {}, source())["vital"].to_pylist()) == vitals


def test_a_vitals_row() -> None:
    received = datetime(2026, 1, 12, tzinfo=UTC)
    sleep = np.where(np.arange(720) < 180, 1, 0)
    table = vitals_table(night(2, START_US, {"sleep": sleep}), {}, source(received_at=received))
    row = table.to_pylist()[0]
    assert row["ts"] == datetime(2026, 1, 10, 22, tzinfo=UTC)
    assert (row["vital"], row["unit"], row["value"], row["n"]) == ("hr_bpm", "bpm", 60.0, 360)
    assert (row["min"], row["max"], row["sd"], row["mean_gap_s"]) == (60.0, 60.0, 0.0, 10.0)
    assert (row["asleep_share"], row["n_sources"], row["arrived_at"]) == (0.5, 1, received)
