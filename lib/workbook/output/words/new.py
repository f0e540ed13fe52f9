"""What `workbook new` and `workbook check` say: what was understood, what was not, what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workbook.data.checking import Checked, Problem
from workbook.data.discover import Proposal
from workbook.data.schema import TABLES
from workbook.data.understanding import Doubt, Found, NeedsColumns
from workbook.output import i18n
from workbook.output.i18n import _, ngettext


class Grid(NamedTuple):
    """A small table for the terminal."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def understood(found: Found) -> Grid:
    """One row a column that is used."""
    files = len(found.look.pieces)
    place = found.look.pieces[0].name if files == 1 else ngettext(
        "{first} and {n} more file", "{first} and {n} more files", files - 1).format(
        first=found.look.pieces[0].name, n=i18n.number(files - 1))
    title = _("{place} → {table}").format(place=place, table=found.source.table or found.source.known)
    return Grid(
        title,
        (_("Their column"), _("Read as"), _("Because"), _("Examples")),
        [(column.theirs, column.ours, _because(column.because), _samples(column.samples)) for column in found.mapped],
    )


def not_understood(found: Iterable[Found]) -> Grid:
    """One row a column that is not used."""
    rows = [(one.source.label, column.theirs, _reason(column.reason, column.ours), _samples(column.samples))
            for one in found for column in one.unmapped]
    return Grid(_("Not used"), (_("Source"), _("Their column"), _("Why"), _("Examples")), rows)


def missing_sources(proposal: Proposal) -> Grid:
    """What each source that is not there would switch on."""
    have = proposal.tables | ({"orders", "order_lines"} if proposal.tables & {"orders", "order_lines"} else set())
    rows = [(table.name, _(table.row), _(table.switches_on)) for table in TABLES.values()
            if table.name not in have and table.switches_on]
    return Grid(_("Not there yet"), (_("Table"), _("One row is"), _("It would switch on")), rows)


def numbered_columns(error: NeedsColumns) -> Grid:
    """The columns of a file that cannot be understood, numbered, with examples."""
    look = error.look
    return Grid(
        _("Columns of {file}").format(file=look.pieces[0].name),
        ("#", _("Name"), _("Examples")),
        [(str(place), name if look.has_header else "–", _samples(look.samples(name, 4)))
         for place, name in enumerate(look.columns, start=1)],
    )


def notes(proposal: Proposal) -> list[str]:
    """Sentences on what is in doubt and what should be decided."""
    said = [doubt_sentence(doubt, one.source.label) for one in proposal.found for doubt in one.doubts]
    said += [doubt_sentence(doubt, "") for doubt in proposal.doubts]
    if proposal.currency == "XXX":
        said.append(_("The files do not say their currency: write it into the settings, or give --currency."))
    if proposal.time_zone == "UTC":
        said.append(_("Times without a zone are taken as UTC: give --time-zone if the shop keeps another one."))
    if any(column.reason == "key_not_set" for one in proposal.found for column in one.unmapped):
        said.append(_("Phones and mail addresses are left out, because WORKBOOK_KEY is not set. With a key, only their "
                      "hashes are stored, and one person under several ids is seen as one."))
    if proposal.needs_key:
        said.append(_("Some columns will be hashed: keep WORKBOOK_KEY set whenever the workbook runs."))
    return said


def doubt_sentence(doubt: Doubt, source: str) -> str:
    values = {**doubt.values, "source": source}
    if "columns" in values:
        values["columns"] = ", ".join(values["columns"])
    return {
        "no_sales": _("There are no orders yet: every figure starts from them. Add --orders FILE."),
        "no_customer": _("No column says who bought: shop totals work, customer figures need one."),
        "decimal_comma": _("{source}: numbers are read with a decimal comma ({columns})."),
        "by_values": _("{source}: {column} is read as {ours} by its values alone. Please check."),
        "id_is_contact": _("{source}: {column} holds phones or mail addresses; only their hashes are stored."),
        "headers_differ": _("{source}: {file} has another header than the first file."),
        "date_order": _("{source}: dates are read day first, as some days are above 12 ({columns}).")
        if values.get("order") == "dmy" else
        _("{source}: dates are read month first, as some days are above 12 ({columns})."),
        "not_verified": _("{export}, not verified: {what}"),
    }[doubt.code].format(**values)


def next_steps(settings: str) -> str:
    return _("Written: {file}\nNext: look at it, then\n  workbook check --settings {file}\n"
             "  workbook render --settings {file}").format(file=settings)


def verdict(checked: Checked, sources: int) -> str:
    """One sentence: ready, or how much there is to mend."""
    errors = len(checked.errors)
    if errors:
        return ngettext("{n} thing is to be mended.", "{n} things are to be mended.", errors).format(n=errors)
    return ngettext("The one source can be read, and nothing is to be mended.",
                    "All {n} sources can be read, and nothing is to be mended.", sources).format(n=sources)


