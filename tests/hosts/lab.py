"""Hosts on one machine: network namespaces on a bridge, which share the disk and nothing else. Root only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PORT = 8786
NETWORK = "10.213.77"
SCHEDULER = f"tcp://{NETWORK}.1:{PORT}"


def why_not() -> str | None:
    """Why this machine cannot play several; None if it can."""
    if os.geteuid() != 0:
        return "needs root"
    name = f"nm{os.getpid()}x"
    try:
        _ip("netns", "add", name)
        _ip("netns", "exec", name, "ip", "link", "add", "br0", "type", "bridge")
        _ip("link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"needs iproute2 and the right to make network namespaces ({type(error).__name__})"
    finally:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            _ip("netns", "del", name)
    return None


class Host:
    """One network namespace, with one end of a cable in the switch of another."""

    def __init__(self, name: str, number: int, folder: Path, switch: Host | None = None) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self._log = (folder / f"{name}.log").open("ab")
        self._cable = f"c{number}"
        self._switch = switch
        self._started: list[subprocess.Popen[str]] = []
        _ip("netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        if switch is None:
            self.run("ip", "link", "add", "br0", "type", "bridge")
            self._up("br0")
        else:
            switch.run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", name)
            switch.run("ip", "link", "set", self._cable, "master", "br0", "up")
            self._up("eth0")

    def _up(self, device: str) -> None:
        self.run("ip", "addr", "add", f"{self.address}/24", "dev", device)
        self.run("ip", "link", "set", device, "up")

    def run(self, *command: str) -> str:
        return _ip("netns", "exec", self.name, *command)

    def start(self, *arguments: str, path: Sequence[Path] = (), **environment: str) -> subprocess.Popen[str]:
        """`nightmill ARGUMENTS` on this host, with `path` before its packages."""
        searched = os.pathsep.join([*map(str, path), str(ROOT)])
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-m", "jobs.cli", *arguments],
            env=os.environ | {"PYTHONPATH": searched, "COLUMNS": "160"} | environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if arguments[0] == "reprocess" else self._log,
            stderr=subprocess.PIPE if arguments[0] == "reprocess" else self._log,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def cut(self) -> None:
        """Pull the cable: packets vanish, and nobody is told."""
        assert self._switch is not None
        self._switch.run("ip", "link", "set", self._cable, "down")

    def heal(self) -> None:
        assert self._switch is not None
        self._switch.run("ip", "link", "set", self._cable, "up")

    def processes(self, mark: str = "") -> list[psutil.Process]:
        """What runs on this host, with `mark` in its command line."""
        found = []
        for pid in self.run_pids():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if mark in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def run_pids(self) -> list[int]:
        return [int(pid) for pid in _ip("netns", "pids", self.name).split()]

    def die(self) -> None:
        """Power off: every process at once, none of which can say goodbye."""
        while pids := self.run_pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for process in self._started:
            process.communicate()
        self._started.clear()

    def remove(self) -> None:
        self.die()
        self._log.close()
        _ip("netns", "del", self.name)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
