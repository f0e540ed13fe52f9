"""What a notebook shows its reader: the run card, tables, sentences, figures with their definitions.

Everything that comes from data is text here: `<script>` in a product name is shown, never run. Cells end on one of
these calls; in a plain console they print as text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbook.data.findings import Evidence
from workbook.output import i18n
from workbook.output.cards import badge, company, definition, figure_card, metric_name, shown
from workbook.output.i18n import _, ngettext
from workbook.output.words.cards import grade as grade_name

if TYPE_CHECKING:
    from workbook.data.run import Run

__all__ = [
    "Fragment", "card", "definition", "evidence", "figure_card", "figures", "interactive", "metric_name", "pending",
    "points", "results", "say", "shown", "table", "warning",
]  # fmt: skip
MOST_ROWS = 60  # longer tables belong into a file; STYLE asks for about ten
NUMERIC = {"money", "number", "percent", "share", "days", "change", "decimal"}
DATES = {"date", "moment", "month"}


class Fragment:
    """A piece of a page: HTML for readers, text for consoles and checks."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text

    def __add__(self, other: Fragment) -> Fragment:
        return Fragment(self.html + other.html, f"{self.text}\n{other.text}")


def interactive() -> bool:
    """Whether a person sits at the notebook; False while a report is rendered."""
    return os.environ.get("WORKBOOK_REPORT") != "1"


def card(run: Run) -> Fragment:
    """The run card: what this page was made from. Also sets the language and currency of everything below."""
    i18n.use(run.lang, run.settings.currency)
    facts = [
        (_("Shop"), run.settings.name),
        (_("Period"), i18n.period(run.period)),
        (_("As of"), i18n.date(run.as_of)),
        (_("Currency"), i18n.currency() or _("not declared")),
        *((_table_name(name), f"{i18n.number(n)} {i18n.unit_name('rows', n)}") for name, n in run.read.items()),
        *((name, str(value)) for name, value in run.versions.items()),
    ]
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return Fragment(f'<dl class="wb-card">{items}</dl>', "\n".join(f"{name}: {value}" for name, value in facts))


def _table_name(name: str) -> str:
    return _("table {name}").format(name=name)


def table(
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str | tuple[str, str]] | None = None,
    caption: str = "",
    note: str = "",
    total: bool = False,
    most: int = MOST_ROWS,
) -> Fragment:
    """A table for people.

    Args:
        frame: finished rows, sorted by what matters.
        columns: column → heading, or (heading, kind): "money", "number", "percent" (a share), "change", "date",
            "month", "days", "text". Only these are shown, in this order; all when left out.
        caption: what the table says.
        note: a line below it.
        total: whether the last row is a total.
        most: rows shown at most; how many more there are is told.
    """
    plan = {name: _heading(frame, name, spec) for name, spec in (columns or {c: str(c) for c in frame.columns}).items()}
    shown = frame.head(most)
    texts = {name: _cells(shown[name], kind) for name, (_title, kind) in plan.items()}
    head = "".join(
        f'<th scope="col"{_side(kind)}>{escape(title)}</th>' if title else "<td></td>" for title, kind in plan.values())
    body = []
    for i in range(len(shown)):
        cells = "".join(f"<td{_side(plan[name][1])}>{escape(texts[name][i])}</td>" for name in plan)
        last = ' class="wb-total"' if total and i == len(shown) - 1 else ""
        body.append(f"<tr{last}>{cells}</tr>")
    left = len(frame) - len(shown)
    more = ngettext("{n} more row is not shown.", "{n} more rows are not shown.", left).format(n=i18n.number(left))
    notes = [text for text in (note, more if left else "") if text]
    if not len(shown):
        notes.insert(0, _("There is nothing to show here."))
    foot = f'<p class="wb-note">{escape(" ".join(notes))}</p>' if notes else ""
    label = f"<caption>{escape(caption)}</caption>" if caption else ""
    called = caption or " · ".join([_("Table"), *(title for title, _kind in plan.values() if title)][:4])
    html = (
        f'<div class="wb-table" role="region" tabindex="0" aria-label="{escape(called)}"><table>{label}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{foot}"
    )
    lines = [caption] if caption else []
    lines.append(" | ".join(title for title, _kind in plan.values()))
    lines += [" | ".join(texts[name][i] for name in plan) for i in range(len(shown))]
    return Fragment(html, "\n".join(lines + notes))


def _heading(frame: pd.DataFrame, name: str, spec: str | tuple[str, str]) -> tuple[str, str]:
    if isinstance(spec, tuple):
        return spec
    numeric = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
    return spec, "number" if numeric else "text"


def _side(kind: str) -> str:
    return ' class="wb-num"' if kind in NUMERIC else ' class="wb-date"' if kind in DATES else ""


def _cells(values: pd.Series, kind: str) -> list[str]:
    """All cells of a column with the same number of decimals, so that they line up."""
    return [i18n.NOTHING if _missing(x) else _cell(x, kind, _digits(values, kind)) for x in values]


