"""After an order is completed, each of the two may say once how the other did."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from foundation.db import atomic_retry
from foundation.ids import new_id
from members.services.notices import notify
from orders import metrics
from orders.errors import AlreadyReviewed, InvalidTransition
from orders.lifecycle import BUYER
from orders.models import OrderItem, Review
from orders.queries.reviews import is_open_to_reviews
from orders.services.order_moves import lock_own

logger = structlog.get_logger(__name__)


@atomic_retry
def write_review(*, member_id: str, order_id: str, rating: int, text: str, now: datetime) -> str:
    """Review the other member of a completed order, within 14 days. Raises OrderNotFound,
    InvalidTransition, AlreadyReviewed.
    """
    order, role = lock_own(order_id, member_id)
    if not is_open_to_reviews(order.completed_at, now=now):
        raise InvalidTransition("A review is for completed orders, within 14 days.")
    other = order.seller_id if role == BUYER else order.buyer_id
    review = Review(
        id=new_id(),
        order_id=order.id,
        by=role,
        author_id=member_id,
        subject_id=other,
        rating=rating,
        text=text,
        written_at=now,
    )
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError:
        raise AlreadyReviewed from None
    titles = OrderItem.objects.filter(order_id=order.id, position=0).values_list("title", flat=True)
    notify(
        member_id=other,
        kind="order.reviewed",
        params={"order_id": order.id, "title": titles[0]},
        subject=f"order:{order.id}",
        key=f"order:{order.id}:reviewed:{role}",
        now=now,
    )
    transaction.on_commit(metrics.REVIEWS.labels(role, str(rating)).inc)
    logger.info("review_written", review_id=review.id, order_id=order.id, by=role)
    return str(review.id)
