"""What a Work tells its guard while it is evaluated.

That it waits for storage, which is no module's fault; and which piece of it is in hand, so that a guard that must end
the process knows what to leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Told = Mapping[str, bool | str | None]
"""`reading`: whether it waits for its inputs. `piece`: the name of the one in hand, or None between pieces."""
Hearing = Callable[[Told], None]


def _nobody(_: Told) -> None:
    """Outside a guarded process nobody listens."""


_hearing: Hearing = _nobody


def hear(hearing: Hearing) -> None:
    """Have `hearing` called from now on, in this process."""
    global _hearing
    _hearing = hearing


@contextmanager
def reading() -> Iterator[None]:
    """Put around what waits for storage. Where it raises, nothing more is said: the Work is over."""
    _hearing({"reading": True})
    yield
    _hearing({"reading": False})


def piece(name: str | None) -> None:
    """Say which piece begins now; it has the whole time limit for itself. Only a `PiecewiseWork` may."""
    _hearing({"piece": name})
