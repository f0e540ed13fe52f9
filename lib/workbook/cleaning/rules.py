"""What each cleaning rule looks for in the order lines, and what is done about it.

A rule marks rows. Its action says what follows: `keep` (nothing, only counted), `flag` (kept and told) or `drop`
(removed, and listed in clean/removed). The first rule that drops a row takes the blame, in the order of `RULES`.

Outliers: a line is far out when its amount lies above the upper quartile by more than three times the distance
between the quartiles, both taken of the logarithm of positive amounts (Tukey's outer fence on a log scale: robust,
because a quarter of all lines would have to be wrong before the fence moves with them).

Source: Tukey, Exploratory Data Analysis, 1977 (fences).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Action, Cleaning

NON_PRODUCTS = ("POST", "DOT", "M", "D", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK", "S", "B", "PADS", "GIFT",
                "SHIPPING", "POSTAGE", "FREIGHT", "DELIVERY", "DISCOUNT", "ADJUST")  # fmt: skip
# At the end of the name, where the noun stands: a carriage clock is goods.
NON_PRODUCT_WORDS = (
    r"(?i)(^|\W)(postage|shipping|freight|carriage|delivery( fee| charge)?|bank charges|gift ?card|gift voucher"
    r"|handling fee|service fee)\s*$|运费|邮费|快递费|手续费|补差价|礼品卡$"
)
CANCELLING_NUMBER = r"^[Cc]\d+$"  # a cancelling document of many tills: C536379
LATER = "later"  # not settable: a report never sees what is dated after it
_FEWEST_FOR_QUARTILES = 20


class Known(NamedTuple):
    """What the rules need to know beside the row."""

    declared: Cleaning
    as_of: date
    fence: float | None  # amounts above are far out; None: too few lines to say


class Rule(NamedTuple):
    """One rule."""

    name: str
    default: Action
    marks: Callable[[ir.Table, Known], ir.BooleanValue]


def _no_date(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.ordered_on.isnull()


def _impossible_date(t: ir.Table, known: Known) -> ir.BooleanValue:
    """Before the shop can have sold anything, or dated after the row arrived (a day is left for time zones)."""
    arrived = t.arrived_at.date() + ibis.interval(days=1)
    return (t.ordered_on < ibis.literal(known.declared.first_possible_date)) | (t.ordered_on > arrived)


def _later(t: ir.Table, known: Known) -> ir.BooleanValue:
    """After the report date: not an error, but not yet known."""
    return t.ordered_on > ibis.literal(known.as_of)


def _test_account(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.customer_id.isin(list(known.declared.test_customers)) if known.declared.test_customers else _never()


def _cancelled_status(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.status.strip().lower().isin([status.lower() for status in known.declared.cancelled_statuses])


def _missing_customer(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.customer_id.isnull()


def _cancellation(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.order_id.re_search(CANCELLING_NUMBER) | t.original_order_id.notnull()


def _nonpositive_quantity(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.quantity <= 0


def _nonpositive_price(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.unit_price <= 0


def _zero_amount(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.amount == 0


def _non_product(t: ir.Table, known: Known) -> ir.BooleanValue:
    """Postage, fees, vouchers, adjustments: by the product table where it says, else by code and name."""
    codes = [code.upper() for code in (*NON_PRODUCTS, *known.declared.non_products)]
    code = t.product_id.upper()
    by_name = code.isin(codes) | code.startswith("GIFT_") | t.product_name.re_search(NON_PRODUCT_WORDS)
    declared = t.product_id.isin(list(known.declared.non_products)) if known.declared.non_products else _never()
    return declared | ibis.coalesce(~t.declared_product, by_name)


def _outlier(t: ir.Table, known: Known) -> ir.BooleanValue:
    return t.amount.abs().cast("float64") > known.fence if known.fence is not None else _never()


def _never() -> ir.BooleanValue:
    return ibis.literal(False)


RULES = (
    Rule("no_date", "drop", _no_date),
    Rule("impossible_date", "drop", _impossible_date),
    Rule(LATER, "drop", _later),
    Rule("superseded", "drop", lambda t, known: t.is_superseded),
    Rule("repeated_key", "drop", lambda t, known: t.is_repeated_key),
    Rule("conflicting_key", "flag", lambda t, known: t.is_conflicting_key),
    Rule("exact_duplicate", "flag", lambda t, known: t.is_exact_duplicate),
    Rule("test_account", "drop", _test_account),
    Rule("cancelled_status", "drop", _cancelled_status),
    Rule("missing_customer", "flag", _missing_customer),
    Rule("cancellation", "keep", _cancellation),
    Rule("nonpositive_quantity", "keep", _nonpositive_quantity),
    Rule("nonpositive_price", "keep", _nonpositive_price),
    Rule("zero_amount", "keep", _zero_amount),
    Rule("non_product", "flag", _non_product),
    Rule("outlier", "flag", _outlier),
)
OTHER_DEFAULTS: Mapping[str, Action] = {"impossible_age": "drop", "synonym": "flag", "identity": "flag",
                                        "returns": "flag"}


def actions(declared: Mapping[str, Action]) -> dict[str, str]:
    """Every rule's action: as declared in `cleaning.rules`, else its default.

    Raises:
        WorkbookError: when a rule of that name does not exist.

    >>> actions({"cancellation": "drop"})["cancellation"], actions({})["cancellation"]
    ('drop', 'keep')
    """
    chosen: dict[str, str] = {rule.name: rule.default for rule in RULES if rule.name != LATER} | dict(OTHER_DEFAULTS)
    for name in declared:
        if name not in chosen:
            raise WorkbookError(
                f"cleaning.rules names {name!r}, which is no rule: {nearest(name, chosen)}",
                why="A misspelt rule would silently not be applied.",
                way_out=f"The rules are: {', '.join(chosen)}.",
            )
    return chosen | dict(declared) | {LATER: "cut"}


def fence(lines: ir.Table) -> float | None:
    """The amount above which a line is far out; None below 20 lines, or where half of the amounts are the same."""
    positive = lines.filter(lines.amount > 0)
    logs = positive.mutate(log_amount=positive.amount.cast("float64").ln())
    seen = few_rows(logs.aggregate(
        lines=logs.count(), lower=logs.log_amount.quantile(0.25), upper=logs.log_amount.quantile(0.75)))[0]
    if seen["lines"] < _FEWEST_FOR_QUARTILES or seen["upper"] <= seen["lower"]:
        return None
    return math.exp(seen["upper"] + 3 * (seen["upper"] - seen["lower"]))


def mark(lines: ir.Table, known: Known, chosen: Mapping[str, Action]) -> ir.Table:
    """Lines with one truth value a rule (`rule_<name>`) and `removed_by`: the first dropping rule, or null."""
    marked = lines.mutate(**{f"rule_{rule.name}": rule.marks(lines, known).fill_null(False) for rule in RULES})
    dropping = [rule.name for rule in RULES if chosen[rule.name] in ("drop", "cut")]
    if not dropping:
        return marked.mutate(removed_by=ibis.null("string"))
    return marked.mutate(removed_by=ibis.cases(*((marked[f"rule_{name}"], name) for name in dropping)))
