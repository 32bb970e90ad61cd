"""The database states what figures and requests must be; each constraint by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, models, transaction

from dac7.models import (
    Compilation,
    DiligenceEvent,
    FrozenTotal,
    InformationRequest,
    QuarterCheck,
    SellerYear,
)
from members.models import Member

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def refused(row: models.Model, constraint: str, *columns: str) -> None:
    """MySQL and MariaDB name a unique constraint, SQLite its columns."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        row.save(force_insert=True)
    text = str(error.value)
    assert constraint in text or (columns and all(column in text for column in columns))


def request(member: Member, **changes: Any) -> InformationRequest:
    facts: dict[str, Any] = {
        "member": member,
        "year": 2026,
        "status": "requested",
        "requested_at": NOW,
        "due_at": NOW + timedelta(days=14),
    }
    return InformationRequest(**(facts | changes))


def test_of_requests(seller: Member) -> None:
    request(seller).save()
    refused(request(seller), "informationrequest_one_open", "member_id", "is_open")
    done = {"is_open": None, "due_at": None, "ended_at": NOW}
    refused(request(seller, status="lost", **done), "informationrequest_known_status")
    refused(
        request(seller, status="answered", is_open=None, due_at=None), "informationrequest_open_until_ended"
    )
    timed = "informationrequest_timed_while_clock_acts"
    refused(request(seller, status="answered", **(done | {"due_at": NOW})), timed)
    before = done | {"ended_at": NOW - timedelta(seconds=1)}
    refused(request(seller, status="answered", **before), "informationrequest_ended_after_asked")
    request(seller, status="answered", **done).save()


def test_of_years(seller: Member) -> None:
    facts: dict[str, Any] = {"member": seller, "year": 2026, "activities": 0, "euros": 0, "read_at": NOW}
    SellerYear(**facts, standing="small").save()
    refused(SellerYear(**facts, standing="small"), "selleryear_once", "member_id", "year")
    refused(SellerYear(**(facts | {"year": 2025}), standing="big"), "selleryear_known_standing")


def test_of_compilations() -> None:
    facts: dict[str, Any] = {"year": 2026, "state": "LT", "as_of": NOW}
    half = Compilation(id="A", **facts, finished_at=NOW)
    refused(half, "compilation_finished_has_fingerprint")
    Compilation(id="A", **facts).save()
    sums = {"sellers": 1, "activities": 1, "consideration_minor": 1, "fees_minor": 0}
    total: dict[str, Any] = {"compilation_id": "A", "currency": "EUR", **sums}
    FrozenTotal(**total, decision="small").save()
    refused(FrozenTotal(**total, decision="small"), "frozentotal_once", "decision", "currency")
    refused(FrozenTotal(**total, decision="perhaps"), "frozentotal_known_decision")


def test_of_quarter_checks() -> None:
    facts: dict[str, Any] = {"made_at": NOW, "sellers": 0, "over": 0, "near": 0, "incomplete": 0}
    QuarterCheck(year=2026, quarter=1, **facts).save()
    refused(QuarterCheck(year=2026, quarter=1, **facts), "quartercheck_once", "year", "quarter")
    refused(QuarterCheck(year=2026, quarter=5, **facts), "quartercheck_of_four")


def test_the_log_is_never_changed(seller: Member) -> None:
    line = DiligenceEvent.objects.create(
        member=seller, year=2026, verb="first_sale", actor="clock", happened_at=NOW
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        DiligenceEvent.objects.filter(id=line.id).update(actor="staff:somebody")
    line.delete()  # the purge may, once the law no longer asks for it
