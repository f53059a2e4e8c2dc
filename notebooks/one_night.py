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
# # One night, stage by stage
#
# This notebook takes a single night through the very object that production and every bulk run call:
# `engine.night.night.Night`. Each stage is one of its methods, and calling the object is their composition:
#
#     parse → split → filter → features → quality
#
# The night is generated, so that the truth behind every plot is known. To look at a night of your own, replace
# `files` and `source` below and leave out what compares with `truth`.

# %%
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]) if "__file__" in globals() else "..")

import matplotlib.pyplot as plt
import numpy as np
import polars as pl

from engine.module import RawFile, Source
from engine.night.diagnostics import Diagnosed
from engine.night.night import Night
from engine.simulate import nights

PLOTS = os.environ.get("NIGHTMILL_PLOTS")
INK, QUIET, WARM, COOL = "#1f2933", "#b8c2cc", "#d1495b", "#2e86ab"
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": QUIET})
plt.rcParams.update({"text.color": INK, "axes.labelcolor": INK, "axes.titlelocation": "left", "font.size": 10})
plt.rcParams.update({"figure.constrained_layout.use": True, "legend.frameon": False, "lines.linewidth": 1.2})


def show(name: str) -> None:
    """Draw the figure; keep it as a file where the environment asks for it."""
    if PLOTS:
        plt.savefig(Path(PLOTS) / f"{name}.png", dpi=110)
    if plt.get_backend().lower() != "agg":
        plt.show()
    plt.close()


# %% [markdown]
# ## The input
#
# Bytes and what is known of them: a `RawFile` for each upload, and a `Source` that says whose night it is and where it
# was slept. The module sees nothing else: no path, no clock, no network.

# %%
generated = nights.draw(seed=4, user=2, hours=8, off_wrist=True)
truth = generated.truth
files = [RawFile("P03/night.zip", generated.zip())]
source = Source("P03/night", ("P03/night.zip",), "P03", zone=truth.zone)
module = Night()
print(f"{len(files[0].data) / 1e6:.1f} MB of zip; parameters: {module}")

# %% [markdown]
# ## parse: bytes → recordings
#
# A recording holds integers with scale and offset, so that reading and writing again is exact. Codes would tell what
# the reader met (a broken upload, rows that are no numbers, a clock that jumped); this file is clean.

# %%
parsed = module.parse(files, source)
recording = parsed.recordings[0]
for channel in recording.channels.values():
    hours = sum(len(s.values) / s.fs_hz for s in channel.segments) / 3600
    print(f"{channel.name:10} {channel.segments[0].fs_hz:4.0f} Hz  {hours:5.2f} h  in {channel.unit}")
print("codes:", dict(recording.codes) or "none")

# %% [markdown]
# Twelve seconds of the pulse in quiet sleep. The E4 writes it upside down and the reader turns it over: each heart beat
# is a sharp maximum, and the blood wave follows as a trough. Dots are the *true* beats of the generator.

