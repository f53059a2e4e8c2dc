"""TBATS as its paper writes it, one equation after another; the first state by least squares over unit states."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass
class Tbats:
    """Parameters, and the states: level, slope, harmonics and conjugates, ARMA errors and innovations newest first."""

    alpha: float
    beta: float | None
    phi: float
    gamma: tuple[float, float]
    ar: list[float]
    ma: list[float]
    season: int
    level: float
    slope: float
    s: list[float]
    conjugate: list[float]
    d: list[float] = field(default_factory=list)
    e: list[float] = field(default_factory=list)

    def start(self) -> Tbats:
        self.d = [0.0] * len(self.ar)
        self.e = [0.0] * len(self.ma)
        return self

    def mean(self) -> float:
        return self.level + self.phi * self.slope + sum(self.s) + self.arma()

    def arma(self) -> float:
        old = sum(a * d for a, d in zip(self.ar, self.d, strict=True))
        return old + sum(b * e for b, e in zip(self.ma, self.e, strict=True))

    def step(self, error: float) -> None:
        d = self.arma() + error
        self.level += self.phi * self.slope + self.alpha * d
        self.slope = self.phi * self.slope + (self.beta or 0.0) * d
        for j in range(len(self.s)):
            angle = 2 * math.pi * (j + 1) / self.season
            s, c = self.s[j], self.conjugate[j]
            self.s[j] = s * math.cos(angle) + c * math.sin(angle) + self.gamma[0] * d
            self.conjugate[j] = -s * math.sin(angle) + c * math.cos(angle) + self.gamma[1] * d
        self.d = [d, *self.d][: len(self.ar)]
        self.e = [error, *self.e][: len(self.ma)]

    def run(self, y: Floats) -> Floats:
        """Errors of y, one after another."""
        errors = []
        for value in y:
            errors.append(value - self.mean())
            self.step(errors[-1])
        return np.array(errors)

    def ahead(self, steps: int) -> Floats:
        path = []
        for _ in range(steps):
            path.append(self.mean())
            self.step(0.0)
        return np.array(path)


def least_squares(
    y: Floats, make: type[Tbats], trend: bool, harmonics: int, **parameters: object
) -> tuple[float, Floats]:
    """Least sum of squared errors over all first states, and that state: level, slope where `trend`, s, conjugates."""
    n = 1 + trend + 2 * harmonics

    def errors(x: Floats) -> Floats:
        slope = float(x[1]) if trend else 0.0
        rest = x[1 + trend :].tolist()
        states = {"level": float(x[0]), "slope": slope, "s": rest[:harmonics], "conjugate": rest[harmonics:]}
        return make(**parameters, **states).start().run(y)  # type: ignore[arg-type]

    zero = errors(np.zeros(n))
    columns = np.array([zero - errors(np.eye(n)[i]) for i in range(n)]).T
    best = np.linalg.lstsq(columns, zero, rcond=None)[0]
    return float(np.sum((zero - columns @ best) ** 2)), best
