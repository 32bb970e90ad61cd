"""Statuses: the generic table, and each verb of a listing by who may use it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum

import pytest

from foundation.lifecycle import CLOCK, Lifecycle, Transition, UnknownTransition, as_markdown, register
from listings import services
from listings.errors import InvalidListing, ListingNotFound, ListingStale, ListingStatusConflict
from listings.lifecycle import (
    LISTING,
    LONGEST_HIDING,
    LONGEST_RESERVATION,
    MODERATOR,
    SELLER,
    Status,
    seller_actions,
)
from listings.models import Listing, ListingEvent
from listings.queries import ListingFacts
from members.models import Member
from tests.factories.listings import NOW, make_draft, make_listing

DAY = dt.timedelta(days=1)


def status_of(listing: ListingFacts) -> str:
    return str(Listing.objects.get(id=listing.id).status)


def events_of(listing: ListingFacts) -> list[tuple[str, str, str, str]]:
    rows = ListingEvent.objects.filter(listing_id=listing.id).order_by("id")
    return list(rows.values_list("verb", "source", "target", "actor"))


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


MEANINGS: dict[str, str] = {Light.RED: "stop", Light.GREEN: "go"}


class TestTable:
    def make(self, *rows: Transition, meanings: dict[str, str] = MEANINGS) -> Lifecycle:
        return Lifecycle("Light", statuses=Light, initial=Light.RED, transitions=rows, meanings=meanings)

    def test_finds_rows_by_status_verb_and_actor(self) -> None:
        go = Transition(Light.RED, "go", Light.GREEN, "guard")
        table = self.make(go)
        assert table.row("red", "go") == table.row("red", "go", "guard") == go
        assert table.verbs("red", "guard") == ("go",)
        assert table.verbs("green", "guard") == ()
        assert table.final() == ("green",)
        for status, verb, actor in (("green", "go", None), ("red", "stop", None), ("red", "go", "driver")):
            with pytest.raises(UnknownTransition):
                table.row(status, verb, actor)

    def test_knows_when_the_clock_acts(self) -> None:
        table = self.make(Transition(Light.RED, "tick", Light.GREEN, CLOCK, dt.timedelta(minutes=2)))
        assert table.due_at("red", NOW) == NOW + dt.timedelta(minutes=2)
        assert table.due_at("green", NOW) is None
        assert "| red | tick | green | clock | after 2 minutes |" in as_markdown([table])

    def test_refuses_contradictions(self) -> None:
        go = Transition(Light.RED, "go", Light.GREEN, "guard")
        tick = Transition(Light.RED, "tick", Light.GREEN, CLOCK, DAY)
        with pytest.raises(ValueError, match="twice"):
            self.make(go, go)
        with pytest.raises(ValueError, match="two deadlines"):
            self.make(tick, Transition(Light.RED, "tock", Light.GREEN, CLOCK, DAY))
        with pytest.raises(ValueError, match="unknown status"):
            self.make(Transition(Light.RED, "fade", "amber", "guard"))
        with pytest.raises(ValueError, match="needs its meaning"):
            self.make(go, meanings={Light.RED: "stop"})
        with pytest.raises(ValueError, match="deadline goes with the clock"):
            Transition(Light.RED, "tick", Light.GREEN, CLOCK)
        with pytest.raises(ValueError, match="deadline goes with the clock"):
            Transition(Light.RED, "go", Light.GREEN, "guard", DAY)
        with pytest.raises(ValueError, match="two lifecycles"):
            register(LISTING)


class TestSellerActions:
    def test_are_the_verbs_of_the_table(self) -> None:
        assert seller_actions(Status.SOLD, "") == ("duplicate",)
        assert seller_actions(Status.REMOVED, "") == ("duplicate",)
        assert seller_actions(Status.DELETED, "") == ()
        assert seller_actions(Status.RESERVED, "") == ("release", "delete", "edit", "duplicate")
        assert seller_actions(Status.HIDDEN, "seller") == ("unhide", "delete", "edit", "duplicate")
        assert seller_actions(Status.HIDDEN, "moderation") == ("publish", "delete", "edit", "duplicate")


SELLER_VERBS: dict[str, Callable[..., object]] = {
    "publish": services.publish,
    "hide": services.hide,
    "unhide": services.unhide,
    "reserve": services.reserve,
    "release": services.release,
    "delete": services.delete,
}


class TestSellerVerbs:
    @pytest.mark.parametrize("verb", sorted(SELLER_VERBS))
    @pytest.mark.parametrize("status", ["draft", "active", "reserved", "hidden", "in_review", "removed"])
    def test_move_as_the_table_says_and_only_so(
        self, seller: Member, moderator: Member, verb: str, status: str
    ) -> None:
        listing = make_listing(seller.id) if status != "draft" else make_draft(seller.id)
        facts = {"seller_id": seller.id, "listing_id": listing.id, "now": NOW}
        by_moderator = {"listing_id": listing.id, "moderator_id": moderator.id, "now": NOW, "reason": "other"}
        match status:
            case "draft":
                from tests.factories.listings import make_photo

                make_photo(listing)
            case "reserved":
                services.reserve(**facts)
            case "hidden":
                services.hide(**facts)
            case "in_review":
                services.suspend(**by_moderator)
                services.publish(**facts)
            case "removed":
                services.remove(**by_moderator)
        assert status_of(listing) == status
        if verb in seller_actions(status, "seller" if status == "hidden" else ""):
            SELLER_VERBS[verb](**facts)
            assert status_of(listing) == LISTING.row(status, verb, SELLER).target
            assert events_of(listing)[-1] == (verb, status, status_of(listing), "seller")
        else:
            before = events_of(listing)
            with pytest.raises(ListingStatusConflict) as caught:
                SELLER_VERBS[verb](**facts)
            assert caught.value.code == "listing_status_conflict"
            assert (status_of(listing), events_of(listing)) == (status, before)

    @pytest.mark.parametrize("verb", sorted(SELLER_VERBS))
    def test_of_somebody_else_find_nothing(
        self, listing: ListingFacts, other_seller: Member, verb: str
    ) -> None:
        with pytest.raises(ListingNotFound):
            SELLER_VERBS[verb](seller_id=other_seller.id, listing_id=listing.id, now=NOW)

    def test_with_an_older_version(self, draft: ListingFacts, seller: Member) -> None:
        for verb in (services.publish, services.delete):
            with pytest.raises(ListingStale) as caught:
                verb(seller_id=seller.id, listing_id=draft.id, now=NOW, expected_version=draft.version - 1)
            assert caught.value.code == "listing_stale"

    def test_first_publication_stays(self, listing: ListingFacts, seller: Member) -> None:
        services.hide(seller_id=seller.id, listing_id=listing.id, now=NOW + DAY)
        again = services.unhide(seller_id=seller.id, listing_id=listing.id, now=NOW + 2 * DAY)
        assert again.published_at == listing.published_at == NOW

    def test_unhide_judges_again(self, listing: ListingFacts, seller: Member) -> None:
        services.hide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        Listing.objects.filter(id=listing.id).update(price_minor=1)
        with pytest.raises(InvalidListing):
            services.unhide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert status_of(listing) == "hidden"


class TestModerator:
    def test_hides_until_it_is_mended_and_reviewed(
        self, listing: ListingFacts, seller: Member, moderator: Member
    ) -> None:
        by = {"listing_id": listing.id, "moderator_id": moderator.id, "now": NOW}
        services.suspend(**by, reason="wrong_category", note="a blouse")
        row = Listing.objects.get(id=listing.id)
        assert (row.status, row.hidden_by, row.moderation_reason) == (
            "hidden",
            "moderation",
            "wrong_category",
        )
        assert row.due_at is None
        services.publish(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert Listing.objects.get(id=listing.id).moderation_reason == "wrong_category"
        services.restore(**by)
        row = Listing.objects.get(id=listing.id)
        assert (row.status, row.moderation_reason) == ("active", "")
        event = ListingEvent.objects.get(listing_id=listing.id, verb="suspend")
        assert (event.actor_id, event.reason, event.note) == (moderator.id, "wrong_category", "a blouse")
        assert [verb for verb, *_ in events_of(listing)] == ["publish", "suspend", "publish", "restore"]

    def test_removes_for_good(self, listing: ListingFacts, moderator: Member) -> None:
        services.remove(listing_id=listing.id, moderator_id=moderator.id, reason="counterfeit", now=NOW)
        assert status_of(listing) == "removed"
        with pytest.raises(ListingStatusConflict):
            services.restore(listing_id=listing.id, moderator_id=moderator.id, now=NOW)

    @pytest.mark.parametrize("verb", [services.suspend, services.remove])
    def test_has_a_known_reason(
        self, listing: ListingFacts, moderator: Member, verb: Callable[..., None]
    ) -> None:
        with pytest.raises(InvalidListing) as caught:
            verb(listing_id=listing.id, moderator_id=moderator.id, reason="", now=NOW)
        assert caught.value.errors[0].code == "unknown_reason"
        assert status_of(listing) == "active"

    def test_restores_nothing_that_breaks_a_rule(self, listing: ListingFacts, moderator: Member) -> None:
        services.suspend(listing_id=listing.id, moderator_id=moderator.id, reason="other", now=NOW)
        Listing.objects.filter(id=listing.id).update(title="www.example.com")
        with pytest.raises(InvalidListing):
            services.restore(listing_id=listing.id, moderator_id=moderator.id, now=NOW)

    def test_has_no_verb_of_the_seller(self) -> None:
        sellers = {row.verb for row in LISTING.transitions if row.actor == SELLER}
        assert not sellers & {row.verb for row in LISTING.transitions if row.actor == MODERATOR}


class TestClock:
    def test_ends_a_reservation(self, listing: ListingFacts, seller: Member) -> None:
        services.reserve(seller_id=seller.id, listing_id=listing.id, now=NOW)
        due = NOW + LONGEST_RESERVATION
        assert services.sweep_deadlines(now=due - dt.timedelta(seconds=1)) == 0
        assert services.sweep_deadlines(now=due) == 1
        assert status_of(listing) == "active"
        assert events_of(listing)[-1] == ("end_reservation", "reserved", "active", "clock")
        assert services.act_on_deadline(listing_id=listing.id, now=due) is False

    def test_makes_what_is_hidden_for_too_long_a_draft(self, listing: ListingFacts, seller: Member) -> None:
        services.hide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert services.sweep_deadlines(now=NOW + LONGEST_HIDING) == 1
        row = Listing.objects.get(id=listing.id)
        assert (row.status, row.hidden_by, row.due_at) == ("draft", "", None)

    def test_leaves_alone_what_moderation_has_hidden(self, listing: ListingFacts, moderator: Member) -> None:
        services.suspend(listing_id=listing.id, moderator_id=moderator.id, reason="other", now=NOW)
        assert services.sweep_deadlines(now=NOW + 10 * LONGEST_HIDING) == 0
        assert status_of(listing) == "hidden"

    def test_released_in_time_does_not_act(self, listing: ListingFacts, seller: Member) -> None:
        services.reserve(seller_id=seller.id, listing_id=listing.id, now=NOW)
        services.release(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert services.sweep_deadlines(now=NOW + 10 * DAY) == 0
