"""How cells look: one format for each kind of value, made once a workbook."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbook.output import i18n

INK, QUIET, WASH, ACCENT, RULE = "#1D2733", "#55616E", "#F5F7F9", "#00639C", "#DDE2E7"
TALLEST = 400.0  # points; Excel allows a row 409


class Formats:
    """The formats of one workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.font = "Microsoft YaHei" if i18n.lang() == "zh" else "Calibri"

    def of(self, **look: Any) -> Format:
        look = {"font_name": self.font, "font_size": 10, "font_color": INK, "valign": "vcenter"} | look
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
    def quiet(self) -> Format:
        return self.of(font_color=QUIET)

    @property
    def text(self) -> Format:
        return self.of(text_wrap=True)

    @property
    def after_number(self) -> Format:
        """Text in the column beside numbers, which are written up to the line between the two."""
        return self.of(text_wrap=True, indent=1, align="left")

    @property
    def link(self) -> Format:
        return self.of(font_color=ACCENT, underline=1)

    @property
    def head(self) -> Format:
        return self.of(bold=True, bg_color=WASH, bottom=1, text_wrap=True, valign="bottom")

    @property
    def head_of_numbers(self) -> Format:
        return self.of(bold=True, bg_color=WASH, bottom=1, text_wrap=True, valign="bottom", align="right")

    @property
    def head_after_number(self) -> Format:
        return self.of(bold=True, bg_color=WASH, bottom=1, text_wrap=True, valign="bottom", indent=1, align="left")

    def heads(self, kinds: str) -> list[Format]:
        """The headings of columns: t text, n numbers, a text that stands after numbers."""
        of = {"t": self.head, "n": self.head_of_numbers, "a": self.head_after_number}
        return [of[kind] for kind in kinds]

    def height(self, cells: Iterable[tuple[str, float]]) -> float:
        """How tall a row must be, in points, so that each wrapped text is seen whole in a column of its width.

        Excel measures this by itself when a cell is typed; other programs leave a written row as tall as one line.
        """
        line, per_digit = (16.5, 1.0) if i18n.lang() == "zh" else (13.5, 1.15)  # letters are narrower than digits
        lines = max((lines_of(text, width * per_digit) for text, width in cells), default=1)
        return min(lines * line + 2.5, TALLEST)

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


def text_width(text: str) -> int:
    """The width of a text in digits, as columns are measured: a Chinese character is as wide as two.

    >>> text_width("RFM"), text_width("客户")
    (3, 4)
    """
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def lines_of(text: str, width: float) -> int:
    """How many lines a text takes in a column of this width, whose last word may not fit its line.

    >>> lines_of("", 10), lines_of("ten digits", 12), lines_of("客户" * 6, 14)
    (1, 1, 2)
    """
    return max(1, math.ceil(text_width(text) / (width - 1.5)))


def relative_change() -> str:
    """Excel's format of a change in percent, with its sign."""
    return "+0.0%;−0.0%;0.0%"


def points_change(points: str) -> str:
    """Excel's format of a change in points; `points` is how they are spoken of, with a place for the number.

    >>> points_change("{points} points")
    '+0.0" points";−0.0" points";0.0" points"'
    """
    before, after = (f'"{part}"' if part else "" for part in points.replace('"', "").split("{points}"))
    return ";".join(f"{before}{sign}0.0{after}" for sign in ("+", "−", ""))


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
