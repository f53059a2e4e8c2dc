from __future__ import annotations

import pytest

from engine.backtest.grid import Configuration, Policy
from engine.backtest.serve.layout import arrange
from engine.backtest.serve.settings import Ensemble, Exclusions, Serving, StandIn
from engine.errors import ConfigError

CONFIGURED = tuple(
    Configuration(model, window, 6, Policy.UPDATE) for model in ("theta", "ets") for window in (None, 72, 168)
)


def test_rows_are_ordered_with_the_expanding_window_last() -> None:
    found = arrange(CONFIGURED, (Ensemble("mix"),))
    assert [(one.model, one.window_h) for one in found.configurations] == [
        (model, window) for model in ("ets", "mix", "theta") for window in (72, 168, None)
    ]
    assert {c: members.tolist() for c, members in found.members.items()} == {3: [0, 6], 4: [1, 7], 5: [2, 8]}
    assert found.others.tolist() == [[6, -1], [7, -1], [8, -1], [0, 6], [1, 7], [2, 8], [0, -1], [1, -1], [2, -1]]
    assert found.spec.tolist() == [0, 1, 2, -1, -1, -1, 3, 4, 5]


@pytest.mark.parametrize(
    ("ensemble", "said"),
    [
        (Ensemble("ets"), "'ets' has the name of a model"),
        (Ensemble("mix", ("ets", "arima")), "'mix': no model 'arima'; there are: ets, theta"),
    ],
)
def test_ensembles_that_do_not_fit_are_refused(ensemble: Ensemble, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arrange(CONFIGURED, (ensemble,))


def test_settings_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ConfigError, match="two ensembles"):
        Serving(ensembles=(Ensemble("a"), Ensemble("a")))
    with pytest.raises(ConfigError, match="twice"):
        Serving(on_failure=(StandIn.ENSEMBLE, StandIn.ENSEMBLE))


def test_a_run_whose_clock_decides_is_not_comparable() -> None:
    assert Serving().is_comparable
    assert not Serving(exclusions=Exclusions(budget_s=1.0)).is_comparable
