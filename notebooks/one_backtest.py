# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One backtest, from series to answer
#
# Two compiled models, three training windows and three refit frequencies over a fortnight of a few people's heart rate,
# in this process, with the very functions that `nightmill backtest` calls. To look at a backtest of your own, set
# `output` to its folder and begin at *Who leads*.

# %%
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]) if "__file__" in globals() else "..")

import matplotlib.pyplot as plt
import numpy as np
import polars as pl

from configs.backtest import BacktestSettings
from engine.events import ignore
from engine.results.open import scan
from engine.storage import Store
from jobs import backtest_report
from jobs.backtest_run import carry_out
from jobs.sweep import prepare

PLOTS = os.environ.get("NIGHTMILL_PLOTS")


def keep(figure: plt.Figure, name: str) -> None:
    """A plot is kept where it is asked for."""
    if PLOTS:
        figure.savefig(Path(PLOTS) / name, dpi=80)


# %% [markdown]
# ## Series
#
# A long table is enough: `subject_id, vital, ts, value`. Hours are missing here as they are in life. No forecast sees
# what comes after its origin.

# %%
folder = Path(tempfile.mkdtemp())
random = np.random.default_rng(1)
frames = []
for user in range(4):
    hours = np.arange(24 * 17)
    rhythm = 62 + 9 * np.sin((hours - 9 + user) / 24 * 2 * np.pi) + np.cumsum(random.normal(0, 0.15, hours.size))
    kept = random.random(hours.size) < 0.93
    ts = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=int(hour)) for hour in hours[kept]]
    value = (rhythm + random.normal(0, 1.5, hours.size))[kept]
    frames.append(pl.DataFrame({"subject_id": f"P{user}", "vital": "hr_bpm", "ts": ts, "value": value}))
pl.concat(frames).write_parquet(folder / "hr.parquet")

# %% [markdown]
# ## Plan
#
# Refits lie on the wall clock, so configurations share fits: each distinct one is made once.

# %%
settings = BacktestSettings(
    series=[{"uri": str(folder / "hr.parquet")}],
    output=str(folder / "out"),
    models=["seasonal_naive", "auto_theta"],
    windows_h=[72, 168, 240],
    refits_h=[1, 6, 24],
    evaluate_h=96,
    cluster="in-process",
    serving={"ensembles": [{"name": "median"}]},
)
study = prepare(settings)
print(study.sweep.models.select("model", "configurations", "fits", "separate_fits", "rows"))
print(f"each configuration by itself would fit {study.sweep.sharing:.2f} times as often")

# %% [markdown]
# ## Fit, serve, score

# %%
served = carry_out(study, ignore)
output = Store(str(folder / "out"))

# %% [markdown]
# ## Who leads
#
# By MASE on the origins that all configurations have. `as_good`: not shown to be worse than the best, after correction
# for the number of configurations that were compared.

# %%
board = backtest_report.make(output, served.serve_id, served.fits_id).found.board
columns = ["model", "window_h", "refit_h", "mase_charged", "skill", "covered", "cpu_s", "best", "as_good"]
print(board.frame.select(columns).head(8))

# %% [markdown]
# ## How far ahead, and how long after a fit

# %%
scores = scan(output, "scores").filter(pl.col("window_h") == 168).collect()
figure, (by_step, by_age) = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
for model, rows in scores.filter(pl.col("refit_h") == 24).sort("step").group_by("model", maintain_order=True):
    steps = rows.group_by("step", maintain_order=True).agg((pl.col("mae") * pl.col("n")).sum() / pl.col("n").sum())
    by_step.plot(steps["step"], steps["mae"], label=model[0])
    ages = rows.filter(pl.col("step") == 1).sort("age_h")
    by_age.plot(ages["age_h"], ages["mae"], label=model[0])
by_step.set(xlabel="hours ahead", ylabel="MAE, bpm", title="window 168 h, refit daily")
by_age.set(xlabel="hours since the fit", title="one hour ahead")
by_step.legend(loc="center left")
keep(figure, "curves.png")

# %% [markdown]
# ## One origin
#
# What was forecast, how sure, and what came.

# %%
wanted = (pl.col("window_h") == 168) & (pl.col("refit_h") == 24) & (pl.col("subject_id") == "P0")
rows = scan(output, "forecasts").filter(wanted & (pl.col("model") == "auto_theta")).collect()
origin = rows["origin"].unique().sort()[40]
one = rows.filter(pl.col("origin") == origin).sort("step")
figure, axis = plt.subplots(figsize=(11, 3), layout="constrained")
axis.fill_between(one["ts"], one["q10"], one["q90"], alpha=0.25, label="10 % to 90 %")
axis.plot(one["ts"], one["yhat"], label="forecast")
axis.plot(one["ts"], one["y"], "k.", label="came")
axis.set(ylabel="bpm", title=f"{one['age_h'][0]} h after its fit")
axis.legend()
keep(figure, "origin.png")

# %% [markdown]
# ## What every fit cost, and what became of it

# %%
fits = scan(output, "fits").collect()
print(fits.group_by("model", "status").agg(fits=pl.len(), cpu_ms=1000 * pl.col("cpu_s").mean()).sort("model"))
print("every attempted fit is a row with a status:", fits["status"].null_count() == 0)