def _missing(x: Any) -> bool:
    return x is None or (not isinstance(x, str | list | dict | tuple) and bool(pd.isna(x)))


def _digits(values: pd.Series, kind: str) -> int:
    if kind not in {"money", "number", "days"} or not len(values.dropna()):
        return 0
    numbers = pd.to_numeric(values, errors="coerce").dropna().abs()
    if not len(numbers) or (kind != "money" and (numbers % 1 == 0).all()):
        return 0
    largest = numbers.max()
    if kind == "money":
        return 0 if largest >= 1000 else 2
    return 0 if largest >= 1000 else 1 if largest >= 10 else 2


def _cell(x: Any, kind: str, digits: int) -> str:
    match kind:
        case "money":
            return i18n.money(x, digits)
        case "number" | "days":
            return i18n.number(x, digits)
        case "decimal":
            return i18n.number(x, 4)
        case "percent" | "share":
            return i18n.percent(x)
        case "change":
            return i18n.change(x)
        case "date":
            return i18n.date(x)
        case "moment":
            return i18n.moment(x)
        case "month":
            return i18n.month(x)
        case "text":
            return i18n.quantity(x) if isinstance(x, bool) else str(x)
    raise ValueError(f"unknown kind of column {kind!r}: money, number, decimal, percent, change, date, moment, month, "
                     "days or text")


def say(text: str) -> Fragment:
    """A paragraph. `**bold**`, `*emphasis*` and `` `code` `` are understood; everything else is shown as it stands."""
    return Fragment(f'<p class="wb-say">{inline(text)}</p>', text)


def points(texts: Iterable[str]) -> Fragment:
    """A bulleted list of sentences, marked up like those of `say`."""
    kept = list(texts)
    items = "".join(f"<li>{inline(text)}</li>" for text in kept)
    return Fragment(f'<ul class="wb-say">{items}</ul>', "\n".join(f"- {text}" for text in kept))


def inline(text: str) -> str:
    """Marked-up text as HTML: bold, emphasis and code; all else is shown as it stands."""
    html = escape(text)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*(\S(?:.*?\S)??)\*\*", r"<strong>\1</strong>", html)
    return re.sub(r"(?<![\w*])\*(\S(?:[^*]*?\S)?)\*(?![\w*])", r"<em>\1</em>", html)


def pending(what: str, how: str) -> Fragment:
    """What cannot be said yet, and what to add so that it can."""
    html = (f'<aside class="wb-pending"><strong>{escape(_("Not known yet:"))}</strong> {inline(what)} '
            f'<span class="wb-how">{escape(_("To add it:"))} {inline(how)}</span></aside>')
    return Fragment(html, f"{_('Not known yet:')} {what} {_('To add it:')} {how}")


def warning(text: str) -> Fragment:
    """A sentence that must not be overlooked: a gate that failed, a sample too small."""
    return Fragment(f'<aside class="wb-warning" role="note">{inline(text)}</aside>', text)


def evidence(*grades: Evidence) -> Fragment:
    """What the claims beside it rest on: a badge for each grade, with what it means."""
    told = [(grade_name(grade), _grade_meaning(grade)) for grade in grades]
    rows = "".join(f"<p>{badge(grade)} {escape(told[i][1])}</p>" for i, grade in enumerate(grades))
    return Fragment(f'<div class="wb-grades" role="note">{rows}</div>', "\n".join(": ".join(pair) for pair in told))


def _grade_meaning(grade: str) -> str:
    return {
        "randomised": _("chance decided who got it, so that the difference is its effect, within the interval."),
        "matched": _("compared with customers made alike afterwards: what they differ in unseen may still explain it."),
        "observed": _("seen without a control: it happened, but nothing here says what caused it."),
        "assumed": _("rests on a value that somebody declared: replace it with your own."),
    }[grade]


def figures(run: Run, names: Iterable[str]) -> Fragment:
    """Named findings of this run as cards: value, what it is compared with, definition on demand."""
    kept = [name for name in names if name in run.findings]
    published = {name: finding for name in kept if (finding := run.previous(name))}
    targets, whole = run.settings.targets, run.period.is_whole
    cards = [
        figure_card(run.chapter, name, run.findings[name],
                    company(run.chapter, name, run.findings, published, targets, whole=whole)) for name in kept]
    text = "\n".join(f"{metric_name(run.chapter, name)}: {shown(run.findings[name])}" for name in kept)
    return Fragment(f'<div class="wb-figures">{"".join(cards)}</div>', text)


def results(run: Run) -> Fragment:
    """All named findings of the run: what the index, the tests and the next period read."""
    rows = pd.DataFrame(
        [{"figure": metric_name(run.chapter, name), "value": shown(finding), "n": finding.n, "key": name}
         for name, finding in run.findings.items()],
        columns=["figure", "value", "n", "key"],
    )
    columns: dict[str, str | tuple[str, str]] = {
        "figure": _("Figure"), "value": (_("Value"), "text"), "key": (_("Key"), "text")}
    return table(rows, columns=columns, caption=_("Named results"), most=max(len(rows), 1))
