"""Does the offer make equal customers pay unequal prices?

Equals are customers of the same RFM segment and class of value. What a data-protection officer and a consumer lawyer
ask is counted: how many equals pay more, how many of them are loyal, who paid the plain price a moment ago, and
whether those favoured differ from their equals in a personal fact (PIPL article 24; the EU's Directive 2011/83/EU,
article 6 (1) (ea): a price made personal by automated means must be called so). A warning; the decision is people's.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd
from scipy import stats

from workbook.data.run import Run
from workbook.decisions.record import Price
from workbook.history import is_purchase

_PRICE = re.compile(
    r"\d\s*%|\boff\b|discount|coupon|voucher|rebate|reduc|cheaper|price|free (?:shipping|delivery|postage)|"
    r"[折减券]|优惠|免邮|包邮|降价|特价", re.IGNORECASE)
PERSONAL = ("gender", "age_band", "region", "occupation", "income_band", "education")
LOYAL = ("champions", "loyal")
LATELY_DAYS = 30
DIFFERENT = 0.01  # p of a chi-squared test, divided by the number of facts
FEWEST_EXPECTED = 5  # customers in a cell, below which the test says nothing


def is_price(offer: str) -> bool:
    """Whether the words of an offer speak of paying less.

    >>> is_price("10% off"), is_price("第二件半价 8折"), is_price("a visit of the tea master")
    (True, True, False)
    """
    return _PRICE.search(offer) is not None


def divided(run: Run, treated: list[str]) -> Price | None:
    """Who pays less than their equals; None where no segments are known."""
    if not run.has("rfm"):
        return None
    everybody = run.frame(run.table("rfm").select("customer_id", "segment", "value_class"))
    favoured = everybody["customer_id"].isin(treated)
    keys = ["segment", "value_class"]
    among = everybody.loc[favoured, keys].drop_duplicates()
    equals = everybody.merge(among, on=keys)
    without = equals[~equals["customer_id"].isin(treated)]
    return Price(
        favoured=len(treated), equal_without=len(without),
        groups=len(without[keys].drop_duplicates()), loyal_without=int(without["segment"].isin(LOYAL).sum()),
        bought_lately=_bought_lately(run, treated), personal=_personal(run, treated, list(without["customer_id"])),
    )


def _bought_lately(run: Run, treated: list[str]) -> int:
    orders = run.table("clean/orders")
    since = run.as_of - timedelta(days=LATELY_DAYS)
    bought = orders.filter(orders.customer_id.notnull(), is_purchase(orders), orders.ordered_on > since)
    return len(set(run.frame(bought.select("customer_id").distinct())["customer_id"]) & set(treated))


def _personal(run: Run, treated: list[str], without: list[str]) -> tuple[str, ...]:
    """Personal facts whose spread among the favoured differs from that among their equals by more than chance."""
    if not run.has("profile/customers") or not without:
        return ()
    table = run.table("profile/customers")
    facts = [name for name in PERSONAL if name in table.columns]
    known = run.frame(table.select("customer_id", *facts)).set_index("customer_id")
    groups = pd.concat([known.reindex(treated).assign(arm="favoured"), known.reindex(without).assign(arm="equal")])
    return tuple(name for name in facts if _differs(groups, name, len(facts)))


def _differs(groups: pd.DataFrame, fact: str, facts: int) -> bool:
    counts = pd.crosstab(groups["arm"], groups[fact])
    expected = counts.to_numpy().sum(axis=0) * counts.to_numpy().sum(axis=1).min() / max(counts.to_numpy().sum(), 1)
    counts = counts.loc[:, expected >= FEWEST_EXPECTED]
    if counts.shape[0] < 2 or counts.shape[1] < 2:
        return False
    return bool(stats.chi2_contingency(counts.to_numpy(), correction=False).pvalue < DIFFERENT / facts)
