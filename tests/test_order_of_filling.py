"""Periods filled forwards and backwards, all chapters: each comes out the same.

The cells of all notebooks run in this process, one shop, without pages and pictures: what a period is compared with on
a page is told apart from what is found. That a whole render stops, resumes and publishes is tested with small chapters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ibis
import nbformat
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from workbook.cleaning.base import at, merged_since
from workbook.data import simulate
from workbook.data.notebooks import notebooks_folder
from workbook.data.run import STAGE, Run, open_run
from workbook.output import charts

BASE, LATER = "2025-07", "2025-08"
FEWER = {"05_clustering": {"most_groups": 3, "sample": 150}, "06_clv": {"earlier_forecasts": 1}}  # fits, for speed
SOURCES = ("order_lines", "customers", "returns", "assignments", "channel_costs")
PICTURES = ("ahead", "bands", "bars", "cloud", "columns", "dots", "heat", "histogram", "lines", "lorenz", "moments",
            "panels", "scatter", "silhouettes", "snake", "spans", "stacked", "waterfall")  # fmt: skip
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 customers; two of July's buyers turn out in August to be one person."""
    folder = simulate.write(tmp_path_factory.mktemp("records"), 300, 20, seed=1, form="parquet", progress=False,
                            workers=1)
    lines, customers = (pq.read_table(folder / f"{name}.parquet") for name in ("order_lines", "customers"))
    early = lines.filter(pc.less(lines["ordered_at"], pa.scalar("2025-06-01").cast(pa.timestamp("us"))))
    first, second = sorted(pc.unique(early["customer_id"]).drop_null().to_pylist())[:2]
    rows = customers.to_pylist()
    phones = {row["customer_id"]: row["phone"] for row in rows}
    for row in rows:
        if row["customer_id"] == second:
            row |= {"phone": phones[first], "registered_at": pa.scalar("2025-08-10").cast(pa.timestamp("us")).as_py()}
    pq.write_table(pa.Table.from_pylist(rows, schema=customers.schema), folder / "customers.parquet")
    return folder


def shop(folder: Path, records: Path) -> Path:
    folder.mkdir()
    sources = "".join(f"  - {{table: {name}, path: {records / name}.parquet}}\n" for name in SOURCES)
    (folder / "workbook.yaml").write_text(
        f"name: Shop\ncurrency: EUR\nphone_country: CN\nlanguages: [en]\nbase_period: {BASE}\n"
        f"privacy: {{key: a key of the test}}\nsources:\n{sources}", encoding="utf-8")
    return folder / "workbook.yaml"


def fill(settings: Path, label: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run every chapter at a period, each in names of its own; what they found."""
    store = settings.parent / ".workbook"
    monkeypatch.setenv(STAGE, str(store))
    monkeypatch.setenv("WORKBOOK_REPORT", "1")
    for notebook in sorted(notebooks_folder().glob("*.ipynb")):
        names: dict[str, Any] = {}
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, f"{notebook.stem}:{cell.id}", "exec"), names)
            if "parameters" in cell.metadata.get("tags", ()):
                names |= {"settings": str(settings), "as_of": label, "lang": "en"} | FEWER.get(notebook.stem, {})
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (store / "findings").glob("*.json")}


def test_all_chapters_find_the_same_whichever_period_is_filled_first(
    tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("verbose", "verbose_log"):  # a report notes its queries; the tests after this one need not
        monkeypatch.setattr(ibis.options, name, getattr(ibis.options, name))
    for name in PICTURES:
        monkeypatch.setattr(charts, name, lambda *_shown, **_how: Figure().subplots())
    forwards, backwards = shop(tmp_path / "forwards", records), shop(tmp_path / "backwards", records)
    first = {label: fill(forwards, label, monkeypatch) for label in (BASE, LATER)}
    second = {label: fill(backwards, label, monkeypatch) for label in (LATER, BASE)}
    for label in (BASE, LATER):
        assert first[label].keys() == second[label].keys() and len(first[label]) == 9
        for chapter, found in first[label].items():
            assert found == second[label][chapter], f"{label} {chapter}"
    later: Run = open_run("02_cleaning", settings=str(backwards), as_of=LATER)
    assert merged_since(later, at(later, later.base_period)) >= 1, "or nothing was put to the test"
    assert later.store.document_names("frozen") != ["frozen/base_period"]
