"""What 03_profiling says: names of attributes, stages and parts, and the sentences made of its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd

from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words.levels import known, stage
from workbook.profiling.bridge import BASKET, Split
from workbook.profiling.concentration import Spread
from workbook.profiling.cross import NOT_STATED, OTHERS, Cross


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: who bought, and what moved revenue most."""
    change = found["revenue_change"].value
    active = i18n.number(found["active_customers"].value)
    if found["revenue_change"].reason == "partial":
        return _("{active} customers have bought so far; the period is not over and is not compared.").format(
            active=active)
    if change is None:
        return _("{active} customers bought; there is no period before to compare with.").format(active=active)
    parts = {name.removeprefix("change_"): finding.value for name, finding in found.items() if _is_part(name)}
    if not parts:
        return _("{active} customers bought. Net revenue changed by {change}.").format(
            active=active, change=signed(change))
    pushed = max(parts, key=lambda name: abs(parts[name]))
    return _(
        "{active} customers bought. Net revenue changed by {change}; the largest part of it: {part}, {amount}."
    ).format(active=active, change=signed(change), part=part(pushed), amount=signed(parts[pushed]))


def no_bridge(period: Period) -> tuple[str, str]:
    """What is not told of the change, and what it waits for."""
    what = _("What moved revenue since the period before.")
    if not period.is_whole:
        return what, _("the end of the period: one that is not over is not compared.")
    return what, _("orders of both periods: this period or the one before has none.")


def _is_part(name: str) -> bool:
    return name in {"change_customers", "change_orders_per_customer", "change_basket", "change_anonymous"}


def attribute(name: str) -> str:
    """What people call an attribute of a customer."""
    return {
        "lifecycle": _("Stage"),
        "gender": _("Gender"),
        "age_band": _("Age"),
        "education": _("Education"),
        "occupation": _("Occupation"),
        "income_band": _("Yearly income"),
        "region": _("Region"),
        "country": _("Country"),
        "acquisition_channel": _("Won through"),
        "channel": _("Main channel"),
        "payment_method": _("Main payment method"),
        "category": _("Main category"),
        "daypart": _("Main time of day"),
    }[name]


def sold_by(name: str) -> str:
    """What people call a column of the orders."""
    return {
        "region": _("Region of delivery"),
        "country": _("Country of delivery"),
        "channel": _("Channel"),
        "payment_method": _("Payment method"),
    }[name]


def level(name: str, code: str) -> str:
    """What people call one level of an attribute; a level that the shop itself named stays as it is."""
    if code in (NOT_STATED, OTHERS):
        return _("not stated") if code == NOT_STATED else _("all others")
    if name == "age_band":
        return _age(code)
    return known().get(code, code)


def _age(band: str) -> str:
    low, _dash, high = band.partition("-")
    if not low:
        return _("under {age}").format(age=int(high) + 1)
    return f"{low}–{high}" if high else _("{age} and over").format(age=low)


def part(code: str) -> str:
    """A part of the change in net revenue."""
    return {
        "customers": _("Number of customers"),
        "orders_per_customer": _("Orders per customer"),
        "basket": _("Worth of an order"),
        "basket_size": _("Order before discount"),
        "units": _("Units per order"),
        "price": _("Prices"),
        "mix": _("Mix of products"),
        "price_and_mix": _("Prices and mix"),
        "discount": _("Discounts"),
        "returns": _("Returns"),
        "anonymous": _("Anonymous sales"),
    }[code]


def signed(amount: Decimal | float) -> str:
    """Money with its sign."""
    text = i18n.money(abs(amount))
    return text if not amount else ("+" if amount > 0 else "−") + text


def paragraph(*sentences: str) -> str:
    """Sentences one after the other; Chinese puts no space between them."""
    return ("" if i18n.lang() == "zh" else " ").join(sentences)


def rule(new_days: int, active_days: int, lost_days: int) -> pd.DataFrame:
    """The rule of the stages as it is printed: stage, condition; the first line that fits counts."""
    lines = [
        ("prospect", _("on record, has not ordered yet")),
        ("lost", _("last purchase more than {days} days ago").format(days=lost_days)),
        ("dormant", _("last purchase more than {days} days ago").format(days=active_days)),
        ("new", _("first purchase at most {days} days ago").format(days=new_days)),
        (
            "returning",
            _("came back within {days} days, after a silence of more than {days} days").format(days=active_days),
        ),
        ("active", _("everyone else who bought within {days} days").format(days=active_days)),
    ]
    return pd.DataFrame([(stage(code), text) for code, text in lines], columns=["stage", "rule"])


