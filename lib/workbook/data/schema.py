"""The canonical tables, column by column: the one place that names them.

A source is mapped onto these names; every chapter reads them. A column says its type, unit,
whether a row can do without it, whether it is part of the table's key, and its class of personal
data. Personal columns exist only at the door: they are hashed or reduced to the derived column
named in `becomes`, and are never stored.

Types: string, int, decimal (18 digits, 4 after the point), float, bool, date (the shop's local
date), timestamp (UTC, microseconds).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import pyarrow as pa

Type = Literal["string", "int", "decimal", "float", "bool", "date", "timestamp"]
Personal = Literal["", "phone", "mail", "name", "address", "birth_date", "text", "network"]

ARROW: dict[Type, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Column:
    """One column: what it holds and how it is treated."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    required: bool = False  # a row without it goes to quarantine
    key: bool = False  # part of the table's unique key
    personal: Personal = ""  # class of personal data: hashed or reduced at the door
    becomes: tuple[str, ...] = ()  # what a personal column is stored as


@dataclass(frozen=True)
class Table:
    """One canonical table: a row's meaning, its columns, what it switches on."""

    name: str
    row: str  # what one row is
    columns: tuple[Column, ...]
    switches_on: str = ""  # what the workbook can say once this table has arrived
    time: str = ""  # the column by which a row belongs to a period

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @property
    def personal(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.personal)

    @property
    def local_date(self) -> str:
        """The column with the shop's local date of the row: `ordered_at` → `ordered_on`."""
        return self.time.removesuffix("_at") + "_on" if self.time.endswith("_at") else self.time

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that reach the store: personal ones are gone, local date and lineage are added."""
        kept = tuple(column for column in self.columns if not column.personal)
        if self.local_date and self.local_date not in self.by_name:
            kept += (Column(self.local_date, "date", f"The shop's local date of {self.time}"),)
        return kept + LINEAGE

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([(column.name, ARROW[column.type]) for column in self.stored])


LINEAGE = (
    Column("source_name", "string", "The source in workbook.yaml that the row came from"),
    Column("source_file", "string", "The file, member, sheet or query that the row came from"),
    Column("source_row", "int", "The row's place in that file, counted as an editor counts lines"),
    Column("arrived_at", "timestamp", "When the workbook first read the row"),
)


def _c(name: str, type_: Type, meaning: str, unit: str = "", **more) -> Column:
    return Column(name, type_, meaning, unit, **more)


# Columns that both orders and order lines may bring: a flat export repeats them on every line.
_ORDER_CONTEXT = (
    _c("customer_id", "string", "Who bought; blank is an anonymous sale"),
    _c("channel", "string", "Where it was sold: web, app, store, marketplace"),
    _c("shop", "string", "Which of several shops, storefronts or branches sold it"),
    _c("payment_method", "string", "How it was paid"),
    _c("region", "string", "Province, state or region of delivery"),
    _c("country", "string", "Country of delivery"),
    _c("currency", "string", "ISO 4217 code of the amounts, where it is not the shop's own"),
    _c("status", "string", "State of the order: paid, shipped, cancelled, returned"),
    _c("campaign_id", "string", "The campaign that the order is credited to by the shop's own system"),
    _c("discount_code", "string", "The code that the customer entered for a discount or an offer"),
)

_TABLES = (
    Table("customers", "one person, household or account that may buy", (
        _c("customer_id", "string", "The shop's own id of the customer", required=True, key=True),
        _c("account_id", "string", "The household or company the customer belongs to"),
        _c("kind", "string", "person, household or account"),
        _c("name", "string", "Name", personal="name"),
        _c("phone", "string", "Telephone number", personal="phone", becomes=("phone_hash",)),
        _c("mail", "string", "Mail address", personal="mail", becomes=("mail_hash",)),
        _c("address", "string", "Postal address", personal="address", becomes=("region",)),
        _c("birth_date", "string", "Date of birth", personal="birth_date", becomes=("birth_year", "birth_month_day")),
        _c("phone_hash", "string", "Keyed hash of the number in E.164"),
        _c("mail_hash", "string", "Keyed hash of the mail address, lower case"),
        _c("birth_year", "int", "Year of birth", "year"),
        _c("birth_month_day", "string", "Month and day of birth, for birthday offers", "MM-DD"),
        _c("gender", "string", "female, male, other; as declared"),
        _c("education", "string", "Highest education, as declared"),
        _c("occupation", "string", "Occupation, as declared"),
        _c("income_band", "string", "Band of yearly income, as declared"),
        _c("household_size", "int", "People in the household", "people"),
        _c("region", "string", "Province, state or region of residence"),
        _c("city", "string", "City of residence"),
        _c("country", "string", "Country of residence"),
        _c("acquisition_channel", "string", "The channel that brought the customer"),
        _c("acquisition_cost", "decimal", "What it cost to win this customer", "currency"),
        _c("registered_at", "timestamp", "When the account was opened"),
        _c("status", "string", "active, closed, blocked"),
        _c("owner", "string", "Who looks after the account (business customers)"),
        _c("industry", "string", "Industry (business customers)"),
    ), "who the customers are: demographics, regions, prospects who have not bought", ""),
    Table("customer_attributes", "one value of one attribute of a customer, from a day on", (
        _c("customer_id", "string", "The customer", required=True, key=True),
        _c("attribute", "string", "Name of the attribute", required=True, key=True),
        _c("value", "string", "Its value"),
        _c("valid_from", "date", "First day on which the value holds", key=True),
    ), "attributes as they were known at the time, which models may use", "valid_from"),
    Table("identities", "one id under which a customer is known somewhere", (
        _c("customer_id", "string", "The customer", required=True, key=True),
        _c("system", "string", "Where the id is used", key=True),
        _c("external_id", "string", "The id there", key=True),
        _c("phone", "string", "Telephone number", personal="phone", becomes=("phone_hash",)),
        _c("mail", "string", "Mail address", personal="mail", becomes=("mail_hash",)),
        _c("phone_hash", "string", "Keyed hash of the number in E.164"),
        _c("mail_hash", "string", "Keyed hash of the mail address, lower case"),
        _c("linked_at", "timestamp", "When the id was linked to the customer"),
    ), "one person under several ids", "linked_at"),
    Table("orders", "one order, or one document that cancels or returns one", (
        _c("order_id", "string", "The shop's number of the order; without it each row is an order", key=True),
        _c("ordered_at", "timestamp", "When it was placed", "UTC", required=True),
        _c("ordered_on", "date", "The shop's local date of it"),
        _c("amount", "decimal", "What the customer pays for the goods, after discounts and coupons", "currency",
           required=True),
        _c("quantity", "decimal", "Units in the order", "units"),
        _c("discount", "decimal", "Price reduction already taken off the amount", "currency"),
        _c("coupon", "decimal", "Part of the discount that coupons gave", "currency"),
        _c("platform_subsidy", "decimal", "Part of the discount that the marketplace pays back", "currency"),
        _c("tax", "decimal", "Tax contained in the amount", "currency"),
        _c("shipping", "decimal", "Delivery paid by the customer, beside the amount", "currency"),
        _c("cost", "decimal", "Cost of the goods", "currency"),
        _c("original_order_id", "string", "The order that this document cancels or returns"),
        _c("paid_at", "timestamp", "When it was paid", "UTC"),
        _c("shipped_at", "timestamp", "When it was sent", "UTC"),
        _c("delivered_at", "timestamp", "When it arrived", "UTC"),
        *_ORDER_CONTEXT,
    ), "everything: revenue, customers, RFM", "ordered_at"),
    Table("order_lines", "one product in an order", (
        _c("order_id", "string", "The order; without it each row is an order", key=True),
        _c("line_no", "int", "The line's number in its order", key=True),
        _c("ordered_at", "timestamp", "When the order was placed", "UTC"),
        _c("ordered_on", "date", "The shop's local date of it"),
        _c("product_id", "string", "The product"),
        _c("product_name", "string", "Its name as printed on the order"),
        _c("category", "string", "Its category"),
        _c("quantity", "decimal", "Units; negative on a return or cancellation", "units"),
        _c("unit_price", "decimal", "Price of one unit after discount", "currency"),
        _c("amount", "decimal", "quantity × unit price, or what the line came to", "currency"),
        _c("discount", "decimal", "Price reduction already taken off the amount", "currency"),
        _c("cost", "decimal", "Cost of the goods on this line", "currency"),
        _c("original_order_id", "string", "The order that this line cancels or returns"),
        *_ORDER_CONTEXT,
    ), "what was bought: products, baskets, price and mix", "ordered_at"),
    Table("returns", "goods that came back from one order", (
        _c("return_id", "string", "The shop's number of the return", key=True),
        _c("order_id", "string", "The order they came from", required=True),
        _c("line_no", "int", "The line they came from"),
        _c("product_id", "string", "The product"),
        _c("quantity", "decimal", "Units that came back, positive", "units"),
        _c("amount", "decimal", "Money given back, positive", "currency", required=True),
        _c("returned_at", "timestamp", "When they came back", "UTC", required=True),
        _c("reason", "string", "Why, as recorded"),
    ), "net revenue, return rates by product and by customer", "returned_at"),
    Table("payments", "one payment due or made", (
        _c("payment_id", "string", "The payment", key=True),
        _c("order_id", "string", "The order it pays for"),
        _c("subscription_id", "string", "The subscription it pays for"),
        _c("customer_id", "string", "Who owes or paid"),
        _c("amount", "decimal", "Amount", "currency", required=True),
        _c("due_on", "date", "Day on which it was due"),
        _c("paid_at", "timestamp", "When it was paid; blank while it is open", "UTC"),
        _c("method", "string", "How it was paid"),
        _c("status", "string", "open, paid, failed, refunded"),
    ), "late payers, exposure", "due_on"),
    Table("products", "one product, from a day on", (
        _c("product_id", "string", "The product", required=True, key=True),
        _c("product_name", "string", "Its name"),
        _c("category", "string", "Its category"),
        _c("brand", "string", "Its brand"),
        _c("cost", "decimal", "What one unit costs the shop", "currency"),
        _c("list_price", "decimal", "Its price before discounts", "currency"),
        _c("valid_from", "date", "First day of this cost and price", key=True),
        _c("is_product", "bool", "False for postage, fees and other lines that are not goods"),
        _c("launched_on", "date", "First day on sale"),
    ), "margins, categories, price history", "valid_from"),
    Table("subscriptions", "one contract that runs until it is cancelled", (
        _c("subscription_id", "string", "The contract", required=True, key=True),
        _c("customer_id", "string", "Who holds it", required=True),
        _c("plan", "string", "What was subscribed to"),
        _c("started_on", "date", "First day", required=True),
        _c("ended_on", "date", "Last day; blank while it runs"),
        _c("price", "decimal", "Price of a billing period", "currency"),
        _c("billing_months", "int", "Length of a billing period", "months"),
        _c("end_reason", "string", "Why it ended, as recorded"),
    ), "contractual churn, recurring revenue", "started_on"),
    Table("events", "one thing done on the web site or in the app", (
        _c("event_id", "string", "The event", key=True),
        _c("customer_id", "string", "Who, when known"),
        _c("visitor_id", "string", "The browser or device, when the customer is not known"),
        _c("session_id", "string", "The visit it belongs to"),
        _c("event", "string", "visit, search, view, cart, checkout, purchase", required=True),
        _c("occurred_at", "timestamp", "When", "UTC", required=True),
        _c("page", "string", "Page or screen"),
        _c("product_id", "string", "Product looked at or put in the cart"),
        _c("search_term", "string", "What was searched for", personal="text", becomes=("search_words",)),
        _c("search_words", "string", "What was searched for, with numbers and addresses masked"),
        _c("traffic_source", "string", "Where the visit came from"),
        _c("device", "string", "desktop, phone, tablet, app"),
        _c("dwell_seconds", "float", "Time on the page", "seconds"),
        _c("ip_address", "string", "Network address", personal="network"),
    ), "visits, clicks, dwell, funnels, high-potential customers who buy little", "occurred_at"),
    Table("contacts", "one message sent to one customer", (
        _c("contact_id", "string", "The message", key=True),
        _c("customer_id", "string", "To whom", required=True),
        _c("campaign_id", "string", "The campaign"),
        _c("channel", "string", "mail, sms, app, call, post"),
        _c("offer", "string", "What was offered"),
        _c("sent_at", "timestamp", "When it was sent", "UTC", required=True),
        _c("delivered_at", "timestamp", "When it arrived", "UTC"),
        _c("opened_at", "timestamp", "When it was first opened", "UTC"),
        _c("clicked_at", "timestamp", "When it was first clicked", "UTC"),
        _c("unsubscribed_at", "timestamp", "When the customer unsubscribed from it", "UTC"),
        _c("cost", "decimal", "What it cost", "currency"),
    ), "what campaigns reach and cost", "sent_at"),
    Table("campaigns", "one campaign", (
        _c("campaign_id", "string", "The campaign", required=True, key=True),
        _c("campaign_name", "string", "Its name"),
        _c("channel", "string", "Its channel"),
        _c("offer", "string", "What was offered"),
        _c("started_on", "date", "First day"),
        _c("ended_on", "date", "Last day"),
        _c("cost", "decimal", "What it cost beside the messages", "currency"),
    ), "campaign results", "started_on"),
    Table("channel_costs", "what one acquisition channel cost on one day or in one month", (
        _c("channel", "string", "The channel", required=True, key=True),
        _c("spent_on", "date", "Day, or first day of the month", required=True, key=True),
        _c("cost", "decimal", "Money spent", "currency", required=True),
        _c("impressions", "int", "Times shown", "times"),
        _c("clicks", "int", "Clicks", "times"),
    ), "acquisition cost by channel", "spent_on"),
    Table("referrals", "one customer brought by another", (
        _c("referrer_id", "string", "Who recommended", required=True, key=True),
        _c("referred_id", "string", "Who came", required=True, key=True),
        _c("referred_at", "timestamp", "When", "UTC"),
        _c("reward", "decimal", "What the referrer got", "currency"),
    ), "value brought by recommendation", "referred_at"),
    Table("assignments", "one customer put into one arm of one experiment", (
        _c("experiment_id", "string", "The experiment", required=True, key=True),
        _c("customer_id", "string", "The customer", required=True, key=True),
        _c("arm", "string", "control or the name of the treatment", required=True, key=True),
        _c("assigned_at", "timestamp", "When the arm was drawn", "UTC", required=True),
        _c("exposed_at", "timestamp", "When the customer first met the difference", "UTC"),
        _c("planned_share", "float", "Share of customers planned for this arm", "share"),
        _c("cluster_id", "string", "Store, region or household drawn as a whole"),
    ), "experiments: what works", "assigned_at"),
    Table("outcomes", "one measured value of one customer in one experiment", (
        _c("experiment_id", "string", "The experiment", required=True, key=True),
        _c("customer_id", "string", "The customer", required=True, key=True),
        _c("metric", "string", "What was measured", required=True, key=True),
        _c("value", "float", "Its value", required=True),
        _c("denominator", "float", "The denominator of a ratio metric"),
        _c("before", "float", "The same measure before the experiment"),
        _c("measured_at", "timestamp", "When", "UTC"),
    ), "experiments on outcomes other than orders", "measured_at"),
    Table("survey_invitations", "one customer asked to answer one survey", (
        _c("invitation_id", "string", "The invitation", required=True, key=True),
        _c("survey_id", "string", "The survey"),
        _c("customer_id", "string", "Who was asked"),
        _c("wave", "string", "The round of the survey"),
        _c("mode", "string", "mail, sms, app, telephone, paper"),
        _c("invited_at", "timestamp", "When", "UTC", required=True),
        _c("order_id", "string", "The order it asks about"),
    ), "response rates: who does not answer", "invited_at"),
    Table("survey_answers", "one answer to one question", (
        _c("answer_id", "string", "The answer", key=True),
        _c("invitation_id", "string", "The invitation it answers"),
        _c("survey_id", "string", "The survey"),
        _c("customer_id", "string", "Who answered"),
        _c("wave", "string", "The round of the survey"),
        _c("mode", "string", "mail, sms, app, telephone, paper"),
        _c("question", "string", "Code of the question: nps, csat, …", required=True),
        _c("score", "float", "The answer as a number"),
        _c("answer_text", "string", "The answer in words", personal="text", becomes=("answer_masked",)),
        _c("answer_masked", "string", "The answer in words, personal values masked"),
        _c("answered_at", "timestamp", "When", "UTC", required=True),
        _c("weight", "float", "Survey weight"),
    ), "satisfaction", "answered_at"),
    Table("tickets", "one request or complaint to the service", (
        _c("ticket_id", "string", "The ticket", required=True, key=True),
        _c("customer_id", "string", "Who asked"),
        _c("order_id", "string", "About which order"),
        _c("topic", "string", "delivery, quality, refund, …"),
        _c("channel", "string", "telephone, mail, chat"),
        _c("opened_at", "timestamp", "When it was opened", "UTC", required=True),
        _c("first_response_at", "timestamp", "When it was first answered", "UTC"),
        _c("closed_at", "timestamp", "When it was closed", "UTC"),
        _c("reopened_at", "timestamp", "When it was opened again", "UTC"),
        _c("is_complaint", "bool", "Whether it is a complaint"),
    ), "service quality", "opened_at"),
    Table("mentions", "one public remark about the shop or a competitor", (
        _c("mention_id", "string", "The remark", key=True),
        _c("site", "string", "Where it was made"),
        _c("brand", "string", "About whom"),
        _c("rating", "float", "Rating given", "stars"),
        _c("remark", "string", "What was said", personal="text", becomes=("remark_masked",)),
        _c("remark_masked", "string", "What was said, personal values masked"),
        _c("mentioned_at", "timestamp", "When", "UTC", required=True),
    ), "what people say in public", "mentioned_at"),
    Table("loyalty", "one movement on a points account", (
        _c("movement_id", "string", "The movement", key=True),
        _c("customer_id", "string", "Whose points", required=True),
        _c("points", "decimal", "Points, negative when spent or expired", "points", required=True),
        _c("kind", "string", "earned, spent, expired, corrected"),
        _c("order_id", "string", "The order it belongs to"),
        _c("moved_at", "timestamp", "When", "UTC", required=True),
    ), "the loyalty programme", "moved_at"),
    Table("consents", "one consent given or withdrawn", (
        _c("customer_id", "string", "The customer", required=True, key=True),
        _c("purpose", "string", "mail, sms, calls, profiling", required=True, key=True),
        _c("granted", "bool", "True when given, false when withdrawn", required=True),
        _c("changed_at", "timestamp", "When", "UTC", required=True, key=True),
    ), "who may be contacted", "changed_at"),
    Table("competitors", "one observation of a competitor", (
        _c("competitor", "string", "The competitor", required=True, key=True),
        _c("attribute", "string", "rating, price of a product, feature", required=True, key=True),
        _c("value", "string", "What was observed"),
        _c("score", "float", "The same as a number"),
        _c("product_id", "string", "Our product it compares with", key=True),
        _c("observed_on", "date", "When", key=True),
    ), "the market", "observed_on"),
    Table("panel", "one purchase in a household panel", (
        _c("household_id", "string", "The household", required=True),
        _c("brand", "string", "The brand bought", required=True),
        _c("category", "string", "The category"),
        _c("purchased_on", "date", "When", required=True),
        _c("amount", "decimal", "Money spent", "currency"),
        _c("quantity", "decimal", "Units", "units"),
        _c("weight", "float", "Projection weight of the household"),
    ), "brand switching and share of wallet", "purchased_on"),
    Table("opportunities", "one possible sale to a business customer", (
        _c("opportunity_id", "string", "The opportunity", required=True, key=True),
        _c("customer_id", "string", "The customer or account"),
        _c("opportunity_name", "string", "Its name"),
        _c("stage", "string", "Where it stands"),
        _c("amount", "decimal", "What it may come to", "currency"),
        _c("probability", "float", "Chance of winning as the sales people see it", "share"),
        _c("created_at", "timestamp", "When it was opened", "UTC", required=True),
        _c("closes_on", "date", "Expected or real day of closing"),
        _c("is_won", "bool", "True when won, false when lost, blank while open"),
        _c("owner", "string", "Who works on it"),
    ), "the sales pipeline", "created_at"),
)

TABLES: MappingProxyType[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
