"""Collection and cleaning find every fault that the simulator put into the records, and undo what can be undone."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from workbook.cleaning.steps import clean
from workbook.collection import collect
from workbook.data.run import Run, open_run
from workbook.data.simulate import write
from workbook.data.simulation.catalog import REGIONS
from workbook.data.simulation.dirt import TEST_CUSTOMERS

AS_OF = "2025-08"


@pytest.fixture(scope="module")
def workspace(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's settings over another shop of the simulator, of which everything is known."""
    folder = tmp_path_factory.mktemp("workspace")
    declared = yaml.safe_load((repository / "workbook.yaml").read_text(encoding="utf-8"))
    declared |= {"control_totals": [], "base_period": AS_OF}
    (folder / "workbook.yaml").write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    write(folder / "data" / "sample", 900, 20, seed=4, form="records", progress=False)
    return folder


@pytest.fixture(scope="module")
def run(workspace: Path) -> Run:
    settings = str(workspace / "workbook.yaml")
    first = open_run("01_collection", settings=settings, as_of=AS_OF, lang="en")
    collect(first.settings, first.store, progress=False)
    second = open_run("02_cleaning", settings=settings, as_of=AS_OF, lang="en")
    clean(second)
    return second


@pytest.fixture(scope="module")
def truth(workspace: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in (workspace / "data/sample/truth").glob("*.parquet")}


def faults(truth: dict[str, pd.DataFrame], *kinds: str) -> set[tuple[str, int]]:
    """File and row of the faults of these kinds."""
    found = truth["faults"][truth["faults"]["kind"].isin(kinds)]
    assert len(found) > 0, kinds
    return set(zip(found["file"], found["row"], strict=True))


def table(run: Run, name: str) -> pd.DataFrame:
    return run.table(name).to_pandas()


def places(found: pd.DataFrame) -> set[tuple[str, int]]:
    """File and row, the file as the simulator calls it."""
    names = found["source_file"].str.removeprefix("data/sample/")
    return set(zip(names, found["source_row"], strict=True))


def of_row_id(ids: pd.Series) -> set[tuple[str, int]]:
    parts = ids.str.extract(r"^shop orders/data/sample/(?P<source_file>.+):(?P<source_row>\d+)$")
    return places(parts.astype({"source_row": int}))