def activity(found: Mapping[str, Finding], period: Period) -> str:
    """Who bought in the period."""
    orders = found["orders"].value
    if not orders:
        return _("Nobody bought in {period}.").format(period=i18n.period(period))
    n = found["active_customers"].value
    text = ngettext(
        "In {period}, **{customers} known customer** bought; {new} for the first time on record.",
        "In {period}, **{customers} known customers** bought; {new} of them for the first time on record.",
        n,
    ).format(period=i18n.period(period), customers=i18n.number(n), new=i18n.number(found["new_customers"].value))
    share = found["identified_share"].value
    if share is not None and share < 0.995:
        anonymous = _("{share} of net revenue came from anonymous sales, of which no notebook can say whose they were.")
        text = paragraph(text, anonymous.format(share=i18n.percent(1 - share)))
    return text


def typing_errors(n: int) -> str:
    """How many lines state a quantity that cannot be."""
    if not n:
        return ""
    return ngettext(
        "{n} order line states a quantity that contradicts its price and amount; it is counted as amount ÷ price.",
        "{n} order lines state a quantity that contradicts their price and amount; they are counted as amount ÷ price.",
        n,
    ).format(n=i18n.number(n))


def largest_order(row: Mapping[str, Decimal]) -> str:
    """How much hangs on a single order."""
    share = float(row["largest"] / row["all_amount"]) if row["all_amount"] else 0.0
    if share < 0.05:
        return ""
    return _(
        "**One order** makes {share} of what was sold before returns: read every change of this period with it in mind."
    ).format(share=i18n.percent(share, 0))


def stages(sized: pd.DataFrame) -> str:
    """How many of those who ever bought still do."""
    sizes = dict(zip(sized["lifecycle"], sized["customers"], strict=True))
    bought = sum(sizes.values()) - sizes["prospect"]
    if not bought:
        return _("Nobody has bought yet.")
    still = sizes["new"] + sizes["active"] + sizes["returning"]
    return _(
        "Customers who ever bought: {all}. Still buying: **{still} ({share})**; dormant: {dormant}; lost: {lost}."
    ).format(
        all=i18n.number(bought), still=i18n.number(still), share=i18n.percent(still / bought, 0),
        dormant=i18n.number(sizes["dormant"]), lost=i18n.number(sizes["lost"]),
    )  # fmt: skip


def short_records(history_days: int, lost_days: int) -> str:
    """What records that do not reach back far enough cannot show."""
    return _(
        "The records reach back {days} days, and nobody can have been silent for longer: “lost” begins after {lost} "
        "days, and some customers who look new had bought before."
    ).format(days=i18n.number(history_days), lost=i18n.number(lost_days))


def movements(moved: pd.DataFrame) -> pd.DataFrame:
    """Stage before by stage now, as people read them; those not on record before come last."""
    order = ["prospect", "new", "active", "returning", "dormant", "lost"]
    known = moved.assign(lifecycle_before=moved["lifecycle_before"].fillna(""))
    matrix = known.pivot_table(index="lifecycle_before", columns="lifecycle", values="customers", aggfunc="sum")
    rows, columns = [s for s in [*order, ""] if s in matrix.index], [s for s in order if s in matrix.columns]
    matrix = matrix.loc[rows, columns].fillna(0)
    matrix.index = [stage(row) if row else _("not on record") for row in rows]
    matrix.columns = [stage(column) for column in columns]
    return matrix


def foretold(checked: pd.DataFrame, days: int) -> str:
    """Whether the stages of a while ago told who would buy."""
    told = checked[checked["lifecycle"] != "prospect"].sort_values("share", ascending=False)
    if len(told) < 2:
        return _("There are not enough stages with enough customers to compare.")
    best, worst = told.iloc[0], told.iloc[-1]
    return _("Of those who were {best}, {high} bought within {days} days; of those who were {worst}, {low}.").format(
        best=stage(best["lifecycle"]), high=i18n.percent(best["share"], 0), days=days, worst=stage(worst["lifecycle"]),
        low=i18n.percent(worst["share"], 0),
    )  # fmt: skip


def panels(tables: Mapping[str, pd.DataFrame], value: str = "share") -> dict[str, pd.DataFrame]:
    """Tables of levels as people read them: label and value."""
    named = {}
    for name, table in tables.items():
        rows = _ranked(table, value)
        if name == "age_band":
            rows = rows.sort_values("level", key=lambda bands: bands.map(_youngest), kind="stable")
        labels = [level(name, code) for code in rows["level"]]
        named[name] = pd.DataFrame({"label": labels, "value": rows[value].to_numpy()})
    return named


def _youngest(band: str) -> float:
    low = band.partition("-")[0]
    return np.inf if band in (OTHERS, NOT_STATED) else float(low or -1)


