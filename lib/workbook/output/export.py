"""Lists as a CRM imports them: CSV in UTF-8 with BOM, under the headings that it documents.

The columns of each CRM lie in `crm/<name>.yaml`, with the pages that they are from and what could not be verified.
Only those who are to be contacted are in such a file; the control has one of its own, to be suppressed elsewhere.
No cell can start a formula: what begins with = + - @ is written so that it is text.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.decisions import CONTROL, TREATED, Decision
from workbook.output import i18n
from workbook.output.words import decisions as words

_FOLDER = Path(__file__).parent / "crm"
SUPPRESSED = "control-suppress.csv"
Beside = Callable[[Path, Decision, pd.DataFrame], None]
PRIVATE = 0o600  # a file with names is for its owner alone


@dataclass(frozen=True)
class Crm:
    """How one CRM wants its list."""

    name: str
    platform: str
    columns: Mapping[str, str]  # heading → field, or =text for the same text in every row
    revealed: Mapping[str, str]  # heading → name, mail, phone
    remarks: tuple[str, ...]
    not_verified: tuple[str, ...]

    def headings(self, *, revealed: bool = False) -> list[str]:
        return [*self.columns, *(self.revealed if revealed else ())]

    def row(self, fields: Mapping[str, str], *, revealed: bool = False) -> list[str]:
        wanted = [*self.columns.values(), *(self.revealed.values() if revealed else ())]
        return [harmless(field[1:] if field.startswith("=") else fields.get(field) or "") for field in wanted]


def crms() -> tuple[str, ...]:
    """The CRMs whose columns are known."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def crm(name: str) -> Crm:
    """The columns of a CRM.

    Raises:
        WorkbookError: it is not known.
    """
    if name not in crms():
        raise WorkbookError(f"The columns of {name!r} are not known: {nearest(name, crms())}.",
                            way_out=f"Write --crm with one of {', '.join(crms())}.")
    told = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Crm(name, told["platform"], told["columns"], told["revealed"], tuple(told["remarks"]),
               tuple(told["not_verified"]))


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    A telephone number keeps its meaning: its + becomes the 00 that is dialled instead. Everything else that begins
    like a formula gets an apostrophe, which stays in sight where a spreadsheet opens the file.

    >>> harmless("+86 138-1234-5678"), harmless("=1+1"), harmless("Li Ming"), harmless("00000017")
    ('0086 138-1234-5678', "'=1+1", 'Li Ming', '00000017')
    """
    plain = text.replace("\r", " ").replace("\n", " ").replace("\0", "")
    begins = plain.lstrip()[:1]
    if begins == "+" and not plain.lstrip()[1:].strip("0123456789 ().-/"):
        return "00" + plain.lstrip()[1:]
    return f"'{plain}" if begins in tuple("=+-@＝＋－＠") or plain[:1] == "\t" else plain


def beside(settings: Settings, name: str, *, campaign: str = "") -> Beside:
    """Writes the files of a decision into its folder: the list for the CRM, the control, and what they are in words."""
    chosen = crm(name)

    def write(folder: Path, decision: Decision, people: pd.DataFrame) -> None:
        treated = people.loc[people["arm"] == TREATED, "customer_id"]
        write_list(folder / file_name(decision, name), chosen,
                   ({**_told(decision, campaign), "customer_id": one} for one in treated))
        held_out = people.loc[people["arm"] == CONTROL, "customer_id"]
        _write(folder / SUPPRESSED, ["customer_id"], ([harmless(one)] for one in held_out))
        for lang in settings.languages:
            write_whole(folder / f"about-{lang}.txt", _about(decision, lang, settings.currency))

    return write


def _about(decision: Decision, lang: str, currency: str) -> str:
    """Period, rule, counts, control and forecast in words: what goes along with the list."""
    spoken = i18n.lang(), i18n.currency()
    i18n.use(lang, currency)
    try:
        told = [sentence.replace("**", "") for sentence in words.told(decision)]
    finally:
        i18n.use(*spoken)
    return "\n\n".join([decision.id, *told]) + "\n"


def file_name(decision: Decision, crm_name: str) -> str:
    return f"{decision.id}-{crm_name}.csv"


def write_revealed(path: Path, decision: Decision, name: str, people: Mapping[str, Mapping[str, str]], *,
                   ids: Iterable[str], campaign: str = "") -> None:
    """The list with names and numbers, readable by its owner alone; whole or not at all, never over another file."""
    rows = ({**_told(decision, campaign), **people.get(one, {}), "customer_id": one} for one in ids)
    write_list(path, crm(name), rows, revealed=True)


def _told(decision: Decision, campaign: str) -> dict[str, str]:
    return {"campaign": campaign or decision.id, "period": decision.period, "channel": decision.channel,
            "action": decision.action, "offer": decision.offer, "code": decision.code}


def write_list(path: Path, chosen: Crm, rows: Iterable[Mapping[str, str]], *, revealed: bool = False) -> None:
    """One row a customer, in the CRM's columns.

    Raises:
        WorkbookError: the file is there already, or its folder is not.
    """
    _write(path, chosen.headings(revealed=revealed), (chosen.row(row, revealed=revealed) for row in rows),
           mode=PRIVATE if revealed else 0o644)


def _write(path: Path, headings: list[str], rows: Iterable[list[str]], *, mode: int = 0o644) -> None:
    if path.exists() or not path.parent.is_dir():
        raise WorkbookError(f"{path} cannot be written: " + ("it is there already." if path.exists()
                                                             else "its folder is not there."),
                            way_out="Name a file that is not there yet, in a folder that is.")
    draft = path.with_name(f".{path.name}.part")
    number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with os.fdopen(number, "w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(headings)
            writer.writerows(rows)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
