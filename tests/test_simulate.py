"""The simulated shop holds its own truth: what is stated is found again in its records, within computed bounds.

Where a count is checked against its expectation, the bound is four standard deviations of the sum of independent
draws that the model states: a right simulation fails such a check once in 16,000 seeds, and the seed is fixed.
"""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from workbook.data import simulate as simulation
from workbook.data.errors import WorkbookError
from workbook.data.schema import ARROW, TABLES
from workbook.data.simulate import CELL, Parameters, Shop, simulate, write
from workbook.data.simulation import catalog, dirt, records, tables
from workbook.data.simulation.sales_tables import MEMBER_LEVELS

MONTHS = 24


@pytest.fixture(scope="module")
def plain() -> Shop:
    return simulate(2 * CELL, MONTHS, seed=1, parameters=Parameters.plain())


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(5 * CELL, MONTHS, seed=2)


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("shop"), 900, 20, seed=3, form="records", progress=False)


def truth(shop: Shop, name: str) -> pd.DataFrame:
    return shop.truth[name].to_pandas()


def orders_of(shop: Shop) -> pd.DataFrame:
    """Orders with who placed them, their service and their customer's traits."""
    orders = shop.tables["orders"].select(["order_id", "ordered_at", "amount"]).to_pandas()
    orders["amount"] = orders["amount"].astype(float)
    known = orders.merge(truth(shop, "orders"), on="order_id").merge(
        truth(shop, "customers").drop(columns="orders"), on="customer_id")
    known["sequence"] = known.groupby("customer_id").cumcount()
    return known


# --- the purchase process ----------------------------------------------------------------------


def test_repeat_orders_come_at_the_stated_rate(plain: Shop) -> None:
    customers = truth(plain, "customers")
    end = pd.Timestamp(Parameters().start) + pd.DateOffset(months=MONTHS, days=Parameters().tail_days, hours=-8)
    weeks = (customers["left_at"].fillna(end) - customers["first_order_at"]).dt.total_seconds() / 86_400 / 7
    expected = (customers["rate_per_week"] * weeks).sum()
    assert abs((customers["orders"] - 1).sum() - expected) < 4 * np.sqrt(expected)


def test_rates_have_the_stated_gamma(plain: Shop) -> None:
    stated = Parameters.plain()
    rates = truth(plain, "customers")["rate_per_week"]
    assert stats.kstest(rates, stats.gamma(stated.rate_r, scale=1 / stated.rate_alpha).cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", ["plain", "shop"])
def test_customers_leave_as_often_as_their_orders_and_the_service_say(
    name: str, request: pytest.FixtureRequest
) -> None:
    made: Shop = request.getfixturevalue(name)
    stated = Parameters(**{key: value for key, value in made.facts["parameters"].items()
                           if key in ("service_on_dropout", "leaves_after_first")})
    orders = orders_of(made)
    orders = orders[orders["added_by"].isna() & ((orders["sequence"] > 0) | stated.leaves_after_first)]
    hazard = np.exp(-stated.service_on_dropout * orders["service"])
    chance = 1 - (1 - orders["dropout_probability"]) ** hazard
    left = truth(made, "customers")["left_at"].notna().sum()
    assert abs(left - chance.sum()) < 4 * np.sqrt((chance * (1 - chance)).sum())


def bgnbd_log_likelihood(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, r: float, alpha: float, a: float,
                         b: float) -> float:
    """Fader, Hardie & Lee 2005, equation 6."""
    lead = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + T)
    gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return float((lead + np.where(x > 0, np.logaddexp(alive, gone), alive)).sum())


def likelihood_ratio(made: Shop, stated: Parameters, log_likelihood: Callable[..., float]) -> float:
    """Twice the log-likelihood that the best parameters gain over the stated ones."""
    end = pd.Timestamp(stated.start) + pd.DateOffset(months=MONTHS, days=stated.tail_days, hours=-8)
    times = orders_of(made).groupby("customer_id")["ordered_at"].agg(["min", "max", "size"])
    week = pd.Timedelta(days=7)
    x, t_x = times["size"].to_numpy() - 1.0, ((times["max"] - times["min"]) / week).to_numpy()
    T = ((end - times["min"]) / week).to_numpy()
    truly = np.log([stated.rate_r, stated.rate_alpha, stated.dropout_a, stated.dropout_b])
    best = minimize(lambda logs: -log_likelihood(x, t_x, T, *np.exp(logs)), truly, method="L-BFGS-B")
    return 2 * (-best.fun - log_likelihood(x, t_x, T, *np.exp(truly)))


