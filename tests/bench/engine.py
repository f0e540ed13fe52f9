"""The engine against plain pandas: a large join with an aggregate, and the RFM table with its scores.

    python tests/bench/engine.py [lines]

By default 10 million order lines in 4 million orders, 1 million customers, 2,000 products. Both sides read the same
Parquet files, only the columns that they need, and must come to the same totals; each runs in a process of its own,
timed after its imports, with its peak memory. The workbook's engine is bounded to 400 MB (`engine.memory` of the
settings), beside what Python and its libraries take, and may spill to disk. It uses all cores, pandas can use one: on
a machine that is busy with something else the ratio of times is worse than it is. Target: at most a fifth of the time
and a third of the memory.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
from sides import measure

MOST_TIME, MOST_MEMORY = 1 / 5, 1 / 3
LINES = 10_000_000

# Revenue, units, lines and different buyers by region, category and month.
OURS_JOIN = """
from workbook.data.engine import connect
from workbook.data.settings import Engine
from workbook.data.store import Store
begin()
store, con = Store(folder / "store"), connect(Engine(memory="400MB"), spill=folder / "spill")
lines, people, goods = (store.read(f"clean/{name}", con) for name in ("order_lines", "customers", "products"))
joined = lines.inner_join(people, "customer_id").inner_join(goods, "product_id")
joined = joined.mutate(month=joined.ordered_on.truncate("M"))
table = joined.group_by("region", "category", "month").agg(
    revenue=joined.amount.sum(), units=joined.quantity.sum(), lines=joined.count(),
    buyers=joined.customer_id.nunique())
result = table.to_pandas()
"""
PANDAS_JOIN = """
import pandas as pd
begin()
columns = ["customer_id", "product_id", "ordered_on", "quantity", "amount"]
lines = pd.read_parquet(folder / "order_lines.parquet", columns=columns)
lines["amount"], lines["quantity"] = lines["amount"].astype(float), lines["quantity"].astype(float)
people = pd.read_parquet(folder / "customers.parquet", columns=["customer_id", "region"])
goods = pd.read_parquet(folder / "products.parquet", columns=["product_id", "category"])
joined = lines.merge(people, on="customer_id").merge(goods, on="product_id")
joined["month"] = pd.to_datetime(joined["ordered_on"]).dt.to_period("M")
result = joined.groupby(["region", "category", "month"], as_index=False).agg(
    revenue=("amount", "sum"), units=("quantity", "sum"), lines=("amount", "size"),
    buyers=("customer_id", "nunique"))
"""
# Two lines of one customer on one day are one purchase, so the lines need not be put together to orders first.
OURS_RFM = """
from datetime import date
from workbook.data.engine import connect, settled
from workbook.data.settings import Engine
from workbook.data.store import Store
from workbook.rfm import scores, table
begin()
store, con = Store(folder / "store"), connect(Engine(memory="400MB"), spill=folder / "spill")
lines = store.read("clean/order_lines", con)
sales = lines.mutate(net_amount=lines.amount, is_return=lines.amount < 0)
customers = table.customer_table(sales, as_of=date(2026, 6, 30), frequency="purchase_days")
customers = settled(customers)
store.write("rfm", scores.score(customers, scores.thresholds(customers)), con=con, made_by="bench")
rfm_table = store.read("rfm", con)
result = rfm_table.agg(lines=rfm_table.count(), revenue=rfm_table.monetary.sum(), units=rfm_table.frequency.sum(),
                       buyers=(rfm_table.r + rfm_table.f + rfm_table.m).sum()).to_pandas()
"""
PANDAS_RFM = """
import pandas as pd
begin()
lines = pd.read_parquet(folder / "order_lines.parquet", columns=["customer_id", "ordered_on", "amount"])
lines["ordered_on"], lines["amount"] = pd.to_datetime(lines["ordered_on"]), lines["amount"].astype(float)
lines["net_amount"], lines["is_return"] = lines["amount"], lines["amount"] < 0
undone = (lines["amount"] > 0) & (lines["net_amount"] <= 0)
lines["bought"] = ~lines["is_return"] & (lines["amount"] >= 0) & ~undone
as_of = pd.Timestamp("2026-06-30")
days = lines.groupby(["customer_id", "ordered_on"], as_index=False).agg(
    net=("net_amount", "sum"), orders=("bought", "sum"))
bought = days[days["orders"] > 0].sort_values(["customer_id", "ordered_on"])
table = bought.groupby("customer_id").agg(
    first_ordered_on=("ordered_on", "min"), last_ordered_on=("ordered_on", "max"),
    frequency=("ordered_on", "size"), orders=("orders", "sum"), first_day_amount=("net", "first"))
