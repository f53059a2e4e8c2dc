"""H7.10 and DOMAIN F: losing samples never makes a night look better; nothing is null or rejected without a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.module import RawFile, Source
from engine.night import features, nights
from engine.night.clean import clean
from engine.night.epochs import Epochs
from engine.night.formats.parse import read
from engine.night.grid import EPOCH_US
from engine.night.night import Night
from engine.night.quality import WEIGHTS, Judged
from engine.night.recording import MISSING, Channel, Recording
from engine.night.sleep import Sleep, find
from engine.night.zones import Zone
from engine.simulate import nights as drawn
from kernels.wear import runs

SOURCE = Source("s", ("n.zip",), "p", zone="Europe/Zurich")
GROUPS = {
    "pulse": ("bvp",),
    "movement": ("acc_x", "acc_y", "acc_z"),
    "temperature": ("skin_temp",),
    "all": ("bvp", "acc_x", "acc_y", "acc_z", "skin_temp"),
}
BESIDE, BESIDE_SCORE = 3, 0.03
"""Epochs that real sessions may win beside masks, and what that is worth: beats there are judged by other neighbours,
and an epoch of which some temperature is left has another mean."""
FEATURES = (
    *features.HEART, "rmssd_median", "ln_rmssd", "sdnn_median", *features.WST, "wst_p99_stable", "wst_slope_onset",
    "enmo_mean", "still_frac", "quiet_frac", "rr_median", "rr_quiet_median", "rr_iqr", "hrv_ratio_median",
    "pulse_amp_median", "perfusion_median",
)  # fmt: skip


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recorded(drawn.draw(5, night_date=date(2026, 3, 28), hours=5.0).zip())


@pytest.fixture(scope="module")
def laid_aside() -> Recording:
    """A night with two hours on a table."""
    return recorded(drawn.draw(7, night_date=date(2026, 3, 28), hours=5.0, off_wrist=True).zip())


def recorded(data: bytes) -> Recording:
    (one,), _ = read([RawFile("n.zip", data)], 64)
    return one


def judged(recording: Recording) -> Judged:
    module = Night()
    (night,) = module.features(module.filter(nights.split((clean(recording, None),), SOURCE)))
    return module.quality(night)


def masked(recording: Recording, names: Iterable[str], spans_us: Iterable[tuple[int, int]]) -> Recording:
    def mask(channel: Channel) -> Channel:
        (segment,) = channel.segments
        values = segment.values.copy()
        for low, high in spans_us:
            first, last = (max(round((t - segment.t0_us) * segment.fs_hz / 1e6), 0) for t in (low, high))
            values[first:last] = MISSING
        return replace(channel, segments=(replace(segment, values=values),))

    changed = {name: mask(recording.channels[name]) for name in names if name in recording.channels}
    return replace(recording, channels={**recording.channels, **changed})


def gained(recording: Recording, group: str, longest_s: int, draws: int, patch: pytest.MonkeyPatch) -> list[float]:
    """What each of some random maskings adds to the score, the sleep period held fixed; then the most epochs that one
    adds to a share."""
    found: list[Sleep] = []

    def held(epochs: Epochs, zone: Zone) -> Sleep:
        found[:] = found or [find(epochs, zone)]
        return found[0]

    patch.setattr(features, "find", held)
    whole, rng = judged(recording), np.random.default_rng(longest_s)
    shares = [name for name in whole.values if name.startswith("coverage_")] + list(WEIGHTS)
    n, points, epochs = int(whole.night.within.sum()), [], 0.0
    for _ in range(draws):
        starts = rng.integers(recording.start_us, recording.end_us, 6).tolist()
        lengths = (rng.uniform(0.1, 1.0, 6) * longest_s * 1e6).astype(int).tolist()
        poorer = judged(masked(recording, GROUPS[group], [(a, a + b) for a, b in zip(starts, lengths, strict=True)]))
        points.append((poorer.score or 0.0) - (whole.score or 0.0))
        more = {name: float(poorer.values[name] or 0.0) - float(whole.values[name] or 0.0) for name in shares}
        epochs = max(epochs, *(value * (features.HOUR if name == "valid_h" else n) for name, value in more.items()))
    return [*points, epochs]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("longest_s", [3, 120, 3000])
@pytest.mark.parametrize("night", ["recording", "laid_aside"])
def test_masked_samples_raise_no_share_and_no_score(
    night: str, group: str, longest_s: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(gained(request.getfixturevalue(night), group, longest_s, 3, monkeypatch)) <= 1e-9


@pytest.mark.real
@pytest.mark.parametrize("group", GROUPS)
def test_masked_samples_of_real_sessions_raise_next_to_nothing(
    shared_data: Path, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in sorted((shared_data / "nurse_e4").glob("*/*.zip"), key=lambda one: one.stat().st_size)[-12::4]:
        *points, epochs = gained(recorded(path.read_bytes()), group, 120, 3, monkeypatch)
        assert max(points) <= BESIDE_SCORE and epochs <= BESIDE + 1e-6


def test_a_device_laid_aside_is_not_worn_because_its_temperature_is_lost(laid_aside: Recording) -> None:
    """Neither of all the night, nor of just the time aside, in any piece of five minutes or longer."""
    whole = judged(laid_aside)
    ts_us, aside = whole.night.epochs.ts_us, whole.night.epochs.wear == 0
    starts, ends = runs(aside)
    assert aside.sum() > 300
    everything = (laid_aside.start_us, laid_aside.end_us + 1)
    just = [(int(ts_us[a]), int(ts_us[b - 1]) + EPOCH_US) for a, b in zip(starts, ends, strict=True) if b - a >= 30]
    for spans in ([everything], just):
        blind = judged(masked(laid_aside, ("skin_temp",), spans))
        assert not (aside & (blind.night.epochs.wear == 1)).any()


def poor(recording: Recording, seed: int) -> Recording:
    """Channels lost for hours, or altogether."""
    rng = np.random.default_rng(seed)
    for name in GROUPS["all"]:
        if rng.random() < 0.4:
            low, high = sorted(rng.integers(recording.start_us, recording.end_us, 2).tolist())
            recording = masked(recording, [name], [(low, high)])
        elif rng.random() < 0.2:
            recording = replace(recording, channels={n: c for n, c in recording.channels.items() if n != name})
    return recording


def says_why(one: Judged) -> None:
    row: dict[str, Any] = dict(one.values)
    lacking = [name for name in FEATURES if row.get(name) is None]
    assert one.reasons or not lacking, lacking
    assert one.reasons or one.band != "D"


@pytest.mark.parametrize("seed", range(12))
def test_every_null_and_every_rejection_has_a_reason(recording: Recording, seed: int) -> None:
    says_why(judged(poor(recording, seed)))


@pytest.mark.real
def test_every_null_of_a_real_night_has_a_reason(shared_data: Path) -> None:
    for path in sorted((shared_data / "nurse_e4").glob("*/*.zip"))[::10]:
        rows = Night()([RawFile(path.name, path.read_bytes())], SOURCE).tables["nights"].to_pylist()
        for row in rows:
            assert row["reasons"] or (row["band"] != "D" and all(row[name] is not None for name in FEATURES))
