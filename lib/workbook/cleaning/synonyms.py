"""Several spellings of one category or region, unified: Beijing, 北京 and 北京市 are one place.

Declared synonyms (`cleaning.synonyms`) come first. Then, for regions, the names of the provinces of China with and
without their suffix, if at least half of the spellings met are such names: `SC` is Sichuan among provinces, South
Carolina elsewhere. Then spellings that differ in case, blanks or full-width letters alone: the most frequent stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import ibis
import ibis.expr.types as ir
import yaml

from workbook.data.engine import few_rows

UNIFIED = ("category", "channel", "shop", "payment_method", "region", "country", "city", "gender", "education",
           "occupation", "income_band", "acquisition_channel", "traffic_source", "device")  # fmt: skip
REGIONS = ("region", "city")
_SUFFIX = re.compile(
    r"(维吾尔自治区|壮族自治区|回族自治区|特别行政区|自治区|省|市"
    r"| (autonomous region|zhuang autonomous region|province|municipality|city|sheng|shi))$")
_MOST_SPELLINGS = 10_000  # a column with more is free text


def folded(text: str) -> str:
    """Case, blanks and width taken off.

    >>> folded("  Ｂｅｉｊｉｎｇ  City ")
    'beijing city'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@cache
def provinces() -> dict[str, str]:
    """Folded spelling → the province's English name."""
    names = yaml.safe_load(files("workbook.cleaning").joinpath("provinces.yaml").read_text(encoding="utf-8"))
    return {folded(spelling): name for name, others in names.items() for spelling in (name, *others)}


def province(text: str) -> str | None:
    """The province that a text names, suffix or not.

    >>> province("北京市"), province("Guangdong Province"), province("Bavaria")
    ('Beijing', 'Guangdong', None)
    """
    short = folded(text)
    return provinces().get(short) or provinces().get(_SUFFIX.sub("", short))


def changes(counts: Mapping[str, int], column: str, declared: Mapping[str, str]) -> dict[str, str]:
    """Spelling → what it becomes; spellings that stay are left out.

    Args:
        counts: spelling → rows.
        declared: written → meant, of this column.
    """
    said = {folded(written): meant for written, meant in declared.items()}
    found = {text: province(text) for text in counts} if column in REGIONS else {}
    named = [text for text in found if found[text]]
    chinese = column in REGIONS and 2 * len(named) >= len(counts)
    meant: dict[str, str] = {}
    for text in counts:
        meant[text] = said.get(folded(text)) or (chinese and found.get(text)) or text
    frequent: dict[str, tuple[int, str]] = {}
    for text, rows in counts.items():
        own = meant[text] if meant[text] != text else " ".join(text.split())
        weight = rows + sum(counts.values()) * (meant[text] != text)  # what is declared outweighs what is frequent
        key = folded(own)
        frequent[key] = max(frequent.get(key, (0, "")), (weight, own))
    final = {text: frequent[folded(meant[text])][1] for text in counts}
    return {text: name for text, name in final.items() if text != name}


def unify(table: ir.Table, declared: Mapping[str, Mapping[str, str]]) -> tuple[ir.Table, dict[str, dict[str, str]]]:
    """The table with unified spellings, and what was changed: column → spelling → name."""
    done: dict[str, dict[str, str]] = {}
    for column in (name for name in table.columns if name in UNIFIED or name in declared):
        counts = table.filter(table[column].notnull()).group_by(text=table[column]).aggregate(rows=ibis._.count())
        rows = few_rows(counts.limit(_MOST_SPELLINGS + 1), limit=_MOST_SPELLINGS + 1)
        if len(rows) <= _MOST_SPELLINGS:
            found = changes({row["text"]: row["rows"] for row in rows}, column, declared.get(column, {}))
            done |= {column: found} if found else {}
    new = {column: table[column].substitute(found) for column, found in done.items()}
    return table.mutate(**new) if new else table, done


def changed(table: ir.Table, done: Mapping[str, Mapping[str, str]]) -> ir.BooleanValue:
    """Whether a row of the table before `unify` was changed by it."""
    marks = [table[column].isin(list(found)).fill_null(False) for column, found in done.items()]
    return ibis.or_(*marks) if marks else ibis.literal(False)
