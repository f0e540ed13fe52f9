"""What is bought: products and how few of them make most of the revenue.

Order lines go in (`clean/order_lines`), products come out. Postage, fees and other lines that are no goods are left
out.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.periods import Period


def sold(lines: ir.Table, window: Period) -> ir.Table:
    """One row a product: product, product_name, category, orders, customers, units, revenue (units and money net)."""
    goods = lines.filter(lines.is_product & lines.ordered_on.between(window.start, window.end))
    goods = goods.mutate(product=ibis.coalesce(goods.product_id, goods.product_name, ""))
    bought = ~goods.is_return
    table = goods.group_by("product").agg(
        category=goods.category.max(),
        orders=goods.order_id.nunique(where=bought),
        customers=goods.customer_id.nunique(where=bought),
        units=(goods.quantity - ibis.coalesce(goods.returned_quantity, 0)).cast("float64").sum(),
        revenue=goods.net_amount.cast("float64").sum(),
    )
    joined = table.left_join(_names(goods), "product")
    return joined.select(*table.columns, product_name=ibis.coalesce(joined.product_name, joined.product))


def _names(goods: ir.Table) -> ir.Table:
    """product, product_name: the name it was mostly sold under; remarks of a stocktaking are names too."""
    sold_as = goods.filter((goods.amount > 0) & goods.product_name.notnull())
    counted = sold_as.group_by("product", "product_name").agg(times=sold_as.count())
    most = counted.group_by("product").agg(most_times=counted.times.max())
    best_known = counted.inner_join(most, "product").filter(lambda row: row.times == row.most_times)
    return best_known.group_by("product").agg(product_name=best_known.product_name.min())


def best(table: pd.DataFrame, *, most: int = 10) -> pd.DataFrame:
    """The products with most revenue, with the share that each and all down to it have."""
    ranked = table.sort_values(["revenue", "product"], ascending=[False, True], ignore_index=True)
    share = ranked["revenue"] / ranked["revenue"].sum()
    return ranked.assign(share=share, share_so_far=share.cumsum()).head(most)


def making(table: pd.DataFrame, share: float) -> int:
    """How many products, the best first, make this share of the revenue."""
    ranked = np.sort(table["revenue"].to_numpy())[::-1]
    return int(np.searchsorted(ranked.cumsum(), share * ranked.sum() - 1e-9) + 1)
