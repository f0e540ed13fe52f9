"""How the shop's own systems write the canonical tables down: their headers, their words, their forms of time.

The shop system exports order lines with Chinese headers; customers and products are kept in a workbook; the web
site logs JSON with epoch times; messages and experiments are logged as JSON with an offset; the CRM is a database.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.simulation import catalog
from workbook.data.simulation.catalog import REGIONS

# Canonical column → header of the shop's export.
LINE_HEADERS = MappingProxyType({
    "order_id": "订单编号", "line_no": "行号", "customer_id": "买家编号", "ordered_at": "付款时间",
    "product_id": "商品编码", "product_name": "商品名称", "category": "类目", "quantity": "数量", "unit_price": "单价",
    "amount": "实付金额", "discount": "优惠金额", "channel": "销售渠道", "payment_method": "支付方式",
    "region": "收货省份", "status": "订单状态", "original_order_id": "原订单编号"})
OFFER_HEADERS = MappingProxyType({"discount_code": "优惠码"})  # only where an offer had a code
CUSTOMER_HEADERS = MappingProxyType({
    "customer_id": "客户编号", "kind": "客户类型", "name": "姓名", "phone": "手机号", "mail": "邮箱", "address": "地址",
    "birth_date": "出生日期", "gender": "性别", "education": "学历", "occupation": "职业", "income_band": "年收入",
    "region": "省份", "city": "城市", "acquisition_channel": "获客渠道", "registered_at": "注册时间"})
PRODUCT_HEADERS = MappingProxyType({
    "product_id": "商品编码", "product_name": "商品名称", "category": "类目", "cost": "成本价", "list_price": "吊牌价",
    "valid_from": "生效日期", "is_product": "是否商品"})
CAMPAIGN_HEADERS = MappingProxyType({
    "campaign_id": "活动编号", "campaign_name": "活动名称", "channel": "渠道", "offer": "优惠内容",
    "started_on": "开始日期", "ended_on": "结束日期", "cost": "费用"})
COST_HEADERS = MappingProxyType({"channel": "渠道", "spent_on": "月份", "cost": "费用", "clicks": "点击数"})
EVENT_KEYS = MappingProxyType({
    "event_id": "id", "customer_id": "uid", "visitor_id": "vid", "session_id": "sid", "event": "type",
    "occurred_at": "ts", "page": "page", "product_id": "sku", "search_term": "q", "traffic_source": "src",
    "device": "dev", "dwell_seconds": "sec"})

# Canonical column → canonical word → the shop's word.
WORDS = MappingProxyType({
    "channel": {"app": "手机App", "web": "网页", "wechat": "小程序", "store": "门店"},
    "payment_method": {"alipay": "支付宝", "wechat_pay": "微信支付", "card": "银行卡", "invoice": "月结"},
    "status": {"completed": "交易成功", "cancelled": "交易关闭", "returned": "退款成功"},
    "category": {**catalog.CATEGORIES_ZH, "Service": "服务"},
    "region": {region[0]: region[1] for region in REGIONS},
    "kind": {"person": "个人", "account": "企业"},
    "gender": {"female": "女", "male": "男"},
    "education": dict(zip(catalog.EDUCATION, catalog.EDUCATION_ZH, strict=True)),
    "occupation": catalog.OCCUPATION_ZH,
    "income_band": {"under 50k": "5万以下", "50k-100k": "5-10万", "100k-200k": "10-20万", "200k-400k": "20-40万",
                    "over 400k": "40万以上"},
    "acquisition_channel": {"tmall_search": "天猫搜索", "douyin": "抖音", "xiaohongshu": "小红书", "wechat": "微信",
                            "referral": "老客推荐", "store": "门店"},
})
POSTAGE = ("POST01", "运费 Postage")
PRICE_DIFFERENCE = ("DIFF01", "补差价 Price difference")
GIFT_PRODUCT = 0  # the tea sampler
_LOCAL = np.timedelta64(8 * 3600, "s")
_NEW_RETURNS_SYSTEM = date(2025, 4, 1)  # before: refunds are negative lines; from here on the CRM keeps returns


def local_times(column: pa.ChunkedArray) -> pd.Series:
    """UTC times as the shop's local ones."""
    return pd.Series(column.to_numpy() + _LOCAL)


