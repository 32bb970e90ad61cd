from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from balance.chart import AccountKind, Event
from balance.events import Charges, Fee, NewPosting, Share, sale_captured, sale_completed
from balance.models import Transfer
from balance.queries import entries
from balance.queries.entries import EntryFilter, list_entries, list_member_accounts
from balance.services.holds import place_hold, release_hold
from balance.services.posting import post
from balance.wording import ACCOUNTS, AS_SELLER, EVENTS, STATEMENT, entry_label
from foundation.languages import LANGUAGES
from members.models import Member
from tests.balance.test_balance_endpoint import request_withdrawal
from tests.balance.test_posting import sale
from tests.factories.money import NOON, euros, give

ENTRIES = "/api/v1/balance/entries"


def minute(number: int) -> Any:
    return NOON + timedelta(minutes=number)


@pytest.fixture
def busy_seller(seller: Member) -> Member:
    """1,000 came in, 300 were set aside and came back, 200 are on their way out: seven entries."""
    give(seller.id, 1000, now=minute(0))
    place_hold(key="order:1", member_id=seller.id, amount=euros(300), reference="order:1", now=minute(1))
    release_hold(key="order:1", actor="system", now=minute(2))
    request_withdrawal(seller, 200, now=minute(3))
    return seller


def walk(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    """All pages, forwards; and then all of them backwards, which have to hold the same."""
    answer = client.get(ENTRIES, query).json()
    pages = [answer["results"]]
    while answer["next"]:
        answer = client.get(answer["next"]).json()
        pages.append(answer["results"])
    back = [answer["results"]]
    while answer["previous"]:
        answer = client.get(answer["previous"]).json()
        back.append(answer["results"])
    found = [entry for page in pages for entry in page]
    assert [entry for page in reversed(back) for entry in page] == found
    return found


def short(found: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(e["account"], e["amount"]["amount"], e["balance_after"]["amount"]) for e in found]


WHOLE = [
    ("in_transit", 200, 200),
    ("available", -200, 800),
    ("held", -300, 0),
    ("available", 300, 1000),
    ("held", 300, 300),
    ("available", -300, 700),
    ("available", 1000, 1000),
]


class TestReading:
    def test_shows_every_change_of_every_account(self, as_seller: APIClient, busy_seller: Member) -> None:
        assert short(walk(as_seller)) == WHOLE

    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    def test_in_pages_of_any_length(self, as_seller: APIClient, busy_seller: Member, limit: int) -> None:
        assert short(walk(as_seller, limit=limit)) == WHOLE
        assert short(walk(as_seller, limit=limit, sort="recorded_at")) == WHOLE[::-1]

    def test_of_one_account(self, as_seller: APIClient, busy_seller: Member) -> None:
        found = walk(as_seller, account="held", limit=1)
        assert short(found) == [("held", -300, 0), ("held", 300, 300)]

    def test_says_what_it_was(self, as_seller: APIClient, busy_seller: Member) -> None:
        entry = as_seller.get(ENTRIES, {"limit": 1}, headers={"Accept-Language": "de"}).json()["results"][0]
        assert entry.pop("id").endswith("-credit")
        assert len(entry.pop("posting")) == 26
        assert entry == {
            "account": "in_transit",
            "recorded_at": "2026-03-02T12:03:00Z",
            "effective_at": "2026-03-02T12:03:00Z",
            "event": "withdrawal_requested",
            "label": "Auszahlung beauftragt",
            "reference": "withdrawal:1",
            "amount": {"amount": 200, "currency": "EUR"},
            "balance_after": {"amount": 200, "currency": "EUR"},
        }

    def test_ids_differ_on_both_sides_of_a_transfer(self, as_seller: APIClient, busy_seller: Member) -> None:
        found = walk(as_seller)
        assert len({entry["id"] for entry in found}) == len(found)

    def test_a_sale_is_a_sale_to_one_and_a_purchase_to_the_other(self, seller: Member, buyer: Member) -> None:
        def label(event: Event, kind: AccountKind, came_in: bool) -> str:
            return entry_label(event, kind, AccountKind.PSP_CLEARING, came_in=came_in, language="en")

        assert label(Event.SALE_CAPTURED, AccountKind.PENDING, True) == "Sold"
        assert label(Event.SALE_CAPTURED, AccountKind.HELD, False) == "Purchase"
        assert label(Event.SALE_REFUNDED, AccountKind.AVAILABLE, False) == "Refund to the buyer"
        assert label(Event.SALE_REFUNDED, AccountKind.AVAILABLE, True) == "Refund"

    def test_what_is_given_of_a_sale_is_a_donation(self, as_seller: APIClient, seller: Member) -> None:
        none, two = euros(0), euros(200)
        free = Charges(fee=none, shipping=none, verification=none)
        lines = sale_captured(
            seller=Share(seller.id, euros(2000)),
            buyer_id=seller.id,
            wallet=none,
            card=euros(2000),
            charges=free,
        )
        post(NewPosting("c", Event.SALE_CAPTURED, lines, "order:1", "system"), now=minute(0))
        fee = Fee(net=none, vat=none)
        lines = sale_completed(
            seller=Share(seller.id, euros(2000)),
            donation=two,
            charity_id="red-cross",
            fee=fee,
            shipping=none,
            verification=fee,
        )
        post(NewPosting("d", Event.SALE_COMPLETED, lines, "order:1", "system"), now=minute(1))
        found = [(e["account"], e["label"], e["amount"]["amount"]) for e in walk(as_seller)]
        assert found == [
            ("pending", "Donation", -200),
            ("pending", "Sale completed", -1800),
            ("available", "Sale completed", 1800),
            ("pending", "Sold", 2000),
        ]

    def test_by_event_reference_and_time(self, as_seller: APIClient, busy_seller: Member) -> None:
        assert short(walk(as_seller, event="hold_placed")) == WHOLE[4:6]
        assert short(walk(as_seller, reference="order:1", limit=3)) == WHOLE[2:6]
        assert short(walk(as_seller, reference="order:1", event="hold_released")) == WHOLE[2:4]
        since, until = "2026-03-02T12:01:00Z", "2026-03-02T14:02:00+02:00"
        assert short(walk(as_seller, **{"from": since, "to": until})) == WHOLE[4:6]
        assert walk(as_seller, currency="PLN") == []
        ends = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
        assert short(walk(as_seller, **ends)) == WHOLE

    def test_of_others_are_not_there(self, as_buyer: APIClient, busy_seller: Member) -> None:
        assert walk(as_buyer) == []

    def test_are_for_members_only(self, stranger: APIClient) -> None:
        assert stranger.get(ENTRIES).status_code == 401

    def test_new_ones_do_not_disturb_who_is_reading(self, as_seller: APIClient, busy_seller: Member) -> None:
        first = as_seller.get(ENTRIES, {"limit": 3}).json()
        give(busy_seller.id, 5, now=minute(9))
        second = as_seller.get(first["next"]).json()
        assert short(first["results"] + second["results"]) == WHOLE[:6]


class TestRefusing:
    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"account": "psp_clearing"}, "/account"),
            ({"event": "theft"}, "/event"),
            ({"limit": 101}, "/limit"),
            ({"sort": "amount"}, "/sort"),
            ({"currency": "XXX"}, "/currency"),
            ({"reference": "x" * 81}, "/reference"),
            ({"from": "2026-03-01"}, "/from"),
            ({"since": "2026-03-01T00:00:00Z"}, "/since"),
        ],
    )
    def test_what_is_no_filter(self, as_seller: APIClient, query: dict[str, Any], pointer: str) -> None:
        answer = as_seller.get(ENTRIES, query)
        assert answer.status_code == 400
        assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"from": "2999-03-01T00:00:00Z"}, "/from"),
            ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "/to"),
        ],
    )
    def test_a_time_that_is_not_possible(
        self, as_seller: APIClient, query: dict[str, Any], pointer: str
    ) -> None:
        answer = as_seller.get(ENTRIES, query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_period")
        assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]

    def test_a_broken_cursor_or_that_of_another_sort(self, as_seller: APIClient, busy_seller: Member) -> None:
        cursor = as_seller.get(ENTRIES, {"limit": 1}).json()["next"].partition("cursor=")[2]
        for query in (
            {"cursor": "x"},
            {"cursor": cursor[:-1] + "x"},
            {"cursor": cursor, "sort": "recorded_at"},
        ):
            answer = as_seller.get(ENTRIES, query)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")

    def test_a_reference_that_no_column_holds_finds_nothing(
        self, as_seller: APIClient, busy_seller: Member
    ) -> None:
        assert walk(as_seller, reference="užsakymas:1 ") == []


