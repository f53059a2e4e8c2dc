from __future__ import annotations

import numpy as np
import pytest

from engine.night.epochs import AWAKE
from engine.night.features import describe, measure
from engine.night.reasons import BIT
from tests.engine.night.hand import night, session, us

START_US = us("2026-01-10T22:00")
HOUR = 360


def _describe(columns=None, hours: float = 8, window: str = "full", start_us: int = START_US):  # type: ignore[no-untyped-def]
    epochs = night(hours, start_us, columns)
    return describe(int(epochs.night[0]), epochs, (session(start_us, hours),), window)


def test_a_constant_night() -> None:
    values = _describe().values
    assert values["hr_mean"] == values["hr_median"] == values["hr_min5"] == values["rhr_p10"] == 60.0
    assert values["rmssd_median"] == 40.0
    assert values["ln_rmssd"] == pytest.approx(np.log(40))
    assert values["wst_mean"] == values["wst_p99_stable"] == values["wst_p05"] == 34.0
    assert values["wst_slope_onset"] == pytest.approx(0.0)
    assert values["enmo_mean"] == 2.0
    assert values["still_frac"] == 1.0
    assert values["spt_h"] == pytest.approx(8, abs=0.1)
    assert values["sleep_eff"] == pytest.approx(1.0, abs=0.02)
    assert values["quiet_frac"] > 0.9
    assert values["rr_median"] == values["rr_quiet_median"] == 15.0
    assert values["rr_iqr"] == 0.0
    assert values["hrv_ratio_median"] == 2.0
    assert values["perfusion_median"] == 1.5
    assert values["pulse_amp_median"] == 30.0
    assert None not in values.values()


def test_quiet_sleep_is_still_without_a_turn_and_slow_of_heart() -> None:
    n = 8 * HOUR
    hr, enmo, angle = np.where(np.arange(n) % 2, 58.0, 62.0), np.full(n, 2.0), np.full((n, 2), 10.0)
    hr[1500:1600], enmo[1700:1800] = np.nan, 5.0
    angle[1000:, :] += 20.0
    angle[1060:, :] -= 20.0
    made = _describe({"hr_bpm": hr, "enmo_mg": enmo, "angle5_deg": angle})
    quiet = made.epochs.quiet
    assert set(quiet[1100:1500:2]) == {0} and set(quiet[1101:1501:2]) == {1}  # at most the median of 58 and 62
    assert set(quiet[1001:1059]) == {0}  # ten minutes between two turns
    assert set(quiet[1500:1600]) == {-1} and set(quiet[1700:1800]) == {0}
    assert made.values["quiet_frac"] == (quiet == 1).sum() / (made.epochs.sleep == 1).sum()


def test_quiet_sleep_is_unknown_without_a_median() -> None:
    hr = np.full(8 * HOUR, np.nan)
    hr[100:819] = 55.0
    assert set(_describe({"hr_bpm": hr}).epochs.quiet) == {-1}


def test_a_course_over_the_night() -> None:
    t = np.arange(8 * HOUR) / HOUR
    made = _describe({"hr_bpm": 70 - 5 * t + 5 * np.maximum(t - 6, 0) * 2, "skin_temp_c": 33 + 0.1 * t})
    assert made.values["hr_nadir_rel"] == pytest.approx(6 / 8, abs=0.02)
    assert made.values["hr_min5"] == pytest.approx(40, abs=0.5)
    assert made.values["wst_slope_onset"] == pytest.approx(0.1, rel=1e-6)
    assert made.values["wst_p99_stable"] == pytest.approx(33.8, abs=0.02)


def test_rates_of_a_poor_pulse_do_not_enter() -> None:
    """On a moving or loose wrist a rate is often found that is none."""
    poor = np.arange(8 * HOUR) % 5 < 3
    columns = {"hr_bpm": np.where(poor, 110.0, 60.0), "q_ppg": np.where(poor, 0.3, 0.9)}
    made = _describe(columns).values
    assert made["hr_mean"] == made["hr_median"] == made["hr_min5"] == made["rhr_p10"] == 60.0
    none = _describe({"q_ppg": 0.5})
    assert none.values["hr_mean"] is none.values["quiet_frac"] is None
    assert none.values["rmssd_median"] == 40.0
    assert "PPG_LOW" in none.reasons


