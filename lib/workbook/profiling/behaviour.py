"""What people do on the web site and in the app: visits, clicks, minutes.

Events go in (`clean/events`), one row a thing done. A visit is a session; where no session was recorded, everything
that one person or device did on one day. A click is any event but the visit itself. Dwell is the sum of the seconds on
the pages of a visit; the last page of a visit is often not timed, so that dwell is too short rather than too long.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from workbook.data.periods import Period


def visits(events: ir.Table) -> ir.Table:
    """One row a visit.

    Returns:
        visit_id, customer_id, visitor, occurred_on, clicks, dwell_minutes, device, traffic_source, bought.
    """
    visitor = ibis.coalesce(events.customer_id, events.visitor_id, "")
    day_of = visitor.concat(" ").concat(events.occurred_on.cast("string"))
    events = events.mutate(visitor=visitor, visit_id=ibis.coalesce(events.session_id, day_of))
    return events.group_by("visit_id").agg(
        customer_id=events.customer_id.max(),
        visitor=events.visitor.max(),
        occurred_on=events.occurred_on.min(),
        clicks=(events.event != "visit").sum(),
        dwell_minutes=events.dwell_seconds.sum() / 60,
        device=events.device.max(),
        traffic_source=events.traffic_source.max(),
        bought=(events.event == "purchase").any(),
    )


def by_customer(visited: ir.Table, window: Period) -> ir.Table:
    """customer_id, visits, clicks, dwell_minutes within the window; people who did nothing are not in it."""
    own = visited.filter(visited.customer_id.notnull() & visited.occurred_on.between(window.start, window.end))
    return own.group_by("customer_id").agg(
        visits=own.count(), clicks=own.clicks.sum(), dwell_minutes=ibis.coalesce(own.dwell_minutes.sum(), 0.0)
    )


def summary(visited: ir.Table, window: Period) -> ir.Table:
    """One row: visits, visitors, identified (visits of known customers), buying, clicks, dwell mean and median."""
    own = visited.filter(visited.occurred_on.between(window.start, window.end))
    return own.agg(
        visits=own.count(),
        visitors=own.visitor.nunique(),
        identified=own.customer_id.notnull().sum(),
        buying=own.bought.sum(),
        clicks=own.clicks.sum(),
        dwell_mean=own.dwell_minutes.mean(),
        dwell_median=own.dwell_minutes.median(),
    )


def by_stage(profile: ir.Table) -> ir.Table:
    """lifecycle, customers, visitors (who came at all), visits, clicks, dwell_minutes."""
    return profile.group_by("lifecycle").agg(
        customers=profile.count(),
        visitors=(profile.visits > 0).sum(),
        visits=profile.visits.sum(),
        clicks=profile.clicks.sum(),
        dwell_minutes=profile.dwell_minutes.sum(),
    )
