"""Who the simulated customers are, and the hidden traits that drive what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbook.data.simulation import catalog
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.parameters import Parameters


@dataclass
class People:
    """One array entry a customer. Times are days since the shop opened, local."""

    number: np.ndarray  # position in the whole shop, from 0
    persona: np.ndarray
    channel: np.ndarray
    region: np.ndarray
    woman: np.ndarray
    birth_year: np.ndarray
    birth_day: np.ndarray  # 1 … 365
    education: np.ndarray
    income: np.ndarray
    occupation: np.ndarray  # index into the persona's occupations
    prospect: np.ndarray
    born: np.ndarray  # first order; of a prospect, registration
    rate: np.ndarray  # orders a day of operational time
    dropout: np.ndarray  # probability of leaving after an order of ordinary service
    mean_spend: np.ndarray  # CNY an order
    spend_scale: np.ndarray  # scale of the gamma of one order's value
    abuser: np.ndarray
    late_payer: np.ndarray
    tracked: np.ndarray
    consents: np.ndarray  # may be written to by mail
    consents_sms: np.ndarray  # of these, who may be sent text messages too
    engagement: np.ndarray  # chance to open a message
    referrer: np.ndarray  # number of who recommended; −1 for nobody
    digits: np.ndarray  # for names, addresses and telephone numbers

    def __len__(self) -> int:
        return len(self.number)


def _pick(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """One index a row, drawn by the row's weights."""
    edges = np.cumsum(weights, axis=1)
    return (rng.random(len(weights))[:, None] * edges[:, -1:] > edges).sum(axis=1)


def _traits(parameters: Parameters, name: str) -> np.ndarray:
    return np.array([getattr(persona, name) for persona in parameters.personas])


def make_people(parameters: Parameters, clock: Clock, rng: np.random.Generator, first: int, count: int) -> People:
    """Draw `count` customers, numbered from `first`."""
    shares = _traits(parameters, "share")
    persona = rng.choice(len(shares), count, p=shares / shares.sum())
    brought = np.array([channel.share for channel in parameters.channels])
    channel = rng.choice(len(brought), count, p=brought / brought.sum())
    lived = np.array([region[4] for region in catalog.REGIONS])
    born_mean, born_sd = _traits(parameters, "born").T
    prospect = rng.random(count) < parameters.prospect_share
    born = np.interp(rng.random(count), clock.arrivals, np.arange(clock.days + 1, dtype=float))

    channel_rate = np.array([channel.rate for channel in parameters.channels])[channel]
    channel_dropout = np.array([channel.dropout for channel in parameters.channels])[channel]
    rate = rng.gamma(parameters.rate_r, 1.0 / parameters.rate_alpha, count) / 7.0
    leave = rng.beta(parameters.dropout_a, parameters.dropout_b, count)
    hazard = _traits(parameters, "dropout")[persona] * channel_dropout
    scale = _traits(parameters, "spend")[persona] / rng.gamma(parameters.spend_q, 1.0 / parameters.spend_gamma, count)
    on_account = _traits(parameters, "on_account")[persona]
    people = People(
        number=np.arange(first, first + count),
        persona=persona, channel=channel, region=rng.choice(len(lived), count, p=lived / lived.sum()),
        woman=rng.random(count) < _traits(parameters, "women")[persona],
        birth_year=np.clip(np.rint(rng.normal(born_mean[persona], born_sd[persona])), 1935, 2009).astype(int),
        birth_day=rng.integers(1, 366, count),
        education=_pick(rng, _traits(parameters, "education")[persona]),
        income=_pick(rng, _traits(parameters, "income")[persona]),
        occupation=rng.integers(0, 12, count) % np.array([len(p.occupations) for p in parameters.personas])[persona],
        prospect=prospect, born=born,
        rate=rate * _traits(parameters, "rate")[persona] * channel_rate,
        dropout=1.0 - (1.0 - leave) ** hazard,
        mean_spend=scale * parameters.spend_p, spend_scale=scale,
        abuser=(rng.random(count) < parameters.abuser_share) & ~prospect,
        late_payer=on_account & (rng.random(count) < parameters.late_payer_share),
        tracked=prospect | (rng.random(count) < parameters.tracked_share),
        consents=rng.random(count) < parameters.consent_share, consents_sms=np.zeros(count, bool),
        engagement=np.zeros(count), referrer=np.full(count, -1), digits=rng.integers(0, 2**31, count))
    people.consents_sms = people.consents & (people.digits % 2 == 0)
    warmth = 0.5 * np.log(people.rate * 7.0 * parameters.rate_alpha + 1e-6) + rng.normal(0.0, 0.7, count)
    people.engagement = 1.0 / (1.0 + np.exp(1.2 - warmth))
    _recommend(parameters, people, rng)
    return people


def _recommend(parameters: Parameters, people: People, rng: np.random.Generator) -> None:
    """Give each customer of the referral channel an earlier customer who recommended the shop."""
    names = [channel.name for channel in parameters.channels]
    if "referral" not in names:
        return
    buyers = np.flatnonzero(~people.prospect)
    by_age = buyers[np.argsort(people.born[buyers], kind="stable")]
    brought = np.flatnonzero(people.channel == names.index("referral"))
    older = np.searchsorted(people.born[by_age], people.born[brought])
    picked = (rng.random(len(brought)) * older).astype(int)
    known = older > 0
    people.referrer[brought[known]] = people.number[by_age[picked[known]]]
