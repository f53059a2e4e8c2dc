from __future__ import annotations

import pickle
import zipfile
from dataclasses import replace
from datetime import date
from io import BytesIO

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from engine.module import Module, Outcome, RawFile, Source, Status
from engine.night.night import Night
from engine.night.stream import LATENCY_S
from engine.night.tables import OUTPUTS
from engine.simulate import dirt, e4, nights

HOURS = 4.0
ZONE = "Europe/Zurich"


def _call(files: dict[str, bytes], zone: str | None = ZONE, module: Night | None = None, **changes) -> Outcome:  # type: ignore[no-untyped-def]
    source = replace(Source("s", tuple(files), "P01", zone=zone), **changes)
    return (module or Night())([RawFile(name, data) for name, data in files.items()], source)


def _frame(outcome: Outcome, table: str) -> pl.DataFrame:
    made = pl.from_arrow(outcome.tables[table])
    assert isinstance(made, pl.DataFrame)
    return made


@pytest.fixture(scope="module")
def made() -> nights.Night:
    return nights.draw(seed=7, night_date=date(2026, 3, 28), hours=HOURS)


@pytest.fixture(scope="module")
def data(made: nights.Night) -> bytes:
    return made.zip()


@pytest.fixture(scope="module")
def whole(data: bytes) -> Outcome:
    return _call({"n.zip": data})


def test_it_is_a_module_and_a_value() -> None:
    module = Night()
    assert isinstance(module, Module)
    assert module == pickle.loads(pickle.dumps(module))
    assert set(module.outputs) == {"epochs", "nights", "vitals", "still_windows"}
    for bad in ({"max_unpacked_mb": 0}, {"analysis_window": "none"}):
        with pytest.raises(ValueError, match="must be"):
            Night(**bad)  # type: ignore[arg-type]


def test_a_generated_night_against_its_truth(made: nights.Night, whole: Outcome) -> None:
    assert [(v.file, v.status) for v in whole.verdicts] == [("n.zip", Status.OK)]
    for name, table in whole.tables.items():
        assert table.schema.equals(Night().outputs[name].schema, check_metadata=True)
        table.validate(full=True)
    epochs = _frame(whole, "epochs").join(made.truth.epochs, on="ts", suffix="_true")
    assert (epochs["hr_bpm"] - epochs["hr_bpm_true"]).abs().median() < 0.5  # type: ignore[operator]
    assert (epochs["skin_temp_c"] - epochs["skin_temp_c_true"]).abs().max() < 0.1  # type: ignore[operator]
    night = _frame(whole, "nights").row(0, named=True)
    assert night["night_date"] == date(2026, 3, 28)
    assert abs(night["spt_onset"].timestamp() * 1e6 - made.truth.spt_onset_us) < 20 * 60e6
    assert "DST" in night["reasons"]
    assert set(_frame(whole, "epochs")["utc_offset_min"].to_list()) == {60, 120}


def test_the_stages_are_the_call(data: bytes, whole: Outcome) -> None:
    module, source = Night(), Source("s", ("n.zip",), "P01", zone=ZONE)
    parsed = module.parse([RawFile("n.zip", data)], source)
    filtered = module.filter(module.split(parsed, source))
    judged = [module.quality(one) for one in module.features(filtered)]
    assert judged[0].values["spt_h"] == _frame(whole, "nights")["spt_h"][0]
    assert len(filtered.epochs) == whole.tables["epochs"].num_rows


def test_twice_the_same(data: bytes, whole: Outcome) -> None:
    again = _call({"n.zip": data})
    assert again.verdicts == whole.verdicts
    assert all(again.tables[name].equals(table) for name, table in whole.tables.items())


def test_a_byte_identical_file_adds_nothing(data: bytes, whole: Outcome) -> None:
    both = _call({"n.zip": data, "copy.zip": data})
    assert {v.file: (v.status, "T_DUP" in v.reasons) for v in both.verdicts} == {
        "n.zip": (Status.OK, False), "copy.zip": (Status.OK, True)}  # fmt: skip
    assert all(both.tables[name].equals(table) for name, table in whole.tables.items())


