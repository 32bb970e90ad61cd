"""What a seller is told of what others did with a listing."""

from __future__ import annotations

import pytest

from listings import services
from listings.models import Listing
from listings.notices import REASONS
from listings.services.moderating import REASONS as REASONS_OF_MODERATORS
from members.models import Member, Notice
from tests.factories.listings import NOW, make_listing

pytestmark = pytest.mark.django_db

MODERATOR = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


class TestModeration:
    def test_is_told_each_time_with_its_reason(self, seller: Member) -> None:
        listing = make_listing(seller.id)
        for _ in range(2):
            services.suspend(listing_id=listing.id, moderator_id=MODERATOR, reason="misleading", now=NOW)
            services.restore(listing_id=listing.id, moderator_id=MODERATOR, now=NOW)
        services.remove(listing_id=listing.id, moderator_id=MODERATOR, reason="counterfeit", now=NOW)
        told = Notice.objects.filter(member_id=seller.id, subject=f"listing:{listing.id}")
        assert sorted(told.values_list("kind", "params__reason", "mail_status"), key=str) == [
            ("listing.hidden", "misleading", "waiting"),
            ("listing.hidden", "misleading", "waiting"),
            ("listing.removed", "counterfeit", "waiting"),
            ("listing.restored", None, "waiting"),
            ("listing.restored", None, "waiting"),
        ]

    def test_of_a_check_is_told_too(self, seller: Member) -> None:
        photo = make_listing(seller.id).photos[0]
        unsafe = services.Flag("unsafe_photo", 0.9)
        services.flag_photo(photo_id=photo.id, sha256=photo.sha256, flag=unsafe, now=NOW)
        assert Notice.objects.get().kind == "listing.in_review"

    def test_has_words_for_every_reason(self) -> None:
        assert REASONS.keys() == REASONS_OF_MODERATORS.keys()

    def test_what_the_seller_does_is_not_told(self, seller: Member) -> None:
        listing = make_listing(seller.id)
        services.hide(seller_id=seller.id, listing_id=listing.id, now=NOW)
        assert Listing.objects.get().status == "hidden"
        assert not Notice.objects.exists()
