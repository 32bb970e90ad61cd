"""Offers as services: every row of the lifecycle, every rule, every deadline."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import transaction
from prometheus_client import REGISTRY

from balance.errors import CurrencyMismatch
from foundation.errors import DomainError
from foundation.models import OutgoingEvent
from foundation.money import Money
from listings import services as listings
from listings.errors import ListingNotFound
from listings.queries import ListingFacts
from listings.services import ListingChange
from members.errors import MemberRestricted
from members.models import Member
from members.services.blocks import block_member
from members.services.restrictions import restrict
from orders import tasks
from orders.errors import (
    InvalidTransition,
    ListingNotAvailable,
    OfferAlreadyOpen,
    OfferNotFound,
    OfferOutOfRange,
    OwnListing,
    PriceChanged,
    TooManyOffersOnListing,
    TooManyOffersToday,
)
from orders.lifecycle import AGREED_FOR, LIVE, OFFER, OPEN_FOR, OfferStatus
from orders.models import Offer, OfferEvent, OfferQuota, Terms
from orders.queries.offers import get_offer, offer_facts, offer_rows
from orders.services import deadlines
from orders.services.answering import accept, counter, decline
from orders.services.deadlines import sweep_offers
from orders.services.offering import propose
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.money import euros
from tests.factories.orders import offer, on_offer

SOON = NOW + timedelta(hours=1)
OVER = NOW + OPEN_FOR


def status_of(offer_id: str) -> str:
    return str(Offer.objects.values_list("status", flat=True).get(id=offer_id))


def reprice(listing: ListingFacts, minor: int) -> None:
    change = ListingChange(price=euros(minor))
    listings.edit_draft(seller_id=listing.seller_id, listing_id=listing.id, change=change, now=NOW)


def outcomes(outcome: str, code: str) -> float:
    return REGISTRY.get_sample_value(f"preloved_orders_{outcome}_total", {"code": code}) or 0.0


def outcome_of(verb: Callable[..., Any], member_id: str, offer_id: str) -> str:
    """The new status, or the code of the refusal."""
    more = {"amount": euros(1800)} if verb is counter else {}
    try:
        return str(verb(member_id=member_id, offer_id=offer_id, now=NOW, **more).status)
    except DomainError as refused:
        return refused.code


class TestPropose:
    def test_awaits_the_seller_for_a_day(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing, 1500)
        assert (made.status, made.amount, made.listed, made.number) == (
            "proposed",
            euros(1500),
            euros(2000),
            1,
        )
        assert (made.answer_by, made.buy_by, made.allowed_actions) == (OVER, None, ())
        as_seller_sees = get_offer(listing.seller_id, made.id, now=NOW)
        assert (as_seller_sees.role, as_seller_sees.allowed_actions) == (
            "seller",
            ("accept", "decline", "counter"),
        )

    @pytest.mark.parametrize("minor", [1200, 1999])
    def test_takes_from_the_floor_to_just_below_the_price(
        self, buyer: Member, listing: ListingFacts, minor: int
    ) -> None:
        assert offer(buyer.id, listing, minor).amount == euros(minor)

    @pytest.mark.parametrize("minor", [-1, 0, 1199, 2000, 2**53])
    def test_refuses_other_amounts(self, buyer: Member, listing: ListingFacts, minor: int) -> None:
        before = outcomes("offers_refused", "offer_out_of_range")
        with pytest.raises(OfferOutOfRange) as refused:
            offer(buyer.id, listing, minor)
        assert refused.value.extra == {"minimum": euros(1200).as_json(), "maximum": euros(1999).as_json()}
        assert not OfferQuota.objects.exists()
        assert outcomes("offers_refused", "offer_out_of_range") == before + 1

    def test_refuses_another_currency(self, buyer: Member, listing: ListingFacts) -> None:
        with pytest.raises(CurrencyMismatch):
            propose(buyer_id=buyer.id, listing_id=listing.id, amount=Money(1500, "PLN"), now=NOW)

    def test_refuses_an_own_listing(self, seller: Member, listing: ListingFacts) -> None:
        with pytest.raises(OwnListing):
            offer(seller.id, listing)

    @pytest.mark.parametrize("verb", [listings.reserve, listings.hide])
    def test_refuses_a_listing_that_is_not_on_offer(
        self, buyer: Member, listing: ListingFacts, verb: Callable[..., Any]
    ) -> None:
        verb(seller_id=listing.seller_id, listing_id=listing.id, now=NOW)
        with pytest.raises((ListingNotAvailable, ListingNotFound)):
            offer(buyer.id, listing)

    def test_does_not_tell_who_blocked_whom(self, buyer: Member, listing: ListingFacts) -> None:
        other = make_member("Rasa")
        block_member(member_id=listing.seller_id, blocked_id=buyer.id, now=NOW)
        block_member(member_id=other.id, blocked_id=listing.seller_id, now=NOW)
        for member in (buyer, other):
            with pytest.raises(ListingNotAvailable):
                offer(member.id, listing)

    def test_refuses_the_listing_of_a_closed_account(
        self, buyer: Member, seller: Member, listing: ListingFacts
    ) -> None:
        Member.objects.filter(id=seller.id).update(is_active=False)
        with pytest.raises(ListingNotAvailable):
            offer(buyer.id, listing)

    def test_refuses_a_member_who_may_not_buy(self, buyer: Member, listing: ListingFacts) -> None:
        restrict(member_id=buyer.id, capability="buy", reason="fraud", source="staff:1", now=NOW)
        with pytest.raises(MemberRestricted):
            offer(buyer.id, listing)

    def test_takes_one_at_a_time_and_three_in_all(self, buyer: Member, listing: ListingFacts) -> None:
        for number in (1, 2, 3):
            made = offer(buyer.id, listing)
            assert made.number == number
            with pytest.raises(OfferAlreadyOpen) as refused:
                offer(buyer.id, listing)
            assert refused.value.extra == {"offer_id": made.id}
            decline(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        with pytest.raises(TooManyOffersOnListing):
            offer(buyer.id, listing)
        assert offer(make_member("Rasa").id, listing).number == 1

    def test_ends_an_overdue_one_that_no_sweeper_has_seen(self, buyer: Member, listing: ListingFacts) -> None:
        first = offer(buyer.id, listing)
        second = offer(buyer.id, listing, now=OVER)
        assert (status_of(first.id), second.number) == ("expired", 2)

    def test_takes_as_many_a_day_as_the_terms_say(self, buyer: Member, seller: Member) -> None:
        """A day of the buyer's market: in Vilnius it is midnight at 21:00 UTC in summer."""
        Terms.objects.update(offers_per_day=2)
        midnight = datetime(2026, 6, 1, 21, tzinfo=UTC)
        on_sale = [on_offer(seller.id) for _ in range(3)]
        for listing in on_sale[:2]:
            offer(buyer.id, listing)
        with pytest.raises(TooManyOffersToday) as refused:
            offer(buyer.id, on_sale[2], now=midnight - timedelta(seconds=10))
        assert refused.value.retry_after_s == 11
        assert offer(buyer.id, on_sale[2], now=midnight).number == 1
        assert OfferQuota.objects.get().used == 1

    def test_ships_with_twenty_five_a_day(self, world: None) -> None:
        assert set(Terms.objects.values_list("offers_per_day", "offers_per_listing")) == {(25, 3)}