@pytest.mark.parametrize(
    ("column", "features", "reason"),
    [
        ("hr_bpm", ("rhr_p10", "hr_mean", "hr_nadir_rel"), "PPG_LOW"),
        ("rmssd_ms", ("rmssd_median", "ln_rmssd"), "IBI_SPARSE"),
        ("sdnn_ms", ("sdnn_median",), "IBI_SPARSE"),
        ("skin_temp_c", ("wst_mean", "wst_p99_stable", "wst_slope_onset"), "TEMP_UNSTABLE"),
        ("enmo_mg", ("enmo_mean", "still_frac", "quiet_frac"), "GAP"),
        ("rr_brpm", ("rr_median", "rr_quiet_median", "rr_iqr"), "RR_UNSURE"),
        ("pulse_amp", ("pulse_amp_median",), "PPG_LOW"),
        ("hrv_ratio", ("hrv_ratio_median",), "IBI_SPARSE"),
        ("perfusion_index_pct", ("perfusion_median",), "PPG_LOW"),
    ],
)
def test_a_null_has_a_reason(column: str, features: tuple[str, ...], reason: str) -> None:
    made = _describe({column: np.nan})
    assert all(made.values[name] is None for name in features)
    assert reason in made.reasons


def test_no_breath_of_a_poor_pulse_is_not_called_unsure() -> None:
    made = _describe({"rr_brpm": np.nan, "q_ppg": 0.5})
    assert made.values["rr_median"] is None
    assert "PPG_LOW" in made.reasons
    assert "RR_UNSURE" not in made.reasons


def test_a_device_without_a_mean_of_light_says_so() -> None:
    made = _describe({"perfusion_index_pct": np.nan, "reasons": BIT["NO_DC"]})
    assert made.values["perfusion_median"] is None
    assert made.reasons == {"NO_DC"}


def test_least_breaths() -> None:
    rr = np.full(8 * HOUR, np.nan)
    rr[300:660] = np.linspace(14, 16, 360)
    values = _describe({"rr_brpm": rr}).values
    assert values["rr_median"] == pytest.approx(15.0)
    assert values["rr_iqr"] == pytest.approx(1.0)
    rr[300 : 300 + 271] = np.nan
    fewer = _describe({"rr_brpm": rr}).values
    assert fewer["rr_median"] is fewer["rr_iqr"] is fewer["rr_quiet_median"] is None


@pytest.mark.parametrize(("share", "feature"), [("ppg", "hr_mean"), ("temp", "wst_mean"), ("acc", "enmo_mean")])
def test_a_lost_channel_is_named(share: str, feature: str) -> None:
    column = {"ppg": "hr_bpm", "temp": "skin_temp_c", "acc": "enmo_mg"}[share]
    made = _describe({share: 0.0, column: np.nan})
    assert made.values[feature] is None
    assert "SIG_MISSING" in made.reasons


@pytest.mark.parametrize(
    ("column", "least", "feature"),
    [
        ("hr_bpm", 720, "hr_mean"),
        ("rmssd_ms", 360, "ln_rmssd"),
        ("sdnn_ms", 180, "sdnn_median"),
        ("hrv_ratio", 180, "hrv_ratio_median"),
        ("rr_brpm", 360, "rr_iqr"),
        ("pulse_amp", 720, "pulse_amp_median"),
        ("perfusion_index_pct", 720, "perfusion_median"),
        ("enmo_mg", 720, "still_frac"),
        ("skin_temp_c", 720, "wst_p05"),
        ("skin_temp_c", 720 + 30, "wst_p99_stable"),  # of whose first and last 15 the change in 5 min is unknown
    ],
)
def test_least_data_are_of_the_quantity(column: str, least: int, feature: str) -> None:
    for n, told in ((least, True), (least - 1, False)):
        values = np.full(8 * HOUR, np.nan)
        values[300 : 300 + n] = 34.0
        assert (_describe({column: values}).values[feature] is not None) == told


def test_the_slope_at_onset_needs_540_of_its_720_epochs() -> None:
    for n, told in ((540, True), (539, False)):
        warm = np.full(8 * HOUR, np.nan)
        warm[100 : 100 + n] = 34.0
        warm[2 * HOUR + 60 :] = 34.0  # later ones do not count
        assert (_describe({"skin_temp_c": warm}).values["wst_slope_onset"] is not None) == told


def test_the_rate_at_rest_is_the_tenth_percentile() -> None:
    hr = np.linspace(70, 50, 8 * HOUR)
    assert _describe({"hr_bpm": hr}).values["rhr_p10"] == pytest.approx(52.0, abs=0.05)


