"""One figure beside what it is to be compared with: the period before, the same days of last year, its target.

A change is more than noise when it exceeds what chance alone moves 95 times in 100 (the findings `<name>_noise` and
`<name>_year_noise`). Where nothing was found to compare with, the card says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape
from typing import Any, NamedTuple

from workbook.data.findings import GRADES, Finding, earlier
from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.i18n import _
from workbook.output.words import cards as words

HOME = "03_profiling"  # whose figure a target means that names no chapter
LESS_IS_BETTER = {"value_at_risk", "acquisition_cost_per_customer", "acquisition_cost"}


class Company(NamedTuple):
    """What a figure is seen beside."""

    before: Finding | None = None  # the period before, as first published
    noise: Finding | None = None  # half-width of what chance alone moves the change against it
    year_ago: Finding | None = None  # the same days of last year, aligned to feasts and promotions
    year_noise: Finding | None = None
    target: float | None = None
    whole: bool = True  # False: the period is not over, and nothing is compared


ALONE = Company()


class Row(NamedTuple):
    """One line of a card: against what, how it moved, what it was, whether that is more than noise."""

    name: str
    moved: str = ""
    was: str = ""
    noise: str = ""
    state: str = "plain"  # plain, met, missed, unknown


def company(
    chapter: str, name: str, found: Mapping[str, Finding], published: Mapping[str, Finding],
    targets: Mapping[str, Decimal], *, year: Mapping[str, Finding] | None = None, whole: bool = True,
) -> Company:
    """What stands beside a figure of a chapter.

    Args:
        found: the chapter's findings of this run.
        published: those of the period before, as first published.
        targets: figure → value of one period, as declared.
        year: those of the same period last year, as first published; for figures that this run did not align itself.
        whole: whether the period is over.
    """
    year_ago = found.get(f"{name}_year_ago") or (year or {}).get(name)
    noises = found.get(f"{name}_noise"), found.get(f"{name}_year_noise")
    return Company(earlier(name, found, published, whole=whole), noises[0], year_ago, noises[1],
                   _target(chapter, name, targets), whole)


def _target(chapter: str, name: str, targets: Mapping[str, Decimal]) -> float | None:
    """A target may name its chapter; one that does not means the shop's profile, else the first chapter that has it."""
    full = f"{chapter}.{name}"
    if full in targets:
        return float(targets[full])
    homes = [HOME, *(key.split(".")[0] for key in METRICS)]
    home = next((place for place in homes if f"{place}.{name}" in METRICS), chapter)
    return float(targets[name]) if home == chapter and name in targets else None


def rows(name: str, finding: Finding, beside: Company, *, full: bool = False) -> list[Row]:
    """The lines of a card; `full`: also what is not known, in words, so that a page has no gap."""
    if not beside.whole:
        return [Row("", words.not_over(), state="unknown")]
    untested = words.not_tested() if full else ""
    told = [_against(words.before(), finding, beside.before, beside.noise, (words.not_rendered(), untested))]
    if beside.year_ago is not None or full:
        told.append(
            _against(words.last_year(), finding, beside.year_ago, beside.year_noise, (words.no_year(), untested)))
    if beside.target is not None:
        told.append(_against_target(name, finding, beside.target))
    elif full:
        told.append(Row(words.target(), words.no_target(), state="unknown"))
    return told


def _against(
    name: str, now: Finding, then: Finding | None, noise: Finding | None, absent: tuple[str, str]
) -> Row:
    """A line against one finding; `absent`: what is said without it, and without a test against noise."""
    if then is None:
        return Row(name, absent[0], state="unknown")
    if not is_number(then.value):
        return Row(name, words.no_comparison(then.reason), state="unknown")
    if not is_number(now.value):
        return Row(name, was=i18n.quantity(then.value, then.unit))
    beyond = exceeds(now, then, noise)
    told = absent[1] if beyond is None else words.noise(beyond)
    return Row(name, moved(now, then), i18n.quantity(then.value, then.unit), told)


def _against_target(name: str, finding: Finding, target: float) -> Row:
    asked = i18n.quantity(target, finding.unit)
    if not is_number(finding.value):
        return Row(words.target(), was=asked)
    met = is_met(name, float(finding.value), target)
    return Row(words.target(), words.met(met), asked, state="met" if met else "missed")


def is_met(name: str, value: float, target: float) -> bool:
    """Whether a target is met: at least it, or at most where less is better."""
    return value <= target if name in LESS_IS_BETTER else value >= target


def exceeds(now: Finding, then: Finding, noise: Finding | None) -> bool | None:
    """Whether a change is more than noise; None where that was not tested."""
    if noise is None or not (is_number(noise.value) and is_number(now.value) and is_number(then.value)):
        return None
    return abs(float(now.value) - float(then.value)) > float(noise.value)


