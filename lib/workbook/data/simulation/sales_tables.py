"""Customers and what they buy, as canonical tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.simulation import actions, catalog, encounters, purchases
from workbook.data.simulation.catalog import CATEGORIES, REGIONS
from workbook.data.simulation.scribe import Scribe
from workbook.data.simulation.tables import Number, Words, strings

_PINYIN = ("wang", "li", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "xu", "sun", "hu", "zhu",
           "gao", "lin", "he", "guo", "ma", "luo")
FREE_SHIPPING_CENTS = 4_900  # orders below pay SHIPPING_CENTS
SHIPPING_CENTS = 1_000
MEMBER_LEVELS = {"basic": 0.0, "silver": 500.0, "gold": 2_000.0}  # CNY spent so far


class SalesScribe(Scribe):
    """Writes customers, orders, lines, returns, invoices, subscriptions and referrals down."""

    def customers(self) -> pa.Table:
        people = self.people
        names = tuple(surname + given for surname in catalog.SURNAMES for given in catalog.GIVEN)
        name = people.digits % len(names)
        streets = tuple(f"{official}{city}{street}" if official[:-1] != city else f"{official}{street}"
                        for _, _, official, city, _ in REGIONS for street in catalog.STREETS)
        house = strings(Number(people.digits // 7 % 300 + 1))
        street = strings(Words(people.region * len(catalog.STREETS) + people.digits // 11 % 10, streets))
        occupations = tuple(dict.fromkeys(o for p in self.parameters.personas for o in p.occupations))
        lookup = np.array([[occupations.index(p.occupations[k % len(p.occupations)]) for k in range(12)]
                           for p in self.parameters.personas])
        new_year = (people.birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        born_on = pa.array((new_year + people.birth_day - 1).astype("datetime64[D]")).cast(pa.string())
        on_account = np.array([persona.on_account for persona in self.parameters.personas])[people.persona]
        mail = pc.binary_join_element_wise(
            strings(Words(name // len(catalog.GIVEN), _PINYIN)).cast(pa.string()),
            strings(Number(people.number + 1)), pa.scalar("@example.com"), "")
        return self._table(
            "customers", customer_id=self._customer(np.arange(len(people))),
            kind=Words(on_account.astype(int), ("person", "account")), name=Words(name, names),
            phone=Number(19_900_000_000 + people.number), mail=mail,
            address=pc.binary_join_element_wise(street.cast(pa.string()), house, pa.scalar("号"), ""),
            birth_date=born_on, gender=Words(people.woman.astype(int), ("male", "female")),
            education=Words(people.education, catalog.EDUCATION),
            occupation=Words(lookup[people.persona, people.occupation], occupations),
            income_band=Words(people.income, catalog.INCOME_BANDS),
            region=Words(people.region, [region[0] for region in REGIONS]),
            city=Words(people.region, [region[3] for region in REGIONS]), country=Words(0 * people.region, ("China",)),
            acquisition_channel=Words(people.channel, [channel.name for channel in self.parameters.channels]),
            registered_at=np.maximum(people.born - 0.01, 0.0))

    def attributes(self, cents: np.ndarray) -> pa.Table:
        """The member level of each customer, from the day after the order with which they reached it."""
        orders = self.orders
        spent = np.cumsum(np.where(orders.guest, 0, cents))
        before_mine = np.concatenate([[0], spent])[np.searchsorted(orders.person, orders.person)]
        known = np.flatnonzero(~self.people.prospect)
        who, level, since = [known], [np.zeros(len(known), int)], [self.people.born[known]]
        for number, threshold in enumerate(MEMBER_LEVELS.values()):
            reached = np.flatnonzero(spent - before_mine >= threshold * 100)
            _, first = np.unique(orders.person[reached], return_index=True)
            if number:
                who.append(orders.person[reached[first]])
                level.append(np.full(len(first), number))
                since.append(orders.at[reached[first]] + 1.0)
        person, value, day = np.concatenate(who), np.concatenate(level), np.floor(np.concatenate(since))
        order = np.lexsort((value, day, person))
        person, value, day = person[order], value[order], day[order]
        highest = np.r_[(np.diff(person) != 0) | (np.diff(day) != 0), True][:len(person)]  # of each day
        person, value, day = person[highest], value[highest], day[highest]
        return self._table(
            "customer_attributes", customer_id=self._customer(person), attribute=Words(0 * person, ("member_level",)),
            value=Words(value, tuple(MEMBER_LEVELS)), valid_from=day)

    def _order_context(self, order: np.ndarray) -> dict[str, object]:
        orders, person = self.orders, self.orders.person[order]
        return {
            "customer_id": self._customer(person, orders.guest[order]),
            "channel": Words(self.context.channel[order], encounters.SALE_CHANNELS),
            "payment_method": Words(self.context.payment[order], encounters.PAYMENT_METHODS),
            "region": Words(self.people.region[person], [region[0] for region in REGIONS]),
            "country": Words(0 * order, ("China",)), "status": Words(0 * order, ("completed",)),
            **self._codes(order),
        }

    def _codes(self, order: np.ndarray) -> dict[str, object]:
        """The codes entered; no column in a shop whose actions have none."""
        offered = [action.code for action in self.parameters.actions]
        if not any(offered):
            return {}
        entered = actions.codes(self.parameters, self.clock, self.people, self.orders)
        return {"discount_code": Words(entered[order], offered)}

    def orders_table(self, lines: purchases.Lines, cents: np.ndarray) -> pa.Table:
        count, every = len(self.orders), np.arange(len(self.orders))
        off = (lines.list_cents - lines.unit_cents) * lines.quantity
        return self._table(
            "orders", order_id=self.order_id, ordered_at=self.orders.at, ordered_on=self.orders.at, amount=cents,
            quantity=np.bincount(lines.order, lines.quantity, minlength=count) * 100,
            discount=np.bincount(lines.order, off, minlength=count).astype(np.int64),
            cost=np.bincount(lines.order, self._cost(lines), minlength=count).astype(np.int64),
            shipping=np.where(cents < FREE_SHIPPING_CENTS, SHIPPING_CENTS, 0), **self._order_context(every))

    def _cost(self, lines: purchases.Lines) -> np.ndarray:
        return unit_cost_cents(self.shelf, lines.product,
                               self.orders.at[lines.order] >= self.clock.day(catalog.PRICE_RISE)) * lines.quantity

    def lines_table(self, lines: purchases.Lines) -> pa.Table:
        at = self.orders.at[lines.order]
        return self._table(
            "order_lines", order_id=self._order(lines.order), line_no=lines.line_no, ordered_at=at, ordered_on=at,
            product_id=Words(lines.product, self.shelf.ids), product_name=Words(lines.product, self.shelf.names),
            category=Words(self.shelf.category[lines.product], CATEGORIES), quantity=lines.quantity * 100,
            unit_price=lines.unit_cents, amount=lines.unit_cents * lines.quantity,
            discount=(lines.list_cents - lines.unit_cents) * lines.quantity, cost=self._cost(lines),
            **self._order_context(lines.order))

    def returns_table(self, lines: purchases.Lines, back: purchases.Returned) -> pa.Table:
        here = np.flatnonzero(back.at < self.clock.days)
        line = back.line[here]
        order = lines.order[line]
        poor = (self.orders.service[order] < -1.0).astype(int)
        return self._table(
            "returns", return_id=self._return_id(lines, line), order_id=self._order(order), line_no=lines.line_no[line],
            product_id=Words(lines.product[line], self.shelf.ids), quantity=back.quantity[here] * 100,
            amount=back.cents[here], returned_at=back.at[here],
            reason=Words(np.where(poor == 1, 0, 1 + back.turn[here] % 3),
                         ("late or damaged", "not as described", "changed mind", "wrong item")))

    def payments(self, invoices: encounters.Columns) -> pa.Table:
        paid = ~np.isnan(invoices["paid"])
        return self._table(
            "payments", payment_id=Number(self.order_number[invoices["order"]], prefix="P"),
            order_id=self._order(invoices["order"]), customer_id=self._customer(invoices["person"]),
            amount=invoices["cents"], due_on=invoices["due"], paid_at=invoices["paid"],
            method=Words(0 * invoices["order"], ("invoice",)), status=Words(paid.astype(int), ("open", "paid")))

    def subscriptions(self, contracts: encounters.Columns) -> pa.Table:
        ended = ~np.isnan(contracts["ended"])
        return self._table(
            "subscriptions", subscription_id=Number(self.people.number[contracts["person"]] + 1, 8, "S"),
            customer_id=self._customer(contracts["person"]), plan=Words(contracts["plan"], encounters.PLANS),
            started_on=contracts["started"], ended_on=contracts["ended"],
            price=np.array(encounters.PLAN_CENTS)[contracts["plan"]], billing_months=np.ones(len(ended), int),
            end_reason=Words(np.where(ended, contracts["reason"], -1), encounters.END_REASONS))

    def referrals(self) -> pa.Table:
        brought = np.flatnonzero((self.people.referrer >= 0) & ~self.people.prospect)
        return self._table(
            "referrals", referrer_id=Number(self.people.referrer[brought] + 1, 8), referred_id=self._customer(brought),
            referred_at=self.people.born[brought], reward=np.full(len(brought), 2_000))


def unit_cost_cents(shelf: catalog.Goods, product: np.ndarray, risen: np.ndarray) -> np.ndarray:
    """What one unit of each product costs the shop, before and after the price rise of tea."""
    category = shelf.category[product]
    dearer = np.where((category == 0) & risen, catalog.COST_RISE_FACTOR, 1.0)
    return np.rint(shelf.price[product] * (1.0 - catalog.MARGIN[category]) * 100.0 * dearer).astype(np.int64)
