"""Reviews: once per side, for completed orders, within 14 days; public."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from members.models import Member, Notice
from orders.errors import AlreadyReviewed, InvalidTransition, OrderNotFound
from orders.models import Order, Review
from orders.services.completing import confirm
from orders.services.reviewing import write_review
from tests.factories.listings import NOW
from tests.factories.purchases import buy, deliver

THEN = NOW + timedelta(days=3)


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    """Completed."""
    order = deliver(buy(seller.id, buyer.id), now=THEN)
    confirm(buyer_id=buyer.id, order_id=order.id, now=THEN)
    return order


def review(member: Member, order: Order, rating: int = 5, *, days: int = 0) -> str:
    now = THEN + timedelta(days=days)
    return write_review(member_id=member.id, order_id=order.id, rating=rating, text="Quick.", now=now)


class TestWrite:
    def test_each_side_once(self, order: Order, seller: Member, buyer: Member) -> None:
        review(buyer, order)
        review(seller, order, 4)
        with pytest.raises(AlreadyReviewed):
            review(buyer, order, 1)
        about = Review.objects.order_by("id").values_list("by", "subject_id", "rating")
        assert list(about) == [("buyer", seller.id, 5), ("seller", buyer.id, 4)]
        assert Notice.objects.filter(kind="order.reviewed", member_id=seller.id).count() == 1

    def test_until_14_days_after_completion(self, order: Order, buyer: Member) -> None:
        with pytest.raises(InvalidTransition):
            review(buyer, order, days=14)

    def test_not_before_completion(self, seller: Member, buyer: Member) -> None:
        with pytest.raises(InvalidTransition):
            review(buyer, buy(seller.id, buyer.id))

    def test_by_the_two_only(self, order: Order, outsider: Member) -> None:
        with pytest.raises(OrderNotFound):
            review(outsider, order)


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"rating": 6}, "review_rating_in_range"),
        ({"by": "friend"}, "review_by_a_member"),
        ({}, "review_once_per_side"),
    ],
)
def test_constraints(order: Order, buyer: Member, facts: dict[str, object], constraint: str) -> None:
    review(buyer, order)
    whole = {
        "by": "seller" if facts else "buyer",
        "rating": 5,
        "order_id": order.id,
        "author_id": buyer.id,
        "subject_id": buyer.id,
        "written_at": NOW,
        **facts,
    }
    with pytest.raises(IntegrityError, match=f"{constraint}|orders_review"), transaction.atomic():
        Review.objects.create(**whole)


class TestEndpoint:
    def test_tells_everybody_how_a_member_did(
        self, order: Order, seller: Member, as_buyer: APIClient, as_outsider: APIClient
    ) -> None:
        # The clock of the endpoint is today's: the order completed then would be too old.
        Order.objects.filter(id=order.id).update(completed_at=_now())
        path = f"/api/v1/orders/{order.id}"
        assert "review" in as_buyer.get(path).json()["allowed_actions"]
        answer = as_buyer.post(f"{path}/review", {"rating": 4, "text": "Fine."}, format="json")
        assert answer.status_code == 201, answer.json()
        assert "review" not in as_buyer.get(path).json()["allowed_actions"]
        again = as_buyer.post(f"{path}/review", {"rating": 4}, format="json")
        assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")
        page = as_outsider.get(f"/api/v1/members/{seller.id}/reviews").json()["results"]
        assert [(one["rating"], one["text"]) for one in page] == [(4, "Fine.")]
        summary = as_outsider.get(f"/api/v1/members/{seller.id}/review-summary").json()
        assert summary == {"count": 1, "average": 4.0}
        assert as_outsider.get(f"{path}/review").status_code == 404

    def test_a_rating_is_from_1_to_5(self, order: Order, as_buyer: APIClient) -> None:
        answer = as_buyer.post(f"/api/v1/orders/{order.id}/review", {"rating": 6}, format="json")
        assert answer.status_code == 400


def _now() -> object:
    from django.utils import timezone

    return timezone.now()
