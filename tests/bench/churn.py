"""Churn of a million customers, from the records to a probability each, against plain pandas and scikit-learn.

    python tests/bench/churn.py [customers on record]

Both sides read the same Parquet files (orders, lines, returns, visits, messages, tickets), come to the same 31 features
as of a day and the labels after it, train gradient boosting on a sample of 200,000 customers, judge it on a later
window, compute the features of today and score everybody who is active. Each runs in a process of its own, timed after
its imports, with its peak memory; pandas reads only the columns that it needs and keeps ids as Arrow strings, as
pandas 3 does. Their totals of the features must be equal,
and the AUC on a later window nearly so (the samples differ).
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb
from sides import measure

CUSTOMERS = 1_350_000  # on record; about a million of them are active and are scored
# Both sides: scoring day of the training window, last day of its labels, today; who bought in 180 days is scored.
DAYS = "TRAIN, TEST, TODAY, H = date(2025, 7, 5), date(2026, 1, 1), date(2026, 6, 30), 180"

OURS = """
import numpy as np
from datetime import date
from workbook import churn
from workbook.churn import trees
from workbook.data.engine import connect
from workbook.data.run import _to_pandas
from workbook.data.settings import Engine
begin()
con = connect(Engine(memory="600MB"), spill=folder / "spill")
tables = {name: con.read_parquet(folder / f"{name}.parquet") for name in
          ("orders", "order_lines", "returns", "events", "contacts", "tickets")}
record = churn.Record(**tables)
train = _to_pandas(churn.snapshot(record, churn.Window("train", TRAIN, TEST), active_days=H))
names = tuple(churn.feature_names(record))
model = trees.fit_boosting(train, names, SETTING, 0)
part()
test = _to_pandas(churn.snapshot(record, churn.Window("test", TEST, TODAY), active_days=H, largest=100_000))
told, happened = model.predict(test), test["churned"].to_numpy()
part()
sums = {}
def fetch(part):
    frame = _to_pandas(part)
    for name in names:
        sums[name] = sums.get(name, 0.0) + frame[name].sum()
    return frame
scored = churn.score_in_parts(model, churn.snapshot(record, churn.Window("today", TODAY, TODAY), active_days=H), fetch)
scored.to_parquet(folder / "ours.parquet")
"""
PANDAS = """
import numpy as np
import pandas as pd
from datetime import date
from sklearn.ensemble import HistGradientBoostingClassifier
begin()
def read(name, columns):
    frame = pd.read_parquet(folder / f"{name}.parquet", columns=columns)
    for column in frame:
        if column.endswith(("amount", "discount", "units")):
            frame[column] = frame[column].astype(float)
        if column.endswith("_on"):
            frame[column] = pd.to_datetime(frame[column])
    return frame
orders = read("orders", ["order_id", "customer_id", "ordered_on", "amount", "net_amount", "discount", "units"])
lines = read("order_lines", ["customer_id", "ordered_on", "category", "product_id"])
back = read("returns", ["order_id", "customer_id", "returned_on", "amount"])
seen_pages = read("events", ["customer_id", "occurred_on", "event"])
sent = read("contacts", ["customer_id", "sent_on", "opened_at", "clicked_at", "unsubscribed_at"])
asked = read("tickets", ["customer_id", "opened_on", "opened_at", "first_response_at", "is_complaint"])

def known(day):
    seen = orders[orders["ordered_on"] <= day]
    later = back[back["returned_on"] > day].groupby("order_id")["amount"].sum()
    return seen.assign(net_amount=seen["net_amount"] + seen["order_id"].map(later).fillna(0))

def bought(frame):
    return frame[(frame["amount"] >= 0) & ~((frame["amount"] > 0) & (frame["net_amount"] <= 0))]

def since(day, days):
    return day - pd.Timedelta(days=days)

