from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDRegressor,
)
from sklearn.neural_network import MLPRegressor

from engine.errors import UserError
from engine.retraining.estimator import Estimator
from tests.engine.retraining.persons import FEATURES, TARGET, rows

REGRESSORS = [LinearRegression(), Ridge(alpha=0.3), Lasso(alpha=0.01), ElasticNet(alpha=0.01), HuberRegressor()]


def nights_and_target(classes: int = 0) -> tuple[pl.DataFrame, Any]:
    """Without the artefacts, which no filter takes away here; classes: 0 = numbers."""
    frame = rows(8, 8, 40).with_columns(pl.col(name).clip(10, 70) for name in FEATURES)
    y = frame[TARGET].to_numpy()
    return frame.drop(TARGET), y if not classes else np.where(
        np.isnan(y), y, np.digitize(y, [-0.5, 0.5][: classes - 1])
    )


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda one: type(one).__name__)
def test_a_regressor_says_what_scikit_learn_says_and_nothing_where_a_feature_lacks(model: Any) -> None:
    nights, y = nights_and_target()
    found = Estimator(model).fit(nights, y)
    x = nights.select(FEATURES).to_numpy()
    whole = ~np.isnan(x).any(axis=1)
    learned = clone(model).fit(x[whole & ~np.isnan(y)], y[whole & ~np.isnan(y)])
    np.testing.assert_allclose(found.predict(nights)[whole], learned.predict(x[whole]), rtol=1e-6)
    assert np.isnan(found.predict(nights)[~whole]).all()
    assert found.score(nights, y) == pytest.approx(learned.score(x[whole & ~np.isnan(y)], y[whole & ~np.isnan(y)]))
    again = Estimator.deserialise(found.serialise())
    assert again.predict(nights).tobytes() == found.predict(nights).tobytes()
    assert again.serialise() == found.serialise()


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_gives_one_of_its_classes(classes: int) -> None:
    nights, y = nights_and_target(classes)
    found = Estimator(LogisticRegression(C=2.0, class_weight="balanced", max_iter=5000)).fit(nights, y)
    again = Estimator.deserialise(found.serialise())
    assert set(found.predict(nights)[~np.isnan(found.predict(nights))]) == set(range(classes))
    assert again.predict(nights).tobytes() == found.predict(nights).tobytes()
    assert again.score(nights, y) == found.score(nights, y) > 1 / classes


def test_order_of_rows_and_columns_changes_nothing() -> None:
    nights, y = nights_and_target()
    one, other = Estimator(Ridge()).fit(nights, y), Estimator(Ridge()).fit(nights.reverse(), y[::-1])
    assert one.serialise() == other.serialise()
    assert one.predict(nights.select(reversed(nights.columns))).tobytes() == one.predict(nights).tobytes()


@pytest.mark.parametrize(
    "model",
    [HistGradientBoostingRegressor(), RandomForestRegressor(), MLPRegressor(), SGDRegressor(), "Ridge", object()],
)
def test_what_cannot_be_written_plainly_is_refused_before_it_learns(model: Any) -> None:
    nights, y = nights_and_target()
    with pytest.raises(UserError, match="never as a pickle"):
        Estimator(model).fit(nights, y)


def test_parameters_that_json_cannot_hold() -> None:
    nights, y = nights_and_target(2)
    with pytest.raises(UserError, match="class_weight must be a number"):
        Estimator(LogisticRegression(class_weight={0: 1.0, 1: 2.0})).fit(nights, y)
    with pytest.raises(UserError, match="random_state"):
        Estimator(Ridge(random_state=np.random.RandomState(0))).fit(nights, y)
    with pytest.raises(UserError, match="alpha"):
        Estimator(Ridge(alpha=-1.0)).fit(nights, y)


def test_targets_that_cannot_be() -> None:
    nights, y = nights_and_target()
    for wrong, told in [
        (["a"] * nights.height, "must be numbers"),
        (y[:-1], "one a night"),
        (np.full(nights.height, np.nan), "no night has all"),
        (None, "numbers"),
    ]:
        with pytest.raises(UserError, match=told):
            Estimator(Ridge()).fit(nights, wrong)
    with pytest.raises(UserError, match="cannot learn"):
        Estimator(LogisticRegression()).fit(nights, np.ones(nights.height))
    with pytest.raises(UserError, match="nothing to score"):
        Estimator(Ridge()).fit(nights, y).score(nights, np.full(nights.height, np.nan))


def test_a_forged_parameter_is_refused() -> None:
    nights, y = nights_and_target()
    text = Estimator(Ridge()).fit(nights, y).serialise()
    with pytest.raises(UserError, match="alpha must be a number"):
        Estimator.deserialise(changed(text, "parameters", "model", "parameters", "alpha", to={"__class__": "x"}))


def changed(text: str, *path: str, to: Any) -> str:
    value = json.loads(text)
    at = value
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = to
    return json.dumps(value)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("kind",), "OutlierFilter"),
        (("kind",), ["Estimator"]),
        (("parameters",), {}),
        (("parameters", "model", "kind"), "os.system"),
        (("parameters", "model", "kind"), ["Ridge"]),
        (("parameters", "model", "parameters", "__init__"), 1),
        (("learned", "features"), ["hr_median"]),
        (("learned", "features"), ["hr_median"] * 3),
        (("learned", "features"), "abc"),
        (("learned", "model", "coefficients"), [1.0, 2.0]),
        (("learned", "model", "coefficients"), [[1.0, 2.0, 3.0]]),
        (("learned", "model", "coefficients"), [1.0, 2.0, True]),
        (("learned", "model", "coefficients"), [1.0, 2.0, "3"]),
        (("learned", "model", "coefficients"), [1.0, 2.0, 10**400]),
        (("learned", "model", "intercept"), None),
        (("learned", "model", "predict"), "lambda x: x"),
        (("learned",), None),
        (("code",), "import os"),
    ],
)
def test_forged_text_is_refused(path: tuple[str, ...], to: Any) -> None:
    nights, y = nights_and_target()
    with pytest.raises(UserError, match="stored model is refused"):
        Estimator.deserialise(changed(Estimator(Ridge()).fit(nights, y).serialise(), *path, to=to))


@pytest.mark.parametrize("to", [[0.0], [1.0, 0.0], [0.0, 0.0], [0.0, "1"], 2, None])
def test_forged_classes_are_refused(to: Any) -> None:
    nights, y = nights_and_target(2)
    text = Estimator(LogisticRegression()).fit(nights, y).serialise()
    with pytest.raises(UserError, match="stored model is refused"):
        Estimator.deserialise(changed(text, "learned", "model", "classes", to=to))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "[" * 100_000, " " * (1 << 20) + "{}", '{"kind": NaN}', '{"kind": 1e999}',
     '{"kind": "\\ud800"}', '{"kind": ' + "9" * 5000 + "}", "cos\nsystem\n(S'true'\ntR."],
)  # fmt: skip
def test_text_that_is_no_step(text: str) -> None:
    with pytest.raises(UserError, match="stored model is refused"):
        Estimator.deserialise(text)
