"""Where compiled kernels are kept. Must run before `kernels` is imported.

Numba files a compiled function under the size and time of its own source file, so a change in another kernel that it
calls goes unseen: old machine code would then give old numbers under a new module_id. The folder is therefore named by
the bytes of all kernels. tests/jobs/test_kernel_cache.py guards it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from engine.code.closure import closure

COMPILING = ("reprocess", "plan", "backtest", "process", "verify", "module")
"""Commands that import kernels; `demo` compiles while it has other things to do."""


def prepare() -> Path:
    """Sets NUMBA_CACHE_DIR to a writable folder, unless the user did, and says which it is."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    folder = cache_root() / f"numba-{fingerprint()}"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def first_use(arguments: Sequence[str]) -> str | None:
    """What to tell a person who would wait before an empty screen: None where kernels are compiled, or not needed."""
    if not arguments or arguments[0] not in COMPILING or {"-h", "--help"} & set(arguments) or any(_compiled()):
        return None
    return "compiling the kernels, once for each version of the code: about a minute …"


def _compiled() -> Iterator[Path]:
    return prepare().rglob("*.nbi")


def cache_root() -> Path:
    """The user's cache folder of nightmill, or a temporary one where none can be written."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "nightmill"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root
    except OSError:
        return Path(tempfile.gettempdir()) / f"nightmill-{os.getuid()}"


def fingerprint() -> str:
    """12 hex digits over the kernels' bytes and the compiler's version."""
    spec = find_spec("kernels")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("kernels")
    digest = hashlib.sha256(f"{version('numba')} {version('llvmlite')} {sys.version_info[:2]}".encode())
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def compiled_ahead(processes: int, users: Sequence[str] = ()) -> Iterator[None]:
    """Compiles kernels in processes of their own while the block runs, then waits for them: those that the modules
    `users` import, all if none are named.

    Nothing is done where the cache holds kernels already. What a process fails to compile is compiled where it is used.
    """
    children = [] if any(_compiled()) else [_importing(names) for names in _shares(processes, users)]
    try:
        yield
        for child in children:
            child.wait()
    finally:
        for child in children:
            child.kill()
            child.wait()


def _importing(names: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", f"import {', '.join(names)}"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _shares(processes: int, users: Sequence[str]) -> list[list[str]]:
    """The kernel modules that are used, dealt out by size."""
    used = {name for user in users for name in closure(user)}
    spec = find_spec("kernels")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("kernels")
    paths = sorted(Path(spec.origin).parent.glob("[a-z]*.py"), key=lambda path: -path.stat().st_size)
    names = [f"kernels.{path.stem}" for path in paths if not used or f"kernels.{path.stem}" in used]
    shares = [names[first::processes] for first in range(processes)]
    return [share for share in shares if share]
