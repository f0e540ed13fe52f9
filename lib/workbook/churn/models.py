"""The kinds of model that foretell churn, each with the exact share of every feature in a prediction.

A linear model's score is base + Σ coefficient × (value − mean), and each term is the feature's contribution. A tree's
score is the root's value plus the steps on the way to the leaf, each step the work of the feature that was asked; a
sum of trees adds their steps. Either way base + Σ contributions equals the score, to rounding.

`score` is the log-odds of leaving, except for one tree, whose leaves may be pure: there it is the probability.

No class weights: they would turn probabilities into something else, and what a missed customer costs belongs to the
threshold (`profit`). Support vectors give distances, not probabilities: a logistic curve through out-of-fold distances
makes them such (Platt 1999).

Sources: A. Palczewska et al., Interpreting random forest classification models using a feature contribution method,
2014 (steps of a path); J. Platt, Probabilistic outputs for support vector machines, 1999; C. Williams & M. Seeger,
Using the Nyström method to speed up kernel machines, 2001.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from workbook.churn.preparation import Preparation, prepare

SVM_LARGEST = 20_000  # customers that a support vector machine is trained on
LANDMARKS = 100  # customers that stand for all in the kernel's approximation
Setting = Mapping[str, float]


class Model(Protocol):
    """A fitted model. `base` and `contributions` are None where no exact ones exist."""

    name: str
    names: tuple[str, ...]
    base: float | None

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of leaving, a customer a row."""

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """What base and contributions add up to."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """A column per feature: base + their sum = score."""


@dataclass(frozen=True)
class Linear:
    """Logistic regression, or a linear support vector machine with its logistic curve."""

    name: str
    names: tuple[str, ...]
    preparation: Preparation
    coefficients: np.ndarray  # log-odds per standard deviation
    base: float  # log-odds of the mean customer

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return self.base + self.preparation.transform(frame) @ self.coefficients

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return expit(self.score(frame))

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        columns = self.preparation.transform(frame) * self.coefficients
        return pd.DataFrame(self.preparation.by_feature(columns), columns=list(self.names), index=frame.index)


@dataclass(frozen=True)
class Opaque:
    """A model without exact contributions: the kernel machine."""

    name: str
    names: tuple[str, ...]
    preparation: Preparation
    estimator: Any
    base: None = None

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.estimator.predict_proba(self.preparation.transform(frame))[:, 1]

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        probability = np.clip(self.predict(frame), 1e-12, 1 - 1e-12)
        return np.log(probability / (1 - probability))

    def contributions(self, frame: pd.DataFrame) -> None:
        return None


@dataclass(frozen=True)
class Hiatus:
    """The rule that everybody has: the longer the silence, the more left; the share among training customers."""

    name: str
    names: tuple[str, ...]
    curve: IsotonicRegression
    longest: float
    base: None = None

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.curve.predict(frame["recency_days"].fillna(self.longest).to_numpy(float))

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return self.predict(frame)

    def contributions(self, frame: pd.DataFrame) -> None:
        return None


@dataclass(frozen=True)
class BaseRate:
    """Everybody leaves with the share that left before."""

    name: str
    names: tuple[str, ...]
    share: float
    base: None = None

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return np.full(len(frame), self.share)

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return self.predict(frame)

    def contributions(self, frame: pd.DataFrame) -> None:
        return None


def fit_logistic(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """Logistic regression with a ridge of strength 1 / C."""
    preparation = prepare(frame, names)
    fitted = LogisticRegression(C=setting["C"], max_iter=2000).fit(preparation.transform(frame), frame["churned"])
    return Linear("logistic", names, preparation, fitted.coef_[0], float(fitted.intercept_[0]))


def fit_svm_linear(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """A linear support vector machine; its score is linear still after the logistic curve."""
    frame = _every(frame)
    preparation = prepare(frame, names)
    machine = LinearSVC(C=setting["C"], dual=False, random_state=seed)
    fitted = CalibratedClassifierCV(machine, method="sigmoid", cv=3, ensemble=False)
    inner = fitted.fit(preparation.transform(frame), frame["churned"]).calibrated_classifiers_[0]
    slope, shift, distance = inner.calibrators[0].a_, inner.calibrators[0].b_, inner.estimator
    base = -(slope * float(distance.intercept_[0]) + shift)
    return Linear("svm_linear", names, preparation, -slope * distance.coef_[0], base)


def fit_svm_kernel(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """A support vector machine with a radial kernel, approximated by landmarks so that it scales."""
    frame = _every(frame)
    preparation = prepare(frame, names)
    kernel = Nystroem(
        gamma=setting["gamma"] / len(names), n_components=min(LANDMARKS, len(frame) // 2), random_state=seed
    )
    machine = make_pipeline(kernel, LinearSVC(C=setting["C"], dual=False, random_state=seed))
    fitted = CalibratedClassifierCV(machine, method="sigmoid", cv=3, ensemble=False)
    return Opaque("svm_kernel", names, preparation, fitted.fit(preparation.transform(frame), frame["churned"]))


def fit_hiatus(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """Share who left by days of silence, never falling."""
    silence = frame["recency_days"].fillna(frame["recency_days"].max()).to_numpy(float)
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(silence, frame["churned"].to_numpy(float))
    return Hiatus("hiatus", names, curve, float(silence.max()))


def fit_base_rate(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    return BaseRate("base_rate", names, float(frame["churned"].mean()))


def _every(frame: pd.DataFrame) -> pd.DataFrame:
    """Every so-many-th customer, where there are more than a support vector machine takes."""
    return frame.iloc[:: -(-len(frame) // SVM_LARGEST)]