def test_what_cannot_be_read_is_in_quarantine_and_nothing_else(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    quarantine = table(run, "quarantine/rows")
    listed = faults(truth, "order_id_ruined", "unreadable_number", "impossible_date")
    assert places(quarantine[~quarantine["row_kept"]]) == listed
    assert places(quarantine[quarantine["row_kept"]]) <= faults(truth, "impossible_age")
    columns = truth["faults"].set_index(["file", "row"])["column"]
    for row in quarantine.itertuples():
        at = columns.loc[[(row.source_file.removeprefix("data/sample/"), row.source_row)]]
        assert row.column in set(at)


@pytest.mark.parametrize(("kinds", "rule"), [
    (("date_before_shop", "date_in_future"), "impossible_date"), (("test_order",), "test_account"),
    (("cancelled_order",), "cancelled_status")])
def test_rows_that_do_not_belong_are_removed_by_their_rule(
    kinds: tuple[str, ...], rule: str, run: Run, truth: dict[str, pd.DataFrame]
) -> None:
    removed = table(run, "clean/removed").query("rule == @rule")
    later = places(table(run, "clean/removed").query("rule == 'later'"))
    assert places(removed) - faults(truth, "duplicate_row") == faults(truth, *kinds) - later


def test_each_line_that_came_twice_is_kept_once(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    raw, removed = table(run, "raw/order_lines"), table(run, "clean/removed")
    later = places(removed.query("rule == 'later'"))
    assert (removed["rule"] == "repeated_key").sum() == len(faults(truth, "duplicate_row") - later)
    kept = raw[~raw.set_index(["source_file", "source_row"]).index.isin(
        pd.MultiIndex.from_frame(removed[["source_file", "source_row"]]))]
    assert not kept.duplicated(["order_id", "line_no"]).any()


def test_second_accounts_are_merged_and_a_shared_number_is_not(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    found = table(run, "clean/identities").set_index("raw_customer_id")
    pairs = truth["identities"]
    pairs = pairs[pairs["customer_id"].isin(found.index)]
    assert len(pairs) > 10
    for pair in pairs.itertuples():
        together = {found.loc[pair.customer_id, "customer_id"], found.loc[pair.person_id, "customer_id"]}
        assert len(together) == 1, pair
    refused = truth["faults"].query("kind == 'shared_phone'")
    assert (found["status"] == "refused").sum() in range(len(refused) // 2, len(refused) + 1)
    merged = found[found["status"] == "merged"].index
    assert set(merged) <= {*pairs["customer_id"], *pairs["person_id"]}


def test_test_accounts_are_no_customers(run: Run) -> None:
    people = table(run, "clean/customers")
    assert not people.loc[~people["is_test"].fillna(False), "customer_id"].isin(TEST_CUSTOMERS).any()


def test_nobody_has_an_impossible_age(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    raw, people = table(run, "raw/customers"), table(run, "clean/customers").set_index("customer_id")
    wrong = faults(truth, "impossible_age")
    ids = [row.customer_id for row in raw.itertuples() if (row.source_file.removeprefix("data/sample/"),
                                                           row.source_row) in wrong]
    there = people.reindex(ids).dropna(how="all")
    assert len(ids) == len(wrong) and len(there) > 0
    assert there["birth_year"].isna().all()
    assert people["birth_year"].dropna().between(1915, 2015).all()


def test_words_have_one_spelling(run: Run) -> None:
    lines, people = table(run, "clean/order_lines"), table(run, "clean/customers")
    regions = {region[0] for region in REGIONS}
    assert set(lines["region"].dropna()) == regions and set(people["region"].dropna()) <= regions
    assert set(lines["category"]) <= {"Tea", "Teaware", "Wellness", "Gift sets", "Home textiles", "Kitchen", "Service"}


def test_amounts_and_days_are_the_true_ones(run: Run, workspace: Path, truth: dict[str, pd.DataFrame]) -> None:
    """However a number or a time was written: each kept line of a true order has its true day; orders add up."""
    lines = table(run, "clean/order_lines")
    known = lines.merge(truth["orders"], on="order_id", suffixes=("", "_true"))
    assert len(known) > 0.9 * len(lines)
    assert (pd.to_datetime(known["ordered_on"]) == pd.to_datetime(known["ordered_on_true"])).all()
    forms = faults(truth, "number_format", "date_format")
    assert len(of_row_id(lines["row_id"]) & forms) > 100
    unit_price = lines["unit_price"].astype(float)
    product = (unit_price * lines["quantity"].astype(float)).round(2)
    wrong = lines[(product != lines["amount"].astype(float)) & ~lines["is_return"]]
    assert of_row_id(wrong["row_id"]) == faults(truth, "quantity_typo") & of_row_id(lines["row_id"])


def test_goods_gifts_and_large_orders_are_told_apart(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    lines = table(run, "clean/order_lines")
    kept = of_row_id(lines["row_id"])
    copies = faults(truth, "duplicate_row")
    services = of_row_id(lines.loc[~lines["is_product"], "row_id"])
    assert services - copies == (faults(truth, "non_product_line") & kept) - copies
    assert faults(truth, "genuine_outlier") & kept <= of_row_id(lines.loc[lines["is_outlier"], "row_id"])
    gifts = lines[lines["amount"] == 0]
    assert of_row_id(gifts["row_id"]) - copies == (faults(truth, "zero_amount") & kept) - copies


def test_returns_find_the_order_they_undo(run: Run, truth: dict[str, pd.DataFrame]) -> None:
    """Refund lines carry the last digits of their order and its line; most without a number are found as well."""
    matched = table(run, "clean/returns")
    stated = truth["returns"].query("within_history")
    refunds = matched[matched["origin"] == "order_lines"]
    true = stated.assign(document_id="TK" + stated["order_id"].str[-15:] + stated["line_no"].astype(str))
    compared = refunds.merge(true[["document_id", "order_id"]], on="document_id", suffixes=("", "_true"))
    assert len(compared) == len(refunds) > 50
    assert (compared["order_id"] == compared["order_id_true"]).mean() > 0.98
    later = matched[matched["origin"] == "returns"].merge(
        stated, left_on="document_id", right_on="return_id", suffixes=("", "_true"))
    assert len(later) > 50 and (later["order_id"] == later["order_id_true"]).all()
    sums = matched.groupby("origin")["amount"].sum().astype(float)
    missed = table(run, "clean/unmatched_returns")["amount"].astype(float).sum()
    assert missed < 0.06 * sums.sum()
