"""Faults as real exports have them, each one listed: what, where, what was written and what was meant.

`spoil` takes the records as the shop's systems would write them and returns them with the faults. A row keeps its
mark through everything (`Records.lines.index`), so that the list can say in which line of which file it ended up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from workbook.data.simulation import catalog
from workbook.data.simulation.catalog import CATEGORIES_ZH, REGIONS
from workbook.data.simulation.records import GIFT_PRODUCT, PRICE_DIFFERENCE, WORDS

SHARED_PHONE = "17000000000"  # a virtual number, under which many have registered
SHARED_PHONE_CUSTOMERS = 14
TEST_CUSTOMERS = ("90000001", "90000002", "90000003")
UNKNOWN_CUSTOMER, UNKNOWN_PRODUCT = "99999999", "XX999"
_MISSING = {"gender": 0.05, "education": 0.14, "occupation": 0.10, "income_band": 0.22, "birth_date": 0.08,
            "region": 0.02, "mail": 0.12}
_SYNONYMS = {"茶叶": ("茶", "Tea"), "礼盒": ("礼品盒", "gift sets"), "厨房用品": ("厨具", "Kitchen")}
_FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")


@dataclass
class Records:
    """The shop's records on their way into files."""

    lines: pd.DataFrame  # order lines and refunds; the index is the row's mark, `at` the true time
    customers: pd.DataFrame
    faults: list[dict[str, object]] = field(default_factory=list)
    identities: list[dict[str, str]] = field(default_factory=list)  # account → person, where they differ
    late: set[int] = field(default_factory=set)  # marks of the lines that miss the export of their month
    finance: dict[str, dict[str, float]] = field(default_factory=dict)  # what the books say, by month

    def note(self, kind: str, table: str, marks: Iterable[int], column: str = "", meant: Iterable[object] = (),
             written: Iterable[object] = ()) -> None:
        """List one fault a mark."""
        marks, meant, written = list(marks), [str(v) for v in meant], [str(v) for v in written]
        blank = [""] * len(marks)
        self.faults += [
            {"kind": kind, "table": table, "mark": int(mark), "column": column, "meant": right, "written": wrong}
            for mark, right, wrong in zip(marks, meant or blank, written or blank, strict=True)]

    def overwrite(self, kind: str, marks: np.ndarray, column: str, change: Callable[[str], str]) -> None:
        """Write something else into a column of some lines, and list it."""
        before = self.lines.loc[marks, column]
        after = before.map(change)
        self.lines.loc[marks, column] = after
        self.note(kind, "order_lines", marks, column, before, after)


def spoil(lines: pd.DataFrame, customers: pd.DataFrame, rng: np.random.Generator) -> Records:
    """The records with every kind of fault in them; `lines` and `customers` as `records` writes them."""
    records = Records(lines.reset_index(drop=True).assign(at=lines["ordered_at"].to_numpy()),
                      customers.reset_index(drop=True))
    _gifts_and_price_differences(records, rng)
    _bulk_orders(records, rng)
    records.finance = _books(records.lines)
    _cancelled_orders(records, rng)
    _second_accounts(records, rng)
    _test_accounts(records, rng)
    _customer_faults(records, rng)
    _line_faults(records, rng)
    _forms_of_dates(records, rng)
    _duplicates(records, rng)
    return records


def _books(lines: pd.DataFrame) -> dict[str, dict[str, float]]:
    """What finance books by month: sales with postage, and refunds of the old system."""
    amount, month = lines["amount"].astype(float), lines["ordered_at"].str[:7]
    sales = amount.where(amount > 0.0, 0.0).groupby(month).sum().round(2)
    orders = lines[amount >= 0.0].groupby(month)["order_id"].nunique()
    return {"sales": sales.to_dict(), "orders": orders.astype(float).to_dict(),
            "refund_lines": (amount - amount.clip(lower=0.0)).groupby(month).sum().round(2).to_dict()}


def _sold(lines: pd.DataFrame) -> pd.DataFrame:
    return lines[(lines["status"] == WORDS["status"]["completed"]) & (lines["category"] != "服务")]


def _marks(rng: np.random.Generator, found: pd.DataFrame, count: int) -> np.ndarray:
    """Marks of some of these rows, at random, in order."""
    return np.sort(rng.choice(found.index.to_numpy(), min(count, len(found)), replace=False))


def _share(found: pd.DataFrame, share: float) -> int:
    return max(2, round(len(found) * share))


def _append(records: Records, rows: pd.DataFrame) -> np.ndarray:
    start = int(records.lines.index.max()) + 1
    rows = rows.set_axis(range(start, start + len(rows)))
    records.lines = pd.concat([records.lines, rows])
    return rows.index.to_numpy()


