"""Who was asked for what, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from dac7.lifecycle.diligence import OPEN
from dac7.models import DiligenceEvent, InformationRequest, SalesCursor, SellerYear
from dac7.thresholds import Standing

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """An open request. ``due_at``: when the clock acts next, None once withdrawals are held."""

    id: str
    member_id: str
    year: int
    status: str
    requested_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """A line of the log."""

    verb: str
    source: str
    target: str
    actor: str
    happened_at: datetime
    notice: str


def find_open_request(member_id: str) -> RequestFacts | None:
    """The one that the member has to answer."""
    row = InformationRequest.objects.filter(member_id=member_id, is_open=True).first()
    if row is None:
        return None
    return RequestFacts(row.id, row.member_id, row.year, row.status, row.requested_at, row.due_at)


def list_events(member_id: str) -> list[EventFacts]:
    """The latest of a member, the latest first."""
    rows = DiligenceEvent.objects.filter(member_id=member_id).order_by("-id")[:MOST_EVENTS]
    return [
        EventFacts(row.verb, row.source, row.target, row.actor, row.happened_at, row.notice) for row in rows
    ]


def count_open_requests() -> dict[str, int]:
    """By status; those of no member too."""
    rows = InformationRequest.objects.filter(is_open=True).order_by().values_list("status")
    found = dict(rows.annotate(Count("id")))
    return {status.value: found.get(status.value, 0) for status in OPEN}


def next_request_due() -> datetime | None:
    """When the clock has something to do next."""
    due: datetime | None = InformationRequest.objects.aggregate(due=Min("due_at"))["due"]
    return due


def count_sellers(year: int) -> dict[str, int]:
    """By standing, as last read."""
    rows = SellerYear.objects.filter(year=year).order_by().values_list("standing")
    found = dict(rows.annotate(Count("id")))
    return {standing.value: found.get(standing.value, 0) for standing in Standing}


def list_years() -> list[int]:
    """Years in which anybody sold, the latest first."""
    return list(SellerYear.objects.order_by("-year").values_list("year", flat=True).distinct())


def find_read_until(name: str) -> datetime | None:
    """Up to when the ledger was read by this reader."""
    return SalesCursor.objects.filter(name=name).values_list("read_until", flat=True).first()
