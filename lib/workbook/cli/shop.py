"""`workbook new`, `check`, `collect`, `simulate`: a shop and its records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbook.cli.root import SettingsFile, app
from workbook.data.settings import load_settings


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="the new workspace")],
    orders: Annotated[list[str] | None, typer.Option(help="orders: file, glob, archive, folder or database")] = None,
    lines: Annotated[list[str] | None, typer.Option(help="order lines")] = None,
    customers: Annotated[list[str] | None, typer.Option(help="customers")] = None,
    products: Annotated[list[str] | None, typer.Option(help="products")] = None,
    source: Annotated[list[str] | None, typer.Option(
        help="any other table, as TABLE=FILE: contacts=mails.csv")] = None,
    columns: Annotated[str, typer.Option(
        help="names of the columns of a file without a header, in order; - for one that is not wanted")] = "",
    dates: Annotated[str, typer.Option(help="order of day and month where a date leaves it open: ymd, dmy, mdy")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217, such as EUR")] = "",
    time_zone: Annotated[str, typer.Option(help="such as Europe/London")] = "",
    phone_country: Annotated[str, typer.Option(help="such as CN")] = "",
    name: Annotated[str, typer.Option(help="the shop's name")] = "",
    lang: Annotated[str, typer.Option(help="language of what is said and written: en or zh")] = "en",
    force: Annotated[bool, typer.Option("--force", help="write over a workbook.yaml that is there")] = False,
) -> None:
    """Look at a shop's files and write a commented workbook.yaml."""
    from workbook.output import console

    given = {"orders": orders or [], "order_lines": lines or [], "customers": customers or [],
             "products": products or []}
    console.new(folder, console.with_sources(given, source or []), columns=columns, dates=dates, currency=currency,
                time_zone=time_zone, phone_country=phone_country, name=name, lang=lang, force=force)


@app.command()
def check(
    settings: SettingsFile = "workbook.yaml",
    lang: Annotated[str, typer.Option(help="language of what is said: en or zh")] = "en",
) -> None:
    """Read the head of every source and report every problem at once."""
    from workbook.cleaning import rules
    from workbook.data.notebooks import read_notebooks
    from workbook.output import console

    names = [rule.name for rule in rules.RULES]
    chapters = [notebook.name for notebook in read_notebooks()]
    if console.check_settings(settings, rules=names, chapters=chapters, lang=lang):
        raise typer.Exit(1)


@app.command()
def collect(settings: SettingsFile = "workbook.yaml") -> None:
    """Read the sources that are new or changed, with a progress bar; render does it too."""
    from workbook.collection import collect as bring_in
    from workbook.data.journal import alone
    from workbook.data.store import Store

    declared = load_settings(settings)
    with alone(declared.store_folder, "workbook collect"):
        collected = bring_in(declared, Store(declared.store_folder))
    typer.echo(f"{collected.rows_read:,} rows in {', '.join(collected.tables)}; "
               f"{collected.read} files read, {collected.unchanged} unchanged.")


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="the folder to write")],
    customers: Annotated[int, typer.Option(min=1, help="customers")] = 3000,
    months: Annotated[int, typer.Option(min=1, help="months")] = 30,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 1,
    form: Annotated[str, typer.Option("--format", help="records, as a shop exports them, or parquet")] = "records",
    decisions: Annotated[Path | None, typer.Option(
        help="workbook.yaml of a workspace on this shop: whom its decisions treat is treated")] = None,
    rate: Annotated[float, typer.Option(min=0.0, help="what those decisions multiply the rate of orders by")] = 1.0,
) -> None:
    """Write a shop whose truth is known, and the truth beside it."""
    from workbook.data import simulate as simulation
    from workbook.decisions import members, registered

    settings = load_settings(decisions) if decisions else None
    actions = tuple(simulation.Action(
        one.id, one.starts_on, tuple(members(settings, one.id).query("arm == 'treated'")["customer_id"]), rate=rate,
        days=one.horizon_days, cost=one.cost_per_person, channel=one.channel, offer=one.offer,
        code=one.code,
    ) for one in (registered(settings) if settings else ()) if not one.cancelled)  # fmt: skip
    simulation.write(out, customers, months, seed, form=form, progress=True,
                     parameters=simulation.Parameters(actions=actions))
    typer.echo(f"Written: {out}")
