"""A seller who never answers: nothing on offer, the account closed, and no second account in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from balance.services.banking import IdentityDetails, give_identity
from dac7.errors.diligence import InformationRequestMoved
from dac7.models import ClosedAccount, InformationRequest
from dac7.queries.diligence import find_open_request, list_events
from dac7.services.closing import enforce_stops
from dac7.services.diligence import (
    bar_selling,
    close_account,
    drop_request,
    information_given,
    request_information,
    sweep_requests,
)
from foundation.lifecycle import CLOCK
from listings.queries import get_listing
from listings.services import unhide
from members.errors import MemberRestricted
from members.models import Member, Notice
from members.queries import list_restrictions
from tests.factories.banking import LT_IBAN, make_bank_account
from tests.factories.listings import load_small_catalogue, make_listing
from tests.factories.members import make_member
from tests.factories.tax import give_profile

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
JUNE, MINUTE = datetime(2026, 6, 1, 9, tzinfo=UTC), timedelta(minutes=1)
ALL = {"buy", "sell", "withdraw"}


def withheld(member: Member) -> str:
    request_id = request_information(member_id=member.id, year=2026, actor=CLOCK, now=FIRST)
    assert request_id is not None
    for days in (14, 31, 62):
        sweep_requests(now=FIRST + timedelta(days=days))
    return request_id


def closed(member: Member) -> str:
    request_id = withheld(member)
    close_account(request_id=request_id, staff_id="S", note="No answer at all", now=JUNE)
    return request_id


def held(member: Member, now: datetime = JUNE) -> set[str]:
    return {one.capability for one in list_restrictions(member.id, now=now)}


def banked(name: str, *, born: date = date(1990, 5, 17), legal_name: str = "Ona Kazlauskienė") -> Member:
    """Somebody with the bank account that all of them have here."""
    member = make_member(name)
    details = IdentityDetails(legal_name, born, "Gedimino pr. 1", "LT-01103", "Vilnius", "LT")
    give_identity(member_id=member.id, details=details, expected_version=None, now=FIRST)
    make_bank_account(member.id, iban=LT_IBAN, holder_name=legal_name, now=FIRST)
    return member


class TestClosing:
    def test_stops_everything_and_says_so(self, seller: Member) -> None:
        request_id = closed(seller)
        assert held(seller) == ALL
        request = find_open_request(seller.id)
        assert request is not None
        assert (request.status, request.due_at) == ("closed", None)
        assert list_events(seller.id)[0].verb == "close"
        assert Notice.objects.filter(member_id=seller.id, kind="tax.account_closed").count() == 1
        assert ClosedAccount.objects.get().request_id == request_id

    def test_comes_after_withholding_or_barring_only(self, seller: Member) -> None:
        request_id = request_information(member_id=seller.id, year=2026, actor=CLOCK, now=FIRST)
        with pytest.raises(InformationRequestMoved):
            close_account(request_id=str(request_id), staff_id="S", note="x", now=FIRST)
        other = make_member("Jonas")
        barred = withheld(other)
        bar_selling(request_id=barred, staff_id="S", note="x", now=JUNE)
        close_account(request_id=barred, staff_id="S", note="x", now=JUNE)
        assert held(other) == ALL

    @pytest.mark.parametrize("ends", ["answer", "drop"])
    def test_ends_with_the_request_for_every_account(self, ends: str) -> None:
        first, second = banked("Ona"), banked("Ona again")
        request_id = closed(first)
        enforce_stops(now=JUNE)
        assert held(second) == ALL
        if ends == "answer":
            information_given(member_id=first.id, now=JUNE + MINUTE)
        else:
            drop_request(request_id=request_id, staff_id="S", note="Not asked", now=JUNE + MINUTE)
        assert (held(first, JUNE + MINUTE), held(second, JUNE + MINUTE)) == (set(), set())
        assert not ClosedAccount.objects.filter(opened_at__isnull=True).exists()
        assert enforce_stops(now=JUNE + 2 * MINUTE) == 0


class TestAnotherAccount:
    def test_that_was_opened_since_is_closed_as_soon_as_it_could_be_paid(self) -> None:
        first = banked("Ona")
        closed(first)
        assert enforce_stops(now=JUNE) == 0
        second = banked("Ona again")
        assert enforce_stops(now=JUNE + MINUTE) == 1
        assert held(second, JUNE + MINUTE) == ALL
        row = ClosedAccount.objects.get(member_id=second.id)
        assert row.found_by == "bank_account"
        assert [one.verb for one in list_events(second.id)] == ["close"]
        assert Notice.objects.filter(member_id=second.id, kind="tax.account_closed").count() == 1
        assert enforce_stops(now=JUNE + 2 * MINUTE) == 0

    def test_is_known_by_the_tin_too(self, seller: Member) -> None:
        second = make_member("Ona again")
        request_id = withheld(seller)
        for member in (seller, second):
            give_profile(member.id, now=FIRST)
        # Given with a check that a person refused later, say: the request is open all the same.
        InformationRequest.objects.filter(id=request_id).update(
            status="withheld", is_open=True, ended_at=None
        )
        close_account(request_id=request_id, staff_id="S", note="x", now=JUNE)
        enforce_stops(now=JUNE)
        assert ClosedAccount.objects.get(member_id=second.id).found_by == "tin"

    def test_of_the_family_with_one_bank_account_is_left_alone(self) -> None:
        first = banked("Ona")
        husband = banked("Jonas", legal_name="Jonas Kazlauskas", born=date(1988, 1, 2))
        daughter = banked("Ona junior", born=date(2007, 5, 17))
        closed(first)
        assert enforce_stops(now=JUNE) == 0
        assert (held(husband), held(daughter)) == (set(), set())

    def test_is_not_looked_for_while_selling_is_only_barred(self) -> None:
        first, second = banked("Ona"), banked("Ona again")
        bar_selling(request_id=withheld(first), staff_id="S", note="x", now=JUNE)
        enforce_stops(now=JUNE)
        assert held(second) == set()


class TestWhatIsOnOffer:
    @pytest.fixture
    def shop(self, db: None) -> Member:
        load_small_catalogue()
        return make_member("Ona")

    @pytest.mark.parametrize("stop", [bar_selling, close_account])
    def test_is_hidden_until_the_answer_and_put_back_by_the_seller(self, shop: Member, stop: object) -> None:
        listing = make_listing(shop.id, now=FIRST)
        request_id = withheld(shop)
        assert enforce_stops(now=JUNE) == 0
        stop(request_id=request_id, staff_id="S", note="x", now=JUNE)  # type: ignore[operator]
        assert enforce_stops(now=JUNE) == 1
        assert get_listing(listing.id).status == "hidden"
        with pytest.raises(MemberRestricted):
            unhide(seller_id=shop.id, listing_id=listing.id, now=JUNE)
        information_given(member_id=shop.id, now=JUNE + MINUTE)
        unhide(seller_id=shop.id, listing_id=listing.id, now=JUNE + MINUTE)
        assert get_listing(listing.id).status == "active"


class TestConstraints:
    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("closedaccount_known_reason", {"found_by": "rumour"}),
            ("closedaccount_opened_after_closed", {"opened_at": FIRST}),
        ],
    )
    def test_refuse_what_cannot_be(self, seller: Member, name: str, values: dict[str, object]) -> None:
        closed(seller)
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            ClosedAccount.objects.update(**values)

    def test_closedaccount_once(self, seller: Member) -> None:
        request_id = closed(seller)
        with pytest.raises(IntegrityError), transaction.atomic():
            ClosedAccount.objects.create(
                request_id=request_id, member=seller, found_by="asked", closed_at=JUNE
            )
