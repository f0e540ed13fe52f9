"""What Excel refuses to open, looked for in the parts of a workbook's archive: no spreadsheet program is needed.

Source: Microsoft, Excel specifications and limits; ECMA-376, Office Open XML, part 1, 18.5 (tables).
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from workbook.output.forms.table_sheets import LONGEST_TEXT

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LONGEST_NAME, MOST_ROWS, MOST_COLUMNS, TALLEST_ROW, WIDEST_COLUMN = 31, 1_048_576, 16_384, 409, 255
CELL = re.compile(r"([A-Z]+)(\d+)")
TABLE_NAME = re.compile(r"[A-Za-z_\\][\w.\\]{0,254}")
Part = ElementTree.Element


def faults(file: Path) -> list[str]:
    """Why Excel would repair or refuse this file; nothing when it would not."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()
                 if name.endswith((".xml", ".rels"))}  # illegal characters stop here: they are no XML
    sheets = [parts[name] for name in sorted(parts) if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
    tables = [parts[name] for name in sorted(parts) if name.startswith("xl/tables/")]
    texts = [node for name in ("xl/sharedStrings.xml",) if name in parts for node in parts[name]]
    said = ["".join(node.itertext()) for node in texts]
    return [*_names(parts["xl/workbook.xml"]), *_texts(said),
            *(fault for sheet in sheets for fault in _cells(sheet)), *_tables(tables)]


def _twice(names: list[str], what: str) -> Iterator[str]:
    counted = Counter(name.casefold() for name in names)
    yield from (f"{what} twice: {name}" for name, n in sorted(counted.items()) if n > 1)


def _names(workbook: Part) -> Iterator[str]:
    names = [str(sheet.get("name")) for sheet in workbook.iter(f"{MAIN}sheet")]
    yield from _twice(names, "sheet")
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or re.search(r"[\[\]:*?/\\]", name) or name[0] == "'" or name[-1] == "'":
            yield f"sheet's name: {name}"
    defined = [f"{one.get('name')} {one.get('localSheetId', '')}" for one in workbook.iter(f"{MAIN}definedName")]
    yield from _twice(defined, "defined name")


def _texts(said: list[str]) -> Iterator[str]:
    for text in said:
        if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
            yield f"text of {len(text)} characters"
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text):
            yield f"character that is none: {text[:40]!r}"


def _cells(sheet: Part) -> Iterator[str]:
    places = [str(cell.get("r")) for cell in sheet.iter(f"{MAIN}c")]
    yield from _twice(places, "cell")
    for place in places:
        letters, row = CELL.fullmatch(place).groups()  # type: ignore[union-attr]
        if int(row) > MOST_ROWS or _column(letters) > MOST_COLUMNS:
            yield f"cell beyond the sheet: {place}"
    for cell in sheet.iter(f"{MAIN}c"):
        if cell.find(f"{MAIN}f") is not None or cell.get("t") == "e" or cell.findtext(f"{MAIN}v") in ("nan", "inf"):
            yield f"formula, error or no number: {cell.get('r')}"
    tall = [row.get("r") for row in sheet.iter(f"{MAIN}row") if float(row.get("ht", 0)) > TALLEST_ROW]
    wide = [column.get("min") for column in sheet.iter(f"{MAIN}col") if float(column.get("width", 0)) > WIDEST_COLUMN]
    yield from (f"row too tall: {row}" for row in tall)
    yield from (f"column too wide: {column}" for column in wide)
    merged = [str(one.get("ref")) for one in sheet.iter(f"{MAIN}mergeCell")]
    yield from _twice(merged, "merged")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _tables(tables: list[Part]) -> Iterator[str]:
    yield from _twice([str(table.get("displayName")) for table in tables], "table")
    yield from _twice([str(table.get("id")) for table in tables], "table's number")
    for table in tables:
        name = str(table.get("displayName"))
        if not TABLE_NAME.fullmatch(name) or CELL.fullmatch(name.upper()) or name.upper() in ("R", "C"):
            yield f"table's name: {name}"
        heads = [str(column.get("name")) for column in table.iter(f"{MAIN}tableColumn")]
        yield from _twice(heads, f"heading of {name}")
        yield from (f"empty heading of {name}" for head in heads if not head)
        (_first, top), (_last, bottom) = CELL.findall(str(table.get("ref")))
        if int(bottom) <= int(top):
            yield f"table without a row: {name}"
