"""Ten million assignments judged without leaving the engine, against the same in plain pandas.

    python tests/bench/ab_testing.py [customers]

Both read the same two Parquet files (assignments, outcomes of one metric) and come to the same numbers: the sample
ratio, faults of assignment, the difference of means, the ratio, CUPED and the capped mean. Each runs in a process of
its own, timed after its imports, with its peak memory. The engine is bounded to 1 GB (`engine.memory`) beside what
Python and its libraries take, and may spill to disk. Target: at most half of the time and a third of the memory.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb
from sides import measure

MOST_TIME, MOST_MEMORY = 1 / 2, 1 / 3
CUSTOMERS = 10_000_000

OURS = """
from datetime import date
from workbook import ab_testing as ab
from workbook.data.engine import connect
from workbook.data.settings import Engine
begin()
con = connect(Engine(memory="1GB"), spill=folder / "spill")
assignments, outcomes = (con.read_parquet(str(folder / f"{name}.parquet")) for name in ("assignments", "outcomes"))
as_of = date(2026, 6, 30)
people = con.create_table("people", ab.subjects(assignments, "x", as_of=as_of))
ratio = ab.sample_ratio(people)
faults = ab.faults(people, outcomes, "x", as_of=as_of).set_index("code")["customers"]
table = con.create_table("measured", ab.measured(people, outcomes, "x", "revenue", as_of=as_of))
(mean,), (rate,), (cuped,) = (method(table, metric="revenue", control="control")
                              for method in (ab.mean_effects, ab.ratio_effects, ab.cuped_effects))
capped = ab.winsorised_effects(table, metric="revenue", control="control")
result = [ratio.chi2, int(faults["two_arms"]), mean.difference, mean.p_value, rate.difference, cuped.difference,
          cuped.std_error, capped.effects[0].difference]
"""
PANDAS = """
import numpy as np
import pandas as pd
import scipy.stats
begin()
assignments = pd.read_parquet(folder / "assignments.parquet", columns=["customer_id", "arm", "assigned_at"])
arms = assignments.groupby("customer_id")["arm"].nunique()
first = assignments.sort_values("assigned_at").drop_duplicates("customer_id")
counts = first["arm"].value_counts()
chi2 = scipy.stats.chisquare(counts).statistic
outcomes = pd.read_parquet(folder / "outcomes.parquet", columns=["customer_id", "value", "denominator", "before"])
table = first[first["customer_id"].map(arms) == 1].merge(outcomes, on="customer_id")

def compare(values):
    control, treatment = (values[table["arm"] == arm] for arm in ("control", "treatment"))
    error = np.sqrt(control.var() / len(control) + treatment.var() / len(treatment))
    return treatment.mean() - control.mean(), error, scipy.stats.ttest_ind(treatment, control, equal_var=False).pvalue

mean, _, p_value = compare(table["value"])
sides = {arm: rows for arm, rows in table.groupby("arm")}
rate = np.diff([sides[arm]["value"].sum() / sides[arm]["denominator"].sum() for arm in ("control", "treatment")])[0]
theta = table["value"].cov(table["before"]) / table["before"].var()
cuped, error, _ = compare(table["value"] - theta * (table["before"] - table["before"].mean()))
cap = table.loc[table["value"] > 0, "value"].quantile(0.99)
result = [chi2, int((arms > 1).sum()), mean, p_value, rate, cuped, error, compare(table["value"].clip(upper=cap))[0]]
"""
FRAME = """
import json, resource, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def begin():
    global began
    began = time.perf_counter()
{body}
print(json.dumps({{"seconds": time.perf_counter() - began, "result": [float(x) for x in result],
                   "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""


def main(customers: int = CUSTOMERS) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, customers)
        ours, rival = (measure(FRAME.format(body=textwrap.dedent(body)), folder) for body in (OURS, PANDAS))
    for one, other in zip(ours["result"], rival["result"], strict=True):
        if abs(one - other) > 1e-6 * max(abs(one), 1e-9):
            raise SystemExit(f"The two do not come to the same: {ours['result']} and {rival['result']}")
    print(f"{customers:,} assignments, the same eight results")
    for label, found in (("workbook", ours), ("pandas", rival)):
        print(f"  {label:<9} {found['seconds']:6.1f} s {found['megabytes']:8,.0f} MB")
    for label, key, most in (("time", "seconds", MOST_TIME), ("memory", "megabytes", MOST_MEMORY)):
        print(f"ratio {label} {ours[key] / rival[key]:.2f} (target {most:.2f})")


def make(folder: Path, customers: int) -> None:
    """Assignments, one in 10,000 in both arms, and one outcome a customer."""
    with duckdb.connect() as con:
        con.execute("SET memory_limit = '1GB'; SET preserve_insertion_order = false")
        con.execute(f"""
            COPY (SELECT 'x' AS experiment_id, printf('%08d', n) AS customer_id,
                         CASE WHEN (hash(n) + again) % 2 = 0 THEN 'control' ELSE 'treatment' END AS arm,
                         TIMESTAMP '2026-01-01' + INTERVAL (n % 86400 + 100000 * again) SECOND AS assigned_at,
                         DATE '2026-01-01' + CAST(again AS INTEGER) AS assigned_on,
                         NULL::TIMESTAMP AS exposed_at, 5e-1 AS planned_share, NULL::VARCHAR AS cluster_id
                  FROM (SELECT n, 0 AS again FROM range({customers}) t(n)
                        UNION ALL SELECT n, 1 FROM range(0, {customers}, 10000) t(n)))
            TO '{folder}/assignments.parquet'""")
        con.execute(f"""
            COPY (SELECT 'x' AS experiment_id, printf('%08d', n) AS customer_id, 'revenue' AS metric,
                         CASE WHEN hash(n, 1) % 5 = 0 THEN (hash(n, 2) % 20000) / 100e0 ELSE 0e0 END AS value,
                         CASE WHEN hash(n, 1) % 5 = 0 THEN 1e0 + hash(n, 3) % 3 ELSE 0e0 END AS denominator,
                         CASE WHEN hash(n, 1) % 5 = 0 THEN (hash(n, 4) % 10000) / 100e0 ELSE 1e0 END AS before,
                         TIMESTAMP '2026-03-01' AS measured_at, DATE '2026-03-01' AS measured_on
                  FROM range({customers}) t(n)) TO '{folder}/outcomes.parquet'""")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
