"""How long the simulator takes for a large shop, and how much memory: straight to Parquet, on the command's own road.

    python tests/bench/simulate.py [customers] [months]

1 million customers over 75 months are 10 million order lines, with everything else that the shop records. The rival
is a plain script: the same purchase process customer by customer and line by line, pandas, Parquet. It makes order
lines only, on a small shop; times are compared per order line, though ours pay for eighteen other tables too.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from workbook.data.simulate import Parameters, write
from workbook.data.simulation.catalog import goods

TARGET_SECONDS, TARGET_LINES = 120.0, 10_000_000
RIVAL_CUSTOMERS = 20_000  # the rival's time grows in proportion


def line_by_line(customers: int, days: int, parameters: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Order lines of the plain process, as a script would draw them."""
    shelf, rows, start = goods(), [], pd.Timestamp(parameters.start)
    for customer in range(customers):
        rate = rng.gamma(parameters.rate_r, 1.0 / parameters.rate_alpha) / 7.0
        leave = rng.beta(parameters.dropout_a, parameters.dropout_b)
        mean = 1.0 / rng.gamma(parameters.spend_q, 1.0 / parameters.spend_gamma)
        at, order = rng.uniform(0.0, days), 0
        while at < days:
            value, lines = rng.gamma(parameters.spend_p, mean), 1 + rng.poisson(0.85)
            for line in range(1, lines + 1):
                product = rng.integers(len(shelf.ids))
                rows.append({
                    "order_id": f"{customer:08d}{order:03d}", "line_no": line, "customer_id": f"{customer:08d}",
                    "ordered_at": start + timedelta(days=at), "product_id": shelf.ids[product],
                    "product_name": shelf.names[product], "quantity": 1, "amount": round(value / lines, 2)})
            if rng.random() < leave:
                break
            at, order = at + rng.exponential(1.0 / rate), order + 1
    return pd.DataFrame(rows)


def main(customers: int = 1_000_000, months: int = 75) -> None:
    parameters = Parameters()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        rival = line_by_line(RIVAL_CUSTOMERS, months * 30, parameters, np.random.default_rng(1))
        rival.to_parquet(Path(folder) / "rival.parquet")
        a_rival_line = (time.perf_counter() - began) / len(rival)
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
    print(f"ratio time_a_line_against_plain_script {a_line / a_rival_line:.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
