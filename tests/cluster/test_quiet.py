from __future__ import annotations

import os
import signal
import subprocess

import pytest

from cluster.quiet import undisturbed


def test_an_interrupt_waits_for_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        done.append(True)
    assert done == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_what_is_started_meanwhile_never_gets_one() -> None:
    with undisturbed():
        deaf = subprocess.Popen(["sleep", "60"])
    deaf.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        deaf.wait(timeout=0.2)
    deaf.kill()
    deaf.wait()
