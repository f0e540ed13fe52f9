"""From the record to groups: measures chosen, scale and number of groups decided, k-means fitted.

The groups are sought among customers with `least_days` purchase days or more, as one basket says little about a habit;
then everybody is placed by the nearest centre. Of more than `sample` such customers about that many are looked at,
drawn by their ids.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clustering import scaling
from workbook.clustering.choice import EXAMINED, Choice, choose, examined
from workbook.clustering.features import KNOWN, MEASURES, NO_MIX, Mix, features, main_mix, measure
from workbook.clustering.fits import KMeansFit, k_means
from workbook.clustering.names import LETTERS, differences, traits
from workbook.clustering.reliability import LEAST, halves, reliability
from workbook.clustering.rule import NO_GROUPS, Rule
from workbook.data.engine import few_rows, settled
from workbook.data.errors import WorkbookError, nearest
from workbook.data.run import Run

FEWEST = 60  # customers below which no groups are sought
# Recency and the purchases a year fall for everybody who stays away: they say where somebody stands, not how they buy,
# and a frozen scale would see the whole shop drift. The variation of gaps rests on two gaps in most customers.
BY_DEFAULT = tuple(
    name for name in MEASURES if name not in ("recency_days", "purchases_per_year", "gap_variation")
)


class Options(NamedTuple):
    """What a reader may overrule."""

    k: int = 0  # 0: the rule decides
    measures: tuple[str, ...] = ()  # of these alone; empty: all that are known, differ and are no chance
    leave_out: tuple[str, ...] = ()
    fewest_groups: int = 3
    most_groups: int = 8
    least_days: int = 2  # purchase days of the customers among whom groups are sought
    sample: int = 3_000  # customers among whom they are sought, at most

    @property
    def code(self) -> str:
        """Names a rule by the options that it was fitted with."""
        return f"clusters-{self.k or 'rule'}-{zlib.crc32(repr(self).encode()):08x}"


DEFAULTS = Options()
NOTHING_EXAMINED = pd.DataFrame(columns=EXAMINED, dtype=float)


class Fitted(NamedTuple):
    """Groups, and how they were come by."""

    day: date
    mix: Mix  # the categories and channels measured
    rule: Rule
    frame: pd.DataFrame  # the customers among whom groups were sought
    points: np.ndarray  # the same on the common scale
    measures: pd.DataFrame  # measure, known_share, reliability, low, high, used, why
    table: pd.DataFrame  # every number of groups examined
    choice: Choice
    fit: KMeansFit
    of: int  # customers of whom `frame` is a sample
    customers: int  # who bought up to the day


def seeded(what: str, day: date) -> np.random.Generator:
    """The same draw for the same day, whatever was drawn before."""
    return np.random.default_rng(zlib.crc32(f"05_clustering {what} {day.isoformat()}".encode()))


def sampled(table: ir.Table, most: int) -> ir.Table:
    """About `most` customers, drawn by their ids, in the order of the ids."""
    customers = _rows(table)
    if customers > most:
        place = table.customer_id.hash().cast("int64").abs() % 1_000_000
        table = table.filter(place < int(1_000_000 * most / customers))
    return table.order_by("customer_id")


def fitted_on(
    run: Run, orders: ir.Table, returns: ir.Table | None = None, lines: ir.Table | None = None, *, day: date,
    options: Options = DEFAULTS,
) -> Fitted:
    """Groups of the customers as known on a day."""
    mix = main_mix(orders, lines, as_of=day)
    everyone = settled(features(orders, returns, as_of=day, lines=lines, mix=mix))
    kept = everyone.filter(everyone.purchase_days >= options.least_days)
    of, customers = _rows(kept), _rows(everyone)
    if of < FEWEST <= customers:
        kept, of = everyone, customers
    frame = run.frame(sampled(kept, options.sample))
    halved = settled(halves(orders, returns, as_of=day, lines=lines, mix=mix))
    judged = reliability(run.frame(sampled(halved, 2 * options.sample)))
    return fitted(frame, judged, mix=mix, day=day, options=options, of=of, customers=customers)


def _rows(table: ir.Table) -> int:
    return few_rows(table.aggregate(n=table.count()))[0]["n"]


def fitted(
    frame: pd.DataFrame, judged: pd.DataFrame | None = None, *, day: date, mix: Mix = NO_MIX,
    options: Options = DEFAULTS, of: int = 0, customers: int = 0,
) -> Fitted:
    """Groups of the customers of a table in memory.

    Args:
        frame: measures and purchase_days of customers.
        judged: as `reliability` returns it; without it every measure counts the same.
        of, customers: how many there are, of whom the table holds some; left out: those in the table.
    """
    measures = chosen(frame, judged, [*MEASURES, *mix.columns], options)
    names = measures.loc[measures["used"], "measure"].tolist()
    weights = dict(zip(measures["measure"], measures["weight"], strict=True))
    scale = scaling.fit(frame, names, weights=weights)
    points = scaling.apply(frame, scale)
    rng, empty = seeded("fit", day), KMeansFit(np.zeros(len(frame), int), np.empty((0, len(names))), 0.0)
    if len(frame) < FEWEST or len(names) < 2:
        nothing = Choice(0, "too_few", 0, 0, 0)
        return Fitted(day, mix, NO_GROUPS, frame, points, measures, NOTHING_EXAMINED, nothing, empty,
                      of or len(frame), customers or len(frame))  # fmt: skip
    table = examined(points, rng=rng, most=options.most_groups)
    choice = choose(table, k=options.k, fewest=options.fewest_groups)
    fit = k_means(points, choice.k, rng=seeded("groups", day))
    rule = Rule(mix, scale, tuple(map(tuple, fit.centres.tolist())), traits(differences(fit.centres, scale), names))
    return Fitted(day, mix, rule, frame, points, measures, table, choice, fit, of or len(frame),
                  customers or len(frame))  # fmt: skip


def chosen(
    frame: pd.DataFrame, judged: pd.DataFrame | None, known: Sequence[str], options: Options
) -> pd.DataFrame:
    """Which measures are used, with what weight, and why the others are not.

    Returns:
        measure, group, known_share, n, reliability, low, high, weight, used, why: "", missing, mostly_blank,
        mostly_alike, chance (reliability below 0.2), not_asked, left_out, by_default (a state, not a habit).
    """
    for name in (*options.measures, *options.leave_out):
        if name not in known:
            raise WorkbookError(f"{name!r} is no measure of a customer.", way_out=nearest(name, list(known)))
    faults = scaling.usable(frame, known)
    rows = pd.DataFrame({"measure": list(known)})
    rows["group"] = [measure(name).group for name in known]
    rows["known_share"] = [float(frame[name].notna().mean()) if name in frame and len(frame) else 0.0 for name in known]
    if judged is None:
        judged = pd.DataFrame(columns=["measure", "n", "reliability", "low", "high"])
    rows = rows.merge(judged.astype({name: float for name in judged.columns[1:]}), on="measure", how="left")
    rows["why"] = [_why(name, faults[name], options) for name in known]
    by_chance = (rows["reliability"] < LEAST) & (rows["why"] == "") & (not options.measures)
    rows.loc[by_chance, "why"] = "chance"
    rows["used"] = rows["why"] == ""
    middling = rows.loc[rows["used"], "reliability"].mean()  # counts for those that cannot be judged
    rows["weight"] = rows["reliability"].fillna(1.0 if np.isnan(middling) else middling).clip(lower=0.05)
    return rows


def _why(name: str, fault: str, options: Options) -> str:
    if fault:
        return fault
    if name in options.leave_out:
        return "left_out"
    if options.measures:
        return "" if name in options.measures else "not_asked"
    return "" if name in BY_DEFAULT or name not in {each.name for each in KNOWN} else "by_default"


def checked(options: Options) -> Options:
    """The options, if they can be met."""
    if options.k == 1 or not 0 <= options.k <= len(LETTERS):
        raise WorkbookError(f"k is {options.k}.", way_out=f"0 asks the rule; else choose 2 to {len(LETTERS)} groups.")
    if not 2 <= options.fewest_groups <= options.most_groups <= len(LETTERS):
        raise WorkbookError(
            f"fewest_groups is {options.fewest_groups} and most_groups {options.most_groups}.",
            way_out=f"Choose 2 to {len(LETTERS)}, the fewest first.",
        )
    return options
