"""One risk score a customer, with its reasons as codes: late payment, unusual returns, a sudden drop.

The score runs from 0 to 100: the probability, taking the three as independent, that at least one of them holds. It is
a queue for people who look, not a judgement: reasons stand beside it only where each is sure by its own rule.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

REASONS = ("late_payer", "long_overdue", "unusual_returns", "sudden_drop")
LONG_OVERDUE = 90  # days


def risk_table(payers: pd.DataFrame | None, returners: pd.DataFrame | None, drops: pd.DataFrame) -> pd.DataFrame:
    """One row a customer about whom any of the three says something, highest score first.

    Args:
        payers: of `judge_payers`; None where nothing tells of payments.
        returners: of `judge_returners`; None where nothing ever came back.
        drops: of `judge_drops`.

    Returns:
        customer_id, score (0–100), reasons (codes, separated by spaces, "" for none), late_probability,
        unusual_probability, drop_probability (1 − q_value), open_amount, overdue_days, limit, returned_share,
        missing_amount; blank where a part says nothing.
    """
    parts = [_late(payers), _unusual(returners), _dropped(drops)]
    table = parts[0].join(parts[1:], how="outer").sort_index()
    flags = pd.DataFrame({code: table.pop(code).fillna(False).astype(bool) for code in REASONS})
    chances = table[["late_probability", "unusual_probability", "drop_probability"]].fillna(0).to_numpy(float)
    score = 100 * (1 - np.prod(1 - chances, axis=1))
    words = [" ".join(code for code in REASONS if row[code]) for _i, row in flags.iterrows()]
    table = table.assign(score=score.round(6), reasons=words).reset_index()
    first = ["customer_id", "score", "reasons"]
    table = table[first + [name for name in table.columns if name not in first]]
    return table.sort_values(["score", "customer_id"], ascending=[False, True], ignore_index=True)


def _late(payers: pd.DataFrame | None) -> pd.DataFrame:
    names = ["late_probability", "open_amount", "overdue_days", "limit"]
    if payers is None:
        return _none([*names, "late_payer", "long_overdue"])
    rows = payers.set_index("customer_id")
    return rows[names].assign(late_payer=rows["is_late"], long_overdue=rows["overdue_days"] > LONG_OVERDUE)


def _unusual(returners: pd.DataFrame | None) -> pd.DataFrame:
    if returners is None:
        return _none(["unusual_probability", "returned_share", "unusual_returns"])
    rows = returners.set_index("customer_id")
    share = (rows["returned"] / rows["lines"]).rename("returned_share")
    return rows[["unusual_probability"]].assign(returned_share=share, unusual_returns=rows["is_unusual"])


def _dropped(drops: pd.DataFrame) -> pd.DataFrame:
    rows = drops.set_index("customer_id")
    return rows[["missing_amount"]].assign(drop_probability=1 - rows["q_value"], sudden_drop=rows["dropped"])


def _none(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=names, index=pd.Index([], name="customer_id", dtype=object), dtype=object)
