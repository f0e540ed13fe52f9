"""The named results of 04_rfm.

| finding | unit | meaning |
|---|---|---|
| customers | customers | people with a purchase up to the report date |
| prospects | customers | known people without one |
| repeat_purchase_days, repeaters | days, customers | purchase days after each one's first; who has any |
| mean_repeat_value | money | mean over repeaters of the mean net amount of such a day |
| cuts_<measure> | text | the edges between the score bins in force, from the lowest (days, number, money) |
| cuts_from | date | the day up to which the edges were fitted; cuts_provisional: not kept yet |
| bins_asked, bins_used_<r, f, m> | number | bins asked for, and those with anybody in them |
| refit_moved_share | share | customers who would change segment if the edges were fitted today |
| segment_<name>_customers, _revenue_share | customers, share | size; share of the net revenue of twelve months |
| segment_<name>_customers_before | customers | size at the end of the period before, as known then, by the same rule |
| moved_share | share | of those who had bought a period ago, who are in another segment now |
| class_<name>_customers, _revenue_share | customers, share | value classes, people without a purchase included |
| value_cut, visits_cut, clicks_cut | money, number | what makes a customer high, and potential |
| scored_on | date | the day of the scores that are put to the test |
| capture_<list>_<buyers, revenue> | share | what the list catches of those who bought afterwards, of their money |
| lead_over_<rival>_<buyers, revenue> | share | how much more the RFM list catches; below 0: less |
| response_<segment> | share | share of the segment that bought afterwards |
| break_even_rate | share | response from which a letter pays, if every answer came from the letter |

Lists: rfm, recency, spend_12m, bought_last_month. A result that rests on too little is None, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from workbook.data.run import Run
from workbook.rfm.groups import SEGMENTS
from workbook.rfm.scores import Thresholds
from workbook.rfm.table import Repeats
from workbook.rfm.value import CLASSES, ValueCuts

FEWEST = 30  # customers, and buyers among them, below which no prediction is judged


def find_table(run: Run, facts: Repeats, *, prospects: int) -> None:
    """Customers and their repeat purchases."""
    run.find("customers", facts.customers, unit="customers")
    run.find("prospects", prospects, unit="customers")
    run.find("repeat_purchase_days", facts.repeat_purchase_days, unit="days", n=facts.customers)
    run.find("repeaters", facts.repeaters, unit="customers", n=facts.customers)
    run.find_known("mean_repeat_value", facts.mean_repeat_value, "money", n=facts.repeaters)


def find_thresholds(
    run: Run, edges: Thresholds, *, fitted_on: date, provisional: bool, asked: int, used: Mapping[str, int],
    refit_moved: float | None,
) -> None:
    """The edges in force, since when, the bins really used, and what a refit would move."""
    for measure, values in edges._asdict().items():
        run.find(f"cuts_{measure}", "; ".join(f"{value:.12g}" for value in values), unit="text")
    run.find("cuts_from", fitted_on.isoformat(), unit="date")
    run.find("cuts_provisional", provisional, unit="flag")
    run.find("bins_asked", asked, unit="number")
    for name, bins in used.items():
        run.find(f"bins_used_{name}", bins, unit="number")
    run.find_known("refit_moved_share", refit_moved, "share")


def find_segments(run: Run, summary: pd.DataFrame, moves: pd.DataFrame, *, moved: float | None) -> None:
    """Size and revenue of every segment of the rule, also of empty ones, and its size a period ago.

    Args:
        summary: one row a segment.
        moves: segment_before, segment, customers.
    """
    rows = summary.set_index("segment")
    before = moves.groupby("segment_before")["customers"].sum()
    for segment in SEGMENTS:
        row = rows.loc[segment.name] if segment.name in rows.index else None
        run.find(f"segment_{segment.name}_customers", 0 if row is None else int(row["customers"]), unit="customers")
        run.find(f"segment_{segment.name}_customers_before", int(before.get(segment.name, 0)), unit="customers")
        share = row["revenue_share"] if row is not None else 0.0 if len(rows) else None
        run.find_known(f"segment_{segment.name}_revenue_share", share, "share")
    run.find_known("moved_share", moved, "share")


def find_classes(run: Run, classes: pd.DataFrame, cuts: ValueCuts) -> None:
    """Value classes: value_class, customers, revenue_share."""
    rows = classes.set_index("value_class")
    for name in CLASSES:
        if (name == "unknown") == (cuts.visits is not None) and name != "high":
            continue  # without a source of visits nobody is called potential or low
        found = name in rows.index
        run.find(f"class_{name}_customers", int(rows.loc[name, "customers"]) if found else 0, unit="customers")
        share = rows.loc[name, "revenue_share"] if found else 0.0 if len(rows) else None
        run.find_known(f"class_{name}_revenue_share", share, "share")
    run.find("value_cut", cuts.spend, unit="money")
    for name in ("visits", "clicks"):
        value = getattr(cuts, name)
        run.find(f"{name}_cut", value, unit="number", reason="" if value is not None else "no_events")


def find_foresight(
    run: Run, judged: pd.DataFrame, response: pd.DataFrame, *, scored_on: date, n: int, buyers: int,
    break_even: float | None,
) -> None:
    """What each list caught, how far RFM leads, and how each segment answered."""
    enough = n >= FEWEST and buyers >= FEWEST
    run.find("scored_on", scored_on.isoformat(), unit="date", n=n)
    for row in judged.itertuples():
        name = f"capture_{row.ranking}_{row.outcome}"
        run.find_known(name, row.share if enough else None, "share", low=row.low, high=row.high, n=n)
        if row.ranking != "rfm":
            name = f"lead_over_{row.ranking}_{row.outcome}"
            run.find_known(name, row.lead if enough else None, "share", low=row.lead_low, high=row.lead_high, n=n)
    for row in response.itertuples():
        rate = row.rate if row.customers >= FEWEST else None
        run.find_known(f"response_{row.segment}", rate, "share", low=row.low, high=row.high, n=row.customers)
    run.find_known("break_even_rate", break_even, "share")
