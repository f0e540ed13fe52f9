"""A shop whose store is written by hand: the clean tables and lists that decisions read, a few rows each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from workbook.data.run import Run
from workbook.data.schema import ARROW, TABLES
from workbook.data.settings import Settings, load_settings
from workbook.data.store import Store

AS_OF = date(2026, 6, 30)
YAML = """
name: Hand
currency: EUR
time_zone: UTC
sources: [{ table: orders, path: orders.csv }]
privacy: { key: a-key-for-the-tests-only, reveal: { Ana: "%s" } }
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write_shop(folder: Path, tables: Mapping[str, list[dict[str, Any]]], *, account: str = "") -> Settings:
    """A workspace whose store holds these tables as of 30 June 2026; columns left out are null."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workbook.yaml").write_text(YAML % account, encoding="utf-8")
    settings = load_settings(folder / "workbook.yaml")
    store = Store(settings.store_folder)
    for name, rows in tables.items():
        store.write(f"{AS_OF}/{name}", _arrow(name, rows), made_by="tests")
    return settings


def run_of(settings: Settings) -> Run:
    return Run("decisions", settings, Store(settings.store_folder), as_of="2026-06", lang="en")


def _arrow(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    canonical = TABLES.get(name.removeprefix("clean/"))
    if canonical is None or not name.startswith("clean/"):
        return pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    extra = {"clean/orders": {"net_amount": ARROW["decimal"], "is_return": pa.bool_()},
             "clean/customers": {"is_test": pa.bool_()}}.get(name, {})
    fields = {column.name: ARROW[column.type] for column in canonical.stored} | extra
    return pa.table({column: pa.array([row.get(column) for row in rows], kind) for column, kind in fields.items()})


def order(customer: str, day: str, amount: float, *, cost: float | None = None) -> dict[str, Any]:
    paid, spent = Decimal(str(amount)), Decimal(str(amount / 2 if cost is None else cost))
    return {"order_id": f"{customer}-{day}", "customer_id": customer, "ordered_at": at(day),
            "ordered_on": date.fromisoformat(day), "amount": paid, "net_amount": paid, "is_return": False,
            "cost": spent}


def segment(customer: str, name: str = "loyal", value_class: str = "high") -> dict[str, Any]:
    return {"customer_id": customer, "segment": name, "value_class": value_class, "recency_days": 10,
            "spend_12m": 100.0}


def yes(customer: str, purpose: str = "mail", when: str = "2026-01-01", granted: bool = True) -> dict[str, Any]:
    return {"customer_id": customer, "purpose": purpose, "granted": granted, "changed_at": at(when),
            "changed_on": at(when).date()}


def message(customer: str, when: str, *, channel: str = "mail", unsubscribed: str = "") -> dict[str, Any]:
    return {"contact_id": f"{customer}-{when}", "customer_id": customer, "channel": channel, "sent_at": at(when),
            "sent_on": at(when).date(), "unsubscribed_at": at(unsubscribed) if unsubscribed else None}


def complaint(customer: str, opened: str, closed: str = "", *, reopened: str = "", real: bool = True) -> dict[str, Any]:
    return {"ticket_id": f"{customer}-{opened}", "customer_id": customer, "opened_at": at(opened),
            "opened_on": at(opened).date(), "closed_at": at(closed) if closed else None,
            "reopened_at": at(reopened) if reopened else None, "is_complaint": real}


def many(customers: int, *, quarters: int = 5, amount: float = 40.0) -> dict[str, list[dict[str, Any]]]:
    """Customers of one segment, all of whom buy once a quarter, each another amount."""
    ids = [f"c{number:04}" for number in range(customers)]
    days = [(AS_OF - timedelta(days=90 * back + 5)).isoformat() for back in range(quarters)]
    orders = [order(one, day, amount + (7 * place + 3 * turn) % 30)
              for place, one in enumerate(ids) for turn, day in enumerate(days)]
    return {"rfm": [segment(one) for one in ids], "clean/orders": orders,
            "clean/customers": [{"customer_id": one, "is_test": False} for one in ids],
            "clean/consents": [yes(one) for one in ids], "clean/contacts": [message(ids[0], "2026-01-05")],
            "clean/tickets": [complaint(ids[0], "2026-01-05", "2026-01-06")]}