def _gifts_and_price_differences(records: Records, rng: np.random.Generator) -> None:
    """Lines that cost nothing, and lines that are no goods."""
    shelf = catalog.goods()
    whole = _sold(records.lines).drop_duplicates("order_id")
    next_line = (records.lines["line_no"].astype(int).groupby(records.lines["order_id"]).max() + 1).astype(str)
    gifted = records.lines.loc[_marks(rng, whole, _share(whole, 0.006))]
    gift = gifted.assign(
        line_no=gifted["order_id"].map(next_line), product_id=shelf.ids[GIFT_PRODUCT],
        product_name=shelf.names[GIFT_PRODUCT], category=CATEGORIES_ZH["Tea"], quantity="1", unit_price="0.00",
        amount="0.00", discount="0.00")
    records.note("zero_amount", "order_lines", _append(records, gift), "amount")
    others = whole[~whole["order_id"].isin(gifted["order_id"])]
    topped = records.lines.loc[_marks(rng, others, _share(whole, 0.002))]
    yuan = pd.Series(rng.integers(1, 30, len(topped)), index=topped.index).astype(str)
    difference = topped.assign(
        line_no=topped["order_id"].map(next_line), product_id=PRICE_DIFFERENCE[0], product_name=PRICE_DIFFERENCE[1],
        category="服务", quantity=yuan, unit_price="1.00", amount=yuan + ".00", discount="0.00")
    _append(records, difference)
    services = records.lines.index[records.lines["category"] == "服务"]
    records.note("non_product_line", "order_lines", services, "product_id", written=records.lines.loc[
        services, "product_id"])


