"""What the simulated shop is made of: every number that the chapters must later find again.

While a customer is with the shop they order at their own rate, gamma distributed over customers;
after every order they leave with their own probability, beta distributed: MBG/NBD, and BG/NBD where
nobody leaves after the first order. What an order comes to is gamma-gamma. Personas, acquisition
channels, the season and the quality of service multiply these; `Parameters.plain()` has none of
them, so that the textbook models hold exactly.

Source of the models: Fader, Hardie & Lee 2005 (BG/NBD); Batislam, Denizel & Filiztekin 2007 (MBG/NBD);
Fader & Hardie 2013 (gamma-gamma); Fader & Hardie 2007 (shifted beta-geometric, for the subscriptions).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal


@dataclass(frozen=True)
class Persona:
    """A kind of customer: who they are and how they behave beside the average of 1."""

    name: str
    share: float  # of all customers
    rate: float  # multiplies the order rate
    dropout: float  # multiplies the hazard of leaving after an order
    spend: float  # multiplies the order value
    extra_lines: float  # mean number of lines of an order beyond the first
    gifting: float  # exponent on the season of gifts: 0 ignores the feasts
    bargains: float  # exponent on the promotions: 0 ignores them
    returns: float  # multiplies the share of lines that come back
    subscribes: float  # share who take the monthly tea box
    women: float  # share of women
    born: tuple[int, int]  # mean and standard deviation of the year of birth
    categories: tuple[float, ...]  # weight of each of catalog.CATEGORIES
    education: tuple[float, ...]  # weight of each of catalog.EDUCATION
    income: tuple[float, ...]  # weight of each of catalog.INCOME_BANDS
    occupations: tuple[str, ...]
    on_account: bool = False  # pays by invoice, 30 days


@dataclass(frozen=True)
class Channel:
    """An acquisition channel: how many it brings, what it costs and how good they are."""

    name: str
    share: float  # of all customers
    cost: float  # CNY for one new customer
    rate: float  # multiplies the order rate
    dropout: float  # multiplies the hazard of leaving


@dataclass(frozen=True)
class Experiment:
    """A randomised experiment on the shop's customers and its true effect on their order rate."""

    name: str
    month: int  # month of the shop's history in which it starts, counted from 0
    lift: float  # true relative change of the order rate in the treated arm, while it runs
    applies_to: Literal["all", "one_order"] = "all"  # one_order: only those with one order so far
    lost_share: float = 0.0  # share of the treated arm whose assignment is lost: a broken split
    days: int = 56
    treated_share: float = 0.5


@dataclass(frozen=True)
class Action:
    """Something done to chosen customers on one day, and its true effect on each of them while it works."""

    name: str  # campaign id of its messages
    day: date
    customers: tuple[str, ...]  # ids of the treated
    rate: float = 1.0  # multiplies the order rate of who is still with the shop
    basket: float = 1.0  # multiplies what an order comes to
    comes_back: float = 0.0  # share of those who had left who order once more
    days: int = 60  # for which it works
    cost: float = 0.01  # CNY a message
    channel: str = "mail"
    offer: str = ""
    code: str = ""  # that everybody enters on whom it works, with every order of those days; "": it needs none
    passed_to: tuple[str, ...] = ()  # ids who got hold of the offer without a message: it works on them too


PERSONAS = (
    Persona("tea_connoisseur", 0.16, 1.5, 0.6, 1.7, 0.7, 0.4, 0.3, 0.6, 0.16, 0.28, (1972, 8),
            (6, 2, 3, 0.5, 0.2, 0.3), (1, 2, 4, 4, 1), (1, 2, 4, 4, 2),
            ("manager", "civil servant", "self-employed", "retired")),
    Persona("gift_giver", 0.18, 0.7, 0.9, 1.6, 0.5, 1.7, 0.5, 0.7, 0.02, 0.55, (1981, 8),
            (2, 1, 1, 6, 1, 1), (1, 2, 4, 5, 2), (1, 2, 4, 4, 3),
            ("sales", "manager", "engineer", "teacher")),
    Persona("new_home", 0.20, 1.2, 1.6, 1.0, 1.4, 0.2, 0.9, 1.3, 0.01, 0.66, (1992, 4),
            (0.5, 2, 1, 0.5, 6, 3), (0, 2, 5, 6, 2), (1, 3, 5, 2, 1),
            ("engineer", "designer", "office clerk", "nurse")),
    Persona("student", 0.20, 0.8, 1.4, 0.45, 0.4, 0.3, 1.8, 1.5, 0.01, 0.62, (2003, 2),
            (2, 1, 4, 1, 1, 2), (0, 1, 2, 7, 2), (8, 2, 0.5, 0, 0),
            ("student", "student", "student", "trainee")),
    Persona("wellness_parent", 0.20, 1.3, 0.7, 0.9, 1.0, 0.5, 0.7, 0.8, 0.22, 0.82, (1986, 5),
            (2, 1, 5, 1, 2, 3), (1, 3, 5, 4, 1), (1, 4, 5, 2, 1),
            ("teacher", "nurse", "accountant", "homemaker")),
    Persona("office_buyer", 0.06, 1.6, 0.5, 4.0, 1.1, 0.9, 0.2, 0.4, 0.08, 0.50, (1984, 7),
            (4, 2, 1, 5, 2, 0.5), (0, 1, 5, 5, 2), (0, 2, 5, 4, 2),
            ("office manager", "purchaser"), on_account=True),
)

