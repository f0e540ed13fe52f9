"""A/B testing: what works?

Question: did the change do it, by how much, and is it worth having? One row per customer and experiment goes in
(clean/assignments, with clean/outcomes or clean/orders); effects with intervals and a verdict come out. The table that
every method takes has one row a customer: customer_id, arm, value, denominator, before (see `experiments`). Messages
that nobody randomised (clean/contacts) go into `campaigns`; what may be said of them comes from `unrandomised`. Lists
that were exported with a control of their own (`workbook.decisions`) are settled by `settlement` and summed by
`programme`.

Before an experiment: `power`. May it be read: `split`. While it runs: `sequential`, `bayes`. After it: `means`,
`rates`, `ratios`, `clusters`, `cuped`, `tails`, `many`, `segment_effects`, `uplift`. What follows: `verdict`.

Sources: R. Kohavi, D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020; each module names its own.
"""

from workbook.ab_testing.bayes import Reading, reading
from workbook.ab_testing.book import as_experiments, beside, of_others, programme_figures, settlements_table
from workbook.ab_testing.campaigns import Campaign, campaigns_sent, histories
from workbook.ab_testing.clusters import Design, cluster_design, cluster_effects
from workbook.ab_testing.cuped import CupedHealth, cuped_effects, cuped_health
from workbook.ab_testing.differences import differences, is_parallel
from workbook.ab_testing.effects import Effect, as_frame
from workbook.ab_testing.experiments import (
    Metric,
    control_of,
    effects,
    list_experiments,
    measured,
    measured_from_orders,
    metrics_of,
    subjects,
)
from workbook.ab_testing.findings import campaign_figures, experiment_figures, planning_figures
from workbook.ab_testing.focus import by_history, targeting, watched
from workbook.ab_testing.many import correct
from workbook.ab_testing.matching import (
    Difference,
    Matched,
    match,
    matched_effect,
    plain_difference,
    pooled,
)
from workbook.ab_testing.means import mean_effect_from_sums, mean_effects
from workbook.ab_testing.plans import detectable_curves, plannable, plans
from workbook.ab_testing.power import (
    Baseline,
    Detectable,
    Duration,
    at_once,
    baselines,
    detectable_curve,
    duration,
    minimum_detectable,
    power_curve,
    power_of,
    sample_size,
    sample_size_mean,
    sample_size_rate,
    traffic,
)
from workbook.ab_testing.programme import Calibration, Programme, Sum, account, agrees, programme
from workbook.ab_testing.rates import RateTests, rate_effect, rate_effects, rate_tests
from workbook.ab_testing.ratios import ratio_effects
from workbook.ab_testing.record import kept, record
from workbook.ab_testing.review import Reviewed, arm_totals, example, in_focus, review, to_watch
from workbook.ab_testing.segment_effects import Segments, by_segment, orders_before
from workbook.ab_testing.sequential import Stop, daily_looks, peeking_error, sequence, stopping
from workbook.ab_testing.settlement import Naive, Settlement, settle
from workbook.ab_testing.split import Maturity, SampleRatio, faults, maturity, sample_ratio, sample_ratio_of
from workbook.ab_testing.tails import Winsorised, winsorised_effects
from workbook.ab_testing.touching import Touched, part_figures, touching
from workbook.ab_testing.unrandomised import CLAIMS, JudgedCampaign, campaign_rows, judge_campaigns, together
from workbook.ab_testing.uplift import FEATURES, Uplift, features, judge_uplift
from workbook.ab_testing.verdict import Verdict, Worth, judge_experiment, own_prior, worth_a_year
from workbook.ab_testing.worths import worths
from workbook.history import ORDER_METRICS

__all__ = [
    "CLAIMS",
    "FEATURES",
    "ORDER_METRICS",
    "Baseline",
    "Calibration",
    "Campaign",
    "CupedHealth",
    "Design",
    "Detectable",
    "Difference",
    "Duration",
    "Effect",
    "JudgedCampaign",
    "Matched",
    "Maturity",
    "Metric",
    "Naive",
    "Programme",
    "RateTests",
    "Reading",
    "Reviewed",
    "SampleRatio",
    "Segments",
    "Settlement",
    "Stop",
    "Sum",
    "Touched",
    "Uplift",
    "Verdict",
    "Winsorised",
    "Worth",
    "account",
    "agrees",
    "arm_totals",
    "as_experiments",
    "as_frame",
    "at_once",
    "baselines",
    "beside",
    "by_history",
    "by_segment",
    "campaign_figures",
    "campaign_rows",
    "campaigns_sent",
    "cluster_design",
    "cluster_effects",
    "control_of",
    "correct",
    "cuped_effects",
    "cuped_health",
    "daily_looks",
    "detectable_curve",
    "detectable_curves",
    "differences",
    "duration",
    "effects",
    "example",
    "experiment_figures",
    "faults",
    "features",
    "histories",
    "in_focus",
    "is_parallel",
    "judge_campaigns",
    "judge_experiment",
    "judge_uplift",
    "kept",
    "list_experiments",
    "match",
    "matched_effect",
    "maturity",
    "mean_effect_from_sums",
    "mean_effects",
    "measured",
    "measured_from_orders",
    "metrics_of",
    "minimum_detectable",
    "of_others",
    "orders_before",
    "own_prior",
    "part_figures",
    "peeking_error",
    "plain_difference",
    "plannable",
    "planning_figures",
    "plans",
    "pooled",
    "power_curve",
    "power_of",
    "programme",
    "programme_figures",
    "rate_effect",
    "rate_effects",
    "rate_tests",
    "ratio_effects",
    "reading",
    "record",
    "review",
    "sample_ratio",
    "sample_ratio_of",
    "sample_size",
    "sample_size_mean",
    "sample_size_rate",
    "sequence",
    "settle",
    "settlements_table",
    "stopping",
    "subjects",
    "targeting",
    "to_watch",
    "together",
    "touching",
    "traffic",
    "watched",
    "winsorised_effects",
    "worth_a_year",
    "worths",
]
