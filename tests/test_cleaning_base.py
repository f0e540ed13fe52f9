"""A rule that keeps is fitted on what was known at its base period, whichever period is cleaned first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from raw_tables import cleaning_of
from workbook import cleaning
from workbook.cleaning.base import at, merged_since, paired_since
from workbook.clv.choice import model_in_force
from workbook.data.engine import few_rows
from workbook.data.periods import period_of
from workbook.data.run import Run, open_run
from workbook.rfm.rules import cuts_in_force, value_rule_in_force

APRIL = datetime(2026, 4, 10)
PHONES = [  # two of April's customers turn out in June to be one person: a registration with the other's phone
    {"customer_id": name, "phone_hash": name.casefold(), "registered_at": when}
    for name, when in [*((name, APRIL) for name in "ABCDEF"), ("f", datetime(2026, 6, 20))]
]


def bought(customer: str, month: int, day: int, amount: float) -> dict[str, Any]:
    return {"ordered_at": datetime(2026, month, day, 9), "amount": amount, "customer_id": customer}


ORDERS = [
    *(bought(name, 4, 10, 10 * place) for place, name in enumerate("ABCDEF", start=1)), bought("A", 4, 20, 5),
    bought("f", 4, 25, 300), bought("B", 6, 5, 10), bought("f", 6, 21, 10)]


def month(folder: Path, label: str, **declared: Any) -> Run:
    """A month cleaned, and its notebooks' run."""
    tables = {} if (folder / "workbook.yaml").exists() else {"orders": ORDERS, "customers": PHONES}
    run = cleaning_of(folder, tables, as_of=label, base_period="2026-04", **declared)
    cleaning.clean(run)
    return open_run("04_rfm", settings=str(folder / "workbook.yaml"), as_of=label)


def rules(run: Run) -> dict[str, Any]:
    """What 04 and 06 freeze."""
    orders, returns = run.table("clean/orders"), run.table("clean/returns")
    cuts_in_force(run, orders, returns, n_bins=2)
    value_rule_in_force(run, orders, returns)
    model_in_force(run, orders, returns, {})
    return {name.removeprefix("frozen/"): run.store.document(name) for name in run.store.document_names("frozen")}


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def filled(name: str, *labels: str) -> dict[str, Any]:
        (tmp_path / name).mkdir()
        return [rules(month(tmp_path / name, label)) for label in labels][-1]

    return filled


def test_a_merge_known_only_later_moves_no_frozen_rule(fill: Callable[..., dict[str, Any]]) -> None:
    forwards, backwards = fill("forwards", "2026-04", "2026-06"), fill("backwards", "2026-06", "2026-04")
    assert forwards == backwards
    assert set(forwards) == {"rfm_cuts-2-purchase_days-apart", "rfm_value-0.2", "clv_model"}
    [cut] = forwards["rfm_cuts-2-purchase_days-apart"]["rule"]["monetary"]
    assert cut == 40, "of 15, 20, 30, 40, 50, 60, 300; had F been known to be f, of 15, 20, 30, 40, 50, 360: 35"


def test_a_base_period_is_cleaned_only_where_somebody_of_then_was_merged_since(tmp_path: Path) -> None:
    june = month(tmp_path, "2026-06")
    assert merged_since(june, at(june, period_of("2026-04"))) == 1
    assert june.store.has("2026-04-30/clean/orders") and not june.store.has("2026-04-30/clean/ledger")
    (tmp_path / "apart").mkdir()
    apart = month(tmp_path / "apart", "2026-06", cleaning={"rules": {"identity": "keep"}})
    assert not apart.store.has("2026-04-30/clean/orders")


def test_a_later_return_that_fits_better_moves_no_purchase_of_then(tmp_path: Path) -> None:
    """Five at 10, then three; two come back in April, of the three. In June three come back: surely those three.

    As of June April's return is thought to be of the five: 30 and 0. As of April 50 and 10 were known.
    """
    lines = [{"order_id": number, "ordered_at": datetime(2026, month, day, 9), "product_id": "p", "customer_id": "g",
              "quantity": quantity, "unit_price": 10, "amount": 10 * quantity}
             for number, month, day, quantity in (("1", 4, 1, 5), ("2", 4, 5, 3), ("3", 4, 8, -2), ("4", 6, 8, -3))]
    run = cleaning_of(tmp_path, {"order_lines": lines}, as_of="2026-06", base_period="2026-04")
    cleaning.clean(run)
    april = at(run, period_of("2026-04"))
    assert (paired_since(run, april), merged_since(run, april)) == (1, 0)
    nets = [{row["order_id"]: float(row["net_amount"]) for row in few_rows(there.table("clean/orders"))}
            for there in (run, april)]
    assert nets == [{"1": 30, "2": 0}, {"1": 50, "2": 10}]