CHANNELS = (
    Channel("tmall_search", 0.34, 38.0, 1.00, 1.00),
    Channel("douyin", 0.24, 46.0, 0.80, 1.50),
    Channel("xiaohongshu", 0.16, 30.0, 1.05, 0.95),
    Channel("wechat", 0.12, 18.0, 1.10, 0.85),
    Channel("referral", 0.08, 20.0, 1.25, 0.70),
    Channel("store", 0.06, 55.0, 1.15, 0.80),
)

EXPERIMENTS = (
    Experiment("free_gift_wrapping", 13, lift=0.60),
    Experiment("new_home_page", 16, lift=0.0),
    Experiment("short_checkout", 21, lift=0.0, lost_share=0.14),
    Experiment("second_order_coupon", 22, lift=1.20, applies_to="one_order"),
)


@dataclass(frozen=True)
class Parameters:
    """The truth of a simulated shop. Rates are per week of 7 days, money is CNY, times are local."""

    start: date = date(2024, 1, 1)  # first day of the shop
    tail_days: int = 7  # days of records after the last whole month
    prospect_share: float = 0.12  # customers with an account who never order
    guest_share: float = 0.04  # orders without a customer: anonymous sales
    growth: float = 0.6  # new customers a day at the end of the history, beside the beginning

    rate_r: float = 1.0  # shape of the order rate's gamma
    rate_alpha: float = 11.0  # weeks; scale: the mean rate is r / alpha orders a week
    dropout_a: float = 1.0  # first parameter of the dropout probability's beta
    dropout_b: float = 4.5  # second; the mean probability is a / (a + b) after each order
    leaves_after_first: bool = True  # a customer may leave after the first order already (MBG/NBD)
    spend_p: float = 5.0  # shape of an order's value
    spend_q: float = 5.0  # shape over customers
    spend_gamma: float = 118.0  # CNY; the mean order is p × gamma / (q − 1)
    longest_history: int = 900  # orders of one customer at most

    personas: tuple[Persona, ...] = PERSONAS
    channels: tuple[Channel, ...] = CHANNELS
    experiments: tuple[Experiment, ...] = EXPERIMENTS
    actions: tuple[Action, ...] = ()
    season: bool = True  # feasts and promotions move the order rate
    promotion_discount: float = 0.10  # further price reduction while a promotion runs
    lowest_price_share: float = 0.5  # of the list price, below which nothing is sold: lifts the smallest orders
    companion_share: float = 0.40  # further lines taken from the companion category of the first

    crisis_month: int = 18  # month of the shop's history in which the warehouse moves
    crisis_months: int = 3
    crisis_depth: float = 1.3  # standard deviations by which service falls; twice that in the hit region
    crisis_regions: tuple[str, ...] = ("Shanghai", "Jiangsu", "Zhejiang", "Anhui")
    service_on_dropout: float = 0.45  # the hazard of leaving is multiplied by exp(−this × service)
    service_on_returns: float = 0.25  # so is the share of lines that come back
    service_on_tickets: float = 0.60  # so is the share of orders with a ticket
    service_on_score: float = 0.95  # points of satisfaction for one standard deviation of service

    return_share: float = 0.055  # of lines, before the multipliers
    return_shape: float = 2.2  # delay in days: 1 + gamma(shape, scale)
    return_scale: float = 5.0
    partial_share: float = 0.5  # returned lines of several units that come back in part only
    abuser_share: float = 0.012  # of customers
    abuser_returns: float = 8.0  # multiplies their share of returned lines

    ticket_share: float = 0.05  # of orders
    wave_share: float = 0.30  # of active customers invited to the quarterly survey
    after_order_share: float = 0.06  # of orders followed by a question about them
    response_share: float = 0.34  # of invitations answered at middling satisfaction

    tracked_share: float = 0.20  # of customers whose visits are recorded
    visits_per_order: float = 5.0  # further visits while the customer is with the shop
    visits_after: float = 0.5  # the same once they have left
    logged_in_share: float = 0.85  # visits with a known customer

    consent_share: float = 0.62  # of customers who may be written to
    contacted_share: float = 0.45  # of those, the share that one campaign reaches
    unsubscribe_share: float = 0.006  # of delivered messages
    contact_effect: float = 0.0  # change of the order rate by a message: none

    subscription_alpha: float = 1.1  # shifted beta-geometric: monthly probability of cancelling
    subscription_beta: float = 9.0
    payment_days: int = 30  # until an invoice is due
    late_payer_share: float = 0.25  # of customers who pay by invoice
    late_days: float = 24.0  # mean delay of a late payer beyond the due day
    default_share: float = 0.03  # of a late payer's invoices that are never paid

    notes: tuple[str, ...] = field(default=(
        "Orders that an experiment adds do not make the customer leave.",
        "Messages do not make anyone order: whoever clicks would have ordered more anyway.",
    ))

    @classmethod
    def plain(cls, **changes: object) -> Parameters:
        """A shop on which BG/NBD and gamma-gamma hold exactly: no season, personas, channels or service.

        With `leaves_after_first=True` MBG/NBD holds instead.
        """
        persona = Persona("plain", 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.5, (1985, 10),
                          (1.0,) * 6, (1.0,) * 5, (1.0,) * 5, ("other",))
        bare = cls(leaves_after_first=False, prospect_share=0.0, guest_share=0.0, personas=(persona,),
                   channels=(Channel("direct", 1.0, 0.0, 1.0, 1.0),), experiments=(), season=False,
                   promotion_discount=0.0, lowest_price_share=0.0, crisis_months=0, service_on_dropout=0.0,
                   abuser_share=0.0)
        return replace(bare, **changes)  # type: ignore[arg-type]
