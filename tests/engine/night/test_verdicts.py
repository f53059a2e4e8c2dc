from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.module import Status
from engine.night.nights import split
from engine.night.recording import MISSING, Unreadable
from engine.night.verdicts import WHOLE, hours_of, recorded, unreadable
from tests.engine.night.hand import EVENING_US, channel, night, recording, source


def _recording(hours: float, without: tuple[str, ...] = (), **changes):  # type: ignore[no-untyped-def]
    n = round(hours * 3600)
    names = [name for name in ("acc_x", "acc_y", "acc_z", "bvp", "eda", "skin_temp") if name not in without]
    return recording([channel(name, (EVENING_US, 1.0, [1] * n)) for name in names], **changes)


def _verdict(made, columns=None, twin=None, zone: str | None = "UTC", rows: float = 2.0):  # type: ignore[no-untyped-def]
    sessions = split([made], source(zone))
    return recorded(made.file, [made], sessions, [night(rows, EVENING_US, columns)], twin)


def test_all_channels_for_an_hour_are_ok() -> None:
    verdict = _verdict(_recording(1.0))
    assert (verdict.file, verdict.status, verdict.reasons) == ("a.zip", Status.OK, ())
    assert verdict.message == "1.0 h of acceleration, 1.0 h of pulse (PPG), 1.0 h of skin temperature"


@pytest.mark.parametrize(
    ("without", "told"),
    [(("bvp",), "no pulse (PPG)"), (("acc_y",), "no acceleration"), (("skin_temp",), "no skin temperature")],
)
def test_a_lost_channel_is_partial(without: tuple[str, ...], told: str) -> None:
    verdict = _verdict(_recording(3.0, without))
    assert (verdict.status, verdict.reasons) == (Status.PARTIAL, ("SIG_MISSING",))
    assert told in verdict.message and verdict.message.endswith(WHOLE)


def test_a_channel_that_no_feature_uses_may_be_lost() -> None:
    assert _verdict(_recording(3.0, ("eda",))).status is Status.OK


def test_under_an_hour_is_partial_and_short() -> None:
    verdict = _verdict(_recording(0.5))
    assert (verdict.status, verdict.reasons) == (Status.PARTIAL, ("SHORT",))
    assert verdict.message.endswith(f"30 min of skin temperature; under 1 h; {WHOLE}")


def test_missing_samples_do_not_count() -> None:
    bvp = np.ones(7200, np.int32)
    bvp[:3601] = MISSING
    made = _recording(2.0, ("bvp",))
    made = recording([*made.channels.values(), channel("bvp", (EVENING_US, 1.0, bvp))])
    assert hours_of([made]).by_signal["pulse (PPG)"] == pytest.approx(3599 / 3600)
    assert _verdict(made).reasons == ("SHORT",)


@pytest.mark.parametrize("code", ["ZIP_TRUNC", "BLK_BAD", "CLK_RESET"])
def test_a_lost_block_is_partial_even_where_hours_are_left(code: str) -> None:
    verdict = _verdict(_recording(3.0, codes={code: 1}))
    assert (verdict.status, verdict.reasons) == (Status.PARTIAL, (code,))
    assert "part of the file was lost" in verdict.message


@pytest.mark.parametrize(("bad", "status"), [(20, Status.OK), (21, Status.PARTIAL)])
def test_of_a_known_number_of_blocks_a_fifth_may_be_lost(bad: int, status: Status) -> None:
    verdict = _verdict(replace(_recording(3.0, codes={"BLK_BAD": bad}), metadata={"blocks": 100}))
    assert (verdict.status, verdict.reasons) == (status, ("BLK_BAD",))
    assert "part of the file was lost" in verdict.message


def test_small_faults_change_no_status() -> None:
    assert _verdict(_recording(3.0, codes={"SIG_EMPTY": 1, "ROW_BAD": 2})).status is Status.OK


def test_a_device_without_what_features_use_says_so() -> None:
    verdict = _verdict(replace(_recording(3.0), expected=("ecg",)))
    assert (verdict.status, verdict.reasons) == (Status.PARTIAL, ("SHORT",))
    assert verdict.message.endswith("pulse (PPG), skin temperature; give a file that has one of them")


def test_no_epoch_is_rejected_with_a_reason() -> None:
    made = _recording(3.0)
    verdict = recorded("a.zip", [made], [], [], None)
    late = recorded("a.zip", [replace(made, codes={"CLK_IMPLAUS": 1})], [], [], None)
    assert late.status is Status.REJECTED and "check `received_at`" in late.message
    assert (verdict.status, verdict.reasons) == (Status.REJECTED, ("SIG_EMPTY",))


def test_unreadable_is_rejected_with_the_readers_words() -> None:
    verdict = unreadable(Unreadable("x.bin", {"FORMAT_UNKNOWN": 1}, "no known format"))
    assert (verdict.status, verdict.reasons, verdict.message) == (
        Status.REJECTED, ("FORMAT_UNKNOWN",), "no known format")  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "code", "told"),
    [({"wear": 0}, "NONWEAR", "not worn most of the time"), ({"q_ppg": 0.1}, "PPG_LOW", "hardly any good pulse"),
     ({"temp_c": 26.0, "q_ppg": 0.1}, "PPG_LOW", "cold (median 26.0 °C)")],
)  # fmt: skip
def test_what_a_person_would_see(columns, code: str, told: str) -> None:  # type: ignore[no-untyped-def]
    verdict = _verdict(_recording(3.0), columns)
    assert verdict.status is Status.OK
    assert verdict.reasons == (code,)
    assert told in verdict.message


def test_a_cold_wrist_with_a_good_pulse_is_worn() -> None:
    assert "cold" not in _verdict(_recording(3.0), {"temp_c": 26.0}).message
    assert "cold" in _verdict(_recording(3.0, ("bvp",)), {"temp_c": 26.0, "ppg": 0.0}).message


def test_a_twin_and_an_unknown_zone_are_named() -> None:
    verdict = _verdict(_recording(3.0), twin="b.zip", zone=None)
    assert verdict.reasons == ("T_DUP", "TZ_UNKNOWN")
    assert "the same bytes as b.zip" in verdict.message
