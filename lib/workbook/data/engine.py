"""The Ibis connection on which the tables are worked: DuckDB on this machine, or Spark by URL."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from workbook.data.errors import WorkbookError
from workbook.data.settings import Engine

SIDE_BY_SIDE = "WORKBOOK_SIDE_BY_SIDE"  # how many notebooks run at the same time, and share the cores


def connect(engine: Engine, *, spill: Path | None = None) -> BaseBackend:
    """A connection of its own; `spill` is where DuckDB may put what does not fit into memory."""
    if engine.url == "duckdb":
        return _duckdb(engine, spill)
    if engine.url.startswith("spark"):
        return _spark(engine)
    raise WorkbookError(
        f"engine.url {engine.url!r} is not known.", way_out="Write duckdb, spark, or spark://host:port."
    )


def cores() -> int:
    """Cores that this process may use: all, or its share while several notebooks run side by side."""
    return max(1, (os.cpu_count() or 1) // _side_by_side())


def share_of(memory: str) -> str:
    """What this process may use of the declared memory, such as "4GB", while several run side by side."""
    amount, unit = re.fullmatch(r"([\d.]+)\s*(.*)", memory).groups()
    return f"{float(amount) / _side_by_side():g}{unit}"


def _side_by_side() -> int:
    return int(os.environ.get(SIDE_BY_SIDE, "1"))


def _duckdb(engine: Engine, spill: Path | None) -> BaseBackend:
    con = ibis.duckdb.connect(threads=engine.threads or cores(), memory_limit=share_of(engine.memory))
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("SET preserve_insertion_order = false")
    con.raw_sql("SET enable_progress_bar = false")  # it would leave widgets in every report
    if spill is not None:
        con.raw_sql(f"SET temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'")
    return con


def _spark(engine: Engine) -> BaseBackend:
    try:
        from pyspark.sql import SparkSession  # an extra: absent from a plain install
    except ImportError as error:
        raise WorkbookError(
            "The engine is Spark, but pyspark is not installed.", way_out="pip install 'customer-workbook[spark]'"
        ) from error
    master = engine.url if engine.url.startswith("spark://") else f"local[{engine.threads or '*'}]"
    session = (
        SparkSession.builder.master(master)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", engine.memory.lower().removesuffix("b"))
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)


def few_rows(table: ir.Table, *, limit: int = 10_000) -> list[dict[str, Any]]:
    """The rows of a small table, such as totals: exact values (decimals stay decimals), never rows of events.

    Raises:
        WorkbookError: past `limit` rows.
    """
    rows = table.limit(limit + 1).to_pyarrow().to_pylist()
    if len(rows) > limit:
        raise WorkbookError(f"More than {limit:,} rows were asked for.", way_out="Aggregate in the engine first.")
    return rows


def settled(table: ir.Table) -> ir.Table:
    """The table computed once and held by the engine, so that what follows does not compute it again.

    On Spark the plan is cut as well: a cached table keeps its plan, and plans upon plans take minutes to analyse.
    """
    con = ibis.get_backend(table)
    if con.name != "pyspark":
        return table.cache()
    con._run_pre_execute_hooks(table)
    name = ibis.util.gen_name("settled")
    spark = con._session
    held = spark.sql(con.compile(table)).cache()._jdf
    # By way of its rows: `localCheckpoint` keeps constraints of the old plan, on which joins of it fail (Spark 4.0).
    spark._jsparkSession.createDataFrame(held.toJavaRDD(), held.schema()).createOrReplaceTempView(name)
    return con.table(name)
