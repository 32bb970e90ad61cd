"""Reading costs the same however many transfers there are: rows read, as the server counts them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from rest_framework.test import APIClient

from balance.models import LedgerAccount, Posting, Transfer
from balance.moments import entry_number
from members.models import Member
from tests.factories.members import make_member

# ANALYZE TABLE commits, so a transaction that is rolled back afterwards would leave its rows to other tests.
pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

START = datetime(2025, 1, 1, tzinfo=UTC)
MIDDLE = START + timedelta(days=200)
IN_MARCH = datetime(2026, 3, 2, tzinfo=UTC)


def member_with(entries: int) -> Member:
    """In and out in turns over 400 days, as many as this; and 50 more in March 2026."""
    member = make_member()
    own, other = f"{member.id}:available:EUR", "platform:bank:EUR"
    for kind in ("available", "pending", "held", "in_transit"):
        LedgerAccount.objects.create(
            id=f"{member.id}:{kind}:EUR",
            member=member,
            kind=kind,
            currency="EUR",
            balance_minor=0,
            opened_at=START,
        )
    step = timedelta(days=400) / entries
    moments = [START + step * number for number in range(entries)]
    moments += [IN_MARCH + timedelta(minutes=number) for number in range(50)]
    postings, transfers = [], []
    for number, at in enumerate(moments):
        name = f"{member.id}:{number}"
        posting = Posting(
            key=name,
            event="correction",
            reference=name,
            fingerprint="",
            actor="system",
            effective_at=at,
            recorded_at=at,
        )
        came_in = number % 2 == 0
        sides: dict[str, Any] = {
            "credit_account_id": own if came_in else other,
            "debit_account_id": other if came_in else own,
            f"{'credit' if came_in else 'debit'}_entry": entry_number(at),
            f"{'credit' if came_in else 'debit'}_balance_minor": 5 if came_in else 0,
        }
        postings.append(posting)
        transfers.append(
            Transfer(
                id=f"{posting.id}-1", posting=posting, position=1, currency="EUR", amount_minor=5, **sides
            )
        )
    Posting.objects.bulk_create(postings, batch_size=1000)
    Transfer.objects.bulk_create(transfers, batch_size=1000)
    return member


def rows_read(act: Callable[[], Any]) -> int:
    """As InnoDB was asked for them, by any index, in either direction."""

    def total() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(count) for _, count in cursor.fetchall())

    act()
    before, counting = total(), total()
    act()
    return total() - counting - (counting - before)


@pytest.fixture
def few_and_many(db: None) -> list[Member]:
    LedgerAccount.objects.create(id="platform:bank:EUR", kind="bank", currency="EUR", opened_at=START)
    members = [member_with(100), member_with(3_000)]
    with connection.cursor() as cursor:
        # Else the optimiser guesses from figures of before.
        cursor.execute("ANALYZE TABLE balance_transfer, balance_posting, balance_ledgeraccount")
        cursor.fetchall()
    return members


def test_reading_costs_the_same_with_a_hundred_entries_and_with_three_thousand(
    few_and_many: list[Member],
) -> None:
    def costs(member: Member) -> dict[str, int]:
        client = APIClient()
        client.force_authenticate(member)

        def get(path: str, results: int | None = None, **query: Any) -> None:
            answer = client.get(f"/api/v1/balance{path}", query)
            assert answer.status_code == 200
            assert results is None or len(answer.json()["results"]) == results

        position = [entry_number(MIDDLE), f"{member.id}:available:EUR"]
        cursor = signing.dumps(["-recorded_at", False, *position], salt="balance.entries.cursor")
        reference = f"{member.id}:50"
        return {
            "now": rows_read(lambda: get("")),
            "then": rows_read(lambda: get("", at=MIDDLE.isoformat())),
            "first page": rows_read(lambda: get("/entries", 20)),
            "page in the middle": rows_read(lambda: get("/entries", 20, cursor=cursor)),
            "of a reference": rows_read(lambda: get("/entries", 1, reference=reference)),
            "months": rows_read(lambda: get("/statements")),
            "statement": rows_read(lambda: get("/statements/2026-03")),
        }

    few, many = few_and_many
    assert costs(many) == costs(few)
