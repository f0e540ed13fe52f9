"""Decisions from one end to the other: exported, done, simulated on, and settled by 07."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import papermill
import pyarrow as pa
import pytest

from workbook import ab_testing as ab
from workbook import decisions
from workbook.data.notebooks import notebooks_folder
from workbook.data.run import Run
from workbook.data.settings import Settings, load_settings
from workbook.data.simulate import Action, Parameters, Shop, simulate
from workbook.data.store import Store

CUSTOMERS, MONTHS, SEED = 1_500, 24, 5
SETTINGS = """
name: A shop with decisions
currency: CNY
time_zone: Asia/Shanghai
sources:
  - {name: orders, table: orders, path: orders.csv}
"""
CHINA = pd.Timedelta(hours=8)
# what is decided, on the list of which month, for how long, and what it really does
LISTS = {
    "tea sample": ("2025-06", "where:recency_days <= 90", 60, {"rate": 3.0}),
    "newsletter": ("2025-10", "where:recency_days > 60", 45, {}),
    "phone call": ("2025-11", "where:recency_days <= 90", 90, {"rate": 1.5}),
}


def simulated(actions: Sequence[Action]) -> Shop:
    return simulate(CUSTOMERS, MONTHS, SEED, Parameters(actions=tuple(actions), tracked_share=0.0, experiments=()))


def keep(settings: Settings, shop: Shop, period: str) -> None:
    """The shop as 02 and 04 keep it at the end of a period: what these chapters read."""
    run = Run("02_cleaning", settings, Store(settings.store_folder), as_of=period, lang="en")
    tables = {name: table.to_pandas() for name, table in shop.tables.items()}
    returns, orders, contacts = tables["returns"], tables["orders"], tables["contacts"]
    returns["returned_on"] = (returns["returned_at"] + CHINA).dt.date
    back = returns[returns["returned_on"] <= run.as_of].groupby("order_id")["amount"].sum()
    orders = orders[orders["ordered_on"] <= run.as_of].join(back.rename("back"), on="order_id")
    orders["net_amount"] = orders["amount"] - orders["back"].where(orders["back"].notna(), 0)
    orders["is_return"] = False
    contacts["sent_on"] = (contacts["sent_at"] + CHINA).dt.date
    known = orders.dropna(subset="customer_id").groupby("customer_id")["ordered_on"].max()
    ids = tables["customers"]["customer_id"]
    tables["customers"] = tables["customers"].assign(status="active", is_test=False)
    kept = {
        "clean/orders": orders.drop(columns="back"), "clean/returns": returns[returns["returned_on"] <= run.as_of],
        "clean/customers": tables["customers"][["customer_id", "region", "status", "is_test"]],
        "clean/contacts": contacts[contacts["sent_on"] <= run.as_of],
        "clean/consents": tables["consents"],
        "clean/identities": pd.DataFrame({"raw_customer_id": ids, "customer_id": ids}),
        "rfm": pd.DataFrame({"customer_id": known.index, "segment": "all",
                             "recency_days": [(run.as_of - day).days for day in known]}),
    }  # fmt: skip
    for name, frame in kept.items():
        run.keep(name, pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop in which three lists were exported one after the other, and the treated really treated."""
    folder = tmp_path_factory.mktemp("decided")
    (folder / "workbook.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "orders.csv").write_text("order_id\n", encoding="utf-8")
    settings = load_settings(folder / "workbook.yaml")
    actions: list[Action] = []
    for name, (period, listed, days, effect) in LISTS.items():
        keep(settings, simulated(actions), period)
        made = decisions.export(settings, decisions.Request(
            list_name=listed, action=name, owner="Wang", cost_per_person=2.0, effect="10..60", horizon_days=days,
            control_share=0.4, anyway=True), as_of=period)  # fmt: skip
        people = decisions.members(settings, made.id)
        treated = tuple(people.loc[people["arm"] == "treated", "customer_id"])
        actions.append(Action(made.id, made.starts_on, treated, days=days, **effect))
    keep(settings, simulated(actions), "2025-12")
    return folder


def run_07(workspace: Path, out: Path, lang: str = "en") -> tuple[dict, str]:
    """The named results of 07, and everything that it says."""
    path = notebooks_folder() / "07_ab_testing.ipynb"
    done = papermill.execute_notebook(str(path), str(out / "07.ipynb"), {
        "settings": str(workspace / "workbook.yaml"), "as_of": "2025-12", "lang": lang}, progress_bar=False)
    said = "\n".join("".join(output["data"]["text/plain"]) for cell in done.cells if cell.cell_type == "code"
                     for output in cell.outputs if "text/plain" in output.get("data", {}))
    found = workspace / ".workbook" / "scratch" / "findings" / "07_ab_testing.json"
    return json.loads(found.read_text(encoding="utf-8")), said


@pytest.fixture(scope="module")
def english(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    return run_07(workspace, tmp_path_factory.mktemp("english"))


def test_three_decisions_are_settled_as_far_as_they_are_over(workspace: Path, english: tuple[dict, str]) -> None:
    found, said = english
    value = {name: finding["value"] for name, finding in found.items()}
    assert (value["decisions_registered"], value["decisions_settled"], value["decisions_running"]) == (3, 2, 1)
    assert (value["decisions_settled_now"], value["decisions_unjudged"], value["decisions_earned"]) == (1, 0, 1)
    assert found["programme_earned"]["low"] < value["programme_earned"] < found["programme_earned"]["high"]
    assert found["programme_earned"]["evidence"] == "randomised" and value["control_contacted"] == 0
    assert value["decisions_forecast_inside"] is None and found["decisions_forecast_inside"]["reason"] == "too_few"
    assert "tea sample (2025-06)** earned" in said and "phone call (2025-11)** is not over yet: 31 of 90 days" in said
    kept = Run("test", load_settings(workspace / "workbook.yaml"), Store(workspace / ".workbook" / "scratch"),
               as_of="2025-12", lang="en")  # fmt: skip
    rows = kept.frame(kept.table("settlements")).set_index("action")
    assert rows["status"].to_dict() == {"tea sample": "settled", "newsletter": "settled", "phone call": "running"}
    assert rows.loc["tea sample", "verdict"] == "earned"
    assert rows.loc["newsletter", "total_low"] < 0 < rows.loc["newsletter", "total_high"] + 2 * rows.loc[
        "newsletter", "cost"]
    experiments = kept.frame(kept.table("experiments"))
    assert (experiments["arm"] == "treated").sum() == 4, "two decisions by margin and revenue, none of them twice"
    assert not experiments["experiment_id"][experiments["arm"] == "written_to"].isin(rows["decision_id"]).any()


def test_a_back_filled_month_knows_no_later_decision(workspace: Path) -> None:
    settings = load_settings(workspace / "workbook.yaml")
    run = Run("test", settings, Store(settings.store_folder), as_of="2025-10", lang="en")
    settlements = ab.settle(
        decisions.registered(settings, as_of=run.as_of), lambda name: decisions.members(settings, name),
        run.table("clean/orders"), as_of=run.as_of, frame=run.frame, returns=run.table("clean/returns"))
    assert [one.decision.action for one in settlements] == ["tea sample", "newsletter"]
    assert [one.status for one in settlements] == ["settled", "running"], "the window of October's list has not begun"


def test_the_chinese_page_says_the_same(workspace: Path, english: tuple[dict, str], tmp_path: Path) -> None:
    found, said = run_07(workspace, tmp_path, lang="zh")
    assert found == english[0]
    assert "决策" in said and "is not over yet" not in said


def test_a_trainer_carries_the_decisions_out_by_command(
    workspace: Path, tmp_path: Path, workbook: Callable[..., str]
) -> None:
    """The same shop again, in which the treated of every decision order at twice their rate."""
    asked = ("simulate", "--customers", str(CUSTOMERS), "--months", str(MONTHS), "--seed", str(SEED),
             "--format", "parquet")
    workbook(*asked, "--out", "without", folder=tmp_path)
    workbook(*asked, "--out", "with", "--decisions", str(workspace / "workbook.yaml"), "--rate", "2", folder=tmp_path)
    settings = load_settings(workspace / "workbook.yaml")
    made = decisions.registered(settings)
    contacts = pd.read_parquet(tmp_path / "with" / "contacts.parquet")
    for one in made:
        told = set(contacts.loc[contacts["campaign_id"] == one.id, "customer_id"])
        people = decisions.members(settings, one.id)
        assert told == set(people.loc[people["arm"] == "treated", "customer_id"])
    orders = {name: pd.read_parquet(tmp_path / name / "orders.parquet") for name in ("without", "with")}
    assert len(orders["with"]) > len(orders["without"])
    first = made[0].starts_on
    earlier = [frame[frame["ordered_on"] < first].reset_index(drop=True) for frame in orders.values()]
    pd.testing.assert_frame_equal(*earlier)