def test_bg_nbd_finds_the_stated_parameters(plain: Shop) -> None:
    """The likelihood ratio of the best parameters against the stated ones is chi-square with four degrees."""
    assert 0 <= likelihood_ratio(plain, Parameters.plain(), bgnbd_log_likelihood) < stats.chi2(4).ppf(0.9999)


def mbgnbd_log_likelihood(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, r: float, alpha: float, a: float,
                          b: float) -> float:
    """Batislam, Denizel & Filiztekin 2007: as BG/NBD, but the first order may be the last."""
    lead = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + x + 1) - (r + x) * np.log(alpha + T)
    gone = betaln(a + 1, b + x) - (r + x) * np.log(alpha + t_x)
    return float((lead + np.logaddexp(alive, gone)).sum())


def test_mbg_nbd_finds_the_stated_parameters() -> None:
    stated = Parameters.plain(leaves_after_first=True)
    made = simulate(CELL, MONTHS, seed=9, parameters=stated)
    assert likelihood_ratio(made, stated, mbgnbd_log_likelihood) < stats.chi2(4).ppf(0.9999)
    assert likelihood_ratio(made, stated, bgnbd_log_likelihood) > 50  # the other model does not hold here


def gamma_gamma_log_likelihood(x: np.ndarray, mean: np.ndarray, p: float, q: float, v: float) -> float:
    """Fader & Hardie 2013, equation 1a."""
    return float((gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + (p * x - 1) * np.log(mean)
                  + p * x * np.log(x) - (p * x + q) * np.log(x * mean + v)).sum())


def test_gamma_gamma_finds_the_stated_parameters(plain: Shop) -> None:
    stated = Parameters.plain()
    spent = orders_of(plain).groupby("customer_id")["amount"].agg(["size", "mean"])
    x, mean = spent["size"].to_numpy(float), spent["mean"].to_numpy()
    truly = np.log([stated.spend_p, stated.spend_q, stated.spend_gamma])
    best = minimize(lambda logs: -gamma_gamma_log_likelihood(x, mean, *np.exp(logs)), truly, method="L-BFGS-B")
    ratio = 2 * (-best.fun - gamma_gamma_log_likelihood(x, mean, *np.exp(truly)))
    assert 0 <= ratio < stats.chi2(3).ppf(0.9999)


def test_orders_come_to_the_stated_mean(plain: Shop) -> None:
    orders = orders_of(plain)
    deviation = np.sqrt((orders["mean_spend"] ** 2 / Parameters.plain().spend_p).sum())
    assert abs(orders["amount"].sum() - orders["mean_spend"].sum()) < 4 * deviation


def test_personas_and_channels_multiply_the_rate(shop: Shop) -> None:
    """Within each persona and channel the mean of the customers' rates is r / alpha times both multipliers."""
    stated = Parameters()
    customers = truth(shop, "customers").merge(
        shop.tables["customers"].select(["customer_id", "acquisition_channel"]).to_pandas(), on="customer_id")
    personas = {persona.name: persona.rate for persona in stated.personas}
    channels = {channel.name: channel.rate for channel in stated.channels}
    for (persona, channel), group in customers.groupby(["persona", "acquisition_channel"]):
        scaled = group["rate_per_week"] / personas[persona] / channels[channel]
        mean, deviation = stated.rate_r / stated.rate_alpha, np.sqrt(stated.rate_r) / stated.rate_alpha
        assert abs(scaled.mean() - mean) < 4.5 * deviation / np.sqrt(len(scaled)), (persona, channel)


def test_channels_cost_what_their_customers_cost(shop: Shop) -> None:
    costs = shop.tables["channel_costs"].to_pandas().groupby("channel")["cost"].sum().astype(float)
    known = shop.tables["customers"].select(["customer_id", "acquisition_channel"]).to_pandas().merge(
        truth(shop, "customers"), on="customer_id").query("not is_prospect")
    last = pd.Timestamp(Parameters().start) + pd.DateOffset(months=MONTHS, hours=-8)
    won = known[known["first_order_at"] < last]["acquisition_channel"].value_counts()
    for channel in Parameters().channels:
        assert costs[channel.name] == pytest.approx(won[channel.name] * channel.cost)


def test_who_recommends_came_first(shop: Shop) -> None:
    first = truth(shop, "customers").set_index("customer_id")["first_order_at"]
    referrals = shop.tables["referrals"].to_pandas()
    assert len(referrals) > 1_000
    assert (first[referrals["referrer_id"]].to_numpy() <= first[referrals["referred_id"]].to_numpy()).all()


