"""The rivals: each tuned on the validation window, one chosen there, all judged on the later test window.

    train       fit every setting of every rival
    validation  choose each rival's setting, and the model on trial: the lowest log loss among those with exact reasons;
                of two that differ by less than a standard error of the difference, the simpler
    test        judge them, fitted anew on train and validation together
    today       score by the chosen one, fitted anew on all three

Naive rivals: the hiatus rule (share who left by days of silence) and the base rate. Others, such as 1 − P(buys again)
of a lifetime model, come in as functions of a window; their numbers are brought to scale by a logistic curve fitted on
the earlier windows, since P(alive) is no probability of buying within H days.

Settings are few and fixed, everything is seeded. Of more than 200,000 customers a window holds a sample (`snapshot`),
support vector machines take at most 20,000 of them; scoring runs in batches over everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from workbook.churn import models, trees
from workbook.churn.features import matrix_columns
from workbook.churn.models import Model, Setting
from workbook.churn.windows import Window
from workbook.data.engine import few_rows, settled
from workbook.scoring import area_under

Fit = Callable[[pd.DataFrame, tuple[str, ...], Setting, int], Model]
Foretold = Callable[[Window], pd.Series]  # customer_id → number, higher = likelier to leave, as known on scored_on


class Rival(NamedTuple):
    """A kind of model and the settings tried."""

    fit: Fit
    settings: tuple[Setting, ...]


_PLAIN: tuple[Setting, ...] = ({},)
KINDS: dict[str, Rival] = {  # of the models, the simpler first
    "logistic": Rival(models.fit_logistic, tuple({"C": c} for c in (0.003, 0.03, 0.3))),
    "tree": Rival(trees.fit_tree, tuple({"leaves": n} for n in (4, 8, 16))),
    "svm_linear": Rival(models.fit_svm_linear, tuple({"C": c} for c in (0.0003, 0.003, 0.03))),
    "gradient_boosting": Rival(
        trees.fit_boosting,
        tuple({"rate": 0.05, "trees": n, "leaves": leaves} for n, leaves in ((40, 4), (80, 4), (80, 8), (160, 8))),
    ),
    "svm_kernel": Rival(models.fit_svm_kernel, tuple({"gamma": g, "C": 0.03} for g in (0.1, 0.5))),
    "hiatus": Rival(models.fit_hiatus, _PLAIN),
    "base_rate": Rival(models.fit_base_rate, _PLAIN),
}
RIVALS = tuple(KINDS)
EXPLAINED = ("logistic", "tree", "svm_linear", "gradient_boosting")  # with exact reasons: these may be chosen
NAIVE = ("hiatus", "base_rate")
FEWEST_OF_A_KIND = 30  # customers who left, and who stayed, in every window


class Snapshots(NamedTuple):
    """The windows' customers in pandas, each in the order of customer_id."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    today: pd.DataFrame

    @property
    def labelled(self) -> dict[str, pd.DataFrame]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


class TooFew(NamedTuple):
    """Why nothing was fitted."""

    reason: str  # too_few
    events: dict[str, tuple[int, int]]  # window → customers, of these churned


class Fitted(NamedTuple):
    """The rivals, judged side by side, and the model that scores today."""

    chosen: str
    names: tuple[str, ...]  # features that vary
    final: Model  # the chosen one, fitted on everything labelled
    models: dict[str, Model]  # fitted on train and validation: what the test judges
    validation: pd.DataFrame  # rival, setting, log_loss, auc; the best setting of each, best first
    predictions: dict[str, np.ndarray]  # on the test window, the chosen one first
    happened: np.ndarray  # of the test window
    test_frame: pd.DataFrame
    validation_predictions: dict[str, np.ndarray]  # by the fits on train only: the threshold is chosen here
    validation_frame: pd.DataFrame
    events: dict[str, tuple[int, int]]


def fit_all(
    snapshots: Snapshots,
    *,
    windows: Sequence[Window] = (),
    others: Mapping[str, Foretold] | None = None,
    kinds: Sequence[str] = RIVALS,
    seed: int = 0,
    fewest: int = 100,
) -> Fitted | TooFew:
    """Fit, choose, judge, fit again.

    Args:
        windows: those of the snapshots; needed for `others`.
        others: further rivals by name, as functions of a window.
        fewest: customers of a window below which nothing is fitted.
    """
    frames = snapshots.labelled
    events = {name: (len(frame), int(frame["churned"].sum())) for name, frame in frames.items()}
    if any(n < fewest or min(left, n - left) < FEWEST_OF_A_KIND for n, left in events.values()):
        return TooFew("too_few", events)
    names = _varying(frames["train"])
    tried = _tuned(frames, names, kinds, seed)
    chosen = _choose(tried, frames["validation"]["churned"].to_numpy(float))
    both = pd.concat([frames["train"], frames["validation"]], ignore_index=True)
    everything = pd.concat([both, frames["test"]], ignore_index=True)
    order = [chosen, *(kind for kind in kinds if kind != chosen)]
    fitted = {kind: KINDS[kind].fit(both, names, tried[kind].setting, seed) for kind in order}
    validated = {kind: tried[kind].prediction for kind in order}
    predictions = {kind: fitted[kind].predict(frames["test"]) for kind in order}
    for name, foretold in (others or {}).items():
        validated[name], predictions[name] = _scaled(foretold, {w.name: w for w in windows}, frames)
    return Fitted(
        chosen=chosen, names=names, final=KINDS[chosen].fit(everything, names, tried[chosen].setting, seed),
        models=fitted, validation=_validation_table(validated, tried, frames["validation"]), predictions=predictions,
        happened=frames["test"]["churned"].to_numpy(int), test_frame=frames["test"], validation_predictions=validated,
        validation_frame=frames["validation"], events=events,
    )  # fmt: skip


