"""What 02_cleaning says: what each rule did, what came back, who is one person, whether the records add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from workbook.cleaning.gates import Gate
from workbook.cleaning.ledger import Line
from workbook.cleaning.returning import ToCome
from workbook.cleaning.shortcuts import Booked, Buyers, Step
from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _, ngettext


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: rows kept, gates, identified share."""
    kept, read = found["rows_kept"].value, found["rows_read"].value
    text = _("{kept} of {read} rows are kept, worth {revenue} after returns.").format(
        kept=i18n.number(kept), read=i18n.number(read), revenue=i18n.money(found["net_revenue"].value))
    passed, total = found["gates_passed"].value, found["gates_total"].value
    text += " " + (_("All {n} checks of the totals passed.").format(n=i18n.number(total)) if passed == total else _(
        "{n} of {total} checks of the totals failed.").format(n=i18n.number(total - passed), total=i18n.number(total)))
    share = found["identified_revenue_share"].value
    if share is not None:
        text += " " + _("{share} of the revenue belongs to a known customer.").format(share=i18n.percent(share))
    return text


def rule_name(rule: str) -> str:
    """What people call a rule."""
    return {
        "no_date": _("No date"),
        "impossible_date": _("Impossible date"),
        "later": _("Dated after the report"),
        "superseded": _("Replaced by a newer arrival"),
        "repeated_key": _("Same key, arrived again"),
        "conflicting_key": _("Same key, other content"),
        "exact_duplicate": _("Alike in every column"),
        "test_account": _("Test account"),
        "cancelled_status": _("Status says cancelled"),
        "missing_customer": _("Anonymous sale"),
        "cancellation": _("Cancelling document"),
        "nonpositive_quantity": _("Quantity not above zero"),
        "nonpositive_price": _("Price not above zero"),
        "zero_amount": _("Amount of zero"),
        "non_product": _("Not goods: postage, fees, vouchers"),
        "outlier": _("Far larger than usual"),
        "synonym": _("Spellings unified"),
        "identity": _("Ids of one person merged"),
        "returns": _("Returns netted"),
        "impossible_age": _("Impossible year of birth"),
    }[rule]


def action_name(action: str) -> str:
    """What was done about it."""
    return {
        "keep": _("kept"), "flag": _("flagged"), "drop": _("removed"), "cut": _("not yet known"),
        "merge": _("merged"), "net": _("netted"),
    }[action]


def recipe_rows(steps: Sequence[Step], found: Mapping[str, Finding]) -> pd.DataFrame:
    """The recipe of most tutorials line by line, and beside it where this page ends."""
    names = {"arrived": _("All rows up to the report date"), "positive": _("without amounts of zero or less"),
             "named": _("without blank customers"), "different": _("without rows alike")}  # fmt: skip
    rows = [{"step": names[step.code], "rows": step.rows, "customers": step.customers, "revenue": step.revenue}
            for step in steps]
    own = {"step": _("This page, by the rules below"), "rows": found["rows_kept"].value,
           "customers": found["customers_kept"].value, "revenue": found["net_revenue"].value}
    return pd.DataFrame([*rows, own], columns=["step", "rows", "customers", "revenue"])


def recipe(steps: Sequence[Step], found: Mapping[str, Finding]) -> str:
    """How far the recipe ends from the rules, and how much its lines moved on the way."""
    ends, net = steps[-1].revenue, float(found["net_revenue"].value or 0)
    moved = sum(abs(after.revenue - before.revenue) for before, after in pairwise(steps))
    if not moved and ends == net:
        return _("On these records neither the recipe nor the rules change anything: both end with **{net}**.").format(
            net=i18n.money(net))
    return _("The recipe ends with **{ends}**, this page with **{net}**: {apart} apart. On the way its lines move "
             "{moved} up and down; how near the two ends lie says nothing about whether the lines were right.").format(
        ends=i18n.money(ends), net=i18n.money(net), apart=i18n.money(abs(ends - net)), moved=i18n.money(moved))


