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
from engine.night.night import Night
from engine.night.parse import read
from engine.night.quality import WEIGHTS, Judged
from engine.night.recording import MISSING, Channel, Recording
from engine.night.sleep import Sleep
from engine.simulate import nights as drawn

SOURCE = Source("s", ("n.zip",), "p", zone="Europe/Zurich")
GROUPS = {
    "pulse": ("bvp",),
    "movement": ("acc_x", "acc_y", "acc_z"),
    "all": ("bvp", "acc_x", "acc_y", "acc_z", "skin_temp"),
}
BESIDE = 0.005
"""Share of a night that the beats beside a mask may win: they are judged by their neighbours."""
FEATURES = (
    *features.HEART, "rmssd_median", "ln_rmssd", "sdnn_median", *features.WST, "wst_p99_stable", "wst_slope_onset",
    "enmo_mean", "still_frac", "quiet_frac", "rr_median", "rr_quiet_median", "rr_iqr", "hrv_ratio_median",
    "pulse_amp_median", "perfusion_median",
)  # fmt: skip


@pytest.fixture(scope="module")
def recording() -> Recording:
    made = drawn.draw(5, night_date=date(2026, 3, 28), hours=5.0)
    (one,), _ = read([RawFile("n.zip", made.zip())], 64)
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

    changed = {name: mask(recording.channels[name]) for name in names}
    return replace(recording, channels={**recording.channels, **changed})


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("longest_s", [3, 120, 3000])
def test_masked_samples_raise_no_share_and_no_score(
    recording: Recording, group: str, longest_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sleep period held fixed."""
    whole = judged(recording)
    assert whole.score is not None
    held: Sleep = whole.night.sleep
    monkeypatch.setattr(features, "find", lambda epochs, zone: held)
    rng = np.random.default_rng(longest_s)
    shares = [name for name in whole.values if name.startswith("coverage_")] + list(WEIGHTS)
    for _ in range(4):
        starts = rng.integers(recording.start_us, recording.end_us, 6).tolist()
        lengths = (rng.uniform(0.1, 1.0, 6) * longest_s * 1e6).astype(int).tolist()
        spans = [(start, start + length) for start, length in zip(starts, lengths, strict=True)]
        poorer = judged(masked(recording, GROUPS[group], spans))
        assert poorer.score is not None
        assert poorer.score <= whole.score + 100 * BESIDE * 0.1
        for name in shares:
            more = float(poorer.values[name] or 0.0) - float(whole.values[name] or 0.0)
            beside = {"valid_h": BESIDE * 5}.get(name, BESIDE)
            assert more <= (beside if group != "movement" or name not in ("acc_cov", "coverage_enmo") else 0.0), name


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
