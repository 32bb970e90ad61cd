"""Who wins when several act on offers at once, with real connections on MySQL or MariaDB."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from listings.queries import ListingFacts
from members.models import Member
from orders.lifecycle import OPEN_FOR
from orders.models import Offer, OfferEvent, OfferQuota, Terms
from orders.services import deadlines
from orders.services.answering import accept, decline
from orders.services.deadlines import sweep_offers
from tests.balance.test_withdrawals_at_once import at_once
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.orders import load_small_world, offer, on_offer

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

ROUNDS = 40
LAST_MOMENT = NOW + OPEN_FOR - timedelta(microseconds=1)


@pytest.fixture
def seller(transactional_db: None) -> Member:
    load_small_world()
    return make_member("Ona")


@pytest.fixture
def buyer(seller: Member) -> Member:
    return make_member("Jonas")


@pytest.fixture
def on_sale(seller: Member) -> list[ListingFacts]:
    return [on_offer(seller.id) for _ in range(ROUNDS)]


class TestAnswers:
    def test_accept_or_decline_but_never_both(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts]
    ) -> None:
        Terms.objects.update(offers_per_day=ROUNDS)
        for listing in on_sale:
            made = offer(buyer.id, listing)

            def answer(number: int, offer_id: str = made.id) -> str:
                verb = accept if number else decline
                return verb(member_id=seller.id, offer_id=offer_id, now=NOW).status

            said = at_once(2, answer)
            assert said.count("invalid_transition") == 1
            [won] = set(said) - {"invalid_transition"}
            assert Offer.objects.get(id=made.id).status == won
        assert OfferEvent.objects.exclude(verb="propose").count() == ROUNDS

    def test_accept_in_the_last_moment_or_expire(
        self, seller: Member, buyer: Member, on_sale: list[ListingFacts]
    ) -> None:
        Terms.objects.update(offers_per_day=ROUNDS)
        ended = Counter[str]()
        for listing in on_sale:
            made = offer(buyer.id, listing)

            def race(number: int, offer_id: str = made.id) -> object:
                if number:
                    return accept(member_id=seller.id, offer_id=offer_id, now=LAST_MOMENT).status
                return sweep_offers(now=NOW + OPEN_FOR)

            swept, said = at_once(2, race)
            status = Offer.objects.get(id=made.id).status
            outcome = (swept, said, status)
            assert outcome in {(1, "invalid_transition", "expired"), (0, "accepted", "accepted")}
            ended[status] += 1
        assert ended.total() == ROUNDS
        assert OfferEvent.objects.exclude(verb="propose").count() == ROUNDS


class TestLimits:
    def test_of_the_day_hold_for_parallel_offers(self, buyer: Member, on_sale: list[ListingFacts]) -> None:
        Terms.objects.update(offers_per_day=3)
        said = at_once(8, lambda number: offer(buyer.id, on_sale[number]).status)
        assert Counter(said) == {"proposed": 3, "too_many_offers_today": 5}
        assert OfferQuota.objects.get().used == 3

    def test_one_offer_at_a_time_on_a_listing(self, buyer: Member, on_sale: list[ListingFacts]) -> None:
        said = at_once(8, lambda _: offer(buyer.id, on_sale[0]).status)
        assert Counter(said) == {"proposed": 1, "offer_already_open": 7}


class TestSweepers:
    def test_share_the_work_and_do_each_once(
        self, seller: Member, on_sale: list[ListingFacts], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadlines, "BATCH", 3)
        for _ in range(20):
            offer(make_member().id, on_sale[0])
        moved = sum(at_once(4, lambda _: sweep_offers(now=NOW + OPEN_FOR)))
        moved += sweep_offers(now=NOW + OPEN_FOR)
        assert moved == OfferEvent.objects.filter(verb="expire").count() == 20
