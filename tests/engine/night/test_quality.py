from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.night.features import describe
from engine.night.quality import WEIGHTS, band_of, coverage, judge, night_score, score_basis, shares
from engine.night.recording import Device
from tests.engine.night.hand import channel, night, recording, session, us

START_US = us("2026-01-10T22:00")
HOUR = 360
ALL = tuple(WEIGHTS)


def _night(columns=None, hours: float = 8, **changes):  # type: ignore[no-untyped-def]
    epochs = night(hours, START_US, columns)
    return describe(int(epochs.night[0]), epochs, (session(START_US, hours, **changes),), "full")


def _values(valid_h, wear, ppg, ibi, temp, acc):  # type: ignore[no-untyped-def]
    return dict(zip(ALL, (valid_h, wear, ppg, ibi, temp, acc), strict=True))


@pytest.mark.parametrize(
    ("values", "gap_min", "score", "band"),
    [
        (_values(6.5, 0.95, 0.80, 0.70, 0.95, 1.0), 12, 91.5, "A"),
        (_values(4.2, 0.80, 0.55, 0.40, 0.90, 0.95), 75, 60.5, "B"),
    ],
)
def test_known_answers_f3(values, gap_min: float, score: float, band: str) -> None:  # type: ignore[no-untyped-def]
    made = night_score(values, gap_min, 0, ALL)
    assert made == pytest.approx(score, rel=1e-9)
    assert band_of(made, values["valid_h"], values["wear_frac"]) == band


def test_clock_codes_cost_ten_each_and_the_floor_is_zero() -> None:
    values = _values(6.5, 0.95, 0.80, 0.70, 0.95, 1.0)
    assert night_score(values, 12, 2, ALL) == pytest.approx(71.5)
    assert night_score(_values(0, 0, 0, 0, 0, 0), 90, 1, ALL) == 0.0


@pytest.mark.parametrize(
    ("score", "valid_h", "wear", "band"),
    [(80, 5, 0.9, "A"), (80, 4.9, 0.9, "B"), (80, 5, 0.89, "B"), (60, 4, 0.75, "B"), (60, 4, 0.74, "C"),
     (59.9, 6, 1, "C"), (40, 2, 0, "C"), (39.9, 6, 1, "D"), (90, 1.9, 1, "D")],
)  # fmt: skip
def test_band_edges(score: float, valid_h: float, wear: float, band: str) -> None:
    assert band_of(score, valid_h, wear) == band


def test_a_good_night_is_an_a_without_reasons() -> None:
    made = judge(_night())
    assert (made.band, made.reasons) == ("A", ())
    assert made.values["coverage_hr"] == made.values["wear_frac"] == made.values["acc_cov"] == 1.0
    assert made.basis == ALL


def test_valid_hours_are_those_of_a_good_pulse() -> None:
    half = np.where(np.arange(8 * HOUR) % 2 == 0, 0.3, 0.9)
    values = judge(_night({"q_ppg": half})).values
    assert values["valid_h"] == pytest.approx(4.0, abs=0.1)
    assert values["coverage_hr"] == pytest.approx(0.5, abs=0.01)


def test_a_night_without_sleep_and_wear_says_so() -> None:
    made = judge(_night({"wear": 0}))
    assert made.band == "D"
    assert made.reasons == ("NONWEAR", "NO_SPT")
    assert judge(_night(hours=2)).reasons == ("NO_SPT",)
    assert judge(_night({"wear": -1}, hours=2)).reasons == ("NO_SPT",)


def test_a_channel_that_the_model_lacks_drops_out() -> None:
    made = judge(_night(expected=("acc_x", "acc_y", "acc_z", "bvp")))
    assert "temp_cov" not in made.basis
    full = judge(_night({"q_temp": 0.0}))
    assert "temp_cov" in full.basis
    assert full.score is not None
    assert made.score is not None
    assert full.score == pytest.approx(made.score * 0.9, rel=1e-6)
    lacking = session(START_US, 1, expected=("skin_temp",))
    assert score_basis((lacking,)) == ("wear_frac", "temp_cov")


def test_where_no_device_has_a_pulse_the_hours_worn_count_for_the_band() -> None:
    axes = ("acc_x", "acc_y", "acc_z", "skin_temp")
    lost = {"hr_bpm": np.nan, "ppg": 0.0, "q_ppg": 0.0, "q_ibi": 0.0}
    assert judge(_night(lost, expected=axes)).band == "A"
    assert judge(_night(lost)).band == "D"
    assert judge(_night(lost | {"wear": 0}, expected=axes)).band == "D"


def test_without_a_sleep_period_shares_are_of_the_recorded_time() -> None:
    made = judge(_night({"angle5_deg": np.random.default_rng(0).normal(0, 20, (8 * HOUR, 2))}))
    assert made.score is None
    assert (made.band, made.reasons) == ("D", ("NO_SPT",))
    assert made.values["coverage_hr"] == 1.0
    assert made.values.get("hr_mean") is None


def test_a_session_is_at_most_a_c() -> None:
    made = judge(_night({"angle5_deg": np.nan, "acc": 0.0, "q_acc": 0.0, "enmo_mg": np.nan}))
    assert made.night.sleep.method == "session"
    assert made.band == "C"
    assert "SIG_MISSING" in made.reasons