def test_two_uploads_merge_in_any_order(made: nights.Night, data: bytes, whole: Outcome) -> None:
    half = made.session.between(0, made.session.duration_s // 2)
    part = e4.pack(e4.members(half), half.start_s)
    one, other = _call({"n.zip": data, "p.zip": part}), _call({"p.zip": part, "n.zip": data})
    assert all(one.tables[name].equals(table) for name, table in other.tables.items())
    assert _frame(one, "epochs")["ts"].is_unique().all()
    assert one.tables["epochs"].num_rows == whole.tables["epochs"].num_rows
    assert "MULTI_SRC" in _frame(one, "nights")["reasons"][0]


def test_a_restart_is_one_night_of_two_sessions(made: nights.Night) -> None:
    cut = made.session.duration_s // 2
    parts = [made.session.between(0, cut), made.session.between(cut + 180, made.session.duration_s)]
    outcome = _call({f"{i}.zip": e4.pack(e4.members(p), p.start_s) for i, p in enumerate(parts)})
    night = _frame(outcome, "nights").row(0, named=True)
    assert night["n_reboots"] == 1
    assert "REBOOT" in night["reasons"]
    assert 2.0 < night["longest_gap_min"] <= 3.0
    assert len(outcome.verdicts) == 2


def test_an_unknown_zone_is_utc_and_said(data: bytes) -> None:
    outcome = _call({"n.zip": data}, zone=None)
    assert "TZ_UNKNOWN" in outcome.verdicts[0].reasons
    assert set(_frame(outcome, "epochs")["utc_offset_min"].to_list()) == {0}


def test_a_night_date_moves_with_the_zone_and_nothing_else_does(data: bytes, whole: Outcome) -> None:
    tokyo = _call({"n.zip": data}, zone="Asia/Tokyo")
    local = ("night_date", "utc_offset_min", "sleep_state", "quiet_sleep", "reasons")
    same = [c for c in OUTPUTS["epochs"].schema.names if c not in local]
    assert _frame(tokyo, "epochs").select(same).equals(_frame(whole, "epochs").select(same))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 50, b"\0" * 1000, b"PAR1" * 4])
def test_garbage_is_rejected_in_a_sentence(content: bytes) -> None:
    outcome = _call({"x.zip": content})
    (verdict,) = outcome.verdicts
    assert (verdict.file, verdict.status) == ("x.zip", Status.REJECTED)
    assert verdict.reasons
    assert verdict.message
    assert outcome.tables == {}


def test_a_bad_neighbour_takes_nothing_along(data: bytes, whole: Outcome) -> None:
    outcome = _call({"bad.zip": b"hello", "n.zip": data})
    assert {v.file: v.status for v in outcome.verdicts} == {"bad.zip": Status.REJECTED, "n.zip": Status.OK}
    assert all(outcome.tables[name].equals(table) for name, table in whole.tables.items())


def test_a_small_limit_refuses_the_file(data: bytes) -> None:
    (verdict,) = _call({"n.zip": data}, module=Night(max_unpacked_mb=1)).verdicts
    assert verdict.reasons == ("ZIP_UNSAFE",)


@pytest.mark.parametrize("kind", sorted(dirt.SPOILING))
def test_dirt_never_raises_and_has_a_reason(made: nights.Night, kind: str) -> None:
    content = e4.members(made.session.between(0, 600))
    spoiled = dirt.spoil(content, kind)
    outcome = _call({"n.zip": e4.pack(spoiled, made.session.start_s)})
    assert [v.status for v in outcome.verdicts] == [Status.PARTIAL]
    for table in outcome.tables.values():
        assert not any(pa.types.is_floating(c.type) and np.isnan(c.drop_null().to_numpy()).any() for c in table.columns)


def _support_us(column: str) -> int:
    """How far beyond its epoch's start a column looks (KAT A8)."""
    return round((10 + LATENCY_S.get(column, 0.0)) * 1e6)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_known_answer_a8_truncation(made: nights.Night, share: float) -> None:
    """All members cut at the same moment, as a device that stops: what lies before the cut's reach stays the same."""
    whole, cut_s = made.session, max(round(made.session.duration_s * share), 60)
    cut = whole.between(0, cut_s)
    before, after = (_frame(_call({"n.zip": e4.pack(e4.members(s), s.start_s)}), "epochs") for s in (whole, cut))
    late = ("wear", "skin_temp_c", "sleep_state", "quiet_sleep", "q_temp", "reasons")
    end_us = (cut.start_s + cut_s) * 1_000_000
    joined = after.join(before, on="ts", suffix="_whole", how="left")
    assert joined.height == after.height
    for name in before.columns:
        if name in (*late, "ts"):
            continue
        inside = joined.filter(pl.col("ts").cast(pl.Int64) + _support_us(name) <= end_us)
        assert inside[name].equals(inside[f"{name}_whole"].alias(name), null_equal=True), name


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_known_answer_a8_broken_bytes(data: bytes, share: float) -> None:
    """Cut or flipped anywhere, the call returns, twice the same."""
    at = min(round(len(data) * share), len(data) - 1)
    flipped = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
    for broken in (data[:at], flipped):
        outcome = _call({"n.zip": broken})
        assert len(outcome.verdicts) == 1
        assert outcome.verdicts == _call({"n.zip": broken}).verdicts


def test_known_answer_a8_every_member_boundary(made: nights.Night) -> None:
    small = e4.pack(e4.members(made.session.between(0, 900)), made.session.start_s)
    with zipfile.ZipFile(BytesIO(small)) as archive:
        starts = [info.header_offset for info in archive.infolist()]
    for at in starts:
        (verdict,) = _call({"n.zip": small[:at]}).verdicts
        assert verdict.status in (Status.PARTIAL, Status.REJECTED)
        assert verdict.reasons
