"""What is to be translated, and what of it is not yet: read from notebooks, code, templates and the metric dictionary.

    python -m workbook.output.messages            # tells what is missing, stale or broken in locale/zh/*.po

English text is the key. A markdown cell is one text, whole; in code it is the literal that `_()` or `ngettext()` takes.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter
from typing import NamedTuple

import nbformat
from babel.messages.pofile import read_po
from jinja2 import Environment

from workbook.data.metrics import METRICS
from workbook.data.notebooks import notebooks_folder, read_notebooks
from workbook.output.i18n import CATALOGS, LOCALES

LIBRARY = Path(__file__).parent.parent


class Text(NamedTuple):
    """One text to be translated, and where it stands."""

    english: str
    where: str
    is_cell: bool = False


class Translation(NamedTuple):
    """One entry of a catalog."""

    english: str
    plural: str  # the English plural, or the same text again
    other: str
    file: str


def texts(notebooks: Path | None = None, library: Path = LIBRARY) -> Iterator[Text]:
    """Everything that a reader sees in words."""
    for notebook in read_notebooks(notebooks or notebooks_folder()):
        for cell in nbformat.read(notebook.path, as_version=4).cells:
            where = f"{notebook.name}, cell {cell.get('id', '')}"
            if cell.cell_type == "markdown" and cell.source.strip():
                yield Text(cell.source, where, is_cell=True)
            elif cell.cell_type == "code":
                yield from (Text(text, where) for text in in_code(cell.source))
    for path in sorted(library.rglob("*.py")):
        where = str(path.relative_to(library))
        yield from (Text(text, where) for text in in_code(path.read_text(encoding="utf-8")))
    for path in sorted(library.rglob("*.html")):
        found = Environment(extensions=["jinja2.ext.i18n"]).extract_translations(path.read_text(encoding="utf-8"))
        yield from (Text(text, path.name) for _line, _function, text in found if isinstance(text, str))
    for metric in METRICS.values():
        yield from (Text(text, f"metric {metric.key}") for text in (metric.name, metric.definition, metric.owner))


def in_code(source: str) -> Iterator[str]:
    """The literals that `_()` and `ngettext()` take; of the latter the singular, which is its key."""
    lines = (line for line in source.splitlines())
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.Call) and _name(node.func) in {"_", "ngettext"} and node.args:
            yield from _literals(node.args[0])


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _literals(argument: ast.expr) -> Iterator[str]:
    """A literal, or both of `_("a" if x else "b")`; a name stands for texts that are listed where they are written."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _literals(argument.body)
        yield from _literals(argument.orelse)


def translations(lang: str = "zh", folder: Path = CATALOGS) -> Iterator[Translation]:
    """Every entry of every catalog of a language, untranslated ones included."""
    for path in sorted((folder / lang).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=LOCALES[lang]):
                if message.id:
                    forms = message.id if isinstance(message.id, tuple | list) else (message.id,)
                    other = message.string if isinstance(message.string, str) else "".join(list(message.string)[:1])
                    yield Translation(forms[0], forms[-1], other, path.name)


def problems(used: Iterable[Text], known: Iterable[Translation]) -> list[str]:
    """What is missing, empty, translated twice in different words, or lost a placeholder; a sentence each."""
    told: list[str] = []
    by_english: dict[str, Translation] = {}
    for entry in known:
        first = by_english.setdefault(entry.english, entry)
        if first.other != entry.other:
            told.append(f"{first.file} and {entry.file} translate differently: {entry.english[:70]!r}")
        if not entry.other:
            told.append(f"{entry.file} leaves empty: {entry.english[:70]!r}")
        elif placeholders(entry.plural) != placeholders(entry.other) and "\n" not in entry.english:
            told.append(f"{entry.file} changes placeholders: {entry.english[:70]!r}")
    missing = {text.english: text for text in used if text.english not in by_english}
    return [*(f"not translated, {text.where}: {text.english[:90]!r}" for text in missing.values()), *told]


def stale(used: Iterable[Text], known: Iterable[Translation], elsewhere: Iterable[str] = ()) -> list[str]:
    """Translations of texts that stand nowhere any more; `elsewhere` are further literals, met by `_(name)`."""
    live = {text.english for text in used} | set(elsewhere)
    return [
        f"{entry.file} translates what stands nowhere: {entry.english[:90]!r}"
        for entry in known
        if entry.english not in live
    ]


def placeholders(text: str) -> list[str]:
    """The names in braces, sorted.

    >>> placeholders("{share} of {n} customers")
    ['n', 'share']
    """
    if not re.search(r"\{\w", text):
        return []
    return sorted({name.split(":")[0] for _text, name, _spec, _conversion in Formatter().parse(text) if name})


def every_literal(library: Path = LIBRARY) -> set[str]:
    """All string literals of the library: texts that are written in one place and translated in another."""
    return {
        node.value
        for path in library.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


if __name__ == "__main__":
    found = list(texts())
    wrong = problems(found, translations()) + stale(found, translations(), every_literal())
    print("\n".join(wrong) or "Everything is translated.")
    sys.exit(bool(wrong))
