"""The files in which a simulated shop's records arrive, byte for byte the same from the same seed.

    orders/2024-01.csv …    order lines, a file a month, GB18030
    customers.xlsx          customers, products, campaigns and channel costs, a sheet each
    events-2024.jsonl.gz …  the web site's log
    contacts.jsonl.gz       messages; assignments.jsonl.gz and outcomes.jsonl.gz: experiments
    crm.db                  tickets, surveys, payments, subscriptions, returns, referrals, consents
    truth/                  what all this was made from, and every fault in it
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from workbook.data.schema import TABLES
from workbook.data.simulation import records as words
from workbook.data.simulation.dirt import Records, spoil
from workbook.data.simulation.shop import Shop, write_facts

LARGEST_BOOK = 200_000  # customers that fit into a workbook with room for their second accounts
CSV_ENCODING = "gb18030"
CUSTOMER_BOOK, CUSTOMER_SHEET = "customers.xlsx", "客户"
CRM = "crm.db"
CRM_TABLES = ("tickets", "survey_invitations", "survey_answers", "payments", "subscriptions", "returns", "referrals",
              "consents", "customer_attributes")
_CREATED = datetime(2024, 1, 1)  # fixed: the workbook's bytes must not depend on the clock
_DIRT = 1_000_003  # spawn key of the faults' generator, beyond any cell's


def write_records(folder: Path, shop: Shop, seed: int) -> Path:
    """Write the shop's records with their faults, and the truth, into `folder`."""
    tables = shop.tables
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_DIRT,)))
    sold = words.order_lines(tables["order_lines"], tables["orders"])
    refunds, returns = words.refunds(tables["returns"], sold)
    customers = words.in_words(words.frame(tables["customers"].select(list(words.CUSTOMER_HEADERS))))
    spoiled = spoil(pd.concat([sold, refunds], ignore_index=True), customers, rng)

    (folder / "orders").mkdir(parents=True, exist_ok=True)
    places = _write_orders(folder, spoiled)
    places |= {("customers", mark): (f"{CUSTOMER_BOOK}#{CUSTOMER_SHEET}", row)
               for row, mark in enumerate(spoiled.customers.index, start=2)}
    _write_book(folder / CUSTOMER_BOOK, {
        CUSTOMER_SHEET: spoiled.customers.rename(columns=words.CUSTOMER_HEADERS),
        "商品": words.products(tables["products"])[list(words.PRODUCT_HEADERS)].rename(columns=words.PRODUCT_HEADERS),
        "活动": words.frame(tables["campaigns"]).rename(columns=words.CAMPAIGN_HEADERS),
        "渠道费用": _channel_costs(tables["channel_costs"])})
    _write_events(folder, tables["events"])
    _write_lines(folder / "contacts.jsonl.gz", _with_offset(tables["contacts"]))
    for name in ("assignments", "outcomes"):
        _write_lines(folder / f"{name}.jsonl.gz", _with_offset(tables[name]))
    _write_crm(folder / CRM, {**{name: words.frame(tables[name]) for name in CRM_TABLES}, "returns": returns})
    _write_truth(folder, shop, spoiled, places)
    return folder


def _channel_costs(found: pa.Table) -> pd.DataFrame:
    costs = words.frame(found)
    costs["channel"] = costs["channel"].map(words.WORDS["acquisition_channel"])
    return costs.rename(columns=words.COST_HEADERS)


def _write_orders(folder: Path, spoiled: Records) -> dict[tuple[str, int], tuple[str, int]]:
    """One file a month; returns the file and line in which each row ended up."""
    months = sorted(spoiled.lines["at"].str[:7].unique())
    month = spoiled.lines["at"].str[:7].map(months.index).to_numpy()
    month = np.minimum(month + spoiled.lines.index.isin(spoiled.late), len(months) - 1)
    lines = spoiled.lines.assign(file=month).sort_values(["file", "at", "order_id", "line_no"], kind="stable")
    places = {}
    for number, found in lines.groupby("file"):
        name = f"orders/{months[int(number)]}.csv"
        offered = {column: header for column, header in words.OFFER_HEADERS.items() if column in found}
        headers = {**words.LINE_HEADERS, **offered}
        shown = found[list(headers)].rename(columns=headers)
        (folder / name).write_bytes(shown.to_csv(index=False, lineterminator="\r\n").encode(CSV_ENCODING))
        places |= {("order_lines", mark): (name, row) for row, mark in enumerate(found.index, start=2)}
    return places


