"""A period beside others: the comparable days of a year before, what chance alone moves, and what comes next.

| module | question |
|---|---|
| `alignment` | which days of the year before are like the days of this period, feast by feast |
| `noise` | how far two periods lie apart by chance alone, customers taken as independent |
| `daily` | net revenue day by day, each period as it looked on its own last day |
| `forecast` | what the next period brings, by the rule that did best on this shop's own past |

Orders go in (`clean/orders`), with returns, so that periods are compared at equal return age; numbers and codes come
out. What they mean in words is said in `output`.
"""