def test_every_rejected_night_says_why() -> None:
    for columns in (
        {"hr_bpm": np.nan, "ppg": 0.0, "q_ppg": 0.0, "q_ibi": 0.0},
        {"hr_bpm": np.nan, "q_ppg": 0.0, "q_ibi": 0.0},
    ):
        made = judge(_night(columns))
        assert made.band == "D"
        assert made.reasons


def test_reading_codes_and_the_clock_reach_the_night() -> None:
    made = judge(_night(codes={"CLK_RESET": 3, "ROW_BAD": 1}))
    assert made.values["clk_flags"] == 1
    assert made.reasons == ("ROW_BAD", "CLK_RESET")
    assert made.score == pytest.approx(judge(_night()).score - 10)  # type: ignore[operator]


def test_zones_and_devices_of_several_sessions() -> None:
    one = _night()
    other = session(START_US, 8, zone="Asia/Tokyo", device=Device("Empatica", "E4", "B"), sha256="1" * 64)
    first = session(START_US, 8, device=Device("Empatica", "E4", "A"))
    assert judge(replace(one, sessions=(first, other))).reasons == ("MULTI_SRC", "TZ_CHANGE")
    moved = replace(one.epochs, offset_s=np.where(np.arange(8 * HOUR) < 900, 3600, 7200))
    assert judge(replace(one, epochs=moved)).reasons == ("DST",)


def test_the_longest_gap_counts() -> None:
    recorded = np.ones(8 * HOUR, bool)
    recorded[1000:1400] = False
    one = _night()
    made = judge(replace(one, epochs=replace(one.epochs, recorded=recorded)))
    assert made.values["longest_gap_min"] == pytest.approx(400 / 6)
    assert "GAP" not in made.reasons
    assert made.score == pytest.approx(judge(one).score - 10)  # type: ignore[operator]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8 * HOUR - 1), st.integers(1, 400)), max_size=6), st.integers(0, 2**31))
def test_masking_never_raises_a_share_or_the_score(cuts: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 8 * HOUR
    poor = {"q_ppg": rng.random(n), "q_ibi": rng.random(n), "q_acc": rng.random(n), "wear": rng.random(n) < 0.9,
            "hr_bpm": np.where(rng.random(n) < 0.8, 60.0, np.nan)}  # fmt: skip
    whole = _night(poor | {"wear": np.where(poor["wear"], 1, 0)})
    masked = whole.epochs
    for start, length in cuts:
        gone = np.zeros(n, bool)
        gone[start : start + length] = True
        blanked = {name: np.where(gone, np.nan, getattr(masked, name)) for name in ("hr_bpm", "enmo_mg", "skin_temp_c")}
        zeroed = {name: np.where(gone, 0.0, getattr(masked, name)) for name in ("q_ppg", "q_ibi", "q_temp", "q_acc")}
        masked = replace(masked, **blanked, **zeroed, wear=np.where(gone, 0, masked.wear).astype(np.int8))
    cut = replace(whole, epochs=masked)
    before, after = judge(whole), judge(cut)
    assert all(after.values[k] <= before.values[k] for k in (*coverage(masked, whole.within), *WEIGHTS))  # type: ignore[operator]
    if before.score is not None:
        assert after.score is not None
        assert after.score <= before.score
    assert set(shares(cut)) == set(shares(whole))


@pytest.mark.parametrize(("gap_min", "score"), [(60.0, 91.5), (60.01, 81.5)])
def test_a_gap_of_more_than_an_hour_costs_ten(gap_min: float, score: float) -> None:
    assert night_score(_values(6.5, 0.95, 0.80, 0.70, 0.95, 1.0), gap_min, 0, ALL) == pytest.approx(score, rel=1e-9)


@pytest.mark.parametrize(("still", "told"), [(10, True), (9, False)])
def test_the_calibration_error_needs_ten_still_windows(still: int, told: bool) -> None:
    error = np.full(8 * HOUR, np.nan)
    error[500 : 500 + still] = 3.0
    assert judge(_night({"cal_error_mg": error})).values["cal_error_mg"] == (3.0 if told else None)


@pytest.mark.parametrize(("error_mg", "told"), [(9.9, False), (10.1, True)])
def test_an_accelerometer_ten_mg_off_is_said_where_the_night_is_no_a(error_mg: float, told: bool) -> None:
    made = judge(_night({"cal_error_mg": error_mg, "q_temp": 0.0, "q_ppg": 0.5}))
    assert made.band != "A"
    assert ("ACC_UNCAL" in made.reasons) == told


@pytest.mark.parametrize(("rates_hz", "floor_ms"), [((64.0,), 11.0485), ((64.0, 25.0), 28.2843), ((), None)])
def test_the_floor_of_rmssd_is_of_the_slowest_pulse(rates_hz: tuple[float, ...], floor_ms: float | None) -> None:
    """DOMAIN C5: a quantum q adds q / √2."""
    pulses = [channel("bvp", (START_US, fs_hz, [0] * round(fs_hz))) for fs_hz in rates_hz]
    whole = session(START_US, 8)
    more = [replace(whole, recording=recording([pulse])) for pulse in pulses]
    made = shares(replace(_night(), sessions=(whole, *more)))["rmssd_floor_ms"]
    assert made == (None if floor_ms is None else pytest.approx(floor_ms, abs=1e-4))