def _write_book(path: Path, sheets: Mapping[str, pd.DataFrame]) -> None:
    """A workbook whose cells are text, as an export writes them."""
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                    "strings_to_numbers": False}) as book:
        book.set_properties({"created": _CREATED})
        for name, found in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(found.columns))
            for place, row in enumerate(found.itertuples(index=False), start=1):
                for column, value in enumerate(row):
                    if value != "":
                        sheet.write_string(place, column, value)


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Gzipped JSON, one row a line; the header of the archive holds neither name nor time."""
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as archive:
        archive.write(text.encode())
    path.write_bytes(buffer.getvalue())


def _write_events(folder: Path, events: pa.Table) -> None:
    times = words.epoch_milliseconds(events["occurred_at"])
    rows = [{words.EVENT_KEYS[name]: value for name, value in row.items() if value is not None}
            for row in events.drop_columns("occurred_at").to_pylist()]
    for row, time in zip(rows, times, strict=True):
        row["ts"], row["sec"] = time, int(row["sec"])
    order = sorted(range(len(rows)), key=lambda place: (times[place], rows[place]["id"]))
    years = words.local_times(events["occurred_at"]).dt.year.to_numpy()
    for year in sorted(set(years.tolist())):
        _write_lines(folder / f"events-{year}.jsonl.gz", (rows[place] for place in order if years[place] == year))


def _with_offset(found: pa.Table) -> list[dict[str, Any]]:
    """Rows with local times and their offset; missing values left out."""
    local = {name: words.local_times(found[name]).dt.strftime("%Y-%m-%dT%H:%M:%S+08:00") for name in found.column_names
             if pa.types.is_timestamp(found[name].type)}
    rows = found.to_pylist()
    for name, column in local.items():
        for row, text in zip(rows, column, strict=True):
            row[name] = text if isinstance(text, str) else None
    return [{name: _number(value) for name, value in row.items() if value is not None} for row in rows]


def _number(value: object) -> object:
    return value if isinstance(value, (str, bool, int)) else round(float(value), 2)  # type: ignore[arg-type]


def _write_crm(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """A database whose bytes do not depend on the library that wrote it."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 4096")
        for name, found in tables.items():
            kinds = TABLES[name].by_name
            columns = ", ".join(f"{column} {_affinity(kinds[column].type)}" for column in found)
            connection.execute(f"CREATE TABLE {name} ({columns})")
            rows = found.where(found != "", None).itertuples(index=False, name=None)
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * found.shape[1])})", list(rows))
        connection.commit()
        connection.execute("VACUUM")
    _forget_library(path)


def _affinity(kind: str) -> str:
    return {"int": "INTEGER", "float": "REAL", "bool": "INTEGER", "decimal": "NUMERIC"}.get(kind, "TEXT")


def _forget_library(path: Path) -> None:
    """Overwrite the version of SQLite that the header of a database names (sqlite.org/fileformat.html, 1.3)."""
    with path.open("r+b") as file:
        file.seek(96)
        file.write((3_040_000).to_bytes(4, "big"))


def _write_truth(folder: Path, shop: Shop, spoiled: Records, places: Mapping[tuple[str, int], tuple[str, int]]) -> None:
    faults = pd.DataFrame(spoiled.faults)
    where = [places[key] for key in zip(faults["table"], faults["mark"], strict=True)]
    faults["file"], faults["row"] = (list(column) for column in zip(*where, strict=True))
    found = {**shop.truth,
             "faults": pa.Table.from_pandas(faults[["kind", "table", "file", "row", "column", "meant", "written"]],
                                            preserve_index=False),
             "identities": pa.Table.from_pandas(pd.DataFrame(spoiled.identities), preserve_index=False)}
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    for name, table in found.items():
        pq.write_table(table, folder / "truth" / f"{name}.parquet", compression="zstd", store_schema=False)
    write_facts(folder, {**shop.facts, "books": spoiled.finance,
                         "faults": faults["kind"].value_counts().sort_index().to_dict()})
