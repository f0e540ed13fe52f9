"""One person under several ids: ids that share a hashed phone number or mail address belong together.

Ids are nodes, a shared hash is a link, a person is a connected component. A number that more ids share than one
person plausibly has (a virtual number, a shop's own, a family's) links nobody, and a person who would still come out
larger is refused whole; both are listed. Nothing is overwritten: order lines keep the id that they came with
(`raw_customer_id`), and clean/identities leads back.

In: raw customers and identities. Out: one row per id: `raw_customer_id`, `customer_id` (the person: the id seen
first), `status` (single, merged, refused), `reason` (phone, mail, declared, joined by +), `ids` (of the person).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from workbook.cleaning.sales import complete

_COLUMNS = {"raw_customer_id": "string", "customer_id": "string", "status": "string", "reason": "string",
            "ids": "int64"}  # fmt: skip


def links(customers: ir.Table | None, identities: ir.Table | None) -> ir.Table | None:
    """What ties ids together: `raw_customer_id`, `kind`, `mark`; only marks that two ids or more share."""
    marks: list[ir.Table] = []
    customers = None if customers is None else complete(customers, "customers")
    identities = None if identities is None else complete(identities, "identities")
    for table in (customers, identities):
        if table is not None:
            marks += [_marks(table, "phone", table.phone_hash), _marks(table, "mail", table.mail_hash)]
    if identities is not None:
        declared = identities.filter(identities.external_id.notnull())
        if customers is not None:
            # The same text in another system may be another person: an id of the shop's own is left alone.
            declared = declared.anti_join(customers, declared.external_id == customers.customer_id)
        tied = declared.customer_id + ibis.literal(" = ") + declared.external_id
        marks += [_marks(declared, "declared", tied), _marks(declared, "declared", tied, of="external_id")]
    if not marks:
        return None
    every = ibis.union(*marks, distinct=True)
    several = every.group_by("kind", "mark").aggregate(ids=every.raw_customer_id.nunique()).filter(ibis._.ids > 1)
    return every.inner_join(several, ["kind", "mark"]).select("raw_customer_id", "kind", "mark", "ids")


def _marks(table: ir.Table, kind: str, mark: ir.StringValue, *, of: str = "customer_id") -> ir.Table:
    named = table.select(raw_customer_id=table[of], kind=ibis.literal(kind), mark=mark)
    return named.filter(named.mark.notnull() & named.raw_customer_id.notnull())


def clusters(shared: pd.DataFrame, *, largest: int) -> pd.DataFrame:
    """Connected ids, those too many for one person refused.

    Args:
        shared: `raw_customer_id`, `kind`, `mark`, `ids` (how many share the mark).
        largest: ids of one person at most.

    Returns:
        `raw_customer_id`, `cluster`, `status`, `reason`, `ids`.
    """
    if shared.empty:
        return pd.DataFrame(columns=["raw_customer_id", "cluster", "status", "reason", "ids"])
    trusted = shared[shared["ids"] <= largest]
    found = _components(trusted).assign(status="merged")
    found.loc[found["ids"] > largest, "status"] = "refused"
    doubted = shared[(shared["ids"] > largest) & ~shared["raw_customer_id"].isin(found["raw_customer_id"])]
    refused = _components(doubted).assign(status="refused")
    refused["cluster"] += len(found)
    return pd.concat([found, refused], ignore_index=True)


def _components(shared: pd.DataFrame) -> pd.DataFrame:
    ids, names = pd.factorize(shared["raw_customer_id"], sort=True)
    marks, mark_names = pd.factorize(shared["kind"] + ":" + shared["mark"], sort=True)
    size = len(names) + len(mark_names)
    graph = coo_matrix((np.ones(len(ids)), (ids, len(names) + marks)), shape=(size, size))
    _count, label = connected_components(graph, directed=False)
    reasons = shared.groupby(label[ids])["kind"].agg(lambda kinds: "+".join(sorted(set(kinds))))
    found = pd.DataFrame({"raw_customer_id": names, "cluster": label[: len(names)]})
    found["reason"] = found["cluster"].map(reasons)
    found["ids"] = found.groupby("cluster")["raw_customer_id"].transform("size")
    return found


def persons(found: pd.DataFrame, first_seen: pd.DataFrame) -> pd.DataFrame:
    """The person of each clustered id: the id seen first, of equals the smallest; a refused id is its own.

    Args:
        found: as `clusters` returns.
        first_seen: `raw_customer_id`, `first_seen_on`.
    """
    if found.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    dated = found.merge(first_seen, on="raw_customer_id", how="left")
    leading = dated.sort_values(["first_seen_on", "raw_customer_id"], na_position="last").groupby("cluster")
    person = dated["cluster"].map(leading["raw_customer_id"].first())
    dated["customer_id"] = person.where(dated["status"] == "merged", dated["raw_customer_id"])
    return dated[list(_COLUMNS)].sort_values("raw_customer_id", ignore_index=True)


def table_of(found: pd.DataFrame, ids: ir.Table) -> ir.Table:
    """Every id and its person.

    Args:
        found: as `persons` returns.
        ids: `raw_customer_id` of everyone who registered or ordered.
    """
    if found.empty:
        return ids.select(
            "raw_customer_id", customer_id="raw_customer_id", status=ibis.literal("single"), reason=ibis.literal(""),
            ids=ibis.literal(1, "int64"))
    known = ibis.memtable(found.astype({"ids": "int64"}), schema=ibis.schema(_COLUMNS))
    known = known.rename(known_id="raw_customer_id", person="customer_id")
    joined = ids.outer_join(known, ids.raw_customer_id == known.known_id)
    every = joined.mutate(raw_customer_id=ibis.coalesce(joined.raw_customer_id, joined.known_id))
    return every.select(
        "raw_customer_id", customer_id=ibis.coalesce(every.person, every.raw_customer_id),
        status=every.status.fill_null("single"), reason=every.reason.fill_null(""), ids=every.ids.fill_null(1))


def resolve(table: ir.Table, merged: ir.Table, column: str = "customer_id") -> ir.Table:
    """The table with ids of merged customers replaced by their person; rows stay as many as they are.

    Args:
        merged: `raw_customer_id`, `customer_id` of the ids that belong to another one.
    """
    people = merged.select(merged_id="raw_customer_id", merged_person="customer_id")
    joined = table.left_join(people, table[column] == people.merged_id)
    return joined.mutate(**{column: ibis.coalesce(joined.merged_person, joined[column])}).drop(
        "merged_id", "merged_person")
