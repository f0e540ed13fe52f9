"""How cells look: one format for each kind of value, made once a workbook."""

from __future__ import annotations

from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbook.output import i18n

INK, QUIET, WASH, ACCENT = "#1D2733", "#55616E", "#F5F7F9", "#00639C"


class Formats:
    """The formats of one workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.font = "Microsoft YaHei" if i18n.lang() == "zh" else "Calibri"

    def of(self, **look: Any) -> Format:
        look = {"font_name": self.font, "font_size": 10, "font_color": INK, "valign": "top"} | look
        key = tuple(sorted(look.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(look)
        return self._made[key]

    @property
    def title(self) -> Format:
        return self.of(font_size=18, bold=True)

    @property
    def heading(self) -> Format:
        return self.of(font_size=12, bold=True)

    @property
    def note(self) -> Format:
        return self.of(font_color=QUIET, text_wrap=True)

    @property
    def text(self) -> Format:
        return self.of(text_wrap=True)

    @property
    def link(self) -> Format:
        return self.of(font_color=ACCENT, underline=1)

    @property
    def head(self) -> Format:
        return self.of(bold=True, bg_color=WASH, bottom=1, text_wrap=True, valign="bottom")

    def number(self, unit: str, value: Any = None) -> Format:
        return self.of(num_format=number_format(unit, value), align="right")

    def value(self, sheet: Worksheet, row: int, column: int, value: Any, unit: str) -> None:
        """A value as what it is: number, date or text; never a formula."""
        if isinstance(value, bool):
            sheet.write_string(row, column, i18n.quantity(value), self.of(align="right"))
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, self.number(unit, value))
        elif unit == "date" and isinstance(value, str):
            day = self.of(num_format=number_format("date"), align="right")
            sheet.write_datetime(row, column, date.fromisoformat(value[:10]), day)
        elif value is None:
            sheet.write_blank(row, column, None, self.text)
        else:
            sheet.write_string(row, column, str(value), self.of(align="right", text_wrap=True))


def number_format(unit: str, value: Any = None) -> str:
    """Excel's format of a value of this unit.

    >>> number_format("share"), number_format("customers", 4338), number_format("number", 0.4616)
    ('0.0%', '#,##0', '#,##0.000')
    """
    if unit in ("share", "percent"):
        return "0.0%"
    if unit == "date":
        return 'yyyy"年"m"月"d"日"' if i18n.lang() == "zh" else "d mmm yyyy"
    whole = isinstance(value, int) or (isinstance(value, float) and (value.is_integer() or abs(value) >= 1000))
    if unit == "money":
        sign = i18n.currency_sign().replace('"', "")
        return (f'"{sign}"' if sign else "") + ("#,##0" if whole else "#,##0.00")
    return "#,##0" if whole else "#,##0.0" if isinstance(value, float) and abs(value) >= 10 else "#,##0.000"
