"""Colours, sizes and fonts of the house."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap, to_rgb

BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER)
INK, QUIET, FAINT, PAPER = "#1F2933", "#5F6B7A", "#DDE2E8", "#FFFFFF"
WIDTH, TALLEST = 7.0, 9.0  # inches
DPI = 160
SEQUENTIAL = LinearSegmentedColormap.from_list("workbook", ["#F3F7FA", "#9CC7E0", BLUE, "#003E63"])
DIVERGING = LinearSegmentedColormap.from_list(
    "workbook_diverging", ["#A84300", "#F0B48C", "#F7F7F7", "#8FC1DE", "#004F7C"])
CHINESE_FONTS = (  # simplified faces, best first; the Japanese ones draw 直 and 骨 differently
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC", "PingFang SC", "Microsoft YaHei",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
)


@cache
def fonts() -> tuple[str, ...]:
    """Font families to draw with: the best Chinese face of this system or else the packaged one, then DejaVu."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    for name in CHINESE_FONTS:
        if name in known:
            return (name, "DejaVu Sans")
    packaged = packaged_font()
    if packaged is None:
        return ("DejaVu Sans",)
    font_manager.fontManager.addfont(str(packaged))
    return (font_manager.FontProperties(fname=str(packaged)).get_name(), "DejaVu Sans")


def packaged_font() -> Path | None:
    """Noto Sans SC from the package `pylopdf-fonts-zh-cn`, when that is installed."""
    spec = find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).with_name("NotoSansSC-Regular.otf")


def house_style() -> dict[str, Any]:
    return {
        "font.family": list(fonts()), "font.size": 10, "axes.titlesize": 12, "axes.labelsize": 9.5,
        "xtick.labelsize": 9.5, "ytick.labelsize": 9.5, "text.color": INK, "axes.labelcolor": QUIET,
        "xtick.color": QUIET, "ytick.color": QUIET, "axes.edgecolor": "#B8C0CA", "axes.linewidth": 0.8,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "grid.color": FAINT,
        "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.prop_cycle": mpl.cycler(color=PALETTE),
        "figure.facecolor": PAPER, "axes.facecolor": PAPER, "lines.linewidth": 2, "lines.solid_capstyle": "round",
        "hatch.linewidth": 0.5, "xtick.major.size": 0, "ytick.major.size": 0, "legend.frameon": False,
    }


def many_colours(n: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(n)]


def dashes(n: int) -> list[Any]:
    """Line styles beside colours, so that colour alone tells nothing apart."""
    styles: list[Any] = ["-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), "-", (0, (5, 2))]
    return [styles[i % len(styles)] for i in range(n)]


def dark(colour: str) -> str:
    """The colour, darkened until it can be read on white (contrast 4.5:1)."""
    rgb = np.array(to_rgb(colour))
    while contrast(rgb) < 4.5:
        rgb = rgb * 0.94
    return mpl.colors.to_hex(rgb)


def contrast(rgb: np.ndarray) -> float:
    """Contrast against white, as WCAG 2 defines it."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
