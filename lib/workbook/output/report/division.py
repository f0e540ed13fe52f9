"""`render --by region`: the report of the whole, and one of each of its parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from workbook.data.journal import alone
from workbook.data.periods import Period, period_of
from workbook.data.settings import Part, load_settings
from workbook.output.pages.report import write_pages
from workbook.output.report import parts
from workbook.output.report.render import Rendered, render, render_part
from workbook.output.report.work import Tell


class Divided(NamedTuple):
    """What came of the whole and of each part."""

    whole: Rendered
    parts: list[tuple[Part, Rendered]]
    small: list[Part]  # have fewer customers than the smallest cell that may be shown

    @property
    def ok(self) -> bool:
        return self.whole.ok and all(rendered.ok for _part, rendered in self.parts)


def render_by(
    settings: str | Path, by: str, *, as_of: str = "", lang: str = "", force: bool = False,
    tell: Tell = lambda _step, _outcome: None,
) -> Divided:
    """Render the whole, then each part of it that is not too small; what is unchanged is kept.

    Args:
        by: a dimension, such as `region`; or one of its values, `region=East`.

    Raises:
        WorkbookError: no such dimension or value; and all that `render` raises.
    """
    parts.check_dimension(by)
    declared = load_settings(settings)
    with alone(declared.store_folder, f"workbook render --by {by}"):
        whole = render(settings, as_of=as_of, lang=lang, force=force, tell=tell)
        if not whole.ok:
            return Divided(whole, [], [])
        period = _period(whole.folder, declared.period)
        chosen = parts.choose(declared, by, period)
        made = []
        for place, part in enumerate(chosen.parts, start=1):
            tell(f"{part.dimension} {part.name} ({place} of {len(chosen.parts)})", None)
            own = parts.cut(declared, part, period)
            made.append((part, render_part(own, period, lang=lang, force=force, tell=tell)))
        write_pages(whole.folder, declared)
    return Divided(whole, made, chosen.small)


def _period(folder: Path, grain: str) -> Period:
    return period_of(json.loads((folder / "run.json").read_text(encoding="utf-8"))["period"], grain)
