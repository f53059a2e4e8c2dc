"""Files that cannot be read, said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from engine.errors import UserError


@contextmanager
def readable(uri: str) -> Iterator[None]:
    """Raises `UserError` where polars finds no file, an empty one or one that it cannot read."""
    try:
        yield
    except (FileNotFoundError, pl.exceptions.NoDataError):
        raise UserError(f"{uri}: no such file, or an empty one") from None
    except pl.exceptions.PolarsError as error:
        raise UserError(f"{uri}: cannot be read: {str(error).splitlines()[0]}") from error