def _ranked(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """The largest first, what was put together or not stated last."""
    rest = table["level"].isin([OTHERS, NOT_STATED])
    return table.assign(rest=rest).sort_values(["rest", value], ascending=[True, False])


def busiest(hours: pd.DataFrame) -> str:
    """The weekday and the hour with most orders."""
    days, hour = hours.groupby("weekday")["orders"].sum(), hours.groupby("hour")["orders"].sum()
    return _(
        "Most orders are placed on {day} ({day_share}) and between {hour}:00 and {next}:00 ({hour_share})."
    ).format(
        day=i18n.locale().days["format"]["wide"][int(days.idxmax())],
        day_share=i18n.percent(days.max() / days.sum(), 0),
        hour=int(hour.idxmax()), next=int(hour.idxmax()) + 1, hour_share=i18n.percent(hour.max() / hour.sum(), 0),
    )  # fmt: skip


def weekday_by_hour(hours: pd.DataFrame) -> pd.DataFrame:
    """Orders by weekday (rows, all seven) and hour (columns from the first to the last with an order)."""
    seen = range(int(hours["hour"].min()), int(hours["hour"].max()) + 1)
    matrix = hours.pivot_table(index="weekday", columns="hour", values="orders", aggfunc="sum")
    matrix = matrix.reindex(index=range(7), columns=list(seen)).fillna(0)
    return matrix.set_axis([i18n.weekday(day) for day in range(7)]).set_axis([str(hour) for hour in seen], axis=1)


def few_products(n: int, all_: int, share: float) -> str:
    """How many products make most of the revenue."""
    return ngettext(
        "**One product** of {all} makes {share} of net revenue.",
        "**{n} products** of {all} make {share} of net revenue.",
        n,
    ).format(n=i18n.number(n), all=i18n.number(all_), share=i18n.percent(share, 0))


def tail(spread: Spread) -> str:
    """Why the mean customer is nobody."""
    text = _(
        "The mean is **{mean}**, the median **{median}**: only {share} of customers bring more than the mean."
    ).format(
        mean=i18n.money(spread.mean), median=i18n.money(spread.median), share=i18n.percent(spread.above_mean, 0)
    )
    if spread.negative:
        debts = ngettext(
            "For {n} customer, returns outweigh the purchases; it counts as zero in what follows.",
            "For {n} customers, returns outweigh the purchases; they count as zero in what follows.",
            spread.negative,
        )
        text = paragraph(text, debts.format(n=i18n.number(spread.negative)))
    return text


def concentration(found: Mapping[str, Finding]) -> str:
    """How much the best bring, with the interval."""
    top, gini = found["top20_share"], found["gini"]
    if top.value is None:
        return too_few(top.n or 0)
    return _(
        "The best 20% of customers bring **{share}** of net revenue (between {low} and {high}); the Gini coefficient "
        "is {gini} (between {gini_low} and {gini_high})."
    ).format(
        share=i18n.percent(top.value, 0), low=i18n.percent(top.low, 0), high=i18n.percent(top.high, 0),
        gini=i18n.number(gini.value, 2), gini_low=i18n.number(gini.low, 2), gini_high=i18n.number(gini.high, 2),
    )  # fmt: skip


def too_few(n: int) -> str:
    """Why a figure is not given."""
    return ngettext(
        "With {n} customer this is too little to say.", "With {n} customers this is too little to say.", n
    ).format(n=i18n.number(n))


def quantiles(spread: Spread) -> pd.DataFrame:
    """Customer at which a share of all lies below, and what they bring."""
    rows = [(i18n.percent(p, 0), value) for p, value in spread.quantiles.items()]
    return pd.DataFrame([*rows, (_("largest"), spread.largest)], columns=["below", "value"])


def web(row: Mapping[str, float]) -> str:
    """What happened on the web site in the period."""
    visits = int(row["visits"])
    if not visits:
        return _("There was no visit in this period.")
    return _(
        "**{visits} visits** by {visitors} people or devices; {identified} of the visits came from known customers, "
        "and {buying} ended in a purchase."
    ).format(
        visits=i18n.number(visits), visitors=i18n.number(int(row["visitors"])),
        identified=i18n.percent(row["identified"] / visits, 0), buying=i18n.percent(row["buying"] / visits),
    )  # fmt: skip


def web_rows(stages: pd.DataFrame) -> pd.DataFrame:
    """Behaviour by stage: how many came at all, and what those who came did."""
    order = {code: place for place, code in enumerate(("prospect", "new", "active", "returning", "dormant", "lost"))}
    rows = stages.sort_values("lifecycle", key=lambda codes: codes.map(order))
    came = rows["visitors"].where(rows["visitors"] > 0)
    return rows.assign(
        stage=[stage(code) for code in rows["lifecycle"]], came=rows["visitors"] / rows["customers"],
        visits_each=rows["visits"] / came, minutes_each=rows["dwell_minutes"] / came,
    )  # fmt: skip


def heading(cross: Cross, rows: str, columns: str) -> str:
    """Title of a table of two attributes."""
    return _("{rows} by {columns}, {n} customers").format(
        rows=attribute(rows), columns=attribute(columns), n=i18n.number(cross.n)
    )


def readable(frame: pd.DataFrame, rows: str, columns: str) -> pd.DataFrame:
    """A table of two attributes with names for people, in their natural order."""
    order = {"lifecycle": ["prospect", "new", "active", "returning", "dormant", "lost"]}
    rows_in = [code for code in order.get(rows, list(frame.index)) if code in frame.index]
    columns_in = [code for code in order.get(columns, list(frame.columns)) if code in frame.columns]
    shown = frame.loc[_with_rest(rows_in, frame.index), _with_rest(columns_in, frame.columns)]
    return shown.set_axis([level(rows, code) for code in shown.index]).set_axis(
        [level(columns, code) for code in shown.columns], axis=1
    )


def _with_rest(first: Sequence[str], all_: Iterable[str]) -> list[str]:
    return [*first, *(code for code in all_ if code not in first)]


def marked(cross: Cross, rows: str, columns: str) -> pd.DataFrame:
    """Counts with ▲ and ▼ where a cell is unusually full or empty."""
    texts = cross.customers.map(lambda n: i18n.number(n))
    signs = np.where(cross.unusual, np.where(cross.residual.to_numpy() > 0, " ▲", " ▼"), "")
    return readable(texts + pd.DataFrame(signs, index=texts.index, columns=texts.columns), rows, columns)


def how_read(cross: Cross) -> str:
    """What was tested and hidden."""
    text = _(
        "{n} cells were looked at; one is called unusual (▲ more, ▼ fewer than if the two had nothing to do with each "
        "other) beyond {limit} standard errors, so that the chance of any false alarm stays below 5%."
    ).format(n=i18n.number(cross.tested), limit=i18n.number(cross.limit, 1))
    if cross.hidden:
        hidden = ngettext(
            "{n} hatched cell is hidden to protect small groups.",
            "{n} hatched cells are hidden: small groups, and those from which they could be worked out.",
            cross.hidden,
        )
        text = paragraph(text, hidden.format(n=i18n.number(cross.hidden)))
    return text


def unusual(cross: Cross, rows: str, columns: str, *, most: int = 3) -> list[str]:
    """The most unusual cells in words."""
    found = cross.found.head(most)
    if not len(found):
        return [_("No cell is unusual: as far as these customers tell, the two have nothing to do with each other.")]
    together = _("**{row} and {column}** go together: {n} customers, where {expected} would be expected.")
    apart = _("**{row} and {column}** avoid each other: {n} customers, where {expected} would be expected.")
    return [
        (together if cell.residual > 0 else apart).format(
            row=level(rows, cell.row), column=level(columns, cell.column), n=i18n.number(cell.customers),
            expected=i18n.number(round(cross.expected.loc[cell.row, cell.column])),
        )
        for cell in found.itertuples()
    ]  # fmt: skip


def steps(split: Split, period: Period, before: Period) -> pd.DataFrame:
    """The waterfall from the period before to this one: label, value, kind."""
    rows = [(i18n.period(before), split.before, "total")]
    rows += [(part(name), amount, "change") for name, amount in split.parts.items() if amount]
    rows.append((i18n.period(period), split.after, "total"))
    return pd.DataFrame(
        [(label, float(value), kind) for label, value, kind in rows], columns=["label", "value", "kind"]
    )


def bridge(split: Split, before: Period) -> str:
    """What pushed net revenue up and what pulled it down."""
    parts = split.parts
    up, down = max(parts, key=lambda name: parts[name]), min(parts, key=lambda name: parts[name])
    told = _("Against {before}, net revenue changed by **{change}**.")
    if split.before > 0:
        told = _("Against {before}, net revenue changed by **{change}** ({share}).")
    share = i18n.change(float(split.change / split.before)) if split.before > 0 else ""
    texts = [told.format(before=i18n.period(before), change=signed(split.change), share=share)]
    if parts[up] > 0:
        texts.append(_("What pushed it up most: {part}, {amount}.").format(part=part(up), amount=signed(parts[up])))
    if parts[down] < 0:
        texts.append(
            _("What pulled it down most: {part}, {amount}.").format(part=part(down), amount=signed(parts[down]))
        )
    inside = [name for name in parts if name in BASKET]
    if len(inside) > 1:
        texts.append(_("The worth of an order as a whole: {amount}.").format(amount=signed(split.basket)))
    return paragraph(*texts)


def orders_of_change(ways: Mapping[str, Mapping[str, Decimal]]) -> pd.DataFrame:
    """The obvious split, once in each order of changing: one row a part, one column a way."""
    names = list(next(iter(ways.values())))
    return pd.DataFrame(
        [{"part": part(name), **{way: float(parts[name]) for way, parts in ways.items()}} for name in names]
    )
