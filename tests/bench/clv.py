"""Lifetime models against `lifetimes` and pymc-marketing, and a million customers scored.

    python tests/bench/clv.py [customers …]

BG/NBD is fitted on CDNOW, on 200,000 and on 1 million simulated customers (or on as many as are named): by this
library, with standard errors, and by `lifetimes` 0.11.3 in an environment of its own with the libraries of its time;
both get one row a customer and must come to the same optimum. `lifetimes` is also given the merged and weighted
customers that the library makes for itself. Then pymc-marketing's MAP on CDNOW, the second of two fits in one process
(the first compiles), where it can be installed. Last, 1 million customers get expectations, CLV and both intervals,
with the peak memory of the process. Each side runs in a process of its own on one thread, timed after its imports.
WORKBOOK_BENCH names a folder in which the environments are kept.

Targets: the same optimum in less time than `lifetimes`; at most a twentieth of pymc-marketing's warm time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

SIZES = (200_000, 1_000_000)
SCORED = 1_000_000
MOST_PYMC = 1 / 20
LIFETIMES = (
    "lifetimes==0.11.3", "pandas==1.5.3", "numpy==1.24.4", "scipy==1.10.1", "autograd==1.6.2", "pyarrow==14.0.2"
)  # fmt: skip
PYMC = ("pymc-marketing==0.19.2", "pyarrow")
SAME = 1e-3  # relative, of each parameter

OURS = """
import pandas as pd
from workbook import clv
table = pd.read_parquet(path)
begin()
fit = clv.fit_purchases(table, "bg_nbd", largest=10**9)
end(fit.values, fit.log_likelihood)
"""
THEIRS = """
import pandas as pd
from lifetimes import BetaGeoFitter
table = pd.read_parquet(path)
begin()
weights = table["customers"] if "customers" in table else None
fit = BetaGeoFitter().fit(table["x"], table["t_x"], table["T"], weights=weights)
passed = elapsed()
values = [fit.params_[name] for name in ("r", "alpha", "a", "b")]
weights = 1 if weights is None else weights
people, bought = (weights * (table["T"] >= 0)).sum(), (weights * table["x"]).sum()
height = bought * math.log(fit._scale) - fit._negative_log_likelihood_ * people  # it scales time, and takes the mean
end(values, height, passed)
"""
MAP = """
import warnings
import pandas as pd
from pymc_marketing.clv import BetaGeoModel
from pymc_extras.prior import Prior
table = pd.read_parquet(path)
data = table.rename(columns={"x": "frequency", "t_x": "recency"})[["frequency", "recency", "T"]]
data.insert(0, "customer_id", range(len(data)))
flat = {name: Prior("HalfFlat") for name in ("r", "alpha", "a", "b")}
for fit in range(2):
    model = BetaGeoModel(data=data, model_config=flat)
    begin()
    model.fit(method="map", progressbar=False)
    found = [float(model.fit_result[name].mean()) for name in ("r", "alpha", "a", "b")]
    end(found, None)
"""
SCORE = """
import numpy as np, pandas as pd
from workbook import clv
table = pd.read_parquet(path)
table["customer_id"] = np.arange(len(table)).astype(str)
fit = clv.fit_purchases(table)
value_fit = clv.fit_value(table)
before = peak()
begin()
found = clv.forecast(fit, value_fit, table, horizon_weeks=52, rng=np.random.default_rng(1), draws=draws)
end(found.totals.iloc[0][["expected_purchases", "expected_purchases_low", "purchases_low", "clv"]], before)
"""
FRAME = """
import json, math, sys, time
path, draws, started = sys.argv[1], int(sys.argv[2]), []
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
def begin():
    started.append((time.perf_counter(), time.process_time()))
def elapsed():
    return time.perf_counter() - started[-1][0], time.process_time() - started[-1][1]
def end(values, other, passed=None):
    seconds, worked = passed or elapsed()
    print(json.dumps({{"seconds": seconds, "worked": worked, "megabytes": peak(),
                      "values": [float(value) for value in values], "other": None if other is None else float(other)}}))
{part}
"""


def measure(python: Path | str, part: str, table: Path, draws: int = 0) -> dict:
    """Run one side in a process of its own; what it printed last."""
    script = FRAME.format(part=textwrap.dedent(part))
    one = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    command = [str(python), "-c", script, str(table), str(draws)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=one)
    if run.returncode:
        raise RuntimeError(run.stderr[-2000:])
    return json.loads(run.stdout.splitlines()[-1])


def environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """A Python of its own with these packages; made once a folder."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(python), *packages]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode:
            shutil.rmtree(folder)
            raise RuntimeError(found.stderr.strip().splitlines()[-1])
    return python


