"""The highest point of a log-likelihood, how sure its place is, and where it is flat.

Parameters are logarithms, so that none can leave its range. Several searches climb along the exact slopes, the best is
finished by steps of Newton. Standard errors come from the observed information: minus the second derivatives at the
optimum, by differences of the exact first ones. Where the likelihood is flat, intervals come from the profile: the
values of a parameter at which the best likelihood has fallen by 1.92.

Source: Y. Pawitan, In All Likelihood, 2001 (observed information, profile).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize

from workbook.scoring import Z

BOUND = 9.0  # natural logarithms on each side of a start's scale
FLAT = 1.17  # standard error of a logarithm: ten times more or less is still within its interval
FLATTEST = 0.05  # second derivative below which a direction counts as not known at all (deviation 4.5)
FALL = Z * Z / 2  # of the log-likelihood, at the ends of a 95 % interval
NEWTON_STEPS = 12  # at most; two suffice where the likelihood is not flat
Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]  # logarithms → log-likelihood and its derivatives


class Optimum(NamedTuple):
    """The highest place that a search found."""

    log_values: np.ndarray
    height: float
    covariance: np.ndarray  # of the logarithms
    low: np.ndarray  # 95 % interval of the logarithms; infinite where the profile never falls
    high: np.ndarray
    codes: tuple[str, ...]


def maximise(
    objective: Objective, starts: Sequence[np.ndarray], *, quick: Objective | None = None, with_profile: bool = True
) -> Optimum:
    """Climb from every start (on `quick` data where given), then finish the best and judge it.

    Args:
        with_profile: intervals by the profile where the optimum is flat; without it they are the quadratic ones.
    """
    climbs = [_climb(quick or objective, np.asarray(start, float)) for start in starts]
    best = max(climbs, key=lambda climb: climb[1])
    agree = all(best[1] - height < 0.05 for _, height in climbs)
    place, _ = _climb(objective, best[0]) if quick else best
    place, height, slope, bend = _finish(objective, place)
    codes = [] if agree else ["disagreeing_starts"]
    if np.any(np.abs(place) > BOUND - 0.05):
        codes.append("at_bound")
    curves, turn = np.linalg.eigh(bend)
    covariance = (turn / np.maximum(curves, FLATTEST)) @ turn.T
    deviation = np.sqrt(np.diag(covariance))
    settled = float(slope @ covariance @ slope) < 1e-4 or "at_bound" in codes
    flat = bool(np.any(deviation > FLAT))
    codes = [*(["converged"] if settled else ["not_converged"]), *(["flat"] if flat else []), *codes]
    low, high = place - Z * deviation, place + Z * deviation
    if flat and settled and with_profile:
        low, high = _profile_ends(objective, place, height, bend)
        covariance = _bounded(covariance, (high - low) / (2 * Z))
    return Optimum(place, height, covariance, low, high, tuple(codes))


def _climb(objective: Objective, start: np.ndarray) -> tuple[np.ndarray, float]:
    def down(place: np.ndarray) -> tuple[float, np.ndarray]:
        height, slope = objective(place)
        return -height, -slope

    found = minimize(
        down, start, jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(start),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-6, "maxcor": 20},
    )  # fmt: skip
    return found.x, -float(found.fun)


def _finish(objective: Objective, place: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Steps of Newton while they climb, short ones on a ridge: place, height, slope, observed information there."""
    height, slope = objective(place)
    bend = information(objective, place)
    for _ in range(NEWTON_STEPS):
        curves, turn = np.linalg.eigh(bend)
        step = turn @ ((turn.T @ slope) / np.maximum(np.abs(curves), 1e-6 * curves[-1]))
        if slope @ step < 1e-9:
            break
        step /= max(1.0, np.abs(step).max())
        tries = [np.clip(place + step * part, -BOUND, BOUND) for part in (1.0, 0.25, 0.05)]
        ahead = next((each for each in tries if objective(each)[0] > height), None)
        if ahead is None:
            break
        place = ahead
        height, slope = objective(place)
        bend = information(objective, place)
    return place, height, slope, bend


def information(objective: Objective, place: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Minus the second derivatives of the log-likelihood, by differences of its exact slopes."""
    rows = []
    for i in range(len(place)):
        ahead, behind = place.copy(), place.copy()
        ahead[i] += step
        behind[i] -= step
        rows.append((objective(ahead)[1] - objective(behind)[1]) / (2 * step))
    found = -np.array(rows)
    return (found + found.T) / 2


def profile_height(objective: Objective, place: np.ndarray, bend: np.ndarray, index: int, fixed: float) -> float:
    """The highest log-likelihood with one logarithm held at `fixed`, beginning along the ridge from the optimum."""
    free = [i for i in range(len(place)) if i != index]

    def held(rest: np.ndarray) -> tuple[float, np.ndarray]:
        whole = np.empty(len(place))
        whole[index], whole[free] = fixed, rest
        height, slope = objective(whole)
        return height, slope[free]

    along = np.linalg.lstsq(bend[np.ix_(free, free)], bend[free, index], rcond=1e-8)[0] * (fixed - place[index])
    starts = (np.clip(place[free] - along, -BOUND, BOUND), place[free])
    return max(_climb(held, start)[1] for start in starts)


def _profile_ends(
    objective: Objective, place: np.ndarray, height: float, bend: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the profile of each parameter has fallen by 1.92; infinite if it has not near the bound."""
    low, high = np.full(len(place), -np.inf), np.full(len(place), np.inf)
    for i in range(len(place)):
        for ends, bound in ((low, -BOUND), (high, BOUND)):

            def above(fixed: float, index: int = i) -> float:
                return profile_height(objective, place, bend, index, fixed) - (height - FALL)

            edge = bound * (1 - 1.5 / BOUND)
            if abs(place[i]) < abs(edge) and above(edge) < 0:
                ends[i] = brentq(above, edge, place[i], xtol=0.02)
    return low, high


def _bounded(covariance: np.ndarray, widest: np.ndarray) -> np.ndarray:
    """The covariance scaled down to deviations that the profile allows."""
    deviation = np.sqrt(np.diag(covariance))
    scale = np.minimum(np.where(np.isfinite(widest), widest, deviation), deviation) / deviation
    return covariance * np.outer(scale, scale)
