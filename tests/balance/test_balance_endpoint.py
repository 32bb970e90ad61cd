from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from balance import events
from balance.chart import AccountKind, Event, of_member, of_platform
from balance.events import Line, NewPosting, Share
from balance.models import LedgerAccount
from balance.services.posting import post
from foundation.money import Money
from members.models import Member
from members.services.restrictions import restrict
from tests.factories.money import NOON, euros, give

BALANCE = "/api/v1/balance"


def amounts(body: dict[str, Any], currency: str = "EUR") -> dict[str, int]:
    found = next(entry for entry in body["balances"] if entry["currency"] == currency)
    kinds = ("pending", "available", "held", "in_transit", "debt")
    assert {found[kind]["currency"] for kind in kinds} == {currency}
    return {kind: found[kind]["amount"] for kind in kinds}


def request_withdrawal(member: Member, minor: int, *, now: datetime = NOON) -> None:
    lines = events.withdrawal_requested(Share(member.id, euros(minor)))
    post(NewPosting(f"w:{now}", Event.WITHDRAWAL_REQUESTED, lines, "withdrawal:1", "system"), now=now)


class TestReading:
    def test_nothing_yet_is_zero_in_the_home_currency(self, as_seller: APIClient) -> None:
        answer = as_seller.get(BALANCE)
        assert answer.status_code == 200
        assert answer.json()["at"] is None
        assert [entry["currency"] for entry in answer.json()["balances"]] == ["EUR"]
        assert set(amounts(answer.json()).values()) == {0}

    def test_shows_where_the_money_is(self, as_seller: APIClient, seller: Member) -> None:
        give(seller.id, 2000)
        request_withdrawal(seller, 500)
        body = as_seller.get(BALANCE).json()
        assert amounts(body) == {"pending": 0, "available": 1500, "held": 0, "in_transit": 500, "debt": 0}

    def test_a_debt_is_told_in_both_ways(self, as_seller: APIClient, seller: Member) -> None:
        lines = events.chargeback(seller=Share(seller.id, euros(800)), borne=euros(0), fee=euros(0))
        post(NewPosting("chargeback:1", Event.CHARGEBACK, lines, "order:1", "system"), now=NOON)
        found = amounts(as_seller.get(BALANCE).json())
        assert (found["available"], found["debt"]) == (-800, 800)

    def test_other_currencies_follow_the_home_currency(self, as_seller: APIClient, seller: Member) -> None:
        line = Line(
            of_platform(AccountKind.GOODWILL, "CZK"),
            of_member(seller.id, AccountKind.AVAILABLE, "CZK"),
            Money(70, "CZK"),
        )
        post(NewPosting("k", Event.GOODWILL_GIVEN, (line,), "r", "system"), now=NOON)
        body = as_seller.get(BALANCE).json()
        assert [entry["currency"] for entry in body["balances"]] == ["EUR", "CZK"]
        assert amounts(body, "CZK")["available"] == 70

    def test_says_what_is_blocked_and_why(self, as_seller: APIClient, seller: Member) -> None:
        restrict(
            member_id=seller.id,
            capability="withdraw",
            reason="tax_details_missing",
            source="dac7:2026",
            now=timezone.now() - timedelta(minutes=1),
        )
        restrict(member_id=seller.id, capability="sell", reason="spam", source="staff:1", now=NOON)
        blocks = as_seller.get(BALANCE).json()["blocks"]
        assert blocks == [{"capability": "withdraw", "reason": "tax_details_missing", "until_at": None}]

    def test_says_that_an_account_is_being_checked(self, as_seller: APIClient, seller: Member) -> None:
        give(seller.id, 100)
        LedgerAccount.objects.filter(member_id=seller.id).update(frozen_at=NOON)
        assert as_seller.get(BALANCE).json()["balances"][0]["is_frozen"] is True

    def test_is_for_members_only(self, stranger: APIClient) -> None:
        assert stranger.get(BALANCE).status_code == 401

    def test_of_others_is_not_there(self, as_buyer: APIClient, seller: Member) -> None:
        give(seller.id, 2000)
        assert set(amounts(as_buyer.get(BALANCE).json()).values()) == {0}

    def test_changes_its_etag_with_what_it_says(self, as_seller: APIClient, seller: Member) -> None:
        first = as_seller.get(BALANCE)
        assert as_seller.get(BALANCE, headers={"If-None-Match": first["ETag"]}).status_code == 304
        give(seller.id, 1)
        assert as_seller.get(BALANCE, headers={"If-None-Match": first["ETag"]}).status_code == 200


class TestPointInTime:
    def test_shows_what_was_recorded_up_to_then(self, as_seller: APIClient, seller: Member) -> None:
        give(seller.id, 2000)
        request_withdrawal(seller, 500, now=NOON + timedelta(hours=1))
        at = "2026-03-02T13:59:59.999999+02:00"
        body = as_seller.get(BALANCE, {"at": at}).json()
        assert amounts(body)["available"] == 0
        body = as_seller.get(BALANCE, {"at": "2026-03-02T14:00:00+02:00"}).json()
        assert body["at"] == "2026-03-02T12:00:00Z"
        assert amounts(body) == {"pending": 0, "available": 2000, "held": 0, "in_transit": 0, "debt": 0}
        body = as_seller.get(BALANCE, {"at": "2026-03-02T13:00:00Z"}).json()
        assert amounts(body) == {"pending": 0, "available": 1500, "held": 0, "in_transit": 500, "debt": 0}

    @pytest.mark.parametrize(
        "at",
        [
            "2026-03-02",
            "2026-03-02T12:00:00",
            "2026-13-02T12:00:00Z",
            "yesterday",
            "2026-03-02T12:00:00 02:00",
        ],
    )
    def test_what_is_no_instant_is_refused(self, as_seller: APIClient, at: str) -> None:
        answer = as_seller.get(BALANCE, {"at": at})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/at"

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
    def test_the_beginning_of_time_does_no_harm(self, as_seller: APIClient, at: str) -> None:
        assert as_seller.get(BALANCE, {"at": at}).status_code in (200, 400)

    def test_the_future_is_refused(self, as_seller: APIClient) -> None:
        answer = as_seller.get(BALANCE, {"at": datetime.now(UTC).replace(year=2099).isoformat()})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_period")
        assert answer.json()["errors"][0]["code"] == "in_the_future"


class TestCost:
    def test_of_now_is_three_statements(
        self, as_seller: APIClient, seller: Member, django_assert_num_queries: Any
    ) -> None:
        give(seller.id, 2000)
        # The member, the accounts, the restrictions.
        with django_assert_num_queries(3):
            as_seller.get(BALANCE)

    def test_of_then_is_three_more_for_each_account(
        self, as_seller: APIClient, seller: Member, django_assert_num_queries: Any
    ) -> None:
        give(seller.id, 2000)
        # The last entry on either side, and the balance after it.
        with django_assert_num_queries(6):
            as_seller.get(BALANCE, {"at": "2026-03-03T00:00:00Z"})