def ledger_rows(lines: Sequence[Line], table: str) -> pd.DataFrame:
    """The ledger of one table, the steps that met anything: rule, what was done, rows met, what it changed."""
    rows = [
        {"rule": rule_name(line.rule), "action": action_name(line.action),
         "met": line.rows_flagged or line.rows_removed, "rows": line.rows_after,
         "customers": line.customers_after, "revenue": line.revenue_after}
        for line in lines if line.table == table and (line.rows_flagged or line.rows_removed)
    ]
    return pd.DataFrame(rows, columns=["rule", "action", "met", "rows", "customers", "revenue"])


def quiet_rules(lines: Sequence[Line], table: str) -> str:
    """Rules that met nothing."""
    quiet = [rule_name(line.rule) for line in lines
             if line.table == table and not line.rows_flagged and not line.rows_removed]
    if not quiet:
        return _("Every rule met at least one row.")
    return _("Rules that met nothing: {rules}.").format(rules=_(", ").join(quiet))


def steps(lines: Sequence[Line], table: str, measure: str) -> pd.DataFrame:
    """A waterfall's steps: what arrived, each rule that changed the measure (rows or revenue), what is left."""
    own = [line for line in lines if line.table == table and getattr(line, f"{measure}_before") is not None]
    before, after = f"{measure}_before", f"{measure}_after"
    rows = [{"label": _("Arrived"), "value": float(getattr(own[0], before)), "kind": "total"}]
    for line in own:
        change = getattr(line, after) - getattr(line, before)
        if change:
            rows.append({"label": rule_name(line.rule), "value": float(change), "kind": "change"})
    rows.append({"label": _("Clean"), "value": float(getattr(own[-1], after)), "kind": "total"})
    return pd.DataFrame(rows)


def exact(line: Line, last: Line) -> str:
    """Both ends of the ledger, every digit."""
    text = _("Revenue as recorded: **{before}**. After all rules and returns: **{after}**, to the last decimal.")
    return text.format(before=_digits(line.revenue_before), after=_digits(last.revenue_after))


def _digits(amount: object) -> str:
    text = i18n.number(amount, 4)
    return text.rstrip("0").rstrip(".") if "." in text else text


def sold_to_net(found: Mapping[str, Finding]) -> pd.DataFrame:
    """A waterfall's steps from what was sold to what stays sold."""
    net, back = found["net_revenue"].value or 0, found["returned_amount"].value
    # Refunds on record that name no kept order are in no total of lines; negative lines are.
    open_ = found["unmatched_lines_amount"].value
    return pd.DataFrame([
        {"label": _("Sold"), "value": float(net + back + open_), "kind": "total"},
        {"label": _("Came back, netted"), "value": -float(back), "kind": "change"},
        {"label": _("Negative lines without a purchase"), "value": -float(open_), "kind": "change"},
        {"label": _("Stays sold"), "value": float(net), "kind": "total"},
    ])


def kept(first: Line, last: Line) -> str:
    """How much the dropping rules took."""
    removed = first.rows_before - last.rows_after
    if not removed:
        return _("No row was removed: **all {rows} rows are kept**.").format(rows=i18n.number(last.rows_after))
    return _("**{kept} of {read} rows are kept**; {removed} were removed, each listed with its rule in `clean/removed`."
             ).format(kept=i18n.number(last.rows_after), read=i18n.number(first.rows_before),
                      removed=i18n.number(removed))


def naive_duplicates(line: Line, repeats: pd.DataFrame) -> str:
    """What dropping every repeated row would have cost."""
    if not line.rows_flagged:
        return _("No row is alike to another one in every column: dropping repeats would change nothing here.")
    row = repeats.iloc[0]
    return ngettext(
        "Dropping repeats would remove **one row** worth {money}.",
        "Dropping repeats would remove **{n} rows** worth {money}, in {orders} orders.", line.rows_flagged,
    ).format(n=i18n.number(line.rows_flagged), money=i18n.money(row["amount"]), orders=i18n.number(row["orders"]))