class TestRareEvents:
    def test_are_looked_for_in_pieces(
        self, as_seller: APIClient, busy_seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entries, "CHUNK", 2)
        monkeypatch.setattr(entries, "MOST_CHUNKS", 1)
        # Nothing in the first two, but there is more to look at.
        first = as_seller.get(ENTRIES, {"event": "goodwill_given"}).json()
        assert first["results"] == []
        assert first["next"]
        assert short(walk(as_seller, event="goodwill_given")) == WHOLE[6:]
        assert short(walk(as_seller, event="hold_placed", limit=1)) == WHOLE[4:6]


class TestCost:
    def test_of_a_page(
        self, as_seller: APIClient, busy_seller: Member, django_assert_num_queries: Any
    ) -> None:
        # Which accounts there are, both sides of three accounts, the page.
        with django_assert_num_queries(8):
            as_seller.get(ENTRIES)
        with django_assert_num_queries(4):
            as_seller.get(ENTRIES, {"account": "available"})


class TestOrder:
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_pages_are_pieces_of_the_whole(self, django_db_blocker: Any, seller: Member, data: Any) -> None:
        """Entries of several accounts with the same number are where pages would lose or repeat some."""
        from django.db import transaction

        with transaction.atomic():
            give(seller.id, 10_000, now=minute(0))
            for number in range(data.draw(st.integers(1, 5))):
                # At the same moment: both accounts get entries of the same numbers.
                key = f"h:{data.draw(st.uuids())}"
                place_hold(
                    key=key, member_id=seller.id, amount=euros(1 + number), reference=key, now=minute(0)
                )
            accounts = list_member_accounts(seller.id)
            newest_first, limit = data.draw(st.booleans()), data.draw(st.integers(1, 4))
            whole = list_entries(accounts, EntryFilter(), limit=100, newest_first=newest_first).entries
            assert len(whole) == 2 * Transfer.objects.count() - 1
            walked, after = [], None
            while True:
                run = list_entries(
                    accounts, EntryFilter(), limit=limit, newest_first=newest_first, after=after
                )
                walked += run.entries
                if (after := run.go_on_after) is None:
                    break
            assert walked == whole
            assert [entry.position for entry in whole] == sorted(
                (entry.position for entry in whole), reverse=newest_first
            )
            transaction.set_rollback(True)


class TestWording:
    def test_every_event_and_account_has_its_words(self) -> None:
        assert set(EVENTS) == set(Event)
        assert set(AS_SELLER) < set(Event)
        assert set(ACCOUNTS) == {
            kind for kind in AccountKind if kind in ("available", "pending", "held", "in_transit")
        }
        tables: list[Any] = [EVENTS, AS_SELLER, ACCOUNTS, STATEMENT]
        for texts in (texts for table in tables for texts in table.values()):
            assert len(texts) == len(LANGUAGES)
            assert all(texts)

    def test_a_sale_is_shown_to_its_seller_as_sold(
        self, as_seller: APIClient, seller: Member, buyer: Member
    ) -> None:
        post(sale(seller, buyer), now=NOON)
        (entry,) = as_seller.get(ENTRIES, headers={"Accept-Language": "lt"}).json()["results"]
        assert entry["label"] == "Parduota"
