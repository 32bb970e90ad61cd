"""Whom each step of an offer is told, and whom the end of an agreed price is told before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from listings.queries import ListingFacts
from members.models import Member, Notice
from orders.lifecycle import AGREED_FOR, OPEN_FOR
from orders.models import Offer
from orders.services.answering import accept, counter, decline
from orders.services.deadlines import REMIND_BEFORE, remind_of_offers, sweep_offers
from tests.factories.listings import NOW
from tests.factories.money import euros
from tests.factories.orders import offer

pytestmark = pytest.mark.django_db

ENDS = NOW + AGREED_FOR


def told() -> list[tuple[str, str]]:
    """(member id, kind) of every notice about offers, in their order."""
    rows = Notice.objects.filter(category="offers").order_by("created_at", "id")
    return list(rows.values_list("member_id", "kind"))


class TestSteps:
    def test_of_the_buyer_are_told_the_seller(
        self, seller: Member, buyer: Member, listing: ListingFacts
    ) -> None:
        made = offer(buyer.id, listing, 1500)
        notice = Notice.objects.get()
        assert (notice.member_id, notice.kind, notice.subject) == (
            seller.id,
            "offer.proposed",
            f"offer:{made.id}",
        )
        assert notice.params["amount"] == {"amount": 1500, "currency": "EUR"}
        assert notice.params["deadline"] == (NOW + OPEN_FOR).isoformat()

    def test_of_the_seller_are_told_the_buyer(
        self, seller: Member, buyer: Member, listing: ListingFacts
    ) -> None:
        made = offer(buyer.id, listing)
        counter(member_id=seller.id, offer_id=made.id, amount=euros(1800), now=NOW)
        assert (buyer.id, "offer.countered") in told()
        accept(member_id=buyer.id, offer_id=made.id, now=NOW)
        assert (seller.id, "offer.accepted") in told()
        assert len(told()) == 3

    def test_a_no_is_told_the_other(self, seller: Member, buyer: Member, listing: ListingFacts) -> None:
        decline(member_id=seller.id, offer_id=offer(buyer.id, listing).id, now=NOW)
        again = offer(buyer.id, listing)
        counter(member_id=seller.id, offer_id=again.id, amount=euros(1800), now=NOW)
        decline(member_id=buyer.id, offer_id=again.id, now=NOW)
        assert {(buyer.id, "offer.declined"), (seller.id, "offer.declined")} <= set(told())

    def test_silence_is_told_who_waited(
        self, seller: Member, buyer: Member, outsider: Member, listing: ListingFacts
    ) -> None:
        offer(buyer.id, listing)
        other = offer(outsider.id, listing)
        counter(member_id=seller.id, offer_id=other.id, amount=euros(1800), now=NOW)
        sweep_offers(now=NOW + OPEN_FOR)
        assert {member_id for member_id, kind in told() if kind == "offer.expired"} == {buyer.id, seller.id}


class TestReminder:
    @pytest.fixture
    def agreed(self, seller: Member, buyer: Member, listing: ListingFacts) -> Offer:
        made = offer(buyer.id, listing)
        accept(member_id=seller.id, offer_id=made.id, now=NOW)
        Notice.objects.all().delete()
        return Offer.objects.get(id=made.id)

    def test_comes_once_some_hours_before_the_end(self, buyer: Member, agreed: Offer) -> None:
        assert remind_of_offers(now=ENDS - REMIND_BEFORE - timedelta(seconds=1)) == 0
        assert [remind_of_offers(now=ENDS - REMIND_BEFORE) for _ in range(2)] == [1, 0]
        assert told() == [(buyer.id, "offer.lapses_soon")]

    def test_comes_not_after_the_end_nor_right_after_the_agreement(self, agreed: Offer) -> None:
        assert remind_of_offers(now=ENDS) == 0
        Offer.objects.update(answered_at=ENDS - REMIND_BEFORE)
        assert remind_of_offers(now=ENDS - timedelta(hours=1)) == 0

    def test_reaches_every_buyer_of_many(
        self, agreed: Offer, monkeypatch: pytest.MonkeyPatch, outsider: Member, listing: ListingFacts
    ) -> None:
        other = offer(outsider.id, listing)
        accept(member_id=listing.seller_id, offer_id=other.id, now=NOW)
        monkeypatch.setattr("orders.services.deadlines.BATCH", 1)
        assert remind_of_offers(now=ENDS - timedelta(hours=1)) == 2