def test_season_leaves_the_mean_rate_and_moves_the_months(shop: Shop) -> None:
    total = pd.Series(shop.facts["totals"]["orders"])
    assert total["2024-11"] > 1.15 * total["2024-10"]
    assert total["2025-01"] > 1.15 * total["2025-02"]  # the Lunar New Year of 2025 is on 29 January


def test_nobody_orders_twice_in_two_ways(shop: Shop) -> None:
    """Order totals are line totals, ids are unique, prospects never order."""
    lines, orders = (shop.tables[name].to_pandas() for name in ("order_lines", "orders"))
    assert orders["order_id"].is_unique
    assert lines.groupby("order_id")["amount"].sum().equals(orders.set_index("order_id")["amount"].sort_index())
    prospects = truth(shop, "customers").query("is_prospect")
    assert len(prospects) > 0 and (prospects["orders"] == 0).all()


# --- returns, service, contracts ---------------------------------------------------------------


def test_returns_come_back_as_often_and_as_late_as_stated(plain: Shop) -> None:
    stated = Parameters.plain()
    lines = plain.tables["order_lines"].select(["order_id", "category"]).to_pandas().merge(
        truth(plain, "orders"), on="order_id")
    factor = dict(zip(catalog.CATEGORIES, catalog.RETURN_FACTOR, strict=True))
    chance = stated.return_share * lines["category"].map(factor) * np.exp(-stated.service_on_returns * lines["service"])
    returns = truth(plain, "returns")
    assert abs(len(returns) - chance.sum()) < 4 * np.sqrt((chance * (1 - chance)).sum())
    delay = stats.gamma(stated.return_shape, loc=1, scale=stated.return_scale)
    assert stats.kstest(returns["delay_days"], delay.cdf).pvalue > 1e-4


def test_partial_returns_are_parts(shop: Shop) -> None:
    returns = shop.tables["returns"].to_pandas().merge(
        shop.tables["order_lines"].to_pandas(), on=["order_id", "line_no"], suffixes=("", "_sold"))
    assert len(returns) == shop.tables["returns"].num_rows
    assert (returns["quantity"] <= returns["quantity_sold"]).all()
    assert (returns["amount"] <= returns["amount_sold"]).all()
    several = returns[returns["quantity_sold"] > 1]
    assert 0.35 < (several["quantity"] < several["quantity_sold"]).mean() < 0.65


def test_bad_service_is_felt_everywhere(shop: Shop) -> None:
    orders = orders_of(shop)
    crisis = orders["ordered_on"].between(*pd.to_datetime(shop.facts["crisis"]).date, inclusive="left")
    assert crisis.any() and orders.loc[crisis, "service"].mean() < -1.0
    answers = shop.tables["survey_answers"].to_pandas().query("question == 'nps'")
    waves = answers.groupby("wave")["score"].mean()
    assert waves["2025-Q3"] < waves["2025-Q2"] - 0.5
    tickets = shop.tables["tickets"].to_pandas().merge(orders[["order_id", "service"]], on="order_id")
    assert tickets["service"].mean() < orders["service"].mean() - 0.2


def test_subscriptions_are_shifted_beta_geometric(shop: Shop) -> None:
    stated, months = Parameters(), truth(shop, "subscriptions")["months"]
    first = stated.subscription_alpha / (stated.subscription_alpha + stated.subscription_beta)
    second = (1 - first) * stated.subscription_alpha / (stated.subscription_alpha + stated.subscription_beta + 1)
    for month, share in ((1, first), (2, second)):
        assert abs((months == month).sum() - share * len(months)) < 4 * np.sqrt(share * (1 - share) * len(months))


def test_member_levels_are_reached_by_spending(shop: Shop) -> None:
    levels = shop.tables["customer_attributes"].to_pandas()
    spent = orders_of(shop).query("not is_anonymous").groupby("customer_id")["amount"].sum()
    gold = set(levels.loc[levels["value"] == "gold", "customer_id"])
    assert gold == set(spent.index[spent >= MEMBER_LEVELS["gold"] - 1e-6])
    first = levels.sort_values(["customer_id", "valid_from"]).drop_duplicates("customer_id")
    assert (first["value"] == "basic").all()