def predict_batches(model: Model, frame: pd.DataFrame, *, batch: int = 100_000) -> np.ndarray:
    """Probabilities of everybody, so many at a time: the working memory does not grow with the customers."""
    parts = [model.predict(frame.iloc[start : start + batch]) for start in range(0, len(frame), batch)]
    return np.concatenate(parts) if parts else np.zeros(0)


def score_in_parts(
    model: Model, today: ir.Table, fetch: Callable[[ir.Table], pd.DataFrame], *, batch: int = 200_000
) -> pd.DataFrame:
    """Probabilities of more customers than belong in memory: the engine holds the features and hands over a part.

    Args:
        today: `snapshot` of today's window.
        fetch: brings a part into pandas: `run.frame`.

    Returns:
        customer_id, probability, spend_12m (currency), in the order of customer_id.
    """
    held = settled(today)
    n = few_rows(held.aggregate(n=held.count()))[0]["n"]
    parts = max(1, -(-n // batch))
    place = (held.customer_id.hash().cast("int64") % parts + parts) % parts
    told = []
    for part in range(parts):
        frame = fetch(held.filter(place == part))
        told.append(frame[["customer_id", "spend_12m"]].assign(probability=model.predict(frame)))
    scored = pd.concat(told)[["customer_id", "probability", "spend_12m"]]
    return scored.sort_values("customer_id", ignore_index=True)


class _Tried(NamedTuple):
    setting: Setting
    prediction: np.ndarray  # on the validation window
    losses: np.ndarray


def _varying(train: pd.DataFrame) -> tuple[str, ...]:
    return tuple(name for name in matrix_columns(train.columns) if train[name].nunique() > 1)


def _losses(prediction: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Log loss of each customer."""
    p = np.clip(prediction, 1e-6, 1 - 1e-6)
    return -np.where(happened > 0, np.log(p), np.log(1 - p))


def _tuned(
    frames: Mapping[str, pd.DataFrame], names: tuple[str, ...], kinds: Sequence[str], seed: int
) -> dict[str, _Tried]:
    """The best setting of each kind on the validation window, fitted on the training window."""
    happened = frames["validation"]["churned"].to_numpy(float)
    tried = {}
    for kind in kinds:
        attempts = []
        for setting in KINDS[kind].settings:
            told = KINDS[kind].fit(frames["train"], names, setting, seed).predict(frames["validation"])
            attempts.append(_Tried(setting, told, _losses(told, happened)))
        tried[kind] = min(attempts, key=lambda attempt: attempt.losses.mean())
    return tried


def _choose(tried: Mapping[str, _Tried], happened: np.ndarray) -> str:
    """The simplest of the models that are not clearly worse than the best."""
    models_tried = [kind for kind in EXPLAINED if kind in tried]
    best = min(models_tried, key=lambda kind: tried[kind].losses.mean())
    for kind in models_tried:
        worse = tried[kind].losses - tried[best].losses
        if worse.mean() <= worse.std() / np.sqrt(len(worse)):
            return kind
    return best


def _validation_table(
    validated: Mapping[str, np.ndarray], tried: Mapping[str, _Tried], frame: pd.DataFrame
) -> pd.DataFrame:
    happened = frame["churned"].to_numpy(float)
    rows = [
        {
            "rival": name,
            "setting": ", ".join(f"{key}={value:g}" for key, value in tried[name].setting.items())
            if name in tried
            else "",
            "log_loss": float(_losses(prediction, happened).mean()),
            "auc": area_under(prediction, happened),
        }
        for name, prediction in validated.items()
    ]
    return pd.DataFrame(rows).sort_values("log_loss", kind="stable", ignore_index=True)


def _scaled(
    foretold: Foretold, by_name: Mapping[str, Window], frames: Mapping[str, pd.DataFrame]
) -> tuple[np.ndarray, np.ndarray]:
    """A rival from outside on validation and test, its numbers brought to scale on the windows before."""
    numbers = {}
    for name, frame in frames.items():
        told = frame["customer_id"].map(foretold(by_name[name])).astype(float)
        numbers[name] = logit(np.clip(told.fillna(told.median()).to_numpy(), 1e-6, 1 - 1e-6))
    happened = {name: frame["churned"].to_numpy(int) for name, frame in frames.items()}
    return (
        _to_scale([numbers["train"]], [happened["train"]], numbers["validation"]),
        _to_scale(
            [numbers["train"], numbers["validation"]], [happened["train"], happened["validation"]], numbers["test"]
        ),
    )


def _to_scale(numbers: list[np.ndarray], happened: list[np.ndarray], later: np.ndarray) -> np.ndarray:
    curve = LogisticRegression(C=1e6).fit(np.concatenate(numbers)[:, None], np.concatenate(happened))
    return expit(curve.intercept_[0] + curve.coef_[0, 0] * later)