def features(day):
    seen = known(day)
    days = bought(seen).groupby(["customer_id", "ordered_on"], as_index=False)["net_amount"].sum()
    days = days.sort_values(["customer_id", "ordered_on"])
    days["gap"] = days.groupby("customer_id")["ordered_on"].diff().dt.days
    by = days.groupby("customer_id")
    table = by.agg(first=("ordered_on", "min"), last=("ordered_on", "max"), purchase_days=("ordered_on", "size"),
                   mean_gap_days=("gap", "mean"), deviation=("gap", "std"), mean_value=("net_amount", "mean"),
                   last_value=("net_amount", "last"))
    table = table[table["last"] > since(day, H)]
    table["recency_days"] = (day - table["last"]).dt.days
    table["tenure_days"] = (day - table["first"]).dt.days
    def total(frame, column=None):
        grouped = frame.groupby("customer_id")
        made = grouped.size() if column is None else grouped[column].sum()
        return made.reindex(table.index).fillna(0.0).to_numpy()
    table["purchase_days_90"] = total(days[days["ordered_on"] > since(day, 90)])
    table["purchase_days_365"] = total(days[days["ordered_on"] > since(day, 365)])
    table["gap_spread"] = (table["deviation"] / table["mean_gap_days"]).where(table["purchase_days"] > 2)
    table["recency_over_gap"] = table["recency_days"] / table["mean_gap_days"]
    table["spend_90"] = total(days[days["ordered_on"] > since(day, 90)], "net_amount")
    table["spend_12m"] = total(days[days["ordered_on"] > day - pd.DateOffset(years=1)], "net_amount")
    between = (days["ordered_on"] <= since(day, 90)) & (days["ordered_on"] > since(day, 180))
    table["spend_change"] = table["spend_90"] - total(days[between], "net_amount")
    paid, less = total(seen, "amount"), total(seen, "discount")
    table["discount_share"] = np.where(paid + less > 0, less / (paid + less), np.nan)
    table["mean_units"] = seen.groupby("customer_id")["units"].mean().reindex(table.index)
    sold = lines[lines["ordered_on"] <= day].groupby("customer_id")
    table["categories"] = sold["category"].nunique().reindex(table.index).fillna(0)
    table["products"] = sold["product_id"].nunique().reindex(table.index).fillna(0)
    came = back[back["returned_on"] <= day]
    table["returns_365"] = total(came[came["returned_on"] > since(day, 365)])
    table["returned_share"] = np.where(paid > 0, total(came, "amount") / paid, np.nan)
    came = seen_pages[seen_pages["occurred_on"] <= day]
    late = came[came["occurred_on"] > since(day, 90)]
    days_of = lambda frame: frame.groupby("customer_id")["occurred_on"].nunique().reindex(table.index).fillna(0)
    table["visits_30"] = days_of(came[came["occurred_on"] > since(day, 30)])
    table["visits_90"] = days_of(late)
    table["views_90"] = total(late[late["event"] == "view"])
    table["carts_90"] = total(late[late["event"].isin(["cart", "checkout"])])
    last_visit = came.groupby("customer_id")["occurred_on"].max().reindex(table.index)
    table["days_since_visit"] = (day - last_visit).dt.days
    mail = sent[sent["sent_on"] <= day]
    recent = mail[mail["sent_on"] > since(day, 180)]
    table["contacts_180"] = total(recent)
    opened = total(recent[recent["opened_at"] < day])
    table["opened_share_180"] = opened / table["contacts_180"].where(table["contacts_180"] > 0)
    table["clicks_180"] = total(recent[recent["clicked_at"] < day])
    table["unsubscribed"] = (total(mail[mail["unsubscribed_at"] < day]) > 0).astype(float)
    open_now = asked[(asked["opened_on"] <= day) & (asked["opened_on"] > since(day, 365))]
    table["tickets_365"] = total(open_now)
    table["complaints_365"] = total(open_now[open_now["is_complaint"]])
    answered = open_now[open_now["first_response_at"] < day]
    waited = (answered["first_response_at"] - answered["opened_at"]).dt.total_seconds() / 3600
    table["response_hours"] = waited.groupby(answered["customer_id"]).mean().reindex(table.index)
    return table.drop(columns=["first", "last", "deviation"])

