"""Encrypted links between hosts: the folder that `NIGHTMILL_TLS` names has the certificates. Whoever has none of the
same authority is refused by scheduler and workers."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import Any

VARIABLE = "NIGHTMILL_TLS"
AUTHORITY, CERTIFICATE, KEY = FILES = ("ca.pem", "cert.pem", "key.pem")
ROLES = ("scheduler", "worker", "client")


class NoCertificates(ValueError):
    """An address and the certificates at hand do not fit; the message says what to do."""


def tls_settings() -> dict[str, Any]:
    """Dask's configuration for encrypted links; empty where the variable is not set. Raises `NoCertificates`."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return {}
    try:
        missing = [name for name in FILES if not (Path(folder) / name).is_file()]
    except PermissionError as error:
        raise NoCertificates(f"{VARIABLE}: {folder} may not be entered by this user") from error
    if missing:
        raise NoCertificates(f"{VARIABLE}: {folder} has no {', '.join(missing)}: it needs {', '.join(FILES)}")
    _try(Path(folder))
    found = {"distributed.comm.require-encryption": True, "distributed.comm.default-scheme": "tls"}
    places = {"ca-file": AUTHORITY}
    for role in ROLES:
        places |= {f"{role}.cert": CERTIFICATE, f"{role}.key": KEY}
    return found | {f"distributed.comm.tls.{key}": str(Path(folder).resolve() / name) for key, name in places.items()}


def _try(folder: Path) -> None:
    """Raises `NoCertificates` where Dask could not use the files: it would say that nobody answers, or ask a word."""
    context, tried = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), AUTHORITY
    try:
        context.load_verify_locations(folder / AUTHORITY)
        tried = f"{CERTIFICATE} with {KEY}"
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY, password="")
    except OSError as error:
        may = "may not be read" if isinstance(error, PermissionError) else "cannot be used: damaged, or has a password"
        raise NoCertificates(f"{VARIABLE}: {tried} of {folder} {may} ({error.strerror or error})") from error


def exposed() -> bool:
    """Whether other users of this machine may read the key, and so play any role. Needs a usable folder."""
    key = Path(os.environ[VARIABLE]) / KEY
    return bool(stat.S_IMODE(key.stat().st_mode) & 0o077)


def check(address: str) -> None:
    """Raises `NoCertificates` where an address is encrypted and we are not, or the other way round."""
    encrypted, equipped = address.startswith("tls://"), bool(os.environ.get(VARIABLE))
    if encrypted and not equipped:
        raise NoCertificates(f"{address} is encrypted: set {VARIABLE} to a folder with {', '.join(FILES)}")
    if equipped and not encrypted:
        raise NoCertificates(f"{VARIABLE} is set, and {address} is not encrypted: write tls://, or unset it")
