"""What every writer of a cell's tables shares: the ids of customers and orders."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.simulation import catalog, encounters, purchases
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.parameters import Parameters
from workbook.data.simulation.population import People
from workbook.data.simulation.tables import Number, strings, table


class Scribe:
    """Writes arrays of one cell down as canonical tables."""

    def __init__(self, parameters: Parameters, clock: Clock, people: People, orders: purchases.Orders,
                 context: encounters.Context, shelf: catalog.Goods) -> None:
        self.parameters, self.clock, self.people, self.orders = parameters, clock, people, orders
        self.context, self.shelf = context, shelf
        minutes = np.floor(orders.at * 1440.0).astype(np.int64)
        self.order_number = (3 * 10**17 + minutes * 10**10 + people.number[orders.person].astype(np.int64) * 1000
                             + orders.sequence)
        self.order_id = strings(Number(self.order_number))

    def _table(self, name: str, /, **columns: object) -> pa.Table:
        return table(name, columns, self.clock.start)  # type: ignore[arg-type]

    def _customer(self, person: np.ndarray, missing: np.ndarray | None = None) -> Number:
        return Number(self.people.number[person] + 1, 8, missing=missing)

    def _order(self, order: np.ndarray) -> pa.Array:
        return self.order_id.take(pa.array(order, mask=order < 0))

    def _return_id(self, lines: purchases.Lines, line: np.ndarray) -> pa.Array:
        return pc.binary_join_element_wise("R", self._order(lines.order[line]), strings(Number(lines.line_no[line], 2)),
                                           "")


def no_trial() -> purchases.Trial:
    """An experiment without customers, for the shape of its empty tables."""
    none = np.empty(0, int)
    return purchases.Trial(purchases.Experiment("", 0, 0.0), none, none.astype(bool), none.astype(bool),
                           none.astype(float), 0.0, 0.0)
