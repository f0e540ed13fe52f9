"""A rendered report made by hand, without a kernel: what the forms of a report are tested on.

Two periods of two chapters in two languages: pictures, long tables with tall rows, findings of many units, and a
table whose cells a spreadsheet would run.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import matplotlib.pyplot as plt
import nbformat
import pandas as pd

from workbook.data.findings import Finding, write_findings
from workbook.data.formulas import harmless_texts
from workbook.data.settings import Settings, load_settings
from workbook.output import charts, i18n, page
from workbook.output.charts import canvas
from workbook.output.pages.report import write_pages

SHOP = "Teehaus & Söhne 云山茶居"
PICTURES, TALL_ROWS = 5, 45
RUNS = ("=1+1", "@SUM(A1)", "+49 30 1234", "-5 % off", "\tx", "'t Hart", "＝2", "tea")
SETTINGS = f"""
name: {SHOP}
currency: CNY
languages: [en, zh]
targets: {{net_revenue: 95000}}
sources: [{{table: orders, path: orders.csv, columns: {{a: order_id, b: amount, c: ordered_at}}}}]
"""
FINDINGS: dict[str, dict[str, Finding]] = {
    "03_profiling": {
        "net_revenue": Finding(109299.69, "money"), "net_revenue_before": Finding(88289.8, "money"),
        "active_customers": Finding(374, "customers"), "active_customers_before": Finding(310, "customers"),
        "second_purchase_rate_90d": Finding(0.466372657, "share", 0.434, 0.499, 907),
        "revenue_change": Finding(21009.89, "money"), "change_customers": Finding(17506.43, "money"),
        "change_price": Finding(168.84, "money"), "change_discount": Finding(-7338.38, "money"),
        "margin": Finding(None, "share", reason="too_few"),
    },
    "04_rfm": {
        "customers": Finding(2560, "customers"), "cuts_monetary": Finding("=98; 194", "text"),
        "cuts_from": Finding("2025-06-30", "date"), "cuts_provisional": Finding(False, "flag"),
        "segment_champions_customers": Finding(332, "customers"),
        "segment_champions_customers_before": Finding(290, "customers"),
        "segment_champions_revenue_share": Finding(0.557, "share"),
        "segment_at_risk_customers": Finding(561, "customers"),
        "segment_at_risk_customers_before": Finding(540, "customers"),
        "segment_at_risk_revenue_share": Finding(0.105, "share"),
        "lead_over_recency_buyers": Finding(-0.0276, "share", -0.05, -0.01, 400, evidence="observed"),
    },
}


def write_report(workspace: Path) -> Settings:
    """Two rendered periods in a workspace; returns its settings."""
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / "workbook.yaml").write_text(SETTINGS, encoding="utf-8")
    settings = load_settings(workspace / "workbook.yaml")
    before = FINDINGS["03_profiling"] | {"net_revenue": Finding(88289.8, "money")}
    _write_period(settings, "2026-05", FINDINGS | {"03_profiling": before})
    _write_period(settings, "2026-06", FINDINGS)
    return settings


def _write_period(settings: Settings, label: str, findings: dict[str, dict[str, Finding]]) -> None:
    folder = settings.reports_folder / label
    outcomes = [{"chapter": name, "state": "done", "seconds": 1.0, "error": "", "because": [], "changed": [],
                 "kept": False} for name in findings]
    record = {
        "shop": settings.name, "period": label, "as_of": f"{label}-30", "version": "0.1.0", "engine": "duckdb",
        "rendered_at": datetime(2026, 7, 2, 6, tzinfo=UTC).isoformat(), "fingerprint": "", "languages": ["en", "zh"],
        "made_from": {}, "outcomes": outcomes,
    }
    (folder / "tables").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    found = {}
    for chapter, named in findings.items():
        write_findings(folder / "one.json", named)
        found[chapter] = json.loads((folder / "one.json").read_text(encoding="utf-8"))
    (folder / "one.json").unlink()
    (folder / "findings.json").write_text(json.dumps(found), encoding="utf-8")
    with duckdb.connect() as con:
        listed = con.from_df(pd.DataFrame({
            "customer_id": [f"{n:08d}" for n in range(len(RUNS))], "written": RUNS,
            "amount": [-1.5 * n for n in range(len(RUNS))], "listed": [n % 2 == 0 for n in range(len(RUNS))],
            "first_on": ["2026-06-01"] * len(RUNS)}))
        harmless_texts(listed).write_csv(str(folder / "tables" / "rfm.csv"))
    for lang in ("en", "zh"):
        i18n.use(lang, settings.currency)
        for chapter in findings:
            _write_notebook(folder / lang / "notebooks" / f"{chapter}.ipynb", chapter, lang)
    write_pages(folder, settings)


def _write_notebook(path: Path, chapter: str, lang: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    title = {"en": f"Chapter {chapter[:2]}", "zh": f"第{chapter[:2]}章：客户"}[lang]
    text = {"en": "What the customers did, told at length. ", "zh": "客户做了什么，这里细细说来。"}[lang]
    cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\n**{text}?**")]
    for n in range(1, PICTURES + 1):
        cells.append(nbformat.v4.new_markdown_cell(f"## {title} {n}\n\n{text * (3 + 2 * n)}"))
        cells.append(_cell(_picture(n)))
    cells.append(nbformat.v4.new_markdown_cell(f"## {title} {PICTURES + 1}\n\n{text}"))
    frame = pd.DataFrame([{"place": f"{chapter}row{n}a " + text * 6 + f" {chapter}row{n}z", "amount": 17.5 * n}
                          for n in range(TALL_ROWS)])
    shown = page.table(frame, columns={"place": title, "amount": (title, "money")}, caption=title)
    cells.append(_cell({"text/html": shown.html, "text/plain": "table"}))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def _cell(data: dict[str, Any]) -> nbformat.NotebookNode:
    alternative = data.pop("alt", "")
    output = nbformat.v4.new_output("display_data", data=data, metadata={"image/png": {"alt": alternative}})
    return nbformat.v4.new_code_cell("", outputs=[output])


def _picture(n: int) -> dict[str, Any]:
    import base64

    rows = pd.DataFrame({"who": [f"{i18n.unit_name('customers')} {i}" for i in range(3 + n)],
                         "share": [(i + 1) / 40 for i in range(3 + n)]})
    axes = charts.bars(rows, label="who", value="share", title=f"{n}", unit="share")
    drawn, more = canvas.png(axes.figure)
    plt.close(axes.figure)
    return {"image/png": base64.b64encode(drawn).decode(), "text/plain": "picture", "alt": more["alt"]}
