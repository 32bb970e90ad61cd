"""The pages of staff: everything can be found and read, nothing edited."""

from __future__ import annotations

import pytest
from django.test import Client

from listings.queries import ListingFacts
from members.models import Member
from orders.models import Terms
from orders.pricing import Step
from orders.services.answering import decline
from orders.services.bundling import create_bundle
from orders.services.discounts import set_discounts
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.orders import offer

pytestmark = pytest.mark.any_database


@pytest.fixture
def as_clerk(world: None) -> Client:
    client = Client()
    client.force_login(make_member("Clerk", is_staff=True, is_superuser=True))
    return client


def text_of(client: Client, path: str, **query: str) -> str:
    answer = client.get(f"/admin/orders/{path}", query)
    assert answer.status_code == 200, path
    return answer.content.decode()


class TestPages:
    def test_offers_are_found_and_show_their_history(
        self, as_clerk: Client, buyer: Member, listing: ListingFacts
    ) -> None:
        made = offer(buyer.id, listing)
        decline(member_id=listing.seller_id, offer_id=made.id, now=NOW)
        for words in (made.id, listing.id, buyer.id, listing.seller_id):
            assert "15.00 EUR" in text_of(as_clerk, "offer/", q=words)
        assert "15.00 EUR" not in text_of(as_clerk, "offer/", q=make_member().id)
        page = text_of(as_clerk, f"offer/{made.id}/change/")
        assert "propose" in page
        assert "decline" in page
        assert 'name="_save"' not in page
        assert buyer.id in text_of(as_clerk, "offerquota/", q=buyer.id)

    def test_bundles_and_discounts(self, as_clerk: Client, buyer: Member, listing: ListingFacts) -> None:
        set_discounts(seller_id=listing.seller_id, steps=[Step(2, 7)], expected_version=0, now=NOW)
        bundle = create_bundle(buyer_id=buyer.id, listing_ids=[listing.id], now=NOW)
        assert bundle.id in text_of(as_clerk, "bundle/", q=buyer.id)
        assert listing.title in text_of(as_clerk, f"bundle/{bundle.id}/change/")
        assert listing.seller_id in text_of(as_clerk, "bundleladder/")
        assert "7" in text_of(as_clerk, f"bundleladder/{listing.seller_id}/change/")

    def test_terms_cannot_be_edited(self, as_clerk: Client) -> None:
        assert "0.70 EUR" in text_of(as_clerk, "terms/")
        page = f"terms/{Terms.objects.all()[0].id}/change/"
        assert 'name="_save"' not in text_of(as_clerk, page)
        assert as_clerk.post(f"/admin/orders/{page}", {"fee_fixed_minor": 1}).status_code == 403