def write_tables(folder: Path, sizes: tuple[int, ...]) -> dict[str, Path]:
    """CDNOW and simulated customers: x, t_x, T, mean_repeat_value; and the same merged."""
    import numpy as np

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from evidence import clv as evidence
    from workbook import clv

    tables = {
        "CDNOW": clv.customer_table(evidence.cdnow_orders(evidence.engine()), as_of=evidence.CDNOW_AS_OF).to_pandas()
    }
    for size in sorted({*sizes, SCORED}):
        rng = np.random.default_rng(size)
        made = evidence.make_shop(rng, "bg_nbd", customers=size, acquired_weeks=104, weeks=130)
        counts = evidence.counts_of(made, 130)
        counts["mean_repeat_value"] = np.where(counts["x"] > 0, 30 * rng.gamma(6, 1 / 6, len(counts)), np.nan)
        tables[f"{size:,}"] = counts
    files = {}
    for name, table in tables.items():
        files[name] = folder / f"{name}.parquet"
        table[["x", "t_x", "T", "mean_repeat_value"]].to_parquet(files[name])
        clv.merge(table).to_parquet(folder / f"{name} merged.parquet")
    return files


def against_lifetimes(name: str, table: Path, python: Path) -> bool:
    """Print both times and their ratio; whether ours is less at the same optimum."""
    ours, theirs = measure(sys.executable, OURS, table), measure(python, THEIRS, table)
    merged = measure(python, THEIRS, table.with_name(f"{table.stem} merged.parquet"))
    for side, result in (("workbook", ours), ("lifetimes", theirs), ("lifetimes, merged for it", merged)):
        values = " ".join(f"{value:.5f}" for value in result["values"])
        print(f"{name:>9} {side:25} {_took(result)}  {values}  log-likelihood {result['other']:,.3f}", flush=True)
    apart = max(abs(a / b - 1) for a, b in zip(ours["values"], theirs["values"], strict=True))
    higher = ours["other"] - theirs["other"]
    print(f"{name:>9} parameters at most {apart:.1e} apart, our log-likelihood {higher:+.4f} higher")
    label = name.replace(",", "").lower()
    print(f"ratio time_lifetimes_{label} {ours['seconds'] / theirs['seconds']:.4f}")
    print(f"ratio time_lifetimes_merged_{label} {ours['seconds'] / merged['seconds']:.4f}")
    print(f"ratio work_lifetimes_{label} {ours['worked'] / theirs['worked']:.4f}")
    return (apart < SAME or higher > 0) and ours["seconds"] < theirs["seconds"]


def against_pymc(table: Path, folder: Path) -> bool | None:
    """Print both times and their ratio; None where it cannot be installed or run."""
    try:
        theirs = measure(environment(folder, PYMC), MAP, table)
    except RuntimeError as error:
        print(f"pymc-marketing could not be compared: {str(error).splitlines()[-1]}")
        return None
    ours = min((measure(sys.executable, OURS, table) for _ in range(3)), key=lambda result: result["seconds"])
    values = " ".join(f"{value:.5f}" for value in theirs["values"])
    print(f"    CDNOW {'pymc-marketing MAP, warm':25} {_took(theirs)}  {values}")
    print(f"ratio time_pymc_cdnow {ours['seconds'] / theirs['seconds']:.4f}")
    print(f"ratio work_pymc_cdnow {ours['worked'] / theirs['worked']:.4f}")
    return ours["seconds"] <= MOST_PYMC * theirs["seconds"]


def scoring(table: Path) -> None:
    """One million customers: expectations, CLV and both intervals of each, in batches."""
    for draws in (50, 200):
        found = measure(sys.executable, SCORE, table, draws)
        print(f"{SCORED:,} customers scored with {draws} draws: {_took(found)} at the peak, "
              f"{found['other']:,.0f} MB before it", flush=True)  # fmt: skip


def _took(result: dict) -> str:
    """Time, work (of the processor; on a busy machine the fairer figure) and peak memory."""
    return f"{result['seconds']:8.3f} s ({result['worked']:.3f} s of work) {result['megabytes']:7,.0f} MB"


def main() -> None:
    sizes = tuple(int(size) for size in sys.argv[1:]) or SIZES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.environ.get("WORKBOOK_BENCH", name))  # a folder that keeps the environments
        files = write_tables(Path(name), sizes)
        python = environment(folder / "lifetimes", LIFETIMES)
        met = [against_lifetimes(size, files[size], python) for size in ("CDNOW", *(f"{n:,}" for n in sizes))]
        print(f"target of the same optimum in less time than lifetimes: {'met' if all(met) else 'MISSED'}", flush=True)
        warm = against_pymc(files["CDNOW"], folder / "pymc")
        if warm is not None:
            print(f"target of a twentieth of pymc-marketing's warm time: {'met' if warm else 'MISSED'}", flush=True)
        scoring(files[f"{SCORED:,}"])


if __name__ == "__main__":
    main()