def key_verdict(seen: pd.DataFrame) -> str:
    """Whether repeats may be removed here."""
    if bool(seen["has_key"].iloc[0]):
        return _("This source brings a unique key, so a repeat of the same key is the same record: it is removed.")
    return _("This source brings no unique key for a line. Two like rows may be two pieces scanned one after the "
             "other, so they are **flagged and kept**.")


def naive_returns(row: pd.DataFrame) -> str:
    """What dropping the negative rows would leave in the books."""
    returned, customers = row["returned"].iloc[0], row["customers"].iloc[0]
    if not returned:
        return _("Nothing came back up to this date.")
    text = _("Dropping negative rows would leave **{money}** of undone sales in the books").format(
        money=i18n.money(returned))
    return text + (ngettext(
        ", and count one customer as a buyer who sent everything back.",
        ", and count {n} customers as buyers who sent everything back.", customers,
    ).format(n=i18n.number(customers)) if customers else _(", though no customer sent everything back."))


def charged(booked: Booked, period: Period) -> str:
    """How much of what came back in the period was bought before it."""
    if not booked.amount:
        return _("{period}: nothing came back.").format(period=i18n.period(period))
    if not booked.earlier:
        return _("{period}: {money} came back, all of it bought in the same period.").format(
            period=i18n.period(period), money=i18n.money(booked.amount))
    return _("{period}: {money} came back; **{share}** of it had been bought before that period. Charged to the "
             "month in which it arrives, it would lower the wrong month.").format(
        period=i18n.period(period), money=i18n.money(booked.amount), share=i18n.percent(booked.earlier / booked.amount))


def surely_matched(rows: pd.DataFrame) -> str:
    """How much of the returned money names its order, and how much was matched by a rule."""
    total = float(rows["amount"].sum()) if len(rows) else 0.0
    if not total:
        return _("No return had to be matched.")
    named = float(rows.loc[rows["how"].isin(["line", "product", "order"]), "amount"].sum()) / total
    return _("**{named}** of the matched money names its own order, and is sure. The rest, {rest}, was matched by "
             "rule, and is plausible.").format(named=i18n.percent(named), rest=i18n.percent(1 - named))


def netting(found: Mapping[str, Finding], matched: int) -> str:
    """What was matched and what was not."""
    if not matched and not found["unmatched_returns"].value:
        return _("Nothing came back up to this date.")
    text = ngettext("**One return** was netted against its purchase: {money}.",
                    "**{n} returns** or parts of them were netted against their purchases: {money}.", matched).format(
        n=i18n.number(matched), money=i18n.money(found["returned_amount"].value))
    share = found["returned_share"].value
    if share is not None:
        text += " " + _("That is {share} of what was sold.").format(share=i18n.percent(share))
    open_ = found["unmatched_returns"].value
    if open_:
        text += " " + ngettext(
            "One found no purchase ({money}) and stays a negative line.",
            "{n} found no purchase ({money}) and stay negative lines or refunds on record.", open_).format(
            n=i18n.number(open_), money=i18n.money(found["unmatched_returns_amount"].value))
    return text


def reason_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Unmatched returns by reason."""
    names = {
        "more_than_bought": _("More came back than was bought"),
        "order_not_found": _("The order it names is not among the kept ones"),
        "not_goods": _("Not goods: fees, discounts, adjustments"),
        "no_customer": _("Anonymous, and names no order"),
        "no_earlier_purchase": _("No earlier purchase of that product at that price"),
    }
    return rows.assign(reason=[names[code] for code in rows["reason"]])


def how_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Matches by the way they were found."""
    names = {
        "line": _("By order and line"),
        "product": _("By order and product"),
        "order": _("By order"),
        "same quantity": _("By customer, product, price and quantity"),
        "same price": _("By customer, product and price, in parts"),
    }
    return rows.assign(how=[names[code] for code in rows["how"]])


