"""What a trial says, in both languages."""

import math

import numpy as np
import pytest

from workbook.output import i18n, page
from workbook.output.words import scoring as words
from workbook.scoring import Verdict, judge_forecasts, judge_probabilities

NAMES = {"rate": "The past rate"}


@pytest.fixture(params=["en", "zh"])
def lang(request):
    i18n.use(request.param)
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en")


def told(code: str, lead: float = 0.0123, low: float = 0.001, high: float = 0.02, measure: str = "gini") -> str:
    return words.verdict(Verdict(code, "rate", lead, low, high, measure, 500), NAMES)


def test_a_model_that_earns_its_place():
    assert told("earns") == (
        "**The model earns its place:** its Normalised Gini is better than that of the best naive rival, "
        "“The past rate”, by 0.012 (between 0.001 and 0.020)."
    )


def test_a_tie_says_that_the_simple_rule_will_do():
    assert "does not earn its place" in told("ties", low=-0.01) and "simple rule" in told("ties", low=-0.01)
    assert "“The past rate” is better" in told("loses", lead=-0.2, low=-0.3, high=-0.1)


def test_shares_differ_by_points():
    assert "by 1.2 points (between 0.1 points and 2.0 points)" in told("earns", measure="top_share")


def test_too_few_states_no_number_of_the_measure():
    text = words.verdict(Verdict("too_few", "", math.nan, math.nan, math.nan, "gini", 12), {})
    assert "12 customers" in text and "nan" not in text


def test_every_measure_has_words_in_both_languages(lang):
    rng = np.random.default_rng(1)
    came = rng.poisson(1, 50).astype(float)
    amounts = judge_forecasts({"m": came, "rate": came + 1}, came, rng=rng, repeats=5)
    chances = judge_probabilities({"m": came > 0, "rate": came}, came > 0, rng=rng, repeats=5)
    for judged in (amounts, chances):
        columns = words.columns(judged)
        assert len(columns) == (5 if judged is amounts else 6)
        assert "The past rate" in repr(page.table(words.rows(judged, NAMES), columns=columns))
        for measure in list(columns)[1:]:
            assert words.reading(measure)
    for code in ("earns", "ties", "loses", "too_few"):
        assert told(code).strip()
