"""The estimators of scikit-learn whose learned state is a few arrays of numbers, written and read as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import ElasticNet, HuberRegressor, Lasso, LinearRegression, LogisticRegression, Ridge

from engine.errors import UserError
from engine.retraining.plain import array, fields, refused

_KINDS = (LinearRegression, Ridge, Lasso, ElasticNet, HuberRegressor, LogisticRegression)
KINDS = {kind.__name__: kind for kind in _KINDS}


def check(model: Any) -> None:
    """Raises `UserError` unless it is one of `KINDS`, with parameters that JSON can hold."""
    if type(model) not in _KINDS:
        raise UserError(
            f"{type(model).__name__} is not one of {', '.join(KINDS)}: what it learned is stored as JSON and never "
            "as a pickle, so that opening one executes nothing; trees, boosting, kernels and networks cannot be used"
        )
    odd = [name for name, value in model.get_params().items() if not _is_scalar(value)]
    if odd:
        raise UserError(f"{type(model).__name__}: {', '.join(odd)} must be a number, text, True, False or None")


def parameters(model: Any) -> dict[str, Any]:
    """Kind and parameters as JSON values."""
    return {"kind": type(model).__name__, "parameters": dict(model.get_params())}


def of_parameters(value: Any) -> Any:
    """What gave `parameters`, not fitted."""
    kind, given = fields(value, ("kind", "parameters"), "the estimator")
    if not isinstance(kind, str) or kind not in KINDS:
        raise refused(f"its estimator is {str(kind)[:40]!r}, not one of {', '.join(KINDS)}")
    names = list(KINDS[kind]().get_params())
    model = KINDS[kind](**dict(zip(names, fields(given, names, f"{kind}'s parameters"), strict=True)))
    check(model)
    return model


def learned(model: Any) -> dict[str, Any]:
    """Coefficients, intercept and, of a classifier, classes."""
    state = {"coefficients": np.asarray(model.coef_, np.float64).tolist(), "intercept": _listed(model.intercept_)}
    return state | ({"classes": model.classes_.tolist()} if is_classifier(model) else {})


def learn_again(model: Any, state: Any, features: int) -> Any:
    """The fitted model. Raises `UserError` where the state is not of so many features."""
    if not is_classifier(model):
        slopes, level = fields(state, ("coefficients", "intercept"), "the estimator's learned values")
        model.coef_ = array(slopes, (features,), "coefficients")
        model.intercept_ = float(array(level, (), "intercept"))
    else:
        names = ("coefficients", "intercept", "classes")
        slopes, level, classes = fields(state, names, "the estimator's learned values")
        n = len(classes) if isinstance(classes, list) else 0
        model.classes_ = array(classes, (n,), "classes")
        if n < 2 or (np.diff(model.classes_) <= 0).any():
            raise refused("classes must ascend, and be two or more")
        lines = 1 if n == 2 else n
        model.coef_ = array(slopes, (lines, features), "coefficients")
        model.intercept_ = array(level, (lines,), "intercept")
    model.n_features_in_ = features
    return model


def _listed(value: Any) -> Any:
    return np.asarray(value, np.float64).tolist()


def _is_scalar(value: Any) -> bool:
    finite = not isinstance(value, float) or bool(np.isfinite(value))
    return value is None or (isinstance(value, bool | int | float | str) and finite)
