"""What 01_collection says: where records came from, how fresh and complete they are, what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from workbook.collection.overview import Sales, SourceState
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

STALE_DAYS = 35  # a month and a few days: older than a monthly report can be
FEW_EMPTY = 0.25  # share of the months of its span that may be empty in a source that is drawn as a line


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: rows, files, share that could be read, identified share."""
    rows, files = found["rows_read"].value, found["files_read"].value
    text = ngettext(
        "{rows} rows arrived in one file.", "{rows} rows arrived in {files} files or tables.", files
    ).format(rows=i18n.number(rows), files=i18n.number(files))
    rejected = found["rows_quarantined"].value
    text += " " + (_("Every row could be read.") if not rejected else ngettext(
        "One row could not be read and waits in quarantine.", "{n} rows could not be read and wait in quarantine.",
        rejected).format(n=i18n.number(rejected)))
    share = found["revenue_identified_share"]
    if share.value is not None:
        text += " " + _("{share} of the revenue names its customer.").format(share=i18n.percent(share.value))
    return text


def what_was_done(read: int, unchanged: int) -> str:
    """New and changed files, and those left alone."""
    if not read:
        return _("Nothing is new or changed: no file had to be read again.")
    text = ngettext("One file or table was new or changed and has been read.",
                    "{n} files or tables were new or changed and have been read.", read).format(n=i18n.number(read))
    if not unchanged:
        return text
    return text + " " + ngettext("One had not changed and was left alone.",
                                 "{n} had not changed and were left alone.", unchanged).format(n=i18n.number(unchanged))


def source_rows(states: Iterable[SourceState]) -> pd.DataFrame:
    """One row a source: its table, files, rows, span of time."""
    return pd.DataFrame(
        [{"source": state.source_name, "table": state.table, "files": state.files, "rows": state.rows_read,
          "first": state.first_on, "last": state.last_on} for state in states],
        columns=["source", "table", "files", "rows", "first", "last"],
    )


