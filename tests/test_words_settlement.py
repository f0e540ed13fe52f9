"""What 07 says of decisions: no more than the interval, and nothing of what cannot be judged."""

import math
import re
from dataclasses import replace
from datetime import date

import pytest

from workbook import ab_testing as ab
from workbook.ab_testing.integrity import Integrity
from workbook.ab_testing.split import sample_ratio_of
from workbook.data.findings import Finding
from workbook.decisions import Decision, Forecast, Power
from workbook.output import i18n
from workbook.output.words import ab_testing as words
from workbook.output.words import controls
from workbook.output.words import settlement as said

WHOLE = sample_ratio_of({"treated": 100, "control": 100})


def settlement(difference: float = 5.0, half: float = 2.0, *, cost: float = 1.0, status: str = "settled",
               forecast: float | None = 4.0, integrity: Integrity | None = None, **changes) -> ab.Settlement:
    """A decision on 100 treated and 100 in the control."""
    made = Decision(
        id="2026-03-quiet-1a2b3c", owner="Wang", decided_at="", action="call", offer="", channel="call",
        cost_per_person=cost, list_name="quiet", list_kind="where", table="rfm", rule="", period="2026-03",
        as_of=date(2026, 3, 31), starts_on=date(2026, 4, 1), horizon_days=30, metric="margin", asked=200, removed={},
        overlaps={}, not_checked=(), treated=100, control=100, control_share=0.5, salt="1", strata=1,
        forecast=Forecast(forecast, forecast, forecast, None, None, None, "assumed", "given"),
        power=Power(None, None, 0, None, None, None, None, False), price=None, warnings=(), code_version="",
        list_hash="", key=(1, "", ""), request="")  # fmt: skip
    found = ab.Effect("margin", "treated", "welch", 100, 100, 10.0, 10.0 + difference, difference, difference - half,
                      difference + half, half / 1.96, 0.01, *[math.nan] * 4, 0.05, 198.0)
    low, high = (difference - half - cost) * 100, (difference + half - cost) * 100
    verdict = {"running": "not_over", "refused": "cannot_be_judged", "cancelled": "cancelled"}.get(
        status, "earned" if low > 0 else "lost" if high < 0 else "not_distinguishable")
    whole = Integrity(0, 0, 0.0, 0, 0, 0, 0, WHOLE)
    return ab.Settlement(replace(made, **changes), verdict, ("too_few",) if status == "refused" else (), 30, 100, 100,
                         found, found, cost * 100, 0.97, integrity or whole, ab.Naive(30.0, -20.0))


def test_each_verdict_has_its_sentence() -> None:
    told = {verdict: said.verdicts([one])[0] for verdict, one in {
        "earned": settlement(), "lost": settlement(-5.0), "open": settlement(1.0), "refused": settlement(
            status="refused"), "cancelled": settlement(status="cancelled"), "running": settlement(status="running"),
    }.items()}  # fmt: skip
    assert "earned **+400.00 (+200.00 to +600.00)** after its cost of 100.00" in told["earned"]
    assert "the chance that it paid is 97%" in told["earned"]
    assert "over 99%" in said.verdicts([settlement()._replace(chance_paid=0.999)])[0]
    assert "lost money" in told["lost"] and "not distinguishable" in told["open"]
    assert "cannot be judged: fewer than 30 people in an arm" in told["refused"] and "400" not in told["refused"]
    assert "cancelled" in told["cancelled"] and "not over yet" in told["running"] and "no verdict" in told["running"]


def test_no_figure_is_shown_of_what_cannot_be_judged() -> None:
    row = said.decision_rows([settlement(status="refused")]).iloc[0]
    assert row["effect"] == row["earned"] == i18n.NOTHING and row["verdict"] == "cannot be judged"
    assert said.effect_rows([settlement(status="refused")]).empty


def test_the_picture_has_outcome_and_forecast_side_by_side() -> None:
    rows = said.effect_rows([settlement(), settlement(status="running", id="x-2")])
    assert rows["what"].tolist() == ["so far, not over yet", "outcome", "forecast"]
    assert rows["value"].tolist() == [5.0, 5.0, 4.0]


def test_forecasts_are_told_by_side() -> None:
    texts = [said.decision_rows([settlement(forecast=guess)])["forecast"].iat[0] for guess in (4.0, 1.0, 20.0, None)]
    assert texts == ["+4.00, agrees", "+1.00, was too low", "+20.00, was too high", "none"]