def moved(now: Finding, then: Finding) -> str:
    """How a figure moved: a sign and the change; shares in points."""
    value, was = float(now.value), float(then.value)
    sign = "▲" if value > was else "▼" if value < was else "＝"
    if now.unit == "share":
        points = i18n.number(round(100 * (value - was), 1), 1)
        return f"{sign} {_('{points} points').format(points=points if value < was else f'+{points}')}"
    return f"{sign} {i18n.change((value - was) / abs(was))}" if was else sign


def figure_card(
    chapter: str, name: str, finding: Finding, beside: Company = ALONE, *, href: str = "", full: bool = False,
    aside: str = "", behind: bool = False, anchor: bool = False,
) -> str:
    """One card: name, value, interval, what it is compared with, definition on demand.

    Args:
        full: also say what is not known to compare with, and be a place that links lead to.
        aside: a second figure as HTML, such as the margin beside net revenue.
        behind: lead to the page behind the figure, which a report has.
        anchor: be a place that links lead to, as a full card is.
    """
    title = escape(metric_name(chapter, name))
    title = f'<a href="{escape(href)}">{title}</a>' if href else title
    lines = "".join(_line(row) for row in rows(name, finding, beside, full=full))
    key, value = escape(f"{chapter}.{name}"), escape(shown(finding))
    value = f'<a href="figures/{chapter}.html#{name}">{value}</a>' if behind else value
    place = f' id="{key}"' if full or anchor else ""
    return (
        f'<div class="wb-figure"{place} data-figure="{key}"><h3>{title}</h3>'
        f'<div class="wb-value">{value}</div>{_rests(finding, full)}'
        f'<dl class="wb-beside">{lines}</dl>{aside}{definition(chapter, name, behind=behind)}</div>'
    )


def _rests(finding: Finding, short: bool) -> str:
    """The interval, the number of cases and the grade of evidence, where there are any."""
    told = []
    if finding.low is not None and finding.high is not None:
        low, high = i18n.quantity(finding.low, finding.unit), i18n.quantity(finding.high, finding.unit)
        told.append((_("{low} to {high}") if short else _("between {low} and {high}")).format(low=low, high=high))
    if short and finding.n is not None and finding.unit == "share":
        told.append(f"n = {i18n.number(finding.n)}")
    interval = f'<span class="wb-interval">{escape(" · ".join(told))}</span>' if told else ""
    grade = badge(finding.evidence) if finding.evidence else ""
    return f'<div class="wb-rests">{grade}{interval}</div>' if grade or interval else ""


def _line(row: Row) -> str:
    spans = (("moved", row.moved), ("was", row.was), ("noise", row.noise))
    told = " ".join(f'<span class="wb-{kind}">{escape(text)}</span>' for kind, text in spans if text)
    return f'<div class="wb-{row.state}"><dt>{escape(row.name)}</dt><dd>{told}</dd></div>'


def badge(grade: str) -> str:
    """The grade of evidence as a small label."""
    return f'<span class="wb-grade wb-grade-{GRADES.index(grade) + 1}">{escape(words.grade(grade))}</span>'


def shown(finding: Any) -> str:
    """A finding's value as its unit asks for; too few to tell is said in words."""
    if finding.value is None:
        return _("too few to tell") if finding.reason == "too_few" else _("not known")
    return i18n.quantity(finding.value, finding.unit)


def is_number(x: Any) -> bool:
    """Whether a value can be compared by size."""
    return x is not None and not isinstance(x, bool | str)


def metric_name(chapter: str, name: str) -> str:
    """The figure's name for people; its key in words where the dictionary does not have it."""
    metric = METRICS.get(f"{chapter}.{name}")
    return _(metric.name) if metric else name.replace("_", " ")


def definition(chapter: str, name: str, *, behind: bool = False) -> str:
    """The figure's definition, folded; nothing where the dictionary does not have it."""
    metric = METRICS.get(f"{chapter}.{name}")
    if metric is None:
        return ""
    facts = _("{chapter}, version {version}, kept by {owner}").format(
        chapter=f"{chapter}.{name}", version=metric.version, owner=_(metric.owner))
    link = f'<p><a href="figures/{chapter}.html#{name}">{escape(_("How it was made, and what it was before"))}</a></p>'
    text = f'<p>{escape(_(metric.definition))}</p><p class="wb-note">{escape(facts)}</p>{link if behind else ""}'
    return f'<details class="wb-definition"><summary>{escape(_("Definition"))}</summary>{text}</details>'
