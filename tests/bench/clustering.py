"""Clustering a million customers: fitted on a stated sample and placed in the engine, against pandas + scikit-learn.

    python tests/bench/clustering.py [customers]

By default 1 million customers with 5 million orders. Both sides read the same Parquet file, compute the same measures,
bring them to the same scale, find five groups and write every customer's group to Parquet; each runs in a process of
its own, timed after its imports, with its peak memory. The rival does what a script usually does: all in memory,
`KMeans(5, n_init=10)` on everybody. The workbook judges how far the measures are habits, examines two to eight groups
by silhouette, gap and stability on 3,000 customers, and places everybody by the nearest centre; its engine is bounded
to 400 MB (`engine.memory`), beside what Python and its libraries take, and may spill to disk. Both sides must agree on
the customers and their measures; how far the groups agree is printed (adjusted Rand index).
Target: at most half of the rival's memory in no more time.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb
from sides import measure
from sklearn.metrics import adjusted_rand_score

CUSTOMERS, MOST_TIME, MOST_MEMORY = 1_000_000, 1.0, 0.5

OURS = """
from datetime import date
import pandas as pd
from workbook import clustering
from workbook.data.engine import connect
from workbook.data.settings import Engine
class Memory:
    def frame(self, table):
        return table.to_pandas()
begin()
con = connect(Engine(memory="400MB"), spill=folder / "spill")
orders, day = con.read_parquet(folder / "orders.parquet"), date(2026, 6, 30)
options = clustering.Options(k=5, measures=("gap_days", "order_value", "units_per_order", "discount_share"))
today = clustering.fitted_on(Memory(), orders, day=day, options=options)
placed = clustering.placed(orders, day=day, rule=today.rule)
placed = placed.select("customer_id", "purchase_days", "order_value", "cluster").order_by("customer_id")
placed.to_parquet(folder / "ours.parquet")
"""
PANDAS = """
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
begin()
orders = pd.read_parquet(folder / "orders.parquet")
for name in ("amount", "net_amount", "units", "discount"):
    orders[name] = orders[name].astype(float)
orders["ordered_on"] = pd.to_datetime(orders["ordered_on"])
orders = orders[orders["customer_id"].notna() & (orders["net_amount"] > 0)]
days = orders.groupby(["customer_id", "ordered_on"], as_index=False)[
    ["amount", "net_amount", "units", "discount"]].sum()
days["gap"] = days.groupby("customer_id")["ordered_on"].diff().dt.days
found = days.groupby("customer_id").agg(
    purchase_days=("ordered_on", "size"), gap_days=("gap", "mean"), amount=("amount", "sum"),
    net_amount=("net_amount", "sum"), units=("units", "sum"), discount=("discount", "sum"))
n = found["purchase_days"]
found["order_value"], found["units_per_order"] = found["net_amount"] / n, found["units"] / n
found["discount_share"] = found["discount"] / (found["amount"] + found["discount"])
share = found["discount_share"]
points = np.column_stack([
    np.log1p(found["gap_days"].fillna(found["gap_days"].median())), np.log1p(found["order_value"]),
    np.log1p(found["units_per_order"]), np.sqrt((n * share + share.mean()) / (n + 1))])
points = np.clip((points - points.mean(axis=0)) / points.std(axis=0), -3, 3)
found["cluster"] = KMeans(5, n_init=10, random_state=0).fit_predict(points)
found.reset_index()[["customer_id", "purchase_days", "order_value", "cluster"]].to_parquet(folder / "pandas.parquet")
"""
FRAME = """
import json, resource, sys, time
from pathlib import Path
folder, started = Path(sys.argv[1]), []
def begin():
    started.append(time.perf_counter())
{part}
print(json.dumps({{"seconds": time.perf_counter() - started[0],
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""


def write_orders(folder: Path, customers: int) -> None:
    """Orders of five kinds of customers: their values, units, discounts and pauses lie apart, and overlap."""
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute("SELECT setseed(0.5)")
        con.execute(f"""COPY (
            WITH made AS (SELECT i, hash(i) % {customers} AS c FROM range({5 * customers}) t(i))
            SELECT 'O' || i AS order_id, 'C' || lpad(c::VARCHAR, 8, '0') AS customer_id,
                DATE '2026-06-30' - ((hash(i + 1) % (60 + 160 * (c % 5)))::INT) AS ordered_on,
                (5 + (hash(i + 2) % 4000) / 100 * (1 + c % 3) * 2)::DECIMAL(18, 4) AS amount,
                (5 + (hash(i + 2) % 4000) / 100 * (1 + c % 3) * 2)::DECIMAL(18, 4) AS net_amount,
                (1 + hash(i + 3) % (2 + 4 * (c % 2)))::DECIMAL(18, 4) AS units,
                ((hash(i + 4) % 500) / 100 * (1 + c % 5))::DECIMAL(18, 4) AS discount, false AS is_return
            FROM made) TO '{folder}/orders.parquet' (FORMAT parquet, COMPRESSION zstd)""")


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"Writing {5 * customers:,} orders of {customers:,} customers …", flush=True)
        write_orders(folder, customers)
        sides = {}
        for side, part in (("workbook", OURS), ("pandas", PANDAS)):
            sides[side] = measure(FRAME.format(part=textwrap.dedent(part)), folder)
            print(f"{side:9} {sides[side]['seconds']:7.1f} s {sides[side]['megabytes']:8,.0f} MB", flush=True)
        with duckdb.connect() as con:
            both = con.execute(f"""SELECT o.cluster, p.cluster, o.purchase_days = p.purchase_days
                AND abs(o.order_value - p.order_value) < 1e-6 FROM '{folder}/ours.parquet' o
                FULL JOIN '{folder}/pandas.parquet' p USING (customer_id) ORDER BY customer_id""").fetchnumpy()
        ours, theirs, same = both.values()
        if not same.all() or getattr(same, "mask", same * 0).any():
            raise SystemExit("The two sides do not agree on customers and their measures.")
        print(f"customers {len(ours):,}; agreement of the groups (adjusted Rand) "
              f"{adjusted_rand_score(ours.astype(str), theirs):.3f}")  # fmt: skip
    time, memory = (sides["workbook"][what] / sides["pandas"][what] for what in ("seconds", "megabytes"))
    print(f"ratio time_pandas_clustering {time:.3f}")
    print(f"ratio memory_pandas_clustering {memory:.3f}")
    met = time <= MOST_TIME and memory <= MOST_MEMORY
    print(f"target of half the memory in no more time: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