def left(table, day, until):
    seen = bought(known(until))
    return (~table.index.isin(seen.loc[seen["ordered_on"] > day, "customer_id"])).astype(int)

TRAIN, TEST, TODAY = (pd.Timestamp(day) for day in (TRAIN, TEST, TODAY))
table = features(TRAIN)
churned = pd.Series(left(table, TRAIN, TEST), index=table.index)
table = table.sample(min(200_000, len(table)), random_state=0)
names = list(table.columns)
model = HistGradientBoostingClassifier(
    learning_rate=SETTING["rate"], max_iter=SETTING["trees"], max_leaf_nodes=SETTING["leaves"],
    min_samples_leaf=max(20, len(table) // 100), l2_regularization=1.0, early_stopping=False, random_state=0)
model.fit(table.to_numpy(float), churned.loc[table.index])
part()
test = features(TEST)
test["churned"] = left(test, TEST, TODAY)
test = test.sample(min(100_000, len(test)), random_state=0)
told, happened = model.predict_proba(test[names].to_numpy(float))[:, 1], test["churned"].to_numpy()
part()
today = features(TODAY)
sums = {name: float(today[name].sum()) for name in names}
scored = pd.DataFrame({"customer_id": today.index, "probability": model.predict_proba(today.to_numpy(float))[:, 1]})
scored.to_parquet(folder / "pandas.parquet")
"""
FRAME = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
folder, clock, work = Path(sys.argv[1]), [], []
{days}
SETTING = {{"rate": 0.05, "trees": 80, "leaves": 8}}
def begin():
    clock.append(time.perf_counter())
    work.append(time.process_time())
part = begin
{part}
begin()
from sklearn.metrics import roc_auc_score
print(json.dumps({{"steps": [b - a for a, b in zip(clock, clock[1:])], "worked": work[-1] - work[0],
    "rows": len(scored),
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "auc": roc_auc_score(happened, told),
    "mean": float(scored["probability"].mean()), "sums": {{name: float(value) for name, value in sums.items()}}}}))
"""


def write_shop(folder: Path, customers: int) -> None:
    """Customers with their own rhythm and life: some order often, some stop; drawn from hashes, so without a seed."""
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute("SET memory_limit = '2GB'")
        con.execute("CREATE MACRO u(x, salt) AS (hash(x, salt) % 1000003) / 1000003.0")
        con.execute(f"""CREATE TABLE bought AS SELECT c, k, (born + (k + u(c * 64 + k, 3)) * gap)::INT AS d
            FROM (SELECT c, u(c, 1) * 400 AS born, 40 + 110 * u(c, 2) AS gap,
                         3 + (-ln(1 - u(c, 5)) * 60 * u(c, 6))::INT AS life FROM range({customers}) t(c)),
                 range(40) s(k) WHERE k < life AND born + (k + 1) * gap < 911""")
        con.execute(f"""COPY (SELECT 'O' || c || '-' || k AS order_id, 'C' || c AS customer_id,
            DATE '2024-01-01' + d AS ordered_on, FALSE AS is_return, amount::DECIMAL(18, 4) AS amount,
            (amount - CASE WHEN u(c * 64 + k, 8) < 0.05 THEN (amount / 2)::DECIMAL(18, 2) ELSE 0 END)::DECIMAL(18, 4)
                AS net_amount, (amount * u(c * 64 + k, 9) / 3)::DECIMAL(18, 4) AS discount,
            (1 + (4 * u(c * 64 + k, 10))::INT)::DECIMAL(18, 4) AS units
            FROM (SELECT *, (5 + 200 * u(c * 64 + k, 7) * u(c, 7))::DECIMAL(18, 2) AS amount FROM bought))
            TO '{folder}/orders.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT 'O' || c || '-' || k AS order_id, 'C' || c AS customer_id,
            DATE '2024-01-01' + d AS ordered_on, FALSE AS is_return,
            'category ' || (hash(c * 64 + k, n) % 7) AS category,
            'P' || (hash(c * 64 + k, n + 9) % 900) AS product_id FROM bought, range(2) t(n)
            WHERE n = 0 OR u(c * 64 + k, 18) < 0.3)
            TO '{folder}/order_lines.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT order_id, customer_id, ordered_on + 12 AS returned_on,
            (amount - net_amount) AS amount FROM '{folder}/orders.parquet' WHERE amount > net_amount)
            TO '{folder}/returns.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT 'C' || c AS customer_id, DATE '2024-01-01' + (d - n)::INT AS occurred_on,
            ['visit', 'view', 'cart'][1 + n] AS event FROM bought, range(3) t(n) WHERE u(c, 17) < 0.2)
            TO '{folder}/events.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT 'C' || c AS customer_id, d::DATE AS sent_on,
            CASE WHEN u(c * 64 + n, 11) < 0.3 THEN d + INTERVAL 9 HOUR END AS opened_at,
            CASE WHEN u(c * 64 + n, 11) < 0.06 THEN d + INTERVAL 10 HOUR END AS clicked_at,
            CASE WHEN u(c * 64 + n, 12) < 0.006 THEN d + INTERVAL 30 HOUR END AS unsubscribed_at
            FROM (SELECT c, n, TIMESTAMP '2024-02-10' + INTERVAL (n * 60) DAY AS d
                  FROM range({customers}) t(c), range(14) s(n) WHERE u(c, 13) < 0.4))
            TO '{folder}/contacts.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT 'C' || c AS customer_id, DATE '2024-01-01' + d + 3 AS opened_on,
            DATE '2024-01-01' + d + 3 + INTERVAL 7 HOUR AS opened_at, u(c * 64 + k, 15) < 0.6 AS is_complaint,
            DATE '2024-01-01' + d + 3 + INTERVAL 7 HOUR + INTERVAL ((3000 * u(c * 64 + k, 16))::INT) MINUTE
                AS first_response_at FROM bought WHERE u(c * 64 + k, 14) < 0.06)
            TO '{folder}/tickets.parquet' (FORMAT parquet)""")
        counts = {name: con.execute(f"SELECT count(*) FROM '{folder}/{name}.parquet'").fetchone()[0]
                  for name in ("orders", "order_lines", "returns", "events", "contacts", "tickets")}  # fmt: skip
    print(", ".join(f"{rows:,} {name}" for name, rows in counts.items()), flush=True)


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"Writing {customers:,} customers …", flush=True)
        write_shop(folder, customers)
        sides = {}
        for side, part in (("workbook", OURS), ("pandas", PANDAS)):
            sides[side] = found = measure(FRAME.format(part=textwrap.dedent(part), days=DAYS), folder)
            steps = " + ".join(f"{seconds:.1f}" for seconds in found["steps"])
            print(f"{side:9} {sum(found['steps']):6.1f} s (train, test, today: {steps}; work {found['worked']:.1f} s), "
                  f"{found['megabytes']:,.0f} MB; {found['rows']:,} customers scored by {len(found['sums'])} features, "
                  f"AUC {found['auc']:.4f}, mean probability {found['mean']:.4f}", flush=True)  # fmt: skip
    ours, theirs = sides["workbook"], sides["pandas"]
    if ours["rows"] != theirs["rows"] or abs(ours["auc"] - theirs["auc"]) > 0.01:
        raise SystemExit("the two sides do not come to the same result")
    for feature, total in theirs["sums"].items():
        if abs(ours["sums"][feature] - total) > 1e-6 * max(abs(total), 1):
            raise SystemExit(f"{feature} sums to {ours['sums'][feature]} here and to {total} in pandas")
    print(f"ratio time_pandas_churn {sum(ours['steps']) / sum(theirs['steps']):.3f}")
    print(f"ratio memory_pandas_churn {ours['megabytes'] / theirs['megabytes']:.3f}")


if __name__ == "__main__":
    main()
