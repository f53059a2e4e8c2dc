"""Ctrl-C once asks, twice stops, and afterwards everything is as before."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from engine.running.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number: signal.Signals) -> None:
    earlier = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        assert not interrupts.asked
        os.kill(os.getpid(), number)
        assert interrupts.asked
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is earlier


def test_in_a_thread_nothing_is_touched() -> None:
    told: list[bool] = []

    def inside() -> None:
        with Interrupts() as interrupts:
            told.append(interrupts.asked)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert told == [False]