table["monetary"] = days.groupby("customer_id")["net"].sum()
recent = days[days["ordered_on"] > as_of - pd.DateOffset(years=1)]
table["spend_12m"] = recent.groupby("customer_id")["net"].sum().reindex(table.index).fillna(0)
table["recency_days"] = (as_of - table["last_ordered_on"]).dt.days
for measure, score in (("recency_days", "r"), ("frequency", "f"), ("monetary", "m")):
    edges = table[measure].quantile([0.2, 0.4, 0.6, 0.8]).to_numpy()
    below = (table[measure].to_numpy()[:, None] > edges).sum(axis=1)
    table[score] = 5 - below if score == "r" else 1 + below
table.reset_index().to_parquet(folder / "pandas_rfm.parquet", compression="zstd")
result = pd.DataFrame({"lines": [len(table)], "revenue": [table["monetary"].sum()], "units": [table["frequency"].sum()],
                       "buyers": [table[["r", "f", "m"]].to_numpy().sum()]})
"""
# What both sides run around their part: the clock, and totals to compare.
FRAME = """
import json, resource, sys, time
from pathlib import Path
folder, started = Path(sys.argv[1]), []
def begin():
    started.extend((time.perf_counter(), time.process_time()))
{part}
seconds, worked = time.perf_counter() - started[0], time.process_time() - started[1]
print(json.dumps({{"seconds": seconds, "worked": worked,
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "rows": len(result), **{{name: float(result[name].sum())
                  for name in ("revenue", "units", "lines", "buyers")}}}}))
"""
COMPARED = ("rows", "revenue", "units", "lines", "buyers")


def write_shop(folder: Path, lines: int) -> None:
    """The tables as Parquet, and the same files as a store of the library."""
    customers = max(lines // 10, 1)
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute(f"""COPY (SELECT 'C' || i AS customer_id, 'region ' || (hash(i) % 31) AS region
            FROM range({customers}) t(i)) TO '{folder}/customers.parquet' (FORMAT parquet, COMPRESSION zstd)""")
        con.execute(f"""COPY (SELECT 'P' || i AS product_id, 'category ' || (i % 40) AS category
            FROM range(2000) t(i)) TO '{folder}/products.parquet' (FORMAT parquet, COMPRESSION zstd)""")
        con.execute(f"""COPY (SELECT
            'O' || (i * 2 // 5) AS order_id, 'C' || (hash(i * 2 // 5) % {customers}) AS customer_id,
            DATE '2024-01-01' + (hash(i * 2 // 5 + 7) % 912)::INT AS ordered_on, 'P' || (hash(i) % 2000) AS product_id,
            (1 + hash(i + 3) % 5)::DECIMAL(18, 4) AS quantity, ((hash(i + 5) % 10000) / 100)::DECIMAL(18, 4) AS amount
            FROM range({lines}) t(i)) TO '{folder}/order_lines.parquet' (FORMAT parquet, COMPRESSION zstd)""")
    _into_store(folder)


def _into_store(folder: Path) -> None:
    from workbook.data.store import Store

    store = Store(folder / "store")
    for name in ("customers", "products", "order_lines"):
        file = store.new_file(f"clean/{name}")
        file.hardlink_to(folder / f"{name}.parquet")
        store.commit(f"clean/{name}", [file], made_by="bench")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    sides: dict[str, list[dict[str, float]]] = {"workbook": [], "pandas": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"Writing {lines:,} order lines …", flush=True)
        write_shop(folder, lines)
        for task, ours, rival in (("join", OURS_JOIN, PANDAS_JOIN), ("rfm", OURS_RFM, PANDAS_RFM)):
            for side, part in (("workbook", ours), ("pandas", rival)):
                result = measure(FRAME.format(part=textwrap.dedent(part)), folder)
                sides[side].append(result)
                print(f"{task:5} {side:9} {result['seconds']:7.2f} s ({result['worked']:.2f} s of work) "
                      f"{result['megabytes']:8,.0f} MB", flush=True)  # fmt: skip
            mine, theirs = sides["workbook"][-1], sides["pandas"][-1]
            for total in COMPARED:
                if abs(mine[total] - theirs[total]) > 1e-6 * abs(theirs[total]):
                    raise SystemExit(f"{task}: {total} is {mine[total]} here and {theirs[total]} in pandas")
            print(f"ratio time_pandas_{task} {mine['seconds'] / theirs['seconds']:.3f}")
            print(f"ratio memory_pandas_{task} {mine['megabytes'] / theirs['megabytes']:.3f}", flush=True)
    time = _of(sum, sides, "seconds")
    memory = _of(max, sides, "megabytes")
    print(f"ratio time_pandas_both {time:.3f}")
    print(f"ratio memory_pandas_both {memory:.3f}")
    met = time <= MOST_TIME and memory <= MOST_MEMORY
    print(f"target of a fifth of the time and a third of the memory: {'met' if met else 'MISSED'}")


def _of(total: Callable[[Iterable[float]], float], sides: dict[str, list[dict[str, float]]], what: str) -> float:
    """Both tasks together: the sum of the times, the larger of the peaks."""
    mine, theirs = (total(result[what] for result in sides[side]) for side in ("workbook", "pandas"))
    return mine / theirs


if __name__ == "__main__":
    main()
