"""The house style of pictures: one function per chart kind.

Each takes a finished table (rows sorted as they are to be read), computes nothing, and returns the Axes. Titles and
labels arrive translated. `unit` ("money", "share", "number", "customers", "days" …) formats values and names the axis.
Values are labelled at their place before a legend is asked for; intervals are drawn wherever `low` and `high` are
given; the palette is Okabe and Ito's (2008), told apart by colour-blind eyes too. Every picture carries a text
alternative made from its data.
"""

from workbook.output.charts.ahead import ahead
from workbook.output.charts.bars import bars, columns, histogram, spans, stacked
from workbook.output.charts.canvas import alt_text, png, side_by_side, wrap
from workbook.output.charts.curves import bands, lines, lorenz
from workbook.output.charts.fields import heat, silhouettes
from workbook.output.charts.moments import moments
from workbook.output.charts.points import cloud, dots, panels, scatter, snake
from workbook.output.charts.scales import UnitFormatter
from workbook.output.charts.style import INK, PALETTE, WIDTH, contrast, dark, fonts, packaged_font
from workbook.output.charts.waterfall import waterfall

__all__ = [
    "INK",
    "PALETTE",
    "WIDTH",
    "UnitFormatter",
    "ahead",
    "alt_text",
    "bands",
    "bars",
    "cloud",
    "columns",
    "contrast",
    "dark",
    "dots",
    "fonts",
    "heat",
    "histogram",
    "lines",
    "lorenz",
    "moments",
    "packaged_font",
    "panels",
    "png",
    "scatter",
    "side_by_side",
    "silhouettes",
    "snake",
    "spans",
    "stacked",
    "waterfall",
    "wrap",
]
