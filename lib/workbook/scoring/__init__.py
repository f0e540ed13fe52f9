"""How predictions are judged, beside their naive rivals, on what happened after the fit.

Three kinds of prediction come in as one number per customer, and what happened as another:

| judged by | prediction | measures |
|---|---|---|
| `judge`, `curve` | a list: highest numbers first | share caught of buyers or money, at equal length |
| `judge_forecasts`, `calibration` | an amount: purchases, money | total bias, RMSE, Gini, top tenth |
| `judge_probabilities`, `reliability` | a probability | AUC, average precision, Brier, log loss, lift |

The first prediction is the one on trial, the others are its rivals; `verdict` says whether it earns its place against
the best of them, by the interval of its lead. The mean absolute error is not offered: where most customers buy nothing
it cannot tell a model from a forecast of nothing for everybody.

The module `scorecard` sets whole segmentations side by side, and `groupings` wraps them for it. They are imported by
name: trees need scikit-learn, which those who only judge a list should not wait for.
"""

from workbook.scoring.forecasts import calibration, judge_forecasts, normalised_gini
from workbook.scoring.intervals import Estimate, Z, wilson
from workbook.scoring.lists import Ranking, break_even, curve, judge
from workbook.scoring.probabilities import area_under, judge_probabilities, reliability
from workbook.scoring.verdicts import FEWEST, Verdict, verdict

__all__ = [
    "FEWEST",
    "Estimate",
    "Ranking",
    "Verdict",
    "Z",
    "area_under",
    "break_even",
    "calibration",
    "curve",
    "judge",
    "judge_forecasts",
    "judge_probabilities",
    "normalised_gini",
    "reliability",
    "verdict",
    "wilson",
]
