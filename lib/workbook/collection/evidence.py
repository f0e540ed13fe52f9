"""What only a whole source can tell of its columns: the order of day and month, whole ids, one currency or several."""

from __future__ import annotations

import json
from collections.abc import Iterable

from workbook.collection.records import FileRecord
from workbook.data.errors import WorkbookError
from workbook.data.parsing import Manner, contradicts
from workbook.data.settings import Settings, Source

Evidence = dict[str, set[str]]  # our column → words of `parsing.Parsed.evidence`


def joined(records: Iterable[FileRecord]) -> Evidence:
    joined: Evidence = {}
    for record in records:
        for column, words in json.loads(record.evidence).items():
            joined.setdefault(column, set()).update(words)
    return joined


def manner_of(column: str, evidence: Evidence, source: Source, settings: Settings) -> Manner:
    plain = Manner(settings.time_zone, "", source.decimal_comma, settings.currency)
    return plain.after(evidence.get(column, ()), declared=source.dates)


def misread(record: FileRecord, evidence: Evidence, source: Source) -> bool:
    """Whether the whole source calls for another manner than the one that the piece was read in."""
    own, used = json.loads(record.evidence), json.loads(record.manner)
    for column, words in own.items():
        manner = Manner().after(evidence[column], declared=source.dates)
        if "id.0" in words and used[column]["whole_ids"] != manner.whole_ids:
            return True
        if {"either", "two-digit year"} & set(words) and used[column]["order"] != manner.order:
            return True
    return False


def refuse_contradictions(source: Source, evidence: Evidence) -> None:
    for column, words in evidence.items():
        code = contradicts(words, declared=source.dates)
        if code:
            what, why = {
                "date_order_mixed": ("has dates written day first and dates written month first",
                                     "A row such as 03/04/2026 could be either."),
                "date_undecidable": ("has dates such as 03/04/2026, and no day above the 12th tells which part is "
                                     "the month", "Guessing would move orders by up to eleven months."),
                "two_digit_year": ("has years of two digits", "11/12/10 can be read in three ways."),
            }[code]
            raise WorkbookError(f"Source {source.label!r}: {column} {what}.", why=why,
                                way_out="Declare `dates: dmy` or `dates: mdy` for this source"
                                        + (" (split it when its files differ)." if code == "date_order_mixed" else "."))
        currencies = sorted(word for word in words if word.startswith(("sign ", "currency ")))
        if "unnamed shop currency" in words and len(currencies) > 1:
            raise WorkbookError(
                f"Source {source.label!r}: {column} is in several currencies ({', '.join(currencies)}).",
                why="Adding them up would be wrong without a word.",
                way_out="Declare the reporting `currency` and the `rates` of the others in workbook.yaml.")