def frame(found: pa.Table) -> pd.DataFrame:
    """A canonical table as local text: times in the shop's zone, money with two decimals, blank for missing."""
    return pd.DataFrame({name: _text(column) for name, column in zip(found.column_names, found.columns, strict=True)},
                        dtype=str)


def _text(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return local_times(column).dt.strftime("%Y-%m-%d %H:%M:%S").fillna("")
    if pa.types.is_decimal(kind):
        return pd.Series(["" if value is None else f"{value:.2f}" for value in column.to_pylist()])
    if pa.types.is_floating(kind):
        return pd.Series([f"{value:g}" for value in column.to_pylist()])
    if pa.types.is_boolean(kind):
        return pd.Series(np.where(column.to_numpy(), "1", "0"))
    return pd.Series(pc.fill_null(pc.cast(column, pa.string()), "").to_pylist())


def in_words(found: pd.DataFrame) -> pd.DataFrame:
    """The shop's words for the canonical ones."""
    return found.assign(**{name: found[name].map(lambda word, of=name: WORDS[of].get(word, word))
                           for name in WORDS if name in found})


def order_lines(lines: pa.Table, orders: pa.Table) -> pd.DataFrame:
    """Order lines as the shop system keeps them: postage is a line of its own."""
    columns = [name for name in (*LINE_HEADERS, *OFFER_HEADERS) if name in lines.column_names]
    goods = frame(lines.select(columns)).assign(original_order_id="")
    told = ("order_id", "customer_id", "ordered_at", "shipping", "channel", "payment_method", "region", "status",
            "discount_code")
    paid = frame(orders.select([name for name in told if name in orders.column_names]))
    paid = paid[paid["shipping"].astype(float) > 0.0]
    last = goods.groupby("order_id")["line_no"].max()
    postage = paid.assign(
        line_no=(paid["order_id"].map(last).astype(int) + 1).astype(str), product_id=POSTAGE[0],
        product_name=POSTAGE[1], category="Service", quantity="1", unit_price=paid["shipping"], amount=paid["shipping"],
        discount="0.00", original_order_id="").drop(columns="shipping")
    goods["quantity"] = goods["quantity"].str.removesuffix(".00")
    every = pd.concat([goods, postage[goods.columns]], ignore_index=True)
    return in_words(every.sort_values(["ordered_at", "order_id", "line_no"], kind="stable", ignore_index=True))


def refunds(returns: pa.Table, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Refunds of the old system as negative lines, and the returns that the new system keeps."""
    back = frame(returns)
    back["quantity"] = back["quantity"].str.removesuffix(".00")
    old = back[back["returned_at"] < f"{_NEW_RETURNS_SYSTEM}"]
    sold = lines.set_index(["order_id", "line_no"])
    found = sold.loc[pd.MultiIndex.from_frame(old[["order_id", "line_no"]])].reset_index()
    negative = found.assign(
        original_order_id=found["order_id"], order_id="TK" + found["order_id"].str[-15:] + found["line_no"],
        line_no="1", ordered_at=old["returned_at"].to_numpy(), quantity=("-" + old["quantity"]).to_numpy(),
        amount=("-" + old["amount"]).to_numpy(), discount="0.00", status=WORDS["status"]["returned"])
    return negative[lines.columns], back[back["returned_at"] >= f"{_NEW_RETURNS_SYSTEM}"].reset_index(drop=True)


def products(found: pa.Table) -> pd.DataFrame:
    """The products with the lines that are not goods."""
    goods = frame(found)
    first = goods["valid_from"].min()
    extra = pd.DataFrame([
        {"product_id": POSTAGE[0], "product_name": POSTAGE[1], "category": "Service", "cost": "6.00",
         "list_price": "10.00", "valid_from": first, "is_product": "0"},
        {"product_id": PRICE_DIFFERENCE[0], "product_name": PRICE_DIFFERENCE[1], "category": "Service", "cost": "0.00",
         "list_price": "1.00", "valid_from": first, "is_product": "0"}])
    both = pd.concat([goods, extra], ignore_index=True)
    both["is_product"] = both["is_product"].map({"1": "是", "0": "否"})
    return in_words(both)


def epoch_milliseconds(column: pa.ChunkedArray) -> list[int]:
    """UTC times as milliseconds since 1970, as a web log writes them."""
    return (column.cast(pa.int64()).to_numpy() // 1000).tolist()
