"""The commented workbook.yaml that `workbook new` writes, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from workbook.data.discover import Proposal
from workbook.data.schema import TABLES
from workbook.data.settings import Source
from workbook.data.understanding import Found
from workbook.output.i18n import _

# Fields of a source in the order in which a person reads them; `columns` comes last.
_FIELDS = ("name", "table", "known", "path", "url", "from_table", "query", "sheet", "member", "format", "delimiter",
           "encoding", "header", "dates", "decimal_comma", "load", "where", "constants", "values")


def settings_text(proposal: Proposal, *, name: str, folder: Path, lang: str = "en") -> str:
    """The file's text; paths inside the workspace are written relative to it."""
    lines = [
        *_comment(_("Settings of this shop. Every path is relative to the folder of this file.")),
        *_comment(_("After a change: `workbook check --settings FILE` looks at everything at once.")),
        f"name: {_scalar(name)}",
        f"currency: {proposal.currency}" + _aside(
            _("not said in the files: write the ISO code, such as GBP or CNY") if proposal.currency == "XXX" else ""),
        f"time_zone: {proposal.time_zone}" + _aside(
            _("times without a zone are meant in this one, such as Europe/London or Asia/Shanghai")),
        "period: month" + _aside(_("week, month or quarter")),
        f"languages: [{lang}]" + _aside(_("en, zh, or both")),
    ]
    if proposal.phone_country or proposal.needs_key:
        lines.append(f"phone_country: {_scalar(proposal.phone_country)}" + _aside(
            _("country in which phones without + were written, such as CN or GB")))
    lines += ["", "sources:"]
    for found in proposal.found:
        lines += [f"  {line}" if line else "" for line in _source(found, folder)]
    lines += [*_missing(proposal.tables), "", *_further()]
    return "\n".join(lines) + "\n"


def _source(found: Found, folder: Path) -> list[str]:
    source = _placed(found.source, folder)
    fields = source.model_dump(mode="json", exclude_unset=False)
    plain = Source(path="x").model_dump(mode="json")
    if source.url is not None:
        fields["url"] = source.url.get_secret_value()
    lines = []
    for key in _FIELDS:
        if fields[key] not in (plain[key], None, "") or (key == "path" and fields[key]):
            lines += _field(key, fields[key])
    lines[0] = f"- {lines[0]}"
    lines[1:] = [f"  {line}" for line in lines[1:]]
    return [*lines, *(f"  {line}" for line in _columns(found)), ""]


def _placed(source: Source, folder: Path) -> Source:
    path = Path(source.path)
    if source.path and path.is_absolute() and path.is_relative_to(folder):
        return source.model_copy(update={"path": path.relative_to(folder).as_posix()})
    return source


def _field(key: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        text = yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, default_flow_style=False, width=1000)
        return text.rstrip().split("\n")
    return [f"{key}: {_scalar(value)}"]


def _columns(found: Found) -> list[str]:
    """theirs: ours, with what is in doubt beside; what is not used is named."""
    source = found.source
    if isinstance(source.columns, list):
        header = [] if found.look.has_header else ["header: false"]
        return [*header, f"columns: [{', '.join(_scalar(name) for name in source.columns)}]"]
    lines = [] if source.known else ["columns:" + _aside(_("their name: our name"))]
    if not source.known:
        lines += [f"  {_scalar(column.theirs)}: {column.ours}" + _aside(
            _("told by its values only: please check") if column.because == "values" else "")
            for column in found.mapped]
    without_key = [column for column in found.unmapped if column.reason == "key_not_set"]
    if source.known and without_key:
        lines.append("columns:" + _aside(_("personal: take these lines out once WORKBOOK_KEY is set")))
        lines += [f"  {_scalar(column.theirs)}: '-'" for column in without_key]
    elif without_key:
        lines += _comment(_("Personal: set WORKBOOK_KEY in the environment, then take the # away. Only a keyed hash is "
                            "stored; it lets one person under several ids be seen as one."), "  ")
        lines += [f"#  {_scalar(column.theirs)}: {column.ours}" for column in without_key]
    rest = [column.theirs for column in found.unmapped if column.reason != "key_not_set"]
    if rest:
        lines += _comment(_("Not used: {columns}").format(columns=", ".join(rest)), "  ")
    return lines


def _missing(tables: Iterable[str]) -> list[str]:
    have = set(tables) | ({"orders", "order_lines"} if set(tables) & {"orders", "order_lines"} else set())
    lines = _comment(_("Each further source switches on what needs it. Copy the pattern of the sources above:"))
    return lines + [f"#   table: {table.name:<20} {_(table.switches_on)}" for table in TABLES.values()
                    if table.name not in have and table.switches_on]


def _further() -> list[str]:
    return [
        *_comment(_("Totals that finance stands for: the run stops when they are not met.")),
        "# control_totals:",
        "#   - {period: 2026-06, measure: revenue, value: 100000.00, tolerance: 0.005}",
        *_comment(_("What the cleaning rules do (keep, flag or drop), and products that are not goods:")),
        "# cleaning:",
        "#   non_products: [POST, FEE]",
        "#   test_customers: []",
    ]


def _comment(text: str, indent: str = "") -> list[str]:
    """Comment lines of at most 110 columns."""
    lines, line = [], ""
    for word in re.split(r"(?<= )|(?<=[，。；、])", text):
        if len(line) + len(word) > 108:
            lines.append(line)
            line = ""
        line += word
    return [f"{indent}# {part.rstrip()}" for part in [*lines, line]]


def _aside(text: str) -> str:
    return f"   # {text}" if text else ""


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True).strip()
    return text.removesuffix("\n...").removesuffix("...").strip()