# %%
pulse = recording.channels["bvp"].segments[0]
quiet = truth.epochs.with_columns(calm=pl.col("unrest_g").rolling_max(30)).filter(
    (pl.col("calm") == 0) & pl.col("sleep")
)
at_us = int(quiet["ts"].cast(pl.Int64)[len(quiet) // 2])
first = round((at_us - pulse.t0_us) * pulse.fs_hz / 1e6)
wave = recording.channels["bvp"].physical(pulse)[first : first + int(12 * pulse.fs_hz)]
seconds = np.arange(len(wave)) / pulse.fs_hz
beats = (truth.beats_us[(truth.beats_us >= at_us) & (truth.beats_us < at_us + 12_000_000)] - at_us) / 1e6

plt.figure(figsize=(10, 2.6))
plt.plot(seconds, wave, color=COOL)
plt.plot(beats, np.interp(beats, seconds, wave), "o", color=WARM, markersize=4, label="true beat")
plt.xlabel("s")
plt.ylabel("pulse, a.u.")
plt.title("The pulse of quiet sleep")
plt.legend(loc="lower right", bbox_to_anchor=(1, 1))
show("pulse")

# %% [markdown]
# ## split: recordings → sessions in local time
#
# A session knows its zone, so that each epoch belongs to the evening it was lived in, in nights of 23, 24 or 25 hours.

# %%
sessions = module.split(parsed, source)
session = sessions[0]
print(f"{len(sessions)} session, {session.grid.n} epochs of ten seconds, zone {session.zone.rules}")

# %% [markdown]
# ## filter: sessions → epochs
#
# Every ten seconds get heart rate, variability, temperature, movement and a quality for each. Nothing is interpolated:
# where the minimum of data is missing, there is no value. The spikes of RMSSD beside movement are beats that the
# movement hid or feigned; they are why the night takes medians.

# %%
filtered = module.filter(sessions)
epochs = filtered.epochs
local = (epochs.ts_us // 1_000_000 + epochs.offset_s).astype("datetime64[s]")
both = pl.DataFrame({"ts": pl.Series(epochs.ts_us).cast(pl.Datetime("us", "UTC")), "row": np.arange(len(epochs))}).join(
    truth.epochs, on="ts"
)
row = both["row"].to_numpy()
true = {name: both[name].to_numpy() for name in ("hr_bpm", "rmssd_ms", "skin_temp_c", "wear", "sleep")}
good = (epochs.q_ppg >= 0.6) & (epochs.wear == 1)


def shade_off_wrist(axis: plt.Axes) -> None:
    """Grey where the module says that the device was not worn."""
    axis.fill_between(local, 0, 1, where=epochs.wear == 0, transform=axis.get_xaxis_transform(), color=QUIET, alpha=0.5)


figure, axes = plt.subplots(4, 1, figsize=(10, 8), sharex=True)
for axis, name, label in ((axes[0], "hr_bpm", "heart rate, bpm"), (axes[1], "rmssd_ms", "RMSSD, ms")):
    axis.plot(local[row], true[name], color=QUIET, label="truth")
    axis.plot(local, np.where(good, getattr(epochs, name), np.nan), color=WARM, label="module, good epochs")
    axis.set_ylabel(label)
axes[0].set_title("Ten-second epochs against the truth; grey: found off the wrist")
axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
axes[2].plot(local, epochs.temp_c, color=QUIET, label="as measured")
axes[2].plot(local, epochs.skin_temp_c, color=COOL, label="skin temperature, worn")
axes[2].set_ylabel("temperature, °C")
axes[2].legend(loc="lower left")
axes[3].semilogy(local, np.maximum(epochs.enmo_mg, 0.5), color=INK, linewidth=0.8)
axes[3].set_ylabel("movement (ENMO), mg")
for axis in axes:
    shade_off_wrist(axis)
axes[3].xaxis.set_major_formatter(plt.matplotlib.dates.DateFormatter("%H:%M"))
axes[3].set_xlabel(f"local time, {truth.zone}")
show("epochs")

# %% [markdown]
# A quality score is worth having if it ranks epochs by their error. It must be read together with the share of epochs
# that each bin keeps.

# %%
error = np.abs(epochs.hr_bpm[row] - true["hr_bpm"])
q = epochs.q_ppg[row]
known = np.isfinite(error) & (epochs.wear[row] == 1)
print("q_ppg          kept   mean absolute error of the heart rate")
for label, low, high in (
    ("0", 0.0, 1e-9),
    ("above 0", 1e-9, 0.6),
    ("from 0.6", 0.6, 0.8),
    ("from 0.8", 0.8, 0.95),
    ("from 0.95", 0.95, 1.01),
):
    inside = known & (q >= low) & (q < high)
    mean = f"{error[inside].mean():6.2f} bpm" if inside.any() else "     –"
    print(f"{label:12}  {inside.sum() / known.sum():6.1%}   {mean}")

# %% [markdown]
# ## features: epochs → the night
#
# The sleep period is the longest stretch without much change of the wrist's angle (HDCZA); inside it, sleep is the time
# between posture changes that are more than five minutes apart. Features are then taken over worn, sleeping epochs.

# %%
found = module.features(filtered)
night = found[0]
inside_us = night.epochs.ts_us
clock = (inside_us // 1_000_000 + epochs.offset_s[0]).astype("datetime64[s]")


def at(ts_us: int) -> np.datetime64:
    """A moment on the local clock."""
    return np.datetime64(ts_us // 1_000_000 + int(epochs.offset_s[0]), "s")


figure, (angle, state) = plt.subplots(2, 1, figsize=(10, 4), sharex=True, height_ratios=[3, 1])
angle.plot(clock, night.epochs.angle_z_deg, color=INK, linewidth=0.8)
angle.axvspan(at(night.sleep.onset_us), at(night.sleep.end_us), color=COOL, alpha=0.15, label="found sleep period")
for label, moment in (("true onset and end", truth.spt_onset_us), (None, truth.spt_end_us)):
    angle.axvline(at(moment), color=WARM, linestyle="--", label=label)
angle.set_ylabel("wrist angle, °")
angle.set_title("The sleep period, from the angle of the wrist")
angle.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
state.step(clock, np.where(night.epochs.sleep >= 0, night.epochs.sleep, np.nan), color=COOL, where="post")
state.step(local[row], true["sleep"] * 1.0 - 1.5, color=QUIET, where="post")
state.set_yticks([-1.5, -0.5, 0, 1], ["wake (truth)", "sleep (truth)", "wake", "sleep"])
state.xaxis.set_major_formatter(plt.matplotlib.dates.DateFormatter("%H:%M"))
state.set_xlabel(f"local time, {truth.zone}")
show("sleep")

for name in ("rhr_p10", "hr_median", "rmssd_median", "wst_median", "tst_h", "waso_min", "sleep_eff"):
    value = night.values.get(name)
    print(f"{name:14} {'–' if value is None else f'{value:.2f}'}")

# %% [markdown]
# ## quality: the night's score, band and reasons
#
# Shares of the sleep period, missing data counted as nothing. Band A is fit for training, D is to be rejected; every
# null feature and every band below A has its reason.

# %%
judged = module.quality(night)
print(f"score {judged.score:.1f} from {', '.join(judged.basis)}")
print(f"band {judged.band}; reasons: {', '.join(judged.reasons) or 'none'}")

# %% [markdown]
# ## A closer look at the pulse
#
# What `nightmill process FILE --diagnostics` adds: numbers that judge nothing, and show a person what the pulse of each
# ten seconds looks like. A clean pulse has a kurtosis a little above that of a sine (1.5), most of its power at the
# rates of a heart, and two sign changes a beat; noise has none of these.

# %%
diagnosed = Diagnosed()(files, source).tables
shape = pl.DataFrame(diagnosed["diagnostics"])
place = np.searchsorted(epochs.ts_us, shape["ts"].cast(pl.Int64).to_numpy())
figure, axes = plt.subplots(3, 1, figsize=(10, 5), sharex=True)
for axis, name, label in (
    (axes[0], "kurtosis", "kurtosis"),
    (axes[1], "spectral_share", "power at\n1–2.25 Hz"),
    (axes[2], "zero_crossings", "sign changes\nin 10 s"),
):
    value, trusted = shape[name].to_numpy().astype(float), good[place]
    axis.plot(local[place], np.where(trusted, np.nan, value), ".", color=QUIET, markersize=2, label="other epochs")
    axis.plot(local[place], np.where(trusted, value, np.nan), ".", color=WARM, markersize=2, label="good epochs")
    axis.set_ylabel(label)
    shade_off_wrist(axis)
axes[0].set_title("Diagnostics of the pulse; grey: found off the wrist")
axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, markerscale=4)
axes[2].xaxis.set_major_formatter(plt.matplotlib.dates.DateFormatter("%H:%M"))
axes[2].set_xlabel(f"local time, {truth.zone}")
show("diagnostics")
for name, value in diagnosed["diagnostics_nights"].to_pylist()[0].items():
    print(f"{name:10} {value}")

# %% [markdown]
# ## The whole, in one call
#
# What production does. The rows are those of the stages above, with their units and meaning in the schema.

# %%
outcome = module(files, source)
print(outcome.verdicts[0])
for name, table in outcome.tables.items():
    print(f"{name:8} {table.num_rows:5} rows, {table.num_columns} columns")
field = outcome.tables["nights"].schema.field("rhr_p10")
print(field.name, {key.decode(): value.decode() for key, value in field.metadata.items() if value})
same = np.array_equal(outcome.tables["epochs"]["hr_bpm"].to_numpy(), epochs.hr_bpm, equal_nan=True)
print("the call's heart rates equal the stages':", same)