def problem_rows(problems: Sequence[Problem]) -> Grid:
    rows = [("✗" if problem.severity == "error" else "!", problem.source or _("settings"), *problem_text(problem))
            for problem in problems]
    return Grid(_("Problems"), ("", _("Where"), _("What"), _("Way out")), rows)


def problem_text(problem: Problem) -> tuple[str, str]:
    """What is wrong, and the way out."""
    if problem.error is not None:
        return problem.error.what, problem.error.way_out
    values = dict(problem.values)
    for name in ("columns", "theirs"):
        if not isinstance(values.get(name, ""), str):
            joint = _(" or ") if problem.code == "required_missing" and name == "columns" else ", "
            values[name] = joint.join(values[name])
    near = _(" Did you mean {near}?").format(near=values["near"]) if values.get("near") else ""
    what, way_out = _problems()[problem.code]
    return what.format(**values) + near, way_out.format(**values)


def _problems() -> dict[str, tuple[str, str]]:
    dates_way_out = _("Declare `dates: dmy` or `dates: mdy` for this source.")
    return {
        "currency_not_said": (_("The settings name no currency: amounts are shown without one."),
                              _("Write its ISO code, such as currency: EUR.")),
        "unknown_currency": (_("{currency} is no currency."), _("Write its ISO code, such as EUR.")),
        "unknown_rule": (_("There is no cleaning rule {name!r}."), _("Correct it under cleaning.rules.")),
        "unknown_chapter": (_("There is no chapter {name!r}."), _("Correct it under chapters.")),
        "control_total_table": (_("A control total names the table {table!r}, which there is not."),
                                _("Write orders or order_lines.")),
        "control_total_period": (_("A control total is for {period!r}, which is no period."),
                                 _("Write 2026-06, 2026-06-30, 2026-W23, 2026-Q2, or all.")),
        "base_period": (_("base_period {period!r} is no period."), _("Write 2026-06, 2026-W23 or 2026-Q2.")),
        "occasion_ends_before": (_("{name} in the calendar ends on {end}, before it starts on {start}."),
                                 _("Swap the two dates.")),
        "column_missing": (_("{file} has no column {column!r}."),
                           _("Correct its name in `columns`, or take the line out.")),
        "required_missing": (_("{file} has no column for {columns} of {table}. Its columns: {theirs}"),
                             _("Name the column in `columns` (theirs: ours).")),
        "headers_differ": (_("{file} has another header than the first file."),
                           _("Split the source, or map the names of both in `columns`.")),
        "no_customer": (_("No column says who bought."),
                        _("Map one to customer_id; without it only shop totals work.")),
        "no_sales": (_("No source brings orders or order_lines."), _("Add one: every figure starts from orders.")),
        "values_unreadable": (_("{column} ({ours}): {n} of the first {of} values cannot be read, such as {example!r} "
                                "({reason})."),
                              _("Declare decimal_comma, dates or encoding, or map another column.")),
        "date_undecidable": (_("{columns} in {file} is written like {example}, and no day above the 12th tells which "
                               "part is the month."), dates_way_out),
        "date_order_mixed": (_("{columns} in {file} has dates day first and dates month first, such as {example}."),
                             _("Split the source, and declare `dates` for each part.")),
        "two_digit_year": (_("{columns} in {file} has years of two digits, such as {example}."), dates_way_out),
        "key_not_set": (_("{columns} will be hashed, and the environment variable {variable} is not set."),
                        _("export {variable}=…, or take these columns out.")),
        "key_too_short": (_("{columns} will be hashed under a key of less than {shortest} characters."),
                          _("Use a longer key: python -c 'import secrets; print(secrets.token_hex(32))'")),
        "phone_without_country": (_("{column} holds phones without a country code, such as {example}."),
                                  _("Declare the shop's country: phone_country: CN")),
    }


def _because(because: str) -> str:
    return {
        "header": _("its name"),
        "pattern": _("words of its name"),
        "values": _("its values only"),
        "declared": _("you said so"),
        "known_export": _("a known export"),
        "key": _("the database's keys"),
    }[because]


def _reason(reason: str, ours: str) -> str:
    return {
        "no_meaning": _("its meaning is not known"),
        "name_left_out": _("a name: never read"),
        "key_not_set": _("personal: needs WORKBOOK_KEY"),
        "taken": _("another column is already read as {ours}"),
    }[reason].format(ours=ours)


def _samples(samples: Iterable[str]) -> str:
    return " · ".join(text if len(text) <= 24 else text[:23] + "…" for text in samples)

