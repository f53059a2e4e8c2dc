"""The configurations of a backtest in the order of their rows, ensembles among them, and who belongs to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Ints
from engine.backtest.grid import Configuration, Policy
from engine.backtest.serve.settings import Ensemble
from engine.errors import ConfigError
from kernels.serving import ABSENT

Spec = tuple[str, int | None]
"""Model and window: what a fit is for, whatever the refit and the policy."""
_LAST = 1 << 62


@dataclass(frozen=True, slots=True)
class Layout:
    """Configurations in the order of rows; c of them.

    specs: distinct (model, window). spec: (c,) index into them, ABSENT for an ensemble. ensemble: (c,) index into
    `Serving.ensembles`, ABSENT for a model. others: (c, most) configurations of the other models with the same window,
    refit and policy, filled up with ABSENT. members: for each ensemble configuration its members. refit: (c,) hours.
    """

    configurations: tuple[Configuration, ...]
    specs: tuple[Spec, ...]
    spec: Ints
    ensemble: Ints
    others: Ints
    members: dict[int, Ints]
    refit: Ints

    def is_stale(self, c: int) -> bool:
        return self.configurations[c].policy is Policy.STALE


def arrange(models: Sequence[Configuration], ensembles: Sequence[Ensemble]) -> Layout:
    """Lay out the models' configurations and those of ensembles. Raises `ConfigError` on a name that does not fit."""
    _check({one.model for one in models}, ensembles)
    groups: dict[tuple[int | None, int, Policy], list[Configuration]] = {}
    for one in models:
        groups.setdefault((one.window_h, one.refit_h, one.policy), []).append(one)
    joint = {
        Configuration(ensemble.name, *group): number
        for number, ensemble in enumerate(ensembles)
        for group, held in groups.items()
        if any(_is_member(one, ensemble) for one in held)
    }
    ordered = tuple(sorted([*models, *joint], key=place))
    index = {one: c for c, one in enumerate(ordered)}
    specs = tuple(dict.fromkeys((one.model, one.window_h) for one in ordered if one not in joint))
    peers = [[index[two] for two in groups[_group(one)] if two != one] for one in ordered]
    others = np.full((len(ordered), max((len(one) for one in peers), default=0)), ABSENT, np.int64)
    for c, found in enumerate(peers):
        others[c, : len(found)] = sorted(found)
    members = {
        index[one]: np.array(
            sorted(index[two] for two in groups[_group(one)] if _is_member(two, ensembles[number])), np.int64
        )
        for one, number in joint.items()
    }
    return Layout(
        ordered,
        specs,
        np.array([ABSENT if one in joint else specs.index((one.model, one.window_h)) for one in ordered], np.int64),
        np.array([joint.get(one, ABSENT) for one in ordered], np.int64),
        others,
        members,
        np.array([one.refit_h for one in ordered], np.int64),
    )


def _check(names: set[str], ensembles: Sequence[Ensemble]) -> None:
    for ensemble in ensembles:
        if ensemble.name in names:
            raise ConfigError(f"ensemble {ensemble.name!r} has the name of a model")
        unknown = sorted(set(ensemble.members) - names)
        if unknown:
            raise ConfigError(
                f"ensemble {ensemble.name!r}: no model {unknown[0]!r}; there are: {', '.join(sorted(names))}"
            )


def place(one: Configuration) -> tuple[str, int, int, str]:
    """Where a configuration stands in `forecasts`: an expanding window comes last, as Arrow sorts null.

    >>> place(Configuration("ets", 72, 6, Policy.STALE))
    ('ets', 72, 6, 'stale')
    """
    return one.model, _LAST if one.window_h is None else one.window_h, one.refit_h, str(one.policy)


def _group(one: Configuration) -> tuple[int | None, int, Policy]:
    return one.window_h, one.refit_h, one.policy


def _is_member(one: Configuration, ensemble: Ensemble) -> bool:
    return not ensemble.members or one.model in ensemble.members