class TestAccept:
    def test_makes_a_price_for_a_day_and_leaves_the_listing_open(
        self, buyer: Member, listing: ListingFacts
    ) -> None:
        made = offer(buyer.id, listing)
        agreed = accept(member_id=listing.seller_id, offer_id=made.id, now=SOON)
        assert (agreed.status, agreed.amount, agreed.buy_by) == ("accepted", euros(1500), SOON + AGREED_FOR)
        assert agreed.allowed_actions == ()
        assert offer(make_member("Rasa").id, listing, now=SOON).status == "proposed"

    def test_of_a_counter_is_the_buyers(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(1800), now=NOW)
        with pytest.raises(InvalidTransition):
            accept(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        assert accept(member_id=buyer.id, offer_id=made.id, now=NOW).amount == euros(1800)

    def test_is_not_the_buyers_while_the_seller_is_asked(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        with pytest.raises(InvalidTransition) as refused:
            accept(member_id=buyer.id, offer_id=made.id, now=NOW)
        assert refused.value.extra == {"allowed_actions": []}

    def test_comes_too_late_whether_swept_or_not(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        for _ in range(2):
            with pytest.raises(InvalidTransition):
                accept(member_id=listing.seller_id, offer_id=made.id, now=OVER)
            assert get_offer(listing.seller_id, made.id, now=OVER).allowed_actions == ()
            sweep_offers(now=OVER)
        assert status_of(made.id) == "expired"

    def test_is_refused_when_the_listing_costs_less_now(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        reprice(listing, 1400)
        with pytest.raises(PriceChanged) as refused:
            accept(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        assert refused.value.extra == {"price": euros(1400).as_json()}

    def test_is_refused_once_the_listing_is_gone(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        listings.delete(seller_id=listing.seller_id, listing_id=listing.id, now=NOW)
        with pytest.raises(ListingNotAvailable):
            accept(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        assert decline(member_id=listing.seller_id, offer_id=made.id, now=NOW).status == "declined"

    def test_is_refused_to_a_buyer_who_may_not_buy(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(1800), now=NOW)
        restrict(member_id=buyer.id, capability="buy", reason="fraud", source="staff:1", now=NOW)
        with pytest.raises(MemberRestricted):
            accept(member_id=buyer.id, offer_id=made.id, now=NOW)


class TestCounter:
    def test_is_the_buyers_turn_for_another_day(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(2000), now=SOON)
        seen = get_offer(buyer.id, made.id, now=SOON)
        assert (seen.status, seen.offered, seen.amount) == ("countered", euros(1500), euros(2000))
        assert (seen.answer_by, seen.allowed_actions) == (SOON + OPEN_FOR, ("accept", "decline"))

    @pytest.mark.parametrize("minor", [1500, 2001, 0])
    def test_is_above_the_offer_and_at_most_the_price(
        self, buyer: Member, listing: ListingFacts, minor: int
    ) -> None:
        made = offer(buyer.id, listing)
        with pytest.raises(OfferOutOfRange):
            counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(minor), now=NOW)

    def test_is_in_the_currency_of_the_offer(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        with pytest.raises(CurrencyMismatch):
            counter(member_id=listing.seller_id, offer_id=made.id, amount=Money(1800, "PLN"), now=NOW)


class TestClock:
    @pytest.mark.parametrize("path", [(), ("counter",), ("accept",)])
    def test_ends_what_nobody_answered_or_bought(
        self, buyer: Member, listing: ListingFacts, path: tuple[str, ...]
    ) -> None:
        made = offer(buyer.id, listing)
        if "counter" in path:
            counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(1800), now=NOW)
        if "accept" in path:
            accept(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        assert sweep_offers(now=OVER - timedelta(microseconds=1)) == 0
        assert (sweep_offers(now=OVER), sweep_offers(now=OVER)) == (1, 0)
        assert status_of(made.id) == ("lapsed" if "accept" in path else "expired")
        assert OfferEvent.objects.filter(offer_id=made.id, actor="clock").count() == 1

    def test_works_in_batches(
        self, seller: Member, listing: ListingFacts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadlines, "BATCH", 2)
        for _ in range(3):
            offer(make_member().id, listing)
        tasks.sweep_offers()
        assert set(Offer.objects.values_list("status", flat=True)) == {"expired"}
        assert OutgoingEvent.objects.filter(kind="offer.expired").count() == 3


class TestLifecycle:
    """Every pair of a status and a verb of a member: what the table allows happens, the rest is refused."""

    @pytest.mark.any_database
    @pytest.mark.parametrize("status", [status.value for status in OfferStatus])
    def test_is_the_table(self, buyer: Member, listing: ListingFacts, status: str) -> None:
        made = offer(buyer.id, listing)
        ended = {} if status in LIVE else {"is_live": None, "due_at": None, "ended_at": NOW}
        Offer.objects.filter(id=made.id).update(status=status, **ended)
        OfferEvent.objects.filter(offer_id=made.id).delete()
        members = {"buyer": buyer.id, "seller": listing.seller_id}
        for (actor, member_id), verb in itertools.product(members.items(), (accept, decline, counter)):
            allowed = OFFER.verbs(status, actor)
            [row] = offer_rows(member_id, role=actor)
            assert offer_facts(row, viewer_id=member_id, now=NOW).allowed_actions == allowed
            with transaction.atomic():
                assert outcome_of(verb, member_id, made.id) == (
                    OFFER.row(status, verb.__name__, actor).target
                    if verb.__name__ in allowed
                    else "invalid_transition"
                )
                transaction.set_rollback(True)

    @pytest.mark.parametrize("verb", [accept, decline])
    def test_is_nobody_elses(
        self, buyer: Member, outsider: Member, listing: ListingFacts, verb: Callable[..., Any]
    ) -> None:
        made = offer(buyer.id, listing)
        for offer_id in (made.id, "0" * 26):
            with pytest.raises(OfferNotFound):
                verb(member_id=outsider.id, offer_id=offer_id, now=NOW)

    def test_is_told_in_order_without_personal_data(self, buyer: Member, listing: ListingFacts) -> None:
        made = offer(buyer.id, listing)
        counter(member_id=listing.seller_id, offer_id=made.id, amount=euros(1800), now=SOON)
        decline(member_id=buyer.id, offer_id=made.id, now=SOON)
        events = list(OutgoingEvent.objects.filter(subject=f"offer:{made.id}").order_by("sequence"))
        assert [event.kind for event in events] == ["offer.proposed", "offer.countered", "offer.declined"]
        data = orjson.loads(events[1].body)["data"]
        assert data["amount"] == {"amount": 1800, "currency": "EUR"}
        assert set(data) == {
            *("subject", "offer_id", "listing_id", "seller_id", "buyer_id", "status", "amount", "due_at")
        }

    def test_tells_nothing_of_what_was_refused(self, buyer: Member, listing: ListingFacts) -> None:
        with pytest.raises(DomainError):
            offer(buyer.id, listing, 1)
        assert not OutgoingEvent.objects.filter(kind="offer.proposed").exists()
