"""Each known fault of statsforecast 2.1.1 (BACKTEST §4, same numbers): it is still there, and ours is not caught by it.

A test whose first half fails tells that the library was mended: then look at whether the guard is still wanted.
"""

from __future__ import annotations

import ast
import inspect
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.backtest.contract import Floats
from engine.backtest.models.arima import Arima
from engine.backtest.models.ets import ETS
from engine.backtest.models.mfles import Mfles
from engine.backtest.models.stl_naive import STLNaive
from engine.backtest.models.tbats import Tbats
from engine.backtest.models.theta import Theta
from engine.backtest.tables import ATTEMPTS, FITS, FORECASTS
from tests.engine.backtest.models.agreement import daily
from tests.engine.backtest.models.promises import NONE, NOW

ROOT = Path(__file__).resolve().parents[4]
ADAPTERS = ROOT / "engine" / "backtest"


def frame(y: Floats, hours: Any = None) -> pd.DataFrame:
    ds = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(y.size) if hours is None else hours, unit="h")
    return pd.DataFrame({"unique_id": "a", "ds": ds, "y": y})


def names_used() -> set[str]:
    """All names, attributes and keywords in the code of backtesting."""
    found: set[str] = set()
    for path in ADAPTERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
            elif isinstance(node, ast.ImportFrom | ast.Import):
                found.update(alias.name for alias in node.names)
                found.update((getattr(node, "module", None) or "").split("."))
    return found


def test_1_rolling_windows_replay_the_first_seasonal_state() -> None:
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS

    rng = np.random.default_rng(0)
    y = 70 + 8 * np.sin(2 * np.pi * np.arange(144) / 24) + rng.normal(0, 1, 144)
    model = AutoETS(24, model="ANA")
    options: dict[str, Any] = {"h": 1, "step_size": 1, "n_windows": 24, "input_size": 96}
    rows = StatsForecast([model], freq="h").cross_validation(df=frame(y), refit=24, **options)
    theirs = np.abs(rows["y"] - rows["AutoETS"]).to_numpy()
    params = ETS("ANA").fit(y[24:120], "", None, 200).params
    ours = np.abs(y[120:] - ETS("ANA").predict(params, y[120:], np.arange(24), 1).mean[:, 0])
    assert theirs[1:].mean() > 3 * theirs[0] + 3 and theirs.mean() > 4.0
    assert ours.mean() < 1.5 and ours[12:].mean() < 1.6


@pytest.mark.parametrize("d", [0, 1])
def test_2_conditional_sums_of_squares_forecast_a_constant(d: int) -> None:
    from statsforecast.models import ARIMA

    y = daily(72)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the optimiser; of the forecast nothing is said
        theirs = ARIMA((2, d, 1), method="CSS").fit(y).predict(24)["mean"]
    assert np.ptp(theirs) == 0.0 and (d == 0 or theirs[0] == 0.0)
    model = Arima(f"(2,{d},1)" + "c" * (d == 0))
    ours = model.predict(model.fit(y, "", None, 200).params, NONE, NOW, 24).mean[0]
    assert np.ptp(ours) > 0.5 and abs(ours[0] - y[-1]) < 8.0


def test_3_options_are_dropped_and_a_default_is_shared() -> None:
    from statsforecast.models import MSTL, AutoARIMA
    from statsforecast.theta import forward_theta

    assert MSTL(24).trend_forecaster is MSTL(24).trend_forecaster
    assert "decomposition_type" not in inspect.getsource(forward_theta)
    assert "distribution" in inspect.getsource(AutoARIMA.fit)
    assert "distribution" not in inspect.getsource(AutoARIMA.forecast)
    y = daily(200)
    for model in (Theta(), STLNaive()):  # ours: frozen, without mutable parts, its options among the parameters
        params = model.fit(y[:168], "", None, 200).params
        before = model.predict(params, y[168:], np.array([0, 20]), 24).mean
        model.fit(y[:100], "", None, 200)
        np.testing.assert_array_equal(model.predict(params, y[168:], np.array([0, 20]), 24).mean, before)


def test_4_tbats_drops_what_stands_before_a_missing_value() -> None:
    from statsforecast.models import MFLES, TBATS, AutoTBATS

    y = daily(96)
    y[40] = np.nan
    fitted = TBATS(24, use_boxcox=False, use_trend=False).fit(y).model_
    assert fitted["errors"].size == 55
    assert not any(hasattr(model, "forward") for model in (TBATS, AutoTBATS, MFLES))
    gapless = daily(120)
    model = Tbats(harmonics=2)
    params = model.fit(gapless[:96], "", None, 200).params
    paths = model.predict(params, gapless[96:], np.array([0, 24]), 24).mean
    assert model.updates and not np.array_equal(paths[0], paths[1]) and not Mfles().updates