def test_late_payers_pay_late(shop: Shop) -> None:
    payments = shop.tables["payments"].to_pandas().merge(truth(shop, "customers"), on="customer_id")
    late = (payments["paid_at"] - pd.to_datetime(payments["due_on"])).dt.days
    assert (late[~payments["is_late_payer"]].dropna() <= 1).all()
    assert late[payments["is_late_payer"]].mean() > 0.5 * Parameters().late_days


def test_visits_end_in_the_orders_they_led_to(shop: Shop) -> None:
    events = shop.tables["events"].to_pandas()
    funnel = events.groupby("event")["session_id"].nunique()
    assert funnel["visit"] > funnel["view"] > funnel["cart"] > funnel["checkout"] > funnel["purchase"] > 0
    bought = events.query("event == 'purchase' and customer_id.notna()")
    orders = shop.tables["orders"].select(["customer_id", "ordered_at"]).to_pandas()
    assert len(bought.merge(orders, left_on=["customer_id", "occurred_at"],
                            right_on=["customer_id", "ordered_at"])) >= len(bought)


def test_who_unsubscribed_gets_nothing_more(shop: Shop) -> None:
    contacts = shop.tables["contacts"].to_pandas()
    stopped = contacts.groupby("customer_id")["unsubscribed_at"].min().dropna()
    later = contacts.merge(stopped.rename("stopped"), left_on="customer_id", right_index=True)
    assert len(stopped) > 0 and not (later["sent_at"] > later["stopped"]).any()
    consents = shop.tables["consents"].to_pandas().query("granted")
    asked = contacts.merge(consents, left_on=["customer_id", "channel"], right_on=["customer_id", "purpose"])
    assert len(asked) == len(contacts) and set(contacts["channel"]) == {"mail", "sms"}


# --- experiments -------------------------------------------------------------------------------


def lift(outcomes: pd.DataFrame) -> tuple[float, float]:
    """Relative difference of the arms' means and its standard error (delta method)."""
    arms = outcomes.groupby("arm")["value"].agg(["mean", "var", "size"])
    control, treated = arms.loc["control"], arms.loc["treatment"]
    ratio = treated["mean"] / control["mean"]
    error = ratio * np.sqrt(sum(arm["var"] / arm["size"] / arm["mean"] ** 2 for arm in (control, treated)))
    return ratio - 1, error


def measured(shop: Shop, experiment: str) -> pd.DataFrame:
    outcomes, arms = (shop.tables[name].to_pandas() for name in ("outcomes", "assignments"))
    found = outcomes.query("metric == 'orders'").merge(arms, on=["experiment_id", "customer_id"])
    return found[found["experiment_id"] == experiment]


def earlier_orders(shop: Shop, before: pd.Timestamp) -> pd.Series:
    orders = orders_of(shop)
    return orders[orders["ordered_at"] < before].groupby("customer_id").size()


@pytest.mark.parametrize("experiment", [found for found in Parameters().experiments if not found.lost_share],
                         ids=lambda experiment: experiment.name)
def test_experiments_have_their_stated_effect(shop: Shop, experiment: simulation.Experiment) -> None:
    outcomes = measured(shop, experiment.name)
    groups = [(experiment.lift, outcomes)]
    if experiment.applies_to == "one_order":
        starts = outcomes["assigned_at"].min().floor("D") - pd.Timedelta(hours=8)
        once = outcomes["customer_id"].map(earlier_orders(shop, starts + pd.Timedelta(days=1))) == 1
        groups = [(experiment.lift, outcomes[once]), (0.0, outcomes[~once])]
    for stated, group in groups:
        found, error = lift(group)
        assert error < 0.2 and abs(found - stated) < 4 * error


def test_only_the_broken_experiment_has_a_broken_split(shop: Shop) -> None:
    arms = shop.tables["assignments"].to_pandas()
    for experiment in Parameters().experiments:
        counts = arms[arms["experiment_id"] == experiment.name]["arm"].value_counts()
        p_value = stats.binomtest(int(counts["treatment"]), int(counts.sum())).pvalue
        assert (p_value < 1e-6) == bool(experiment.lost_share), experiment.name


# --- the same again ----------------------------------------------------------------------------


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("form", ["records", "parquet"])
def test_same_seed_same_bytes(form: str, tmp_path: Path) -> None:
    first, second, other = (digests(write(tmp_path / name, 300, 6, seed, form, progress=False))
                            for name, seed in (("first", 5), ("second", 5), ("other", 6)))
    assert first == second
    sold = [name for name in first if "orders" in name or "order_lines" in name or "customers" in name]
    assert len(sold) > 3 and not any(first[name] == other.get(name) for name in sold)


