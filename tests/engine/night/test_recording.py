from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np

from engine.night.recording import MISSING, Segment


def segment(*values: int) -> Segment:
    return Segment(0, 4.0, np.array(values, np.int32))


def test_present_is_counted_of_the_samples_that_a_segment_has() -> None:
    assert (segment().present, segment(MISSING).present, segment(1, MISSING, -MISSING - 1).present) == (0, 0, 2)


def test_what_was_counted_is_forgotten_with_the_samples() -> None:
    whole = segment(1, 2, 3)
    assert whole.present == 3
    assert replace(whole, values=np.array([MISSING, 2], np.int32)).present == 1
    assert replace(whole, t0_us=1).present == 3


def test_a_count_goes_along_and_tells_no_segments_apart() -> None:
    counted, other = segment(1, MISSING), segment(1, MISSING)
    assert counted.present == 1
    assert repr(counted) == repr(other)
    for again in (pickle.loads(pickle.dumps(counted)), copy.deepcopy(counted), pickle.loads(pickle.dumps(other))):
        assert again.present == 1
        assert repr(again) == repr(counted)
    assert replace(counted, values=other.values) == replace(other, values=other.values)