def test_five_mg_are_not_still() -> None:
    enmo = np.where(np.arange(8 * HOUR) % 2, 5.0, 4.999)
    assert _describe({"enmo_mg": enmo}).values["still_frac"] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(("in_five_minutes", "warmest"), [(0.19, 36.0), (0.21, 34.0)])
def test_a_stable_temperature_changes_by_a_fifth_of_a_degree_in_five_minutes(
    in_five_minutes: float, warmest: float
) -> None:
    warm = np.minimum(34.0 + in_five_minutes / 30 * np.maximum(np.arange(8 * HOUR) - 4 * HOUR, 0), 36.0)
    warm[np.flatnonzero(warm == 36.0)[1:]] = np.nan
    assert _describe({"skin_temp_c": warm}).values["wst_p99_stable"] == pytest.approx(warmest, abs=0.25)


def test_the_first_half_hour_of_sleep_is_not_stable() -> None:
    begin = (_describe().sleep.onset_us - START_US) // 10_000_000
    warm = np.where(np.arange(8 * HOUR) < begin + 180, 36.0, 34.0)
    assert _describe({"skin_temp_c": warm}).values["wst_p99_stable"] == 34.0
    warm[: begin + 180 + 60] = 36.0
    assert _describe({"skin_temp_c": warm}).values["wst_p99_stable"] > 35.0


@pytest.mark.parametrize(("epochs", "bouts"), [(30, 1), (29, 0)])
def test_a_bout_awake_lasts_five_minutes(epochs: int, bouts: int) -> None:
    angle = np.full((8 * HOUR, 2), 10.0)
    angle[1000 : 1000 + epochs] = (30.0, -30.0)
    made = _describe({"angle5_deg": angle})
    assert (made.epochs.sleep == AWAKE).sum() == epochs
    assert made.values["n_awake"] == bouts


def test_off_the_wrist_for_most_of_the_night() -> None:
    wear = np.ones(8 * HOUR, np.int8)
    wear[180:] = 0
    made = _describe({"wear": wear, "angle5_deg": np.nan, "acc": 0.0})
    assert made.sleep.method == "none"
    assert made.values == {}
    assert made.reasons == {"NO_SPT"}


def test_awake_bouts_of_five_minutes_count() -> None:
    made = night(8, START_US)
    restless = np.random.default_rng(0).normal(0, 20, (40, 2))
    made.angle5_deg[1000:1040] = restless
    made.angle5_deg[1980:1990] = restless[:10]
    values = describe(int(made.night[0]), made, (session(START_US, 8),), "full").values
    assert values["n_awake"] == 1
    assert values["waso_min"] == pytest.approx(50 / 6, abs=1)
    assert values["tst_h"] + values["waso_min"] / 60 == pytest.approx(values["spt_h"], abs=0.02)


def test_the_ava_window_trims_and_asks_for_four_hours() -> None:
    slept, ts_us = _describe().sleep, START_US + 10_000_000 * np.arange(8 * HOUR)
    inside = (ts_us >= slept.onset_us + 90 * 60_000_000) & (ts_us < slept.end_us - 30 * 60_000_000)
    hr = np.where(inside, 50.0, 100.0)
    assert _describe({"hr_bpm": hr}, window="ava2019").values["hr_mean"] == 50.0
    assert _describe({"hr_bpm": hr}).values["hr_mean"] > 60
    for at in np.flatnonzero(inside)[[0, -1]]:
        one = np.where(np.arange(8 * HOUR) == at, 100.0, hr)
        assert _describe({"hr_bpm": one}, window="ava2019").values["hr_mean"] > 50.0
    short = _describe(hours=5.5, window="ava2019")
    assert short.values["hr_mean"] is None
    assert "SHORT" in short.reasons


def test_a_night_needs_an_hour_of_any_channel() -> None:
    for hours, nights in ((59 / 60, 0), (1, 1)):
        epochs = night(hours, START_US)
        assert len(list(measure(epochs, (session(START_US, hours),), "full"))) == nights


def test_scattered_heart_rate_gives_null_not_an_error() -> None:
    hr = np.full(24 * HOUR, np.nan)
    hr[::4] = 55.0
    made = _describe({"hr_bpm": hr}, hours=24)
    assert made.values["hr_mean"] is None
    assert "PPG_LOW" in made.reasons
