"""The clock over the API, and what it brings about for those who wait: an offer, money at the bank."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from foundation import clock
from foundation.models import SandboxClock
from foundation.sandbox import sweepers
from listings.queries import ListingFacts
from members.models import Member, Notice
from orders.models import Offer, Order
from tests.factories.members import make_member
from tests.factories.purchases import buy, deliver, held_by, refunded_to_card
from tests.factories.tax import read_so_far

URL = "/api/v1/sandbox/clock"

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def sales_are_read(db: None) -> None:
    read_so_far(timezone.now())


def advance(client: APIClient, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(URL, body, headers=headers or {})


def propose(client: APIClient, listing: ListingFacts) -> Any:
    body = {"amount": {"amount": 1500, "currency": "EUR"}}
    answer = client.post(f"/api/v1/listings/{listing.id}/offers", body, headers={"Idempotency-Key": "offer"})
    assert answer.status_code == 201, answer.json()
    return answer.json()


@pytest.mark.usefixtures("sandbox")
class TestAdvance:
    def test_lets_an_offer_expire_and_time_go_on(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        offer = propose(as_buyer, listing)
        early = advance(as_buyer, by="PT23H59M")
        assert (early.status_code, early.json()["done"].get("orders.offers")) == (200, None)
        answer = advance(as_buyer, by="PT1M1S")
        assert (answer.status_code, answer.json()["done"]["orders.offers"]) == (200, 1)
        assert answer.json()["ahead"] == "P1DT00H00M01S"
        assert (answer.json()["advancing_to"], answer.json()["failed"]) == (None, [])
        shown = as_buyer.get(f"/api/v1/offers/{offer['id']}").json()
        assert (shown["status"], shown["allowed_actions"]) == ("expired", [])
        assert shown["ended_at"] >= offer["deadlines"]["answer_by"]

    def test_goes_to_an_instant(self, as_buyer: APIClient) -> None:
        to = (timezone.now() + timedelta(days=30)).replace(microsecond=0)
        answer = advance(as_buyer, to=to.isoformat())
        assert answer.status_code == 200
        now = datetime.fromisoformat(answer.json()["now"])
        assert to <= now < to + timedelta(minutes=1)
        again = advance(as_buyer, to=to.isoformat())
        assert (again.status_code, again.json()["code"]) == (422, "sandbox_clock_refused")
        assert again.json()["errors"][0]["pointer"] == "/to"

    def test_with_a_key_goes_on_once(self, as_buyer: APIClient) -> None:
        first, again = (advance(as_buyer, by="PT1H", headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again["Idempotent-Replayed"] == "true"
        assert again.json()["ahead"] == first.json()["ahead"] == "P0DT01H00M00S"

    def test_answers_at_once_when_asked_to(self, as_buyer: APIClient) -> None:
        answer = advance(as_buyer, by="PT1H", headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
        assert answer["Location"].endswith(URL)
        assert answer.json()["advancing_to"] > answer.json()["now"]
        # Whoever asks next takes it there.
        assert advance(as_buyer, by="PT2H").json()["ahead"] == "P0DT02H00M00S"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"by": "PT1H", "to": "2030-01-01T00:00:00Z"},
            *({"by": text} for text in ("1 00:00:00", "P1M", "P1Y", "P", "PT", "P1DT", "-P1D", "P1W", 3600)),
            {"to": "2030-01-01T00:00:00"},
            {"by": "PT1H", "more": 1},
        ],
    )
    def test_takes_a_duration_or_an_instant(self, as_buyer: APIClient, body: dict[str, Any]) -> None:
        answer = as_buyer.post(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert not SandboxClock.objects.exists()

    @pytest.mark.parametrize("by", ["P367D", "PT0S"])
    def test_is_refused_too_far_and_nowhere(self, as_buyer: APIClient, by: str) -> None:
        answer = advance(as_buyer, by=by)
        assert (answer.status_code, answer.json()["code"]) == (422, "sandbox_clock_refused")


@pytest.mark.usefixtures("sandbox")
class TestOrder:
    def notices(self, member: Member) -> list[str]:
        rows = Notice.objects.filter(member_id=member.id).order_by("created_at", "id")
        return list(rows.values_list("kind", flat=True))

    def test_completes_two_days_after_its_delivery(
        self, as_buyer: APIClient, seller: Member, buyer: Member
    ) -> None:
        order = deliver(buy(seller.id, buyer.id, now=clock.now()), now=clock.now())
        assert "orders.orders" not in advance(as_buyer, by="PT47H").json()["done"]
        assert advance(as_buyer, by="PT2H").json()["done"]["orders.orders"] == 1
        assert Order.objects.get(id=order.id).status == "completed"
        assert held_by(seller.id) == 2000

    def test_is_cancelled_after_reminders_when_nobody_ships(
        self, as_buyer: APIClient, seller: Member, buyer: Member
    ) -> None:
        order = buy(seller.id, buyer.id, now=clock.now())
        answer = advance(as_buyer, by="P20D")
        assert answer.json()["failed"] == []
        assert Order.objects.get(id=order.id).status == "cancelled"
        told = self.notices(seller)
        assert told.index("order.ship_by_reminder") < told.index("order.not_shipped")
        assert refunded_to_card(order) == order.card_minor > 0


class TestClock:
    @pytest.mark.usefixtures("sandbox")
    def test_shows_real_time_until_it_is_advanced(self, as_buyer: APIClient) -> None:
        answer = as_buyer.get(URL, headers={"Prefer": "wait=5"})
        assert answer.status_code == 200
        assert answer.json()["ahead"] == "P0DT00H00M00S"
        assert abs(datetime.fromisoformat(answer.json()["now"]) - clock.real_now()) < timedelta(seconds=5)

    @pytest.mark.usefixtures("sandbox")
    def test_is_known_at_once_when_another_process_advanced_it(
        self, as_buyer: APIClient, listing: ListingFacts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "READ_EVERY_S", 60.0)
        before = clock.now()
        ahead = timedelta(days=2)
        SandboxClock.objects.create(ahead=ahead, target=ahead, advanced_at=before)
        offered_at = datetime.fromisoformat(propose(as_buyer, listing)["proposed_at"])
        assert offered_at - before >= ahead

    @pytest.mark.usefixtures("sandbox")
    def test_is_for_members(self) -> None:
        assert APIClient().post(URL, {"by": "PT1H"}).status_code == 401

    def test_is_not_there_outside_of_a_sandbox(self, as_buyer: APIClient) -> None:
        for answer in (as_buyer.get(URL), as_buyer.post(URL, {"by": "PT1H"}), as_buyer.post(URL, {"x": 1})):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert not SandboxClock.objects.exists()

    @pytest.mark.usefixtures("sandbox")
    def test_is_shown_to_staff(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        propose(as_buyer, listing)
        advance(as_buyer, by="P2D")
        staff = Client()
        staff.force_login(make_member("Clerk", is_staff=True, is_superuser=True))
        page = staff.get("/admin/foundation/sandboxclock/1/change/")
        assert page.status_code == 200
        assert b"orders.offers" in page.content
        assert b"_save" not in page.content


class TestSweepers:
    def test_are_those_of_all_apps(self) -> None:
        names = {sweeper.name for sweeper in sweepers.registered()}
        assert names >= {
            "foundation.incoming_events",
            "foundation.outgoing_events",
            "members.notice_mails",
            "listings.deadlines",
            "balance.holds",
            "balance.withdrawals",
            "balance.donations",
            "orders.offer_reminders",
            "orders.offers",
            "orders.payments",
            "orders.refunds",
            "orders.parcels",
            "orders.order_reminders",
            "orders.orders",
        }

    def test_say_when_they_have_something_to_do(self, as_buyer: APIClient, listing: ListingFacts) -> None:
        propose(as_buyer, listing)
        due_at = Offer.objects.values_list("due_at", flat=True).get()
        assert sweepers.first_stop(after=clock.now()) == due_at