def test_5_missing_rows_are_taken_for_adjacent() -> None:
    from statsforecast import StatsForecast
    from statsforecast.models import SeasonalNaive

    from engine.backtest.series.asof import know

    hours = np.delete(np.arange(120), slice(60, 72))
    truth = 70 + 8 * np.sin(2 * np.pi * np.arange(144) / 24)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # not even a warning
        rows = StatsForecast([SeasonalNaive(24)], freq="h").cross_validation(
            df=frame(truth[hours], hours), h=24, n_windows=1, step_size=1, input_size=60
        )
    assert (rows["ds"].iloc[-1] - rows["cutoff"].iloc[0]) == pd.Timedelta(24, "h")
    gapped = StatsForecast([SeasonalNaive(24)], freq="h").cross_validation(
        df=frame(truth[hours][:84], hours[:84]), h=24, n_windows=1, step_size=1
    )
    span = gapped["ds"].iloc[-1] - gapped["cutoff"].iloc[0]
    assert span == pd.Timedelta(36, "h")  # an h=24 forecast that covers 36 hours
    assert np.abs(gapped["y"] - gapped["SeasonalNaive"]).max() > 8.0
    holes = truth[:120].copy()
    holes[60:72] = np.nan
    view = know("hr_bpm", 0, holes).view(120)
    assert view is not None and view.values.size == 120 and np.isfinite(view.values).all()


def test_6_a_fallback_stands_under_the_failed_models_name() -> None:
    from statsforecast import StatsForecast
    from statsforecast.models import Naive, SeasonalNaive

    class Broken(SeasonalNaive):
        def forecast(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("no fit")

    broken = Broken(24, alias="Broken")
    rows = StatsForecast([broken], freq="h", fallback_model=Naive()).forecast(df=frame(daily(48)), h=3)
    assert list(rows.columns) == ["unique_id", "ds", "Broken"] and rows["Broken"].notna().all()
    with pytest.raises(RuntimeError, match="no fit"):  # and without one the run is lost
        StatsForecast([broken], freq="h").forecast(df=frame(daily(48)), h=3)
    assert not names_used() & {"fallback_model", "cross_validation", "StatsForecast"}
    assert {"status", "error_class", "error_message"} <= set(FITS.schema.names)
    assert {"served_by", "fit_id"} <= set(FORECASTS.schema.names)


def test_7_conformal_intervals_refit_in_every_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    from statsforecast import models
    from statsforecast.utils import ConformalIntervals

    fits = []
    fit = models.auto_ces
    monkeypatch.setattr(models, "auto_ces", lambda *args, **kwargs: fits.append(1) or fit(*args, **kwargs))
    model = models.AutoCES(24, model="N", prediction_intervals=ConformalIntervals(h=6, n_windows=3))
    model.fit(daily(72))
    once = len(fits)
    model.forward(daily(73), 6, level=[80])
    assert once == 4 and len(fits) - once == 3  # one, and three to calibrate; then three again
    assert not names_used() & {"ConformalIntervals", "prediction_intervals"}


def test_8_distributed_output_is_single_precision() -> None:
    import statsforecast.distributed.fugue as fugue

    assert "np.float32" in inspect.getsource(fugue)
    assert "fugue" not in names_used()
    for table in (ATTEMPTS, FORECASTS, FITS):
        assert not any(pa.types.is_float32(field.type) for field in table.schema)
    model = Arima("(1,0,0)c")
    assert model.predict(model.fit(daily(60), "", None, 50).params, NONE, NOW, 2).mean.dtype == np.float64


def test_9_the_librarys_ets_stops_far_from_its_least_squares() -> None:
    from statsforecast.models import AutoETS

    worse = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        y = np.tile(70 + rng.normal(0, 15, 24), 3) + np.cumsum(rng.normal(0, 0.5, 72)) + rng.normal(0, 1, 72)
        fitted = AutoETS(24, model="ANA").fit(y).model_
        assert fitted["fit"].nit == 1001  # always: its bound
        unknown = 24 + 3
        ours = ETS("ANA").fit(y, "", None, 400).params["variance"] * (y.size - unknown)
        worse.append(float(np.sum(np.square(fitted["residuals"])) / ours))
    assert np.median(worse) > 1.5, worse


@pytest.mark.parametrize("gap", [False, True])
def test_10_coefficients_are_zero_without_a_word(gap: bool) -> None:
    from statsforecast.models import ARIMA

    y = daily(120)
    holes = y.copy()
    if gap:
        holes[40:50] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = ARIMA((1, 0, 1), seasonal_order=(0, 1, 1), season_length=24, method=None if gap else "ML").fit(holes)
    assert all(value == 0.0 for value in fitted.model_["coef"].values())
    ours = Arima().fit(y, "", None, 200).params
    assert all(abs(ours[name][0]) > 0.01 for name in ("ar", "ma", "sma"))


def test_11_the_librarys_import_is_paid_by_who_needs_it() -> None:
    """The import takes seconds; every model of ours is loaded without it, and forecasts without it."""
    code = (
        "import sys; from engine.backtest.models.registry import BUILT_IN, load_model; "
        "[load_model(name, {}) for name in BUILT_IN]; "
        "print(any(m.split('.')[0] in ('statsforecast', 'sklearn', 'statsmodels', 'pandas') for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"


def test_12_an_alarm_stops_a_fit_in_the_main_thread_only() -> None:
    """Elsewhere, as in a worker's task, only the death of its process does: see tests/engine/test_guard.py."""
    refused: list[str] = []

    def work() -> None:
        try:
            signal.signal(signal.SIGALRM, lambda *_: None)
        except ValueError as error:
            refused.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert refused and "main thread" in refused[0]
