"""From a list to a registered decision: who may be contacted, who is held out, what is expected, what can be seen."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook import __version__
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.findings import read_findings
from workbook.data.privacy import Pseudonymiser
from workbook.data.run import Run
from workbook.data.settings import Settings
from workbook.data.store import Store
from workbook.decisions import forecasts, power, prices, register
from workbook.decisions.audience import Audience, sort_out
from workbook.decisions.codes import used_before
from workbook.decisions.draws import draw, layers
from workbook.decisions.households import households
from workbook.decisions.lists import HOMES, Rule, people, rule
from workbook.decisions.outcomes import afterwards, metric_of, past_windows
from workbook.decisions.record import Decision, Forecast
from workbook.decisions.request import Request, refuse_nonsense
from workbook.history import OrderMetric, order_worth

FEWEST = 2  # customers, without whom there are no two arms


class _Arms(NamedTuple):
    """The eligible customers, drawn."""

    people: pd.DataFrame  # register.LIST_COLUMNS
    held: np.ndarray  # whether each is in the control
    forecast: Forecast


Beside = Callable[[Path, Decision, pd.DataFrame], None]


def export(settings: Settings, request: Request, *, as_of: str = "", beside: Beside | None = None) -> Decision:
    """Sort out a list, draw its control, register the decision.

    Args:
        as_of: the period whose report the list is of; empty: the last complete one.
        beside: writes further files into the decision's folder before it appears.

    Raises:
        WorkbookError: no such list, nobody left on it, nothing to be learnt from it (unless asked for), or exported
            already (unless asked for again).
    """
    refuse_nonsense(request)
    run = Run("decisions", settings, Store(settings.store_folder), as_of=as_of, lang="en")
    _refuse_unmade(run, request)
    asked = rule(run, request.list_name)
    starts_on = request.starts_on or run.as_of + timedelta(days=1)
    if starts_on <= run.as_of:
        raise WorkbookError(f"The action would begin on {starts_on}, and the list knows what was bought up to "
                            f"{run.as_of}.",
                            why="Orders that chose the customers would count as what the action did.",
                            way_out=f"Write --starts-on with a day after {run.as_of}, or take an earlier list with "
                                    "--as-of.")
    digest = _digest(run, asked, request, starts_on)
    decision_id = _id(settings, f"{run.period.label}-{_slug(asked)}-{digest[:6]}", again=request.again)
    listed = run.frame(people(run, asked)).drop_duplicates("customer_id").set_index("customer_id")
    audience = _audience(run, listed, request, starts_on, digest)
    decision, arms = _decided(run, request, asked, listed, audience, decision_id, digest, starts_on)
    if "cannot_be_judged" in decision.warnings and not request.anyway:
        raise _too_small(decision)
    write_beside = None if beside is None else lambda folder: beside(folder, decision, arms.people)
    register.write(settings, decision, arms.people, beside=write_beside)
    return decision


def _audience(run: Run, listed: pd.DataFrame, request: Request, starts_on: date, digest: str) -> Audience:
    since = starts_on - timedelta(days=request.recent_days)
    standing = [one for one in register.registered(run.settings)
                if not one.cancelled and (one.ends_on >= starts_on or one.starts_on >= since)]
    members = {one.id: register.members(run.settings, one.id) for one in standing}
    if request.again:  # the same action again is meant; its control must still not hear of it
        for one in standing:
            if one.request == digest:
                members[one.id] = members[one.id].query("arm == 'control'")
    audience = sort_out(run, list(listed.index), channel=request.channel, starts_on=starts_on,
                        recent_days=request.recent_days, earlier=standing, members=members)
    if not len(listed):
        raise WorkbookError(f"Nobody is on the list {request.list_name} of {run.period.label}.",
                            way_out="Look at its rule, or take another period with --as-of.")
    if len(audience.eligible) == 1:
        raise WorkbookError(f"One customer of {request.list_name} may be contacted, and none is left to compare with.",
                            why="What one customer does afterwards says nothing of the action.",
                            way_out="A wider list; or do it without registering a decision.")
    if len(audience.eligible) < FEWEST:
        left = ", ".join(f"{count} {reason}" for reason, count in audience.removed.items()) or "none"
        raise WorkbookError(f"Of the {len(listed)} customers of {request.list_name}, {len(audience.eligible)} may be "
                            f"contacted by {request.channel}.", why=f"Taken out: {left}.",
                            way_out="Choose another channel, a wider list, or a form that is not personal: a message "
                                    "on the site, a leaflet in every parcel, a poster.")
    return audience


def _decided(
    run: Run, request: Request, asked: Rule, listed: pd.DataFrame, audience: Audience, decision_id: str, digest: str,
    starts_on: date,
) -> tuple[Decision, _Arms]:
    ids = pd.Series(audience.eligible, dtype="object")
    metric = metric_of(run.table("clean/orders"))
    windows = past_windows(run, ids, metric=metric, days=request.horizon_days).to_numpy(float)
    homes = households(run, list(ids))
    known = power.past(windows, afterwards(run, asked, metric=metric, days=request.horizon_days))
    if known is not None:
        known = known._replace(design_effect=power.design_effect(windows, homes))
    before = power.usual(windows)
    expected = _expected(run, request, asked, listed.loc[ids], before, metric, known)
    guess = forecasts.forecast(expected, treated=np.ones(len(ids), bool), cost=request.cost_per_person)
    share = request.control_share or power.chosen_share(
        known, len(ids), effect=guess.effect, homes=len(set(homes)))
    usually = pd.Series(before).groupby(homes).transform("mean").to_numpy()
    strata = layers(usually, correlation=known.correlation if known else None)
    held = draw(list(ids), decision_id=decision_id, salt=request.salt, share=share, strata=strata, households=homes)
    if held.all() or not held.any():
        raise WorkbookError(f"Of {len(set(homes))} households, a control of {share:.0%} leaves one arm empty.",
                            why="Whoever shares an account, a number or an address is drawn together.",
                            way_out="A wider list, or --control-share 0.5.")
    arms = _arms(ids, held, strata, before, expected, request, asked, homes)
    whole = {"treated": len(set(homes[~held])), "control": len(set(homes[held]))}
    seen = power.judge(known, treated=int((~held).sum()), control=int(held.sum()), effect=arms.forecast.effect,
                       smallest=min(whole.values()))
    treated = list(ids[~held])
    price = prices.divided(run, treated) if prices.is_price(f"{request.offer} {request.action}") else None
    warnings = [code for code, holds in {
        "cannot_be_judged": not seen.judgeable,
        "no_history": known is None,
        "price_difference": price is not None and price.equal_without > 0,
        "code_in_use": bool(request.code) and used_before(run, request.code),
        "loss_expected": arms.forecast.total is not None and arms.forecast.total < 0,
    }.items() if holds]
    decision = Decision(
        id=decision_id, owner=request.owner.strip(), decided_at=datetime.now(UTC).isoformat(timespec="seconds"),
        action=request.action.strip(), offer=request.offer.strip(), channel=request.channel,
        cost_per_person=float(request.cost_per_person), list_name=asked.name, list_kind=asked.kind, table=asked.table,
        rule=asked.sentence, period=run.period.label, as_of=run.as_of, starts_on=starts_on,
        horizon_days=request.horizon_days, metric=metric, asked=len(listed), removed=audience.removed,
        overlaps=audience.overlaps, not_checked=audience.not_checked, treated=int((~held).sum()),
        control=int(held.sum()), control_share=float(held.mean()), salt=request.salt,
        strata=len(np.unique(strata)), forecast=arms.forecast, power=seen, price=price, warnings=tuple(warnings),
        code_version=__version__, list_hash=register.list_hash(arms.people),
        key=Pseudonymiser.of(run.settings).stamp, request=digest, code=request.code.strip(),
        treated_households=whole["treated"], control_households=whole["control"],
    )  # fmt: skip
    return decision, arms


def _arms(
    ids: pd.Series, held: np.ndarray, strata: np.ndarray, before: np.ndarray, expected: forecasts.Expected | None,
    request: Request, asked: Rule, homes: np.ndarray,
) -> _Arms:
    each = np.broadcast_to(np.asarray(math.nan if expected is None else expected.each, float), len(ids))
    table = pd.DataFrame({
        "customer_id": ids.astype("str"), "arm": np.where(held, register.CONTROL, register.TREATED),
        "stratum": strata.astype("int64"), "before": before, "expected": each,
        "chosen_by": f"{asked.table}: {asked.sentence}", "household": homes.astype("str"),
    })  # fmt: skip
    return _Arms(table, held, forecasts.forecast(expected, treated=~held, cost=request.cost_per_person))


def _expected(
    run: Run, request: Request, asked: Rule, listed: pd.DataFrame, before: np.ndarray, metric: OrderMetric,
    known: power.Past | None,
) -> forecasts.Expected | None:
    """The strongest ground for a forecast that there is; what the user expects goes before what is only assumed."""
    settled = _settled(run, request)
    if settled is not None:
        return settled
    if request.effect:
        return forecasts.given(request.effect, mean=known.mean if known else None)
    if asked.kind == "churn" and known is not None:
        rate = float(run.settings.chapters.get("08_churn", {}).get("save_rate", forecasts.SAVE_RATE))
        return forecasts.from_churn(listed["probability"].to_numpy(float), before, save_rate=rate,
                                    afterwards=known.mean if known.basis == "afterwards" else None)
    report = run.settings.reports_folder / run.period.label / "findings.json"
    return forecasts.from_campaigns(read_findings(report).get("07_ab_testing", {}),
                                    margin_share=_margin_share(run, metric))


def _settled(run: Run, request: Request) -> forecasts.Expected | None:
    if not run.has("settlements"):
        return None
    return forecasts.from_settled(run.frame(run.table("settlements")), action=request.action, channel=request.channel)


def _margin_share(run: Run, metric: OrderMetric) -> float:
    """What stays of one unit of revenue, in the metric."""
    if metric == "revenue":
        return 1.0
    orders = run.table("clean/orders")
    (row,) = few_rows(orders.aggregate(
        margin=order_worth(orders, "margin").sum(), revenue=order_worth(orders, "revenue").sum()))
    return row["margin"] / row["revenue"] if row["revenue"] else 1.0


def _digest(run: Run, asked: Rule, request: Request, starts_on: date) -> str:
    """The same people, action and days: whoever asks and whatever it costs."""
    told = [run.as_of.isoformat(), asked.table, asked.sentence, forecasts.plain(request.action),
            forecasts.plain(request.offer), request.channel, starts_on.isoformat()]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _slug(asked: Rule) -> str:
    return re.sub(r"[^\w]+", "-", asked.name if asked.kind != "where" else "where").strip("-")[:40]


def _id(settings: Settings, first: str, *, again: bool) -> str:
    """The id that follows from the request; with a number where the same one was made before."""
    taken = {one.id for one in register.registered(settings)}
    if first not in taken:
        return first
    if not again:
        raise register.already(first)
    return next(name for number in range(2, len(taken) + 3) if (name := f"{first}-{number}") not in taken)


def _refuse_unmade(run: Run, request: Request) -> None:
    """A list is of a report: the tables of its period must be there."""
    table = HOMES.get(request.list_name.strip().partition(":")[0])
    if table and not run.has(table):
        label = run.period.label
        raise WorkbookError(f"No report of {label} has made the list {request.list_name} yet.",
                            way_out=f"workbook render --as-of {label}; or name a period that is rendered with --as-of.")


def _too_small(decision: Decision) -> WorkbookError:
    seen = decision.power
    if seen.smallest_effect is None or seen.expected is None:
        told = "the record is too short to know how much these customers vary"
    else:
        told = (f"{decision.treated} treated against {decision.control} held out would show an effect of "
                f"{seen.smallest_effect:,.2f} a customer; {seen.expected:,.2f} is "
                + ("expected" if decision.forecast.effect else "half of what they bring in such a time"))
    wanted = f" About {seen.needed:,} customers would be enough." if seen.needed else ""
    return WorkbookError(
        f"The list {decision.list_name} is too small to learn from: {told}.",
        why=f"Whatever happens afterwards could be chance.{wanted}",
        way_out="A wider list, a longer --horizon-days, or a bolder action; --anyway exports it, marked as one that "
                "cannot be judged alone (the programme's account still counts it).",
    )