def _bulk_orders(records: Records, rng: np.random.Generator) -> None:
    """Two purchases that are far too large to be true, and are."""
    large = _sold(records.lines)
    marks = _marks(rng, large[(large["payment_method"] == "月结") & (large["amount"].astype(float) > 100.0)
                              & ~large["order_id"].isin(_refunded(records.lines))], 2)
    for mark in marks:
        before = records.lines.loc[mark, "quantity"]
        price = round(float(records.lines.loc[mark, "unit_price"]) * 100)
        quantity = max(2, 1_800_000 // price)
        records.lines.loc[mark, ["quantity", "amount"]] = [str(quantity), f"{quantity * price / 100:.2f}"]
        records.note("genuine_outlier", "order_lines", [mark], "quantity", [before], [quantity])


def _refunded(lines: pd.DataFrame) -> pd.Series:
    return lines.loc[lines["original_order_id"] != "", "original_order_id"]


def _cancelled_orders(records: Records, rng: np.random.Generator) -> None:
    """Orders that were placed and closed before they were sent: not in the books."""
    whole = _sold(records.lines).drop_duplicates("order_id")
    chosen = records.lines.loc[_marks(rng, whole, _share(whole, 0.012)), "order_id"]
    copies = records.lines[records.lines["order_id"].isin(chosen) & (records.lines["original_order_id"] == "")].copy()
    copies["order_id"] = "3999" + copies["order_id"].str[4:]
    earlier = pd.to_datetime(copies["ordered_at"]) - pd.Timedelta(minutes=17)
    copies["ordered_at"] = copies["at"] = earlier.dt.strftime("%Y-%m-%d %H:%M:%S")
    copies["status"] = WORDS["status"]["cancelled"]
    records.note("cancelled_order", "order_lines", _append(records, copies), "status")


def _second_accounts(records: Records, rng: np.random.Generator) -> None:
    """People who opened another account later, under the same telephone or mail written differently."""
    bought = records.lines[records.lines["customer_id"] != ""]
    first_orders = bought.drop_duplicates("order_id").groupby("customer_id")["ordered_at"].apply(sorted)
    several = first_orders[first_orders.map(len) >= 2]
    people = records.customers[records.customers["customer_id"].isin(several.index)]
    chosen = _marks(rng, people, _share(people, 0.05))
    number = records.customers["customer_id"].astype(int).max()
    second = records.customers.loc[chosen].copy()
    by_phone = rng.random(len(second)) < 0.6
    second["phone"] = np.where(by_phone, second["phone"].map(_other_phone), "")
    second["mail"] = np.where(by_phone, "", second["mail"].map(lambda mail: f" {mail.upper()}"))
    second["customer_id"] = [f"{number + place:08d}" for place in range(1, len(second) + 1)]
    second[["birth_date", "occupation", "income_band", "education", "address"]] = ""
    old_ids = records.customers.loc[chosen, "customer_id"]
    for old, new, phone in zip(old_ids, second["customer_id"], by_phone, strict=True):
        since = several[old][len(several[old]) // 2]
        second.loc[second["customer_id"] == new, "registered_at"] = since
        records.lines.loc[(records.lines["customer_id"] == old) & (records.lines["ordered_at"] >= since),
                          "customer_id"] = new
        records.identities.append({"customer_id": new, "person_id": old, "same": "phone" if phone else "mail"})
    second.index = range(len(records.customers), len(records.customers) + len(second))
    records.customers = pd.concat([records.customers, second])
    records.note("second_account", "customers", second.index, "customer_id", old_ids, second["customer_id"])


def _other_phone(phone: str) -> str:
    """The same number as somebody else types it.

    >>> _other_phone("19900000012"), _other_phone("19900000013"), _other_phone("19900000014")
    ('199 0000 0012', '0086 19900000013', '+86 199-0000-0014')
    """
    parts = phone[:3], phone[3:7], phone[7:]
    return (f"+86 {'-'.join(parts)}", " ".join(parts), f"0086 {phone}")[int(phone) % 3]


def _test_accounts(records: Records, rng: np.random.Generator) -> None:
    """Accounts with which the shop tries itself out, and their orders."""
    template, rows = records.customers.iloc[0], []
    start = len(records.customers)
    for place, number in enumerate(TEST_CUSTOMERS):
        rows.append({**template, "customer_id": number, "name": f"测试{place + 1}", "phone": "", "birth_date": "",
                     "mail": f"test{place + 1}@example.com", "address": ""})
    tests = pd.DataFrame(rows, index=range(start, start + len(rows)))
    records.customers = pd.concat([records.customers, tests])
    records.note("test_account", "customers", tests.index, "customer_id", written=tests["customer_id"])
    whole = _sold(records.lines).drop_duplicates("order_id")
    ordered = records.lines.loc[_marks(rng, whole, 4 * len(TEST_CUSTOMERS))].copy()
    ordered["customer_id"] = [TEST_CUSTOMERS[place % len(TEST_CUSTOMERS)] for place in range(len(ordered))]
    ordered["order_id"], ordered["line_no"] = "3888" + ordered["order_id"].str[4:], "1"
    records.note("test_order", "order_lines", _append(records, ordered), "customer_id", written=ordered["customer_id"])


def _customer_faults(records: Records, rng: np.random.Generator) -> None:
    """A shared number, impossible ages, blanks, and one region written in three ways."""
    customers = records.customers
    used = {identity[key] for identity in records.identities for key in ("customer_id", "person_id")}
    single = customers[~customers["customer_id"].isin({*used, *TEST_CUSTOMERS})]
    marks = _marks(rng, single, SHARED_PHONE_CUSTOMERS)
    own = customers.loc[marks, "phone"]
    records.note("shared_phone", "customers", marks, "phone", own, [SHARED_PHONE] * len(marks))
    customers.loc[marks, "phone"] = SHARED_PHONE
    dated = customers[customers["birth_date"] != ""]
    marks = _marks(rng, dated, 12)
    impossible = [("1893-01-01", "2031-05-05", "1900-01-01")[place % 3] for place in range(len(marks))]
    records.note("impossible_age", "customers", marks, "birth_date", customers.loc[marks, "birth_date"], impossible)
    customers.loc[marks, "birth_date"] = impossible
    for column, share in _MISSING.items():
        open_to_it = single.index[(single[column] != "") & ~single.index.isin(marks)]
        blank = open_to_it[rng.random(len(open_to_it)) < share]
        records.note("missing_value", "customers", blank, column, customers.loc[blank, column])
        customers.loc[blank, column] = ""
    forms = _region_forms()
    filled = customers.index[customers["region"] != ""]
    other = filled[rng.random(len(filled)) < 0.25]
    written = [forms[customers.loc[mark, "region"]][place % 2] for place, mark in enumerate(other)]
    records.note("region_synonym", "customers", other, "region", customers.loc[other, "region"], written)
    customers.loc[other, "region"] = written
    older = customers.index[(customers["birth_date"] != "") & (rng.random(len(customers)) < 0.15)]
    before = customers.loc[older, "birth_date"]
    after = before.map(lambda day: f"{int(day[:4])}年{int(day[5:7])}月{int(day[8:])}日")
    records.note("date_format", "customers", older, "birth_date", before, after)
    customers.loc[older, "birth_date"] = after


def _region_forms() -> dict[str, tuple[str, str]]:
    return {short: (official, english.lower()) for english, short, official, _, _ in REGIONS}


def _line_faults(records: Records, rng: np.random.Generator) -> None:
    """Each kind of fault in its own lines: a line has one fault at most, so that each can be found again."""
    lines = records.lines
    ordinary = _sold(lines)
    marked = {fault["mark"] for fault in records.faults if fault["table"] == "order_lines"}
    ordinary = ordinary[~ordinary.index.isin(marked) & ~ordinary["customer_id"].isin(TEST_CUSTOMERS)]
    pool = rng.permutation(ordinary.index.to_numpy())
    taken = 0

    def take(share: float, least: int) -> np.ndarray:
        nonlocal taken
        count = max(least, round(len(ordinary) * share))
        marks, taken = np.sort(pool[taken:taken + count]), taken + count
        return marks

    forms, amounts = _region_forms(), lambda text: f"¥{float(text):,.2f}"
    records.overwrite("order_id_ruined", take(0.0006, 4), "order_id", lambda text: f"{float(text):.5E}")
    records.overwrite("unreadable_number", take(0.0003, 3), "quantity", lambda text: "一件" if text == "1" else "若干")
    records.overwrite("unreadable_number", take(0.0003, 3), "amount", lambda text: text.replace(".", ".."))
    records.overwrite("impossible_date", take(0.0003, 3), "ordered_at", lambda text: f"{text[:4]}-02-30{text[10:]}")
    records.overwrite("date_before_shop", take(0.0002, 2), "ordered_at", lambda text: f"1970-01-01{text[10:]}")
    records.overwrite("date_in_future", take(0.0002, 2), "ordered_at", lambda text: f"2062{text[4:]}")
    records.overwrite("unknown_product", take(0.0004, 3), "product_id", lambda text: UNKNOWN_PRODUCT)
    records.overwrite("quantity_typo", take(0.0002, 2), "quantity", lambda text: text * 2)  # a key struck twice
    records.overwrite("number_format", take(0.008, 5), "amount", amounts)
    records.overwrite("number_format", take(0.004, 5), "unit_price", lambda text: text.translate(_FULL_WIDTH))
    records.overwrite("region_synonym", take(0.10, 5), "region", lambda text: forms[text][0])
    records.overwrite("region_synonym", take(0.03, 5), "region", lambda text: forms[text][1])
    refunds = lines[lines["original_order_id"] != ""]
    records.overwrite("refund_without_order", _marks(rng, refunds, _share(refunds, 0.10)), "original_order_id",
                      lambda text: "")
    synonymous = take(0.12, 5)
    synonymous = synonymous[lines.loc[synonymous, "category"].isin(list(_SYNONYMS)).to_numpy()]
    records.overwrite("category_synonym", synonymous, "category", lambda text: _SYNONYMS[text][len(text) % 2])
    spotless = ordinary[~ordinary.index.isin(pool[:taken]) & (ordinary["customer_id"] != "")]
    alone = spotless[~lines.loc[spotless.index, "order_id"].duplicated(keep=False)]
    records.overwrite("unknown_customer", _marks(rng, alone, _share(alone, 0.0006)), "customer_id",
                      lambda text: UNKNOWN_CUSTOMER)


def _forms_of_dates(records: Records, rng: np.random.Generator) -> None:
    """The same time written in other ways, and lines that miss the export of their month."""
    lines = records.lines
    readable = lines.index[lines["ordered_at"].str.match(r"20[23]\d-(?!02-30)")]
    draw = rng.random(len(readable))
    records.overwrite("date_format", readable[draw < 0.03], "ordered_at", _slashed)
    records.overwrite("date_format", readable[(draw >= 0.03) & (draw < 0.05)], "ordered_at", _chinese)
    records.overwrite("date_format", readable[(draw >= 0.05) & (draw < 0.06)], "ordered_at", _serial)


def _slashed(text: str) -> str:
    return f"{text[:4]}/{int(text[5:7])}/{int(text[8:10])}{text[10:16]}"


def _chinese(text: str) -> str:
    return f"{text[:4]}年{int(text[5:7])}月{int(text[8:10])}日 {text[11:16]}"


def _serial(text: str) -> str:
    """Excel's count of days, cut to its five decimals.

    >>> _serial("2024-01-01 12:00:00")
    '45292.50000'
    """
    passed = datetime.fromisoformat(text) - datetime(1899, 12, 30)
    return f"{passed.total_seconds() / 86_400:.5f}"


def _duplicates(records: Records, rng: np.random.Generator) -> None:
    """Lines exported twice: side by side, or again in the next month's file."""
    lines = records.lines
    marked = {fault["mark"] for fault in records.faults if fault["table"] == "order_lines"
              and fault["kind"] not in ("date_format", "number_format", "region_synonym")}
    pool = lines[~lines.index.isin(marked)]
    chosen = _marks(rng, pool, _share(pool, 0.005))
    copies = _append(records, lines.loc[chosen])
    records.note("duplicate_row", "order_lines", copies, "", [f"copy of {mark}" for mark in chosen])
    records.late |= set(copies[::3].tolist())
    last_days = records.lines["at"].str[8:10].astype(int) >= 27
    late = records.lines.index[~records.lines.index.isin(copies) & last_days & (rng.random(len(last_days)) < 0.02)]
    records.late |= set(late.tolist())
    records.note("late_arrival", "order_lines", late)
