"""Who lives together: customers who must lie in one arm, since what one of them gets the others see too.

Two customers are of one household when the shop's records name the same account (household or company) for both, or
when they share a telephone number or mail address; and so on along the chain. A number or address that more than
`MOST_BEHIND_ONE` customers share is a shop's own, a virtual or a made-up one, and ties nobody. Whoever shares nothing
is a household of their own. What the records do not say is not seen: families with several numbers and no common
account are drawn person by person.

In: clean/customers (account_id, phone_hash, mail_hash) and the ids of a list. Out: for each id the name of its
household, which is the smallest customer id in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from workbook.data.run import Run

DECLARED, SHARED = ("account_id",), ("phone_hash", "mail_hash")
MOST_BEHIND_ONE = 10  # customers who plausibly share one number or address


def households(run: Run, ids: Sequence[str]) -> np.ndarray:
    """The household of each customer, in the order of `ids`."""
    names = np.asarray(ids, dtype=object)
    if not run.has("clean/customers"):
        return names
    customers = run.table("clean/customers")
    tied = [_ties(customers, name, most=None) for name in DECLARED if name in customers.columns]
    tied += [_ties(customers, name, most=MOST_BEHIND_ONE) for name in SHARED if name in customers.columns]
    return together(names, run.frame(ibis.union(*tied))) if len(tied) > 1 else names


def _ties(customers: ir.Table, column: str, *, most: int | None) -> ir.Table:
    """customer_id and mark, of the marks that two customers or more have in common."""
    named = customers.filter(customers[column].notnull()).select(
        "customer_id", mark=ibis.literal(f"{column} ") + customers[column])
    behind = named.group_by("mark").aggregate(customers=named.customer_id.nunique())
    several = behind.filter(behind.customers > 1)
    return named.semi_join(several if most is None else several.filter(several.customers <= most), "mark")


def together(ids: np.ndarray, marks: pd.DataFrame) -> np.ndarray:
    """The smallest id of all who hang together by what they share.

    Args:
        marks: customer_id, mark.

    >>> shared = pd.DataFrame({"customer_id": ["a", "b", "b", "c"], "mark": ["x", "x", "y", "y"]})
    >>> together(np.array(["d", "c", "b", "a"], dtype=object), shared).tolist()
    ['d', 'a', 'a', 'a']
    """
    mine = marks[marks["customer_id"].isin(ids)]
    if mine.empty:
        return ids
    who, people = pd.factorize(mine["customer_id"])
    what, kinds = pd.factorize(mine["mark"])
    size = len(people) + len(kinds)
    links = coo_matrix((np.ones(len(who)), (who, what + len(people))), shape=(size, size))
    label = connected_components(links, directed=False)[1][: len(people)]
    first = pd.Series(people, index=people).groupby(label).transform("min")
    return pd.Series(ids).map(first).fillna(pd.Series(ids)).to_numpy(object)