def carried(states: Sequence[SourceState]) -> str:
    """How little the smaller half of the sources weighs in the sum of the rows."""
    total = sum(state.rows_read for state in states)
    smaller = sorted(states, key=lambda state: state.rows_read)[: len(states) // 2]
    if not smaller or not total:
        return _("There is one source: the sum of the rows is its own.")
    share = sum(state.rows_read for state in smaller) / total
    return ngettext(
        "The smallest source brings {share} of all rows: were it missing, the sum would hardly show it.",
        "The {n} smallest sources together bring {share} of all rows: were they missing, the sum would hardly show it.",
        len(smaller)).format(n=i18n.number(len(smaller)), share=i18n.percent(share))


def load_rows(states: Iterable[SourceState]) -> pd.DataFrame:
    """One row a way of loading: what it means, for which sources, encodings, copies and files that are gone."""
    loads: dict[str, list[SourceState]] = {}
    for state in states:
        loads.setdefault(state.load, []).append(state)
    return pd.DataFrame(
        [{"load": load_meaning(load), "sources": _(", ").join(state.source_name for state in own),
          "encodings": ", ".join(sorted({name for state in own for name in state.encodings})) or i18n.NOTHING,
          "copies": sum(state.copies for state in own), "gone": sum(state.gone for state in own)}
         for load, own in loads.items()],
        columns=["load", "sources", "encodings", "copies", "gone"],
    )


def load_meaning(load: str) -> str:
    """What happens to files that change or go."""
    return {
        "append": _("append: files add up; one that is gone keeps its rows"),
        "replace_file": _("replace_file: a file's rows are what it says now; one that is gone takes them along"),
        "snapshot": _("snapshot: only the last file counts"),
        "upsert": _("upsert: of the rows with one key the latest counts"),
    }[load]


def freshness(sales: Sales, days: int | None) -> str:
    """How old the newest sale was when it was read."""
    if days is None:
        return _("No sale has a date that is possible.")
    text = ngettext("The newest sale is of {day}; it was one day old when it was read.",
                    "The newest sale is of {day}; it was {n} days old when it was read.", days).format(
        day=i18n.date(sales.last_on), n=i18n.number(days))
    if days > STALE_DAYS:
        text += " " + _("**That is old for a monthly report**: is an export missing, or is this a finished record?")
    return text


def dates_as_written(states: Sequence[SourceState], rows: pd.DataFrame) -> str:
    """First and last date as the files say them, beside those that can be true."""
    firsts = [state.first_on for state in states if state.first_on]
    lasts = [state.last_on for state in states if state.last_on]
    if rows.empty or not firsts or not lasts:
        return _("No date can be true: look at the format of the dates first.")
    first, last = rows["month"].min().date(), rows["newest"].max().date()
    written = {"first": i18n.date(min(firsts)), "last": i18n.date(max(lasts))}
    if min(firsts) >= first and max(lasts) <= last:
        return _("Taken as written, the records run from {first} to **{last}**, and all of these dates can be true."
                 ).format(**written)
    return _("Taken as written, the records run from {first} to **{last}**. Without dates that cannot be true, and "
             "without days that had not come when the file arrived, they run from {month} to **{day}**.").format(
        **written, month=i18n.month(first), day=i18n.date(last))


def behind(rows: pd.DataFrame, *, as_of: date) -> str:
    """Sources whose newest row lies more than a month before the report date."""
    if rows.empty:
        return _("No source has a date by which its age could be told.")
    last = pd.to_datetime(rows.groupby("source_name")["newest"].max())
    late = last[(pd.Timestamp(as_of) - last).dt.days > STALE_DAYS].sort_values()
    if late.empty:
        return ngettext("The one source with dates reaches to {day}.", "Each of the {n} sources with dates reaches to "
                        "within {days} days of the report date.", len(last)).format(
            n=i18n.number(len(last)), days=i18n.number(STALE_DAYS), day=i18n.date(last.max()))
    named = _(", ").join(_("{source} ({day})").format(source=name, day=i18n.date(day)) for name, day in late.items())
    return _("**More than {days} days before the report date** end: {named}.").format(
        days=i18n.number(STALE_DAYS), named=named)


def low_months(rows: pd.DataFrame, *, as_of: date) -> str:
    """Sources that brought fewer rows in the last whole month than in any of the twelve before; what luck alone makes.

    Args:
        as_of: the report date; later months are not judged, since they go on.
    """
    matrix = rows.pivot_table(index="month", columns="source_name", values="rows", aggfunc="sum") if len(rows) else rows
    whole = matrix.index[matrix.index + pd.offsets.MonthEnd(0) <= pd.Timestamp(as_of)] if len(rows) else matrix.index
    if not len(whole):
        return _("There is no whole month yet.")
    last = whole.max()
    year = matrix.reindex(pd.date_range(last - pd.DateOffset(months=12), last, freq="MS"))
    year.iloc[-1] = year.iloc[-1].fillna(0)
    known = [name for name in year if year[name].notna().all()]
    if not known:
        return _("No source has rows in each of the twelve months before {month}: whether that month is complete "
                 "cannot be told from its size.").format(month=i18n.month(last.date()))
    low = [name for name in known if year[name].iloc[-1] < year[name].iloc[:-1].min()]
    luck = i18n.number(len(known) / 13, 1)
    if not low:
        return ngettext(
            "In {month} the one source with rows in each of the twelve months before brought no fewer than in the "
            "poorest of them.",
            "In {month} none of the {n} sources with rows in each of the twelve months before brought fewer than in "
            "the poorest of them; by luck alone about {luck} would.", len(known)).format(
            month=i18n.month(last.date()), n=i18n.number(len(known)), luck=luck)
    return _("**Fewer rows in {month} than in any of the twelve months before**: {named}. Of {n} sources with rows in "
             "each of these months, about {luck} would show this by luck alone.").format(
        month=i18n.month(last.date()), named=_(", ").join(low), n=i18n.number(len(known)), luck=luck)


def future(rows: int) -> str:
    """A warning about rows dated after their arrival."""
    return ngettext("One sale is dated after the day it arrived.", "{n} sales are dated after the day they arrived.",
                    rows).format(n=i18n.number(rows)) + " " + _(
        "No report sees them before that day comes; check the order of day and month, and the clock of the till.")


def identified(sales: Sales) -> str:
    """How much of the revenue names a customer."""
    if sales.identified_share is None:
        return _("There is no revenue to share out.")
    if sales.identified == sales.revenue:
        return _("**Every sale names its customer**: there are no anonymous ones.")
    return _("**{share} of the revenue names its customer** ({money} of {total}). The rest are anonymous sales: they "
             "count in the shop's totals and in no table of customers.").format(
        share=i18n.percent(sales.identified_share), money=i18n.money(sales.identified), total=i18n.money(sales.revenue))


def months_matrix(rows: pd.DataFrame, *, most: int = 12) -> pd.DataFrame:
    """Sources down, the last months across; a month without rows inside a source's span is 0, outside it is blank."""
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot_table(index="source_name", columns="month", values="rows", aggfunc="sum")
    months = pd.date_range(wide.columns.min(), wide.columns.max(), freq="MS")
    wide = wide.reindex(columns=months)
    inside = wide.ffill(axis=1).notna() & wide.bfill(axis=1).notna()
    wide = wide.where(wide.notna() | ~inside, 0.0).iloc[:, -most:]
    wide.columns = [i18n.month(month, short=True) for month in wide.columns]
    return wide


def gaps(rows: pd.DataFrame) -> str:
    """Which sources have months without a row between their first and their last."""
    matrix = months_matrix(rows, most=10_000)
    empty = {name: int((line == 0).sum()) for name, line in matrix.iterrows() if (line == 0).any()}
    if not empty:
        return _("No source has a month without rows between its first and its last one.")
    named = _(", ").join(_("{source} ({n})").format(source=name, n=i18n.number(n)) for name, n in empty.items())
    return _("**Months without a single row** lie inside the span of: {named}.").format(named=named)


def monthly_lines(rows: pd.DataFrame, *, most: int = 6) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows a month, one column a source, the largest sources; and the names of the columns.

    A source with rows in few months only, such as the arms of an experiment, is a row of spikes and no line: it stands
    in the table of months alone, unless there is no other.
    """
    if rows.empty:  # every date is impossible
        return pd.DataFrame({"month": []}), {}
    matrix = months_matrix(rows, most=10_000)
    steady = matrix.index[(matrix == 0).sum(axis=1) <= matrix.notna().sum(axis=1) * FEW_EMPTY]
    shown = rows[rows["source_name"].isin(steady)] if len(steady) else rows
    largest = list(shown.groupby("source_name")["rows"].sum().nlargest(most).index)
    wide = rows[rows["source_name"].isin(largest)].pivot_table(
        index="month", columns="source_name", values="rows", aggfunc="sum")
    wide = wide.reindex(pd.date_range(wide.index.min(), wide.index.max(), freq="MS"), fill_value=0).fillna(0)
    frame = wide[largest].rename_axis("month").reset_index()
    return frame, {name: str(name) for name in largest}


def is_open(rows: pd.DataFrame) -> bool:
    """Whether the last month may still grow: it is the one in which the newest row of any source lies."""
    return bool(len(rows)) and bool(rows["newest"].max() < rows["month"].max() + pd.offsets.MonthEnd(0))


def filled_rows(filled: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a column that is not always filled: where, what it is, share filled; emptiest first."""
    rows = [{"table": row["table"], "column": row["column"], "label": f"{row['table']}.{row['column']}",
             "share": row["share"]} for row in filled if row["share"] < 1]
    frame = pd.DataFrame(rows, columns=["table", "column", "label", "share"])
    return frame.sort_values(["share", "label"], ignore_index=True)


def completeness(filled: Sequence[Mapping[str, Any]]) -> str:
    """How many columns arrived, and how many of them are always filled."""
    full = sum(row["share"] == 1 for row in filled)
    return _("{n} columns arrived; {full} of them are filled in every row.").format(
        n=i18n.number(len(filled)), full=i18n.number(full))


def only_complete(row: Mapping[str, Any], filled: Sequence[Mapping[str, Any]]) -> str:
    """What dropping every row with a blank would leave of the sales, and which column costs most."""
    rows, kept = row["rows"], int(row.get("complete") or 0)
    if not rows or kept == rows:
        return _("No row of sales has a blank: dropping incomplete rows would drop nothing here.")
    emptiest = min(filled, key=lambda column: column["share"])
    worth = float(row["complete_revenue"] or 0)
    texts = {"rows": i18n.number(rows), "kept": i18n.number(kept), "share": i18n.percent(kept / rows),
             "money": i18n.money(worth), "total": i18n.money(row["revenue"]), "column": emptiest["column"],
             "filled": i18n.percent(emptiest["share"])}  # fmt: skip
    if worth < 0:  # only what came back names an earlier order
        return _("Of {rows} rows of sales it would keep **{kept}** ({share}), and they are mostly returns: {money} of "
                 "{total}. The emptiest column alone, `{column}`, is filled in {filled} of the rows.").format(**texts)
    return _("Of {rows} rows of sales it would keep **{kept}** ({share}), worth {money} of {total}. The emptiest "
             "column alone, `{column}`, is filled in {filled} of the rows.").format(**texts)


def at_stake(lost: int, kept: int, revenue: Any) -> str:
    """What the rows of sales set aside would be worth were they like the others."""
    if not lost or not kept:
        return _("No row of sales is set aside: no money is missing for this reason.")
    return ngettext(
        "If the row of sales set aside is like the others, about **{money}** is missing from revenue ({share}).",
        "If the {n} rows of sales set aside are like the others, about **{money}** is missing from revenue ({share}).",
        lost).format(n=i18n.number(lost), money=i18n.money(float(revenue) / kept * lost),
                     share=i18n.percent(lost / kept, 2))


def remedy(code: str) -> str:
    """What to do about a value that could not be read."""
    declared = {
        "decimal_comma": _("declare `decimal_comma: true` of the source"),
        "date_order": _("declare `dates` of the source, or correct the cell"),
        "date_undecidable": _("declare `dates` of the source"),
        "id_ruined_by_excel": _("export ids as text, not by way of Excel"),
        "currency_without_rate": _("declare the currency's rate"),
        "fields_count": _("quote texts that hold the delimiter"),
    }
    if code in declared:
        return declared[code]
    if code.startswith(("phone", "mail")):
        return _("nothing: the customer is known without it")
    return _("correct it at its origin")


def reason(code: str) -> str:
    """Why a value could not be read."""
    known = {
        "number": _("no number"),
        "number_too_large": _("a number of more than 14 digits"),
        "decimal_comma": _("a decimal comma, which the source does not declare"),
        "not_whole": _("not a whole number"),
        "date": _("no date"),
        "date_order": _("day and month against the declared order"),
        "date_undecidable": _("day and month cannot be told apart"),
        "date_out_of_range": _("a year before 1900 or after 2199"),
        "boolean": _("neither yes nor no"),
        "id_ruined_by_excel": _("an id that Excel has rounded (1.23E+17)"),
        "required_missing": _("a value that the row cannot do without is missing"),
        "fields_count": _("too many or too few fields in the line"),
        "json": _("no valid JSON"),
        "currency_without_rate": _("a foreign currency without a declared rate"),
        "phone": _("no telephone number"),
        "phone_placeholder": _("a made-up telephone number"),
        "phone_masked_by_sender": _("a telephone number with hidden digits"),
        "mail": _("no mail address"),
        "mail_masked_by_sender": _("a mail address with hidden letters"),
    }
    return known.get(code, code.replace("_", " "))


def quarantine_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a reason: source, column, why, what became of the row, what to do, how many."""
    return pd.DataFrame({
        "source": rows["source_name"], "column": rows["column"].where(rows["column"] != "", _("the whole row")),
        "reason": [reason(code) for code in rows["reason"]], "remedy": [remedy(code) for code in rows["reason"]],
        "outcome": [_("row kept, value left blank") if kept else _("row set aside") for kept in rows["row_kept"]],
        "values": rows["values"],
    })


def example_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """A few lines of the quarantine, as the reader finds them in the file."""
    return pd.DataFrame({
        "file": rows["source_file"], "row": rows["source_row"], "column": rows["column"], "value": rows["value_masked"],
        "reason": [reason(code) for code in rows["reason"]],
    })


def quarantine(rejected: int, read: int, *, left_blank: int = 0) -> str:
    """The share of the rows that could not be read, and values left blank in rows that were kept."""
    if rejected:
        text = _("**{n} of {read} rows ({share}) could not be read** and wait in quarantine; nothing later counts them."
                 ).format(n=i18n.number(rejected), read=i18n.number(read), share=i18n.percent(rejected / read, 2))
    else:
        text = _("**Every row could be read.** No row is in quarantine.")
    if not left_blank:
        return text
    return text + " " + ngettext(
        "In rows that were kept, one personal value could not be read and was left blank.",
        "In rows that were kept, {n} personal values could not be read and were left blank.", left_blank,
    ).format(n=i18n.number(left_blank))


def rounded(values: int) -> str:
    """How many amounts had more than four decimals."""
    return ngettext("One number had more than four decimals and was rounded to four.",
                    "{n} numbers had more than four decimals and were rounded to four.", values).format(
        n=i18n.number(values))


def age_days(newest: date | None, arrived: date | None) -> int | None:
    """Days from the newest sale to its arrival."""
    return None if newest is None or arrived is None else max(0, (arrived - newest).days)