def test_processes_and_block_sizes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = write(tmp_path / "one", CELL + 300, 4, 7, "parquet", progress=False, workers=1)
    two = write(tmp_path / "two", CELL + 300, 4, 7, "parquet", progress=False, workers=2)
    assert digests(one) == digests(two)
    monkeypatch.setattr(simulation, "ROW_GROUP", 1_000)
    small = write(tmp_path / "small", CELL + 300, 4, 7, "parquet", progress=False, workers=1)
    for path in sorted(one.rglob("*.parquet")):
        assert pq.read_table(path).equals(pq.read_table(small / path.relative_to(one)))
    assert pq.ParquetFile(small / "order_lines.parquet").num_row_groups > 2


def test_more_customers_leave_the_first_ones_alone() -> None:
    few, many = (simulate(count, 4, seed=8) for count in (CELL, CELL + 50))
    assert many.tables["orders"].slice(0, few.tables["orders"].num_rows).equals(few.tables["orders"])


@pytest.mark.parametrize("made", ["plain", "shop"])
def test_tables_are_canonical(made: str, request: pytest.FixtureRequest) -> None:
    found: Shop = request.getfixturevalue(made)
    for name, table in found.tables.items():
        columns = TABLES[name].by_name
        assert {field.name: field.type for field in table.schema} == {
            field.name: ARROW[columns[field.name].type] for field in table.schema}, name
        for column in TABLES[name].required:
            assert table[column].null_count == 0, (name, column)
        if TABLES[name].key and table.num_rows:
            key = table.select(list(TABLES[name].key)).to_pandas()
            assert not key.duplicated().any(), name


def test_totals_of_the_truth_are_those_of_the_tables(shop: Shop) -> None:
    orders = shop.tables["orders"].to_pandas()
    month = pd.to_datetime(orders["ordered_on"]).dt.strftime("%Y-%m")
    stated = shop.facts["totals"]
    assert orders.groupby(month)["amount"].sum().astype(float).round(2).to_dict() == pytest.approx(stated["cents"])
    assert month.value_counts().to_dict() == stated["orders"]


@pytest.mark.parametrize(("arguments", "said"), [
    ({"customers": 0}, "0 customers"), ({"months": 0}, "0 months"), ({"form": "csv"}, "csv"),
    ({"customers": 1, "months": 1, "seed": 3}, "None of the 1"), ({"customers": 10**7}, "number"),
    ({"customers": 250_000, "months": 1}, "200,000")])
def test_what_makes_no_shop_is_refused(arguments: dict, said: str, tmp_path: Path) -> None:
    usual = {"customers": 10, "months": 2, "seed": 1, "form": "records", "progress": False}
    with pytest.raises(WorkbookError, match=said):
        write(tmp_path, **{**usual, **arguments})


def test_the_smallest_shops_can_be_made(tmp_path: Path) -> None:
    for seed in range(10):
        assert simulate(1, 1, seed).tables["customers"].num_rows == 1
    assert read_lines(write(tmp_path, 3, 1, 1, "records", progress=False)).shape[0] > 0


# --- faults ------------------------------------------------------------------------------------


def read_lines(folder: Path) -> pd.DataFrame:
    """Every order line as text, by file and row as an editor counts them."""
    parts = []
    for path in sorted((folder / "orders").glob("*.csv")):
        part = pd.read_csv(io.StringIO(path.read_bytes().decode("gb18030")), dtype=str, keep_default_na=False)
        part = part.rename(columns={theirs: ours for ours, theirs in records.LINE_HEADERS.items()})
        parts.append(part.assign(file=f"orders/{path.name}", row=range(2, len(part) + 2)))
    return pd.concat(parts).set_index(["file", "row"])


def read_customers(folder: Path) -> pd.DataFrame:
    found = pd.read_excel(folder / "customers.xlsx", sheet_name="客户", dtype=str, keep_default_na=False,
                          engine="calamine")
    found = found.rename(columns={theirs: ours for ours, theirs in records.CUSTOMER_HEADERS.items()})
    return found.assign(file="customers.xlsx#客户", row=range(2, len(found) + 2)).set_index(["file", "row"])


def faults_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "truth" / "faults.parquet")