def still_to_come(come: ToCome | None) -> str:
    """What is expected to come back yet."""
    if come is None:
        return _("Too few returns have been seen to say how many are still to come.")
    return _("Of the orders placed so far, goods worth **{money}** are expected to come back yet (between {low} and "
             "{high}); {share} of all returns are back already.").format(
        money=i18n.money(come.expected), low=i18n.money(come.low), high=i18n.money(come.high),
        share=i18n.percent(come.seen_share))


def youth(periods: pd.DataFrame) -> str:
    """How much better the latest period looks so far than it is expected to end."""
    if periods.empty or pd.isna(periods.iloc[-1]["share_expected"]) or pd.isna(periods.iloc[-1]["returned_share"]):
        return _("Too few returns have been seen to say how the latest period will end.")
    last = periods.iloc[-1]
    return _("So far {seen} of what was sold in {period} came back; in the end it will be about **{expected}**. The "
             "difference is youth, not quality.").format(
        seen=i18n.percent(last["returned_share"]), period=last["period"], expected=i18n.percent(last["share_expected"]))


def ids_or_people(ids: Buyers, people: Buyers) -> str:
    """Buyers and repeat buyers, counted by id and by person."""
    if not people.buyers:
        return _("No sale names its customer.")
    if ids == people:
        return _("Counted by id or by person, there are **{n}** buyers: nobody has several ids that are known.").format(
            n=i18n.number(people.buyers))
    return _("Counted by id there are **{ids}** buyers, of whom {again} bought on more than one day; counted by person "
             "**{people}**, of whom {again_people} did.").format(
        ids=i18n.number(ids.buyers), again=i18n.percent(ids.again / ids.buyers), people=i18n.number(people.buyers),
        again_people=i18n.percent(people.again / people.buyers))


def merging(found: Mapping[str, Finding]) -> str:
    """How many ids were merged, and which were refused."""
    merged, refused = found["merged_ids"].value, found["refused_ids"].value
    if not merged and not refused:
        return _("No two ids share a telephone number or a mail address.")
    text = ngettext("**One id** turned out to belong to a person already known.",
                    "**{n} ids** turned out to belong to people already known.", merged).format(n=i18n.number(merged))
    if refused:
        text += " " + _("{n} ids share a number with too many others; they are left apart and listed.").format(
            n=i18n.number(refused))
    return text


