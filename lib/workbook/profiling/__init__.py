"""Who the customers are, what they buy and when, and what moved revenue since the period before.

`clean/*` goes in; one row per customer (`profile/customers`), small finished tables and named findings come out.
Each question has a module: `activity` (the shop's figures by period), `lifecycle` (the stage of every customer),
`customers` (the table of customers), `times` (hour and weekday), `behaviour` (visits, clicks, dwell), `concentration`
(Lorenz, Gini, tails), `cross` (any two attributes, small cells suppressed) and `bridge` (the split of the change).

Findings of `03_profiling`; "period" is the run's period, "window" the last `value_days` days:

    customers                    customers with at least one purchase to date
    prospects                    people on record who have not bought yet
    active_customers             customers with a purchase in the period
    new_customers                of these, those whose first purchase on record lies in it
    returning_customers          of these, those who had bought before it
    orders, units                purchases in the period (returns are no orders), and the units in them
    revenue                      what they came to before returns
    net_revenue                  less what came back of them, and less returns that match no purchase
    average_order_value          net revenue per order of the period
    orders_per_customer          orders of known customers per active customer
    identified_share             share of net revenue that belongs to a known customer
    margin                       (net revenue − tax − cost of what was kept) / (net revenue − tax), where cost is known
    lifecycle_<stage>            customers in prospect, new, active, returning, dormant, lost
    second_purchase_rate_90d     share of first-time buyers who bought on another day within 90 days
    value_mean, value_median     net revenue per customer who bought in the window
    gini, top20_share            how unequal that is; share of the best 20 %
    <figure>_before              net_revenue, active_customers, new_customers, orders, average_order_value, margin and
                                 second_purchase_rate_90d of the period before, as they looked on its own last day
    revenue_change               net revenue less net_revenue_before
    change_<part>                what customers, orders_per_customer, basket (of it: units, price, mix, discount,
                                 returns) and anonymous sales contribute; they add up to it exactly
    visits, visitors             visits in the period and the people or devices that made them
    dwell_minutes_median         median minutes of a visit

Where the field disagrees: a customer is a person who bought, not an account; a first purchase is the first *on record*
(records have a beginning); returns are taken off the period of the purchase that they undo.
"""
