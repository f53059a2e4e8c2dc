"""Where compiled kernels are kept. Must run before `kernels` is imported.

Numba files a compiled function under the size and time of its own source file, so a change in another kernel that it
calls goes unseen: old machine code would then give old numbers under a new module_id. The folder is therefore named by
the bytes of all kernels. tests/jobs/test_kernel_cache.py guards it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def prepare() -> Path:
    """Sets NUMBA_CACHE_DIR to a writable folder, unless the user did, and says which it is."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    folder = cache_root() / f"numba-{fingerprint()}"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


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
