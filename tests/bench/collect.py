"""How long a CSV of 10 million rows takes to become a raw table, and how much memory.

    python tests/bench/collect.py [rows]

Ours is the whole collection: encoding and layout found, every value checked, personal columns looked for, lines
counted, the part written, hashed and committed. The rival does the plain part of it with pandas: `read_csv` with ids as
text and dates parsed, shop time to UTC, local date, amount, lineage, `to_parquet`; once on the whole file and once in
chunks. Each runs in a process of its own. Target: under 1 GB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb

TARGET_MEGABYTES = 1000

OURS = """
from workbook.collection import collect
from workbook.data.settings import load_settings
from workbook.data.store import Store
settings = load_settings(folder / "workbook.yaml")
collected = collect(settings, Store(settings.store_folder))
assert collected.rows_read == rows, collected.rows_read
"""

PANDAS = """
import pandas as pd
IDS = {"InvoiceNo": "str", "StockCode": "str", "CustomerID": "str"}
def finished(frame, first):
    frame["ordered_on"] = frame["InvoiceDate"].dt.date
    local = frame["InvoiceDate"].dt.tz_localize("Europe/London", ambiguous=True, nonexistent="shift_forward")
    frame["InvoiceDate"] = local.dt.tz_convert("UTC").dt.tz_localize(None)
    frame["amount"] = (frame["Quantity"] * frame["UnitPrice"]).round(4)
    frame["source_name"], frame["source_file"] = "order_lines", "lines.csv"
    frame["source_row"] = range(first, first + len(frame))
    frame["arrived_at"] = pd.Timestamp.now()
    return frame
"""
WHOLE = PANDAS + """
frame = pd.read_csv(folder / "lines.csv", dtype=IDS, parse_dates=["InvoiceDate"])
finished(frame, 2).to_parquet(folder / "whole.parquet", compression="zstd")
assert len(frame) == rows
"""
CHUNKS = PANDAS + """
import pyarrow as pa, pyarrow.parquet as pq
done, writer = 0, None
for chunk in pd.read_csv(folder / "lines.csv", dtype=IDS, parse_dates=["InvoiceDate"], chunksize=500_000):
    table = pa.Table.from_pandas(finished(chunk, done + 2), preserve_index=False)
    writer = writer or pq.ParquetWriter(folder / "chunks.parquet", table.schema, compression="zstd")
    writer.write_table(table)
    done += len(chunk)
writer.close()
assert done == rows
"""

SETTINGS = """
name: Bench
currency: GBP
time_zone: Europe/London
sources:
  - table: order_lines
    path: lines.csv
    columns: {InvoiceNo: order_id, StockCode: product_id, Description: product_name, Quantity: quantity,
              InvoiceDate: ordered_at, UnitPrice: unit_price, CustomerID: customer_id, Country: country}
"""


def write_csv(path: Path, rows: int) -> None:
    """Lines like those of Online Retail: 22 to an order, every fifth without a customer, customers as 17850.0."""
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT
            536365 + i // 22 AS "InvoiceNo", (10000 + hash(i) % 4000)::INT || 'A' AS "StockCode",
            'GOODS NUMBER ' || (hash(i) % 4000) AS "Description", 1 + hash(i + 1) % 12 AS "Quantity",
            strftime(TIMESTAMP '2010-12-01 08:00' + INTERVAL 1 MINUTE * (i // 22), '%Y-%m-%d %H:%M:%S')
                AS "InvoiceDate",
            (100 + hash(i + 2) % 900) / 100 AS "UnitPrice",
            CASE WHEN (i // 22) % 5 > 0 THEN (12346 + hash(i // 22) % 100000)::VARCHAR || '.0' END AS "CustomerID",
            'United Kingdom' AS "Country" FROM range({rows}) t(i)) TO '{path}' (HEADER)""")


def measured(script: str, folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and megabytes (peak) of a script in a process of its own, imports apart from the time."""
    imports = "\n".join(line for line in script.splitlines() if line.startswith(("import ", "from ")))
    body = "\n".join(line for line in script.splitlines() if not line.startswith(("import ", "from ")))
    program = textwrap.dedent(
        f"""
        import resource, sys, time
        from pathlib import Path
        folder, rows = Path({str(folder)!r}), {rows}
        """
    ) + f"{imports}\nbegun = time.perf_counter()\n{body}\n" + textwrap.dedent(
        """
        seconds = time.perf_counter() - begun
        print("measured", seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        """
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    _word, seconds, megabytes = run.stdout.splitlines()[-1].split()
    return float(seconds), float(megabytes)


def main(rows: int = 10_000_000) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder / "lines.csv", rows)
        (folder / "workbook.yaml").write_text(SETTINGS, encoding="utf-8")
        size = (folder / "lines.csv").stat().st_size / 1e6
        print(f"{rows:,} rows, {size:,.0f} MB of CSV")
        results = {}
        for what, script in (("collect", OURS), ("pandas", WHOLE), ("pandas_chunks", CHUNKS)):
            results[what] = measured(script, folder, rows)
            print(f"{what}: {results[what][0]:.1f} s, {results[what][1]:,.0f} MB at its peak")
    seconds, megabytes = results["collect"]
    met = "met" if megabytes < TARGET_MEGABYTES else "MISSED"
    print(f"target under {TARGET_MEGABYTES} MB: {met}")
    for rival in ("pandas", "pandas_chunks"):
        print(f"ratio time_{rival} {seconds / results[rival][0]:.3f}")
        print(f"ratio memory_{rival} {megabytes / results[rival][1]:.3f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