def cluster_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Groups of ids by status and reason."""
    statuses = {"merged": _("merged"), "refused": _("refused")}
    reasons = {"phone": _("telephone"), "mail": _("mail"), "declared": _("declared by the shop")}
    return rows.assign(
        status=[statuses[code] for code in rows["status"]],
        reason=[" + ".join(reasons[part] for part in code.split("+")) for code in rows["reason"]])


def spelling_rows(spellings: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """What was unified: column, what it became, the spellings."""
    rows: dict[tuple[str, str], list[str]] = {}
    for column, found in spellings.items():
        for spelling, name in found.items():
            rows.setdefault((column, name), []).append(spelling)
    return pd.DataFrame(
        [{"column": column, "name": name, "spellings": _(", ").join(sorted(texts))}
         for (column, name), texts in sorted(rows.items())], columns=["column", "name", "spellings"])


def spelling(spellings: Mapping[str, Mapping[str, str]], rows: int) -> str:
    """How much was spelled differently."""
    if not spellings:
        return _("No category or region is spelled in more than one way.")
    return ngettext("One order line had its spelling unified.", "{n} order lines had their spelling unified.",
                    rows).format(n=i18n.number(rows))


def as_written(spellings: Mapping[str, Mapping[str, str]]) -> str:
    """How many rows a table by these columns would have as written, and for how many things."""
    told = [_("`{column}`: {written} ways of writing for {meant} things").format(
        column=column, written=i18n.number(len(found)), meant=i18n.number(len(set(found.values()))))
        for column, found in spellings.items() if found]
    if not told:
        return _("Nothing was written otherwise than it is called.")
    return _("Of what was written otherwise than it is called now, {told}.").format(told=_("; ").join(told))


def quality_mean(table: pd.DataFrame) -> str:
    """The one score that people ask for, and how many tables and sides it hides."""
    scores = table["score"].dropna() if len(table) else pd.Series(dtype=float)
    if scores.empty:
        return _("There is no table to judge.")
    if len(scores) == 1:
        return _("There is one table, with a score of **{mean}**.").format(mean=i18n.percent(scores.mean()))
    return _("One score for everything would be **{mean}**, the mean of {n} tables; between the best and the weakest "
             "lie {points} points.").format(
        mean=i18n.percent(scores.mean()), n=i18n.number(len(scores)),
        points=i18n.number(100 * (scores.max() - scores.min()), 1))


def quality_verdict(table: pd.DataFrame) -> str:
    """The weakest table and its weakest side."""
    if table.empty or table["score"].isna().all():
        return _("There is no table to judge.")
    worst = table.iloc[0]
    sides = {"completeness": _("completeness"), "validity": _("validity"), "uniqueness": _("uniqueness"),
             "consistency": _("consistency"), "timeliness": _("timeliness")}  # fmt: skip
    side = worst[list(sides)].astype(float).idxmin()
    return _("The weakest table is **{table}** with {score}; its weakest side is {side} ({share}).").format(
        table=worst["table"], score=i18n.percent(worst["score"]), side=sides[side], share=i18n.percent(worst[side]))


def gate_rows(gates: Sequence[Gate]) -> pd.DataFrame:
    """Every gate with both sides."""
    return pd.DataFrame([
        {"gate": gate_name(gate), "left": _digits(gate.left), "right": _digits(gate.right),
         "difference": _digits(gate.difference), "passed": "✓" if gate.passed else "✗"} for gate in gates
    ])  # fmt: skip


def widest_gap(gates: Sequence[Gate]) -> str:
    """The largest difference that a tolerance let through."""
    open_ = [gate for gate in gates if gate.difference]
    if not open_:
        return _("No two sides differ at all.")
    widest = max(open_, key=lambda gate: abs(gate.difference) / max(abs(gate.right), 1))
    return _("The widest difference that was let through: {gate}, {difference} ({share}); allowed were {tolerance}."
             ).format(
        gate=gate_name(widest), difference=_digits(widest.difference), tolerance=_digits(widest.tolerance),
        share=i18n.percent(float(abs(widest.difference) / max(abs(widest.right), 1)), 2))


def gate_name(gate: Gate) -> str:
    """What a gate holds together."""
    names = {
        "rows_accounted": _("Rows that arrived = kept + netted + removed"),
        "no_row_multiplied": _("Rows after all joins = rows that arrived"),
        "order_lines_counted": _("Lines of all orders = order lines"),
        "order_totals": _("Sum of orders = sum of order lines"),
        "net_of_returns": _("Net sum = recorded sum − refunds"),
        "customers_known": _("Customers of orders without a record = 0"),
        "documents_match_lines": _("Order documents = their lines"),
        "control_revenue": _("Revenue = total of finance"),
        "control_net_revenue": _("Net revenue = total of finance"),
        "control_orders": _("Orders = total of finance"),
        "control_rows": _("Rows = total of finance"),
        "control_customers": _("Customers = total of finance"),
    }
    return names[gate.gate] + (f" ({gate.period})" if gate.period else "")


def identified(found: Mapping[str, Finding]) -> str:
    """How much of the net revenue belongs to known customers."""
    share = found["identified_revenue_share"].value
    if share is None:
        return _("There is no revenue to share out.")
    return _("**{share} of the net revenue belongs to a known customer.** The rest are anonymous sales: they count in "
             "the shop's totals and in no table of customers.").format(share=i18n.percent(share))
