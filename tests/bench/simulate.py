"""How long the simulator takes for a large shop, and how much memory: straight to Parquet, on the command's own road.

    python tests/bench/simulate.py [customers] [months]

1 million customers over 48 months are about 10 million order lines, with everything else that the shop records. The
rival draws the same purchase process one customer and one order at a time, in plain Python with pandas, without
lines, visits or anything else; its time is measured on a small shop and scaled to the same number of orders.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from workbook.data.simulate import Parameters, write

TARGET_SECONDS, TARGET_LINES = 120.0, 10_000_000
RIVAL_CUSTOMERS = 20_000


def one_by_one(customers: int, days: int, parameters: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Orders of the plain process, as a script would draw them."""
    rows = []
    for customer in range(customers):
        rate = rng.gamma(parameters.rate_r, 1.0 / parameters.rate_alpha) / 7.0
        leave = rng.beta(parameters.dropout_a, parameters.dropout_b)
        mean = 1.0 / rng.gamma(parameters.spend_q, 1.0 / parameters.spend_gamma)
        at = rng.uniform(0.0, days)
        while at < days:
            rows.append({"customer_id": customer, "at": at, "amount": rng.gamma(parameters.spend_p, mean)})
            if rng.random() < leave:
                break
            at += rng.exponential(1.0 / rate)
    return pd.DataFrame(rows)


def main(customers: int = 1_000_000, months: int = 48) -> None:
    parameters = Parameters()
    began = time.perf_counter()
    rival = len(one_by_one(RIVAL_CUSTOMERS, months * 30, parameters, np.random.default_rng(1)))
    a_rival_order = (time.perf_counter() - began) / rival
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        write(folder, customers, months, seed=1, form="parquet")
        seconds = time.perf_counter() - began
        rows = {path.stem: pq.ParquetFile(path).metadata.num_rows for path in sorted(Path(folder).glob("*.parquet"))}
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    own, workers = (resource.getrusage(who).ru_maxrss / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    for name, count in rows.items():
        print(f"{name:20} {count:>12,} rows")
    print(f"{seconds:.1f} s, {size / 1e6:,.0f} MB of Parquet, at most {own:.2f} GB here and {workers:.2f} GB a worker")
    a_line = seconds / rows["order_lines"]
    print(f"ratio time_of_10_million_lines_against_two_minutes {a_line * TARGET_LINES / TARGET_SECONDS:.3f}")
    print(f"ratio time_an_order_against_one_by_one_without_lines {seconds / rows['orders'] / a_rival_order:.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
