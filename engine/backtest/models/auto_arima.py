"""ARIMA whose order the library chooses now and then, and which is estimated and filtered by our own code."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import FitError, Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.models.arima import Order, estimate, parse, project


@dataclass(frozen=True, slots=True)
class AutoArima:
    """Order by stepwise search (Hyndman and Khandakar 2008, doi:10.18637/jss.v027.i03) on statsforecast's criteria.

    `approximation`: candidates by conditional sum of squares. `orders`: most forms tried in a search; within one the
    library bounds iterations (100) and not evaluations, so that `evaluations` bounds the estimation only.
    """

    season_h: int = 24
    approximation: bool = True
    orders: int = 94

    @property
    def name(self) -> str:
        return "auto_arima"

    @property
    def history(self) -> History:
        return History.SEASONAL if self.season_h > 1 else History.SHORT

    @property
    def shortest(self) -> int:
        return 3 * self.season_h if self.season_h > 1 else 24

    @property
    def updates(self) -> bool:
        return True

    @property
    def selects(self) -> bool:
        return True

    def select(self, y: Floats, evaluations: int) -> str:  # noqa: ARG002
        return chosen_order(y, self.season_h, self.approximation, self.orders).form

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        return estimate(y, parse(form), warm, evaluations)

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        return project(params, after, at, steps)


def chosen_order(y: Floats, season: int, approximation: bool, orders: int) -> Order:
    """The order that statsforecast's auto_arima finds for y. Raises FitError where it finds none."""
    from statsforecast.arima import auto_arima_f  # seconds: only who needs it pays

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = auto_arima_f(
            x=np.array(y, np.float64), period=season, seasonal=season > 1, approximation=approximation, nmodels=orders
        )
    if "arma" not in found:
        raise FitError("the search found no ARIMA order")
    p, q, seasonal_p, seasonal_q, _, d, seasonal_d = (int(number) for number in found["arma"])
    constant = "intercept" in found["coef"] or "drift" in found["coef"]
    seasonal = bool(seasonal_p or seasonal_d or seasonal_q)
    return Order(p, d, q, seasonal_p, seasonal_d, seasonal_q, season if seasonal else 1, constant)
