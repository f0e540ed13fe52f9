"""`workbook render --by`: a report of each part of the shop beside that of the whole; and how others name a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workbook.output.delivery.notify import Delivery

PartName = Annotated[str, typer.Option(
    "--part", help="a part that render --by made a report of, such as region=East; the whole shop when left out")]


def render_by(
    settings: str, by: str, delivery: Delivery, *, as_of: str, lang: str, force: bool,
    tell: Callable[[str, object], None],
) -> None:
    """Render the whole and its parts, and say where they are; exit code 1 when any of them failed."""
    from workbook.output.report.division import render_by as divide  # papermill takes two seconds to import

    divided = divide(settings, by, as_of=as_of, lang=lang, force=force, tell=tell)
    delivery.rendered = divided.whole
    for part, rendered in divided.parts:
        typer.echo(f"{part.dimension} {part.name}: {'' if rendered.ok else 'incomplete, '}{rendered.index}")
    if divided.small:
        typer.echo(f"{len(divided.small)} parts are too small for a report of their own (privacy.smallest_cell): "
                   f"{', '.join(part.name for part in divided.small)}")
    typer.echo(f"The report of the whole: {divided.whole.index}")
    if not divided.ok:
        raise typer.Exit(1)