def test_two_decisions_of_one_name_are_told_apart() -> None:
    names = said.names([settlement(), settlement(id="2026-03-quiet-ffffff"), settlement(id="z", action="mail")])
    assert list(names.values()) == ["call (2026-03) · 1a2b3c", "call (2026-03) · ffffff", "mail (2026-03)"]


def test_what_breaks_a_control_is_told_and_nothing_else() -> None:
    assert controls.integrity([settlement()]) == [
        "Nothing on record breaks a control: nobody in it had a message of the decision, and nobody is missing in one "
        "arm only."]
    leaked = Integrity(3, 4, 90.0, 0, 1, 0, 0, WHOLE)
    told = controls.integrity([settlement(integrity=leaked)])
    assert len(told) == 2 and "3 people of the control had the message" in told[0] and "4 orders" in told[0]
    nobody = Integrity(None, None, None, None, 0, 0, 0, WHOLE)
    silent = controls.integrity([settlement(integrity=nobody), settlement(integrity=nobody, id="x", action="mail")])
    assert silent == ["No message is on record of **call (2026-03)**, **mail (2026-03)**, so that nobody can check who "
                      "got it."]


def test_the_programme_says_when_the_sum_is_nothing_certain() -> None:
    sure = ab.programme([settlement()], period_start=date(2026, 4, 1))
    unsure = ab.programme([settlement(1.0)], period_start=date(2026, 5, 1))
    assert "not distinguishable" not in said.programme(sure) and "in this period" in said.programme(sure)
    assert "not distinguishable" in said.programme(unsure) and "in this period" not in said.programme(unsure)
    assert "not known" in said.programme(ab.programme([], period_start=date(2026, 4, 1)))


def test_too_few_forecasts_have_no_share() -> None:
    few, many = (ab.programme([settlement(forecast=guess)] * n, period_start=date(2026, 4, 1)).calibration
                 for n, guess in ((2, 4.0), (6, 20.0)))
    assert "too few" in said.calibration(few) and "%" not in said.calibration(few)
    assert "forecasts were too high" in said.calibration(many) and "**0 of 6 forecasts**" in said.calibration(many)


def test_the_index_says_what_the_decisions_earned() -> None:
    counts = {f"experiments_{name}": Finding(0, "number") for name in ("known", "judged", "shipped", "refused",
                                                                       "running")}
    decided = {"decisions_settled": Finding(2, "number"), "programme_earned": Finding(400.0, "money", 200.0, 600.0)}
    assert words.summary(counts | decided, {}) == "2 settled decisions earned +400.00 (+200.00 to +600.00)."
    assert words.summary(counts, {}) == "No experiment is on record: what works is not known."


@pytest.mark.parametrize("status", ["settled", "running", "refused", "cancelled"])
def test_chinese_has_every_sentence(status: str) -> None:
    i18n.use("zh", "CNY")
    leaked = Integrity(3, 4, 90.0, 2, 1, 1, 1, sample_ratio_of({"treated": 100, "control": 20}), 5, 2, 3, 80.0, 40)
    one = settlement(status=status, integrity=leaked, code="夏茶", treated_households=80, control_households=80)
    called_off = replace(one.decision, cancelled="2026-06-01", cancelled_why="停", decided_at="2026-06-01T00:00:00")
    one = one._replace(plain=one.main, households=160, elsewhere=(3, 2), decision=called_off)
    account = ab.programme([one], period_start=date(2026, 4, 1))
    told = [said.counted([one], account), said.naive([one]), *said.verdicts([one]), *controls.integrity([one]),
            said.programme(account), said.calibration(account.calibration), said.metric_note([one]),
            *controls.integrity([one._replace(integrity=leaked._replace(control_coded=None))]),
            *controls.integrity([settlement(integrity=Integrity(0, 0, 0.0, 0, 0, 0, 0, WHOLE, 0, 0, 0, 0.0, 40))]),
            *map(said.reason_name, ("control_used_code", "control_contacted", "split_broken", "no_orders")),
            *said.none_registered(), *said.decision_rows([one])["verdict"], said.counted([], account)]
    for text in told:
        left = re.sub(r"`[^`]*`|call|Wang|\*|¥", "", text)
        assert not re.search(r"[A-Za-z]{2,}", left), text
