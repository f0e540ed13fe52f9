"""Forms added to a report's folder, one after another; what fails is told and takes nothing else with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Settings

NAMES = {"pdf": "report.pdf", "excel": "report.xlsx"}  # form → its file, in the folder of each language
FORMS = tuple(NAMES)


class Attempt(NamedTuple):
    """One form in one language."""

    form: str  # pdf or excel
    lang: str
    file: Path
    error: str = ""  # why there is none; the report itself is whole

    @property
    def ok(self) -> bool:
        return not self.error


def there(folder: Path) -> tuple[str, ...]:
    """The forms that a report has."""
    return tuple(form for form, name in NAMES.items() if any(file.name == name for file in _files(folder)))


def files(folder: Path) -> dict[str, str]:
    """The forms that lie in the folder of a language: how they are called, and their files."""
    called = {"pdf": "PDF", "excel": "Excel"}
    return {called[form]: name for form, name in NAMES.items() if (folder / name).exists()}


def add(folder: Path, settings: Settings, forms: Iterable[str], *, missing: bool = False) -> list[Attempt]:
    """Make forms of a rendered report in each of its languages, and have its pages name them.

    Args:
        folder: the report, its pages written.
        missing: only those that are not there.
    """
    from workbook.output.pages.report import write_pages  # which imports papermill and more

    languages = json.loads((folder / "run.json").read_text(encoding="utf-8"))["languages"]
    wanted = [(form, lang, folder / lang / NAMES[form]) for form in forms for lang in languages]
    before = _files(folder)
    attempts = [_attempt(form, folder, settings, lang, file) for form, lang, file in wanted
                if not (missing and file.exists())]
    if _files(folder) != before:
        write_pages(folder, settings)
    return attempts


def renew(folder: Path, settings: Settings) -> list[Attempt]:
    """Make the forms that a report has anew, after its pages have changed."""
    return add(folder, settings, there(folder))


def _files(folder: Path) -> set[Path]:
    return {file for name in NAMES.values() for file in folder.glob(f"*/{name}")}


def find_report(settings: Settings, label: str = "") -> Path:
    """The folder of a rendered period; the last one when none is named.

    Raises:
        WorkbookError: there is no such report.
    """
    rendered = sorted((path.parent for path in settings.reports_folder.glob("[0-9]*/run.json")
                       if not path.parent.name.startswith(".") and path.parent.suffix != ".failed"), key=_end)
    if not rendered:
        raise WorkbookError("No period has been rendered yet.", way_out="workbook render")
    found = next((folder for folder in rendered if folder.name == label), None if label else rendered[-1])
    if found is None:
        raise WorkbookError(f"There is no report of {label}: {nearest(label, [path.name for path in rendered])}.",
                            way_out=f"workbook render --as-of {label}")
    return found


def _end(folder: Path) -> str:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))["as_of"]


def _attempt(form: str, folder: Path, settings: Settings, lang: str, file: Path) -> Attempt:
    """A form that cannot be made leaves none: an old one would say what the pages no longer do."""
    try:
        _maker(form)(folder, settings, lang, file)
    except WorkbookError as error:
        reason = str(error)
    except Exception as error:  # whatever a printer runs into: the report is there without its form
        reason = f"{type(error).__name__}: {error}"
    else:
        return Attempt(form, lang, file)
    file.unlink(missing_ok=True)
    return Attempt(form, lang, file, reason)


def _maker(form: str) -> Callable[[Path, Settings, str, Path], None]:
    if form == "pdf":
        from workbook.output.forms.pdf import write_pdf

        return write_pdf
    from workbook.output.forms.excel import write_excel

    return write_excel
