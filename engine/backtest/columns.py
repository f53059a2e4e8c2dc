"""Columns of a backtest's tables: `column` of `engine.module`, since the version that brought backtests."""

from __future__ import annotations

from functools import partial

from engine import module

column = partial(module.column, since="0.2.0")