def test_every_fault_is_where_the_list_says(arrived: Path) -> None:
    tables_read = {"order_lines": read_lines(arrived), "customers": read_customers(arrived)}
    faults = faults_of(arrived)
    assert set(faults["kind"]) >= {
        "duplicate_row", "second_account", "test_account", "impossible_date", "impossible_age", "missing_value",
        "region_synonym", "category_synonym", "unreadable_number", "date_format", "order_id_ruined", "shared_phone",
        "cancelled_order", "unknown_product", "unknown_customer", "genuine_outlier", "quantity_typo",
        "non_product_line", "zero_amount", "refund_without_order"}
    blank = faults["kind"].isin(["missing_value", "refund_without_order"])
    written = faults[(faults["column"] != "") & ((faults["written"] != "") | blank)]
    for fault in written.itertuples():
        row = tables_read[fault.table].loc[(fault.file, fault.row)]
        assert row[fault.column] == fault.written, fault
        assert fault.written != fault.meant


def test_there_is_no_fault_beyond_the_list(arrived: Path) -> None:
    """Each kind that can be told from the files alone is there as often as it is listed."""
    lines, customers, faults = read_lines(arrived), read_customers(arrived), faults_of(arrived)
    count = faults["kind"].value_counts()
    key = lines[["order_id", "line_no"]]
    readable = ~lines["order_id"].str.contains("E+", regex=False)
    known = set(customers["customer_id"]) | {""}
    products = {*catalog.goods().ids, records.POSTAGE[0], records.PRICE_DIFFERENCE[0]}
    found = {
        "order_id_ruined": (~readable).sum(),
        "duplicate_row": key[readable].duplicated().sum(),
        "unknown_product": (~lines["product_id"].isin(products)).sum(),
        "unknown_customer": (~lines["customer_id"].isin(known)).sum(),
        "unreadable_number": (lines["quantity"].str.contains("[一若]") | lines["amount"].str.contains("..", regex=False)
                              ).sum(),
        "impossible_date": lines["ordered_at"].str.contains("-02-30").sum(),
        "date_before_shop": lines["ordered_at"].str.startswith("1970").sum(),
        "date_in_future": lines["ordered_at"].str.startswith("2062").sum(),
        "cancelled_order": ((lines["status"] == "交易关闭") & ~key.duplicated()).sum(),
        "test_account": customers["name"].str.startswith("测试").sum(),
        "shared_phone": (customers["phone"] == dirt.SHARED_PHONE).sum(),
        "impossible_age": customers["birth_date"].str[:4].isin(["1893", "2031", "1900"]).sum(),
        "non_product_line": ((lines["category"] == "服务") & (lines["status"] != "交易关闭") & ~key.duplicated()).sum(),
        "zero_amount": ((lines["amount"] == "0.00") & ~key.duplicated()).sum(),
    }
    assert found == {kind: count[kind] for kind in found}


def test_without_its_faults_the_shop_meets_its_books(arrived: Path) -> None:
    """Everything listed undone, the lines come to what finance booked, month by month, to the cent."""
    lines, faults = read_lines(arrived), faults_of(arrived)
    mine = faults[faults["table"] == "order_lines"]
    wrong = mine[(mine["column"] != "") & (mine["meant"] != "") & (mine["kind"] != "genuine_outlier")]
    for fault in wrong.itertuples():
        lines.loc[(fault.file, fault.row), fault.column] = fault.meant
    copies = mine[mine["kind"].isin(["duplicate_row", "cancelled_order", "test_order"])]
    lines = lines.drop(pd.MultiIndex.from_frame(copies[["file", "row"]]))
    amount = lines["amount"].astype(float)
    sales = amount[amount > 0].groupby(lines["ordered_at"].str[:7]).sum()
    books = pd.read_json(arrived / "truth" / "truth.json", typ="series")["books"]["sales"]
    assert sales.to_dict() == pytest.approx(books, abs=0.005)


def test_second_accounts_are_the_same_person_by_phone_or_mail(arrived: Path) -> None:
    customers = read_customers(arrived).set_index("customer_id")
    pairs = pd.read_parquet(arrived / "truth" / "identities.parquet")
    assert len(pairs) > 10
    for pair in pairs.itertuples():
        column = pair.same
        texts = [customers.loc[customer, column] for customer in (pair.customer_id, pair.person_id)]
        assert texts[0] != texts[1]
        plain_texts = [text.strip().lower() if column == "mail" else "".join(filter(str.isdigit, text))[-11:]
                       for text in texts]
        assert plain_texts[0] == plain_texts[1]


def test_a_line_of_running_numbers() -> None:
    assert tables.running(np.array([7, 7, 3, 7])).tolist() == [0, 1, 0, 2]
