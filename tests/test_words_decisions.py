"""What a decision says of itself, in both languages: every number that it needs, and no word of the other language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from workbook.decisions import CHANNELS, REASONS, Decision, Forecast, Power, Price
from workbook.output import i18n
from workbook.output.words import decisions as words

EVERY = Decision(
    id="2026-06-x-1", owner="王芳", decided_at="2026-07-01T08:00:00+00:00", action="回访", offer="九折", channel="mail",
    cost_per_person=2.5, list_name="x", list_kind="segment", table="rfm", rule="x", period="2026-06",
    as_of=date(2026, 6, 30), starts_on=date(2026, 7, 1), horizon_days=90, metric="margin", asked=1500,
    removed={reason: 100 for reason in REASONS}, overlaps={reason: 101 for reason in REASONS}, not_checked=REASONS,
    treated=490, control=210, control_share=0.3, salt="1", strata=5,
    forecast=Forecast(7.0, 0.0, 14.0, 2205.0, -1225.0, 5635.0, "assumed", "churn"),
    power=Power(133.4, 221.9, 2, 0.4, 51.3, 7.0, 35000, False, "afterwards"),
    price=Price(490, 714, 9, 354, 104, ("gender", "age_band", "region", "occupation", "income_band", "education")),
    warnings=("cannot_be_judged", "price_difference", "code_in_use"), code_version="1", list_hash="h",
    key=(1, "1", "f"), request="r", code="夏茶", treated_households=400, control_households=180)
BARE = replace(EVERY, code="", removed={}, overlaps={}, not_checked=(), price=None,
               forecast=Forecast(None, None, None, None, None, None, "", "none", "no_effect_known"),
               power=Power(None, None, 0, None, None, None, None, False, ""))


def test_a_decision_tells_whom_it_leaves_out_holds_out_and_expects() -> None:
    i18n.use("en", "CNY")
    told = " ".join(words.told(EVERY))
    for part in ("1,500 customers", "Taken out: 800", "300 customers may not be addressed in person",
                 "490 are contacted, 210 (30%) are held out", "costs ¥945.00 this time", "¥51.30 a customer or more",
                 "more than the ¥7.00 to be expected", "About 35,000 customers", "¥2,205 (−¥1,225 to ¥5,635)",
                 "714 of the same segments", "354 of these champions or loyal", "104 of those favoured",
                 "gender, age, region", "no consent to this channel 100"):
        assert part in told, part


def test_what_is_not_known_is_said_and_nothing_is_invented() -> None:
    i18n.use("en", "CNY")
    told = " ".join(words.told(BARE))
    for part in ("Nobody had to be taken out", "What the action brings is not known", "from ¥2.50 a customer",
                 "cannot be judged alone"):
        assert part in told
    assert "None" not in told and "nan" not in told and "Prices" not in told


@pytest.mark.parametrize("decision", [EVERY, BARE])
@pytest.mark.parametrize("basis", ["settled", "given", "churn", "campaigns"])
def test_in_chinese_no_english_word_is_left(decision: Decision, basis: str) -> None:
    i18n.use("zh", "CNY")
    varied = replace(decision, forecast=decision.forecast._replace(basis=basis),
                     power=decision.power._replace(basis="own_past"))
    for one in (decision, varied):
        told = " ".join(words.told(one))
        assert re.findall(r"[A-Za-z]{2,}", told.replace("rfm", "")) == []
    assert [words.channel_name(code) for code in CHANNELS] != list(CHANNELS)


def test_the_account_book_is_a_table_newest_first() -> None:
    second = replace(EVERY, id="2026-07-y-2", cancelled="2026-08-01T00:00:00+00:00")
    rows = words.rows([EVERY, second])
    assert list(rows["id"]) == ["2026-07-y-2", "2026-06-x-1"] and list(rows["state"]) == ["cancelled", "registered"]
    assert rows.loc[1, "expected"] == 2205.0
