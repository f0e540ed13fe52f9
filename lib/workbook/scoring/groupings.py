"""Ways of dividing customers into groups, each behind one door, so that they can be set side by side.

A grouping is fitted on a table of customers as they were known on a day (one row each, columns as the way needs them)
and then labels any other such table by the same rule. Ways that learn are also given what each customer brought in the
period after that day; the day is then one whole period before the one on which the groups are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from workbook.scoring.forecasts import grouped

Assign = Callable[[pd.DataFrame], np.ndarray]  # customers → a label each
Fit = Callable[[pd.DataFrame, np.ndarray | None, int, np.random.Generator], Assign | None]
SMALLEST = 20  # customers in a leaf of a tree: the mean of fewer says nothing about heavy-tailed revenue


class Grouping(NamedTuple):
    """One way of dividing customers."""

    fit: Fit  # customers, what each brought afterwards (only where it learns), groups, rng → labels; None if unfit
    learns: bool = False  # sees what was brought in the period before the test
    aimed: bool = False  # made to sort customers by what they will bring: ahead in accuracy by construction
    own_number: bool = False  # decides how many groups there are; ways without this are given as many
    comparable: bool = False  # groups of another fit bear the same names: those of a printed rule, or ranks


def unaided(
    fitter: Callable[[int, np.random.Generator], Callable[[pd.DataFrame], Assign]], *, printed_rule: bool = False
) -> Grouping:
    """A way that looks at the customers alone, such as segments or clusters.

    Args:
        printed_rule: names and number of the groups come from a rule, not from the fit.
    """

    def fit(customers: pd.DataFrame, _came: np.ndarray | None, n_groups: int, rng: np.random.Generator) -> Assign:
        return fitter(n_groups, rng)(customers)

    return Grouping(fit, own_number=printed_rule, comparable=printed_rule)


def revenue_tree(columns: Sequence[str]) -> Grouping:
    """A decision tree on what the next period brings, with a leaf for each group.

    Args:
        columns: that its conditions may name; those of which nothing is known are left out.
    """

    def fit(customers: pd.DataFrame, came: np.ndarray | None, n_groups: int, _rng: np.random.Generator) -> Assign:
        smallest = min(SMALLEST, max(1, len(customers) // (2 * n_groups)))
        tree = DecisionTreeRegressor(max_leaf_nodes=n_groups, min_samples_leaf=smallest, random_state=0)
        used = known(customers, columns)
        tree.fit(numbers(customers, used), came)
        return lambda others: tree.apply(numbers(others, used))

    return Grouping(fit, learns=True, aimed=True)


def equal_parts(fitter: Callable[[pd.DataFrame], Callable[[pd.DataFrame], np.ndarray] | None]) -> Grouping:
    """Equal parts of the customers by one number, such as tenths by expected value: 1 is the highest.

    Args:
        fitter: customers → a function that gives any customers their number, or None where it cannot be fitted.
    """

    def fit(
        customers: pd.DataFrame, _came: np.ndarray | None, n_groups: int, _rng: np.random.Generator
    ) -> Assign | None:
        number = fitter(customers)
        if number is None:
            return None
        own = np.asarray(number(customers), float)
        lowest = pd.Series(own).groupby(grouped(own, n_groups)).min().sort_values()
        names, cuts = lowest.index.to_numpy(), lowest.to_numpy()[1:]
        return lambda others: names[np.searchsorted(cuts, np.asarray(number(others), float), side="right")]

    return Grouping(fit, aimed=True, comparable=True)


def numbers(customers: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """The named columns as floats; blanks stay blank, which a tree can read."""
    return customers[list(columns)].to_numpy(dtype=float, na_value=np.nan)


def known(customers: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those of the columns that are there and of which anything is known."""
    return [name for name in columns if name in customers and customers[name].notna().any()]
