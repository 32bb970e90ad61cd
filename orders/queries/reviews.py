"""Reading reviews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, QuerySet

from orders.models import Review

REVIEW_WITHIN = timedelta(days=14)
COLUMNS = ("id", "order_id", "by", "author_id", "subject_id", "rating", "text", "written_at")


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """How many reviews a member has, and their mean (None without any)."""

    count: int
    average: float | None


def is_open_to_reviews(completed_at: datetime | None, *, now: datetime) -> bool:
    """Whether an order completed then can be reviewed now."""
    return completed_at is not None and now < completed_at + REVIEW_WITHIN


def may_review(order_id: str, role: str, completed_at: datetime, *, now: datetime) -> bool:
    """Whether this side has not said yet how the other did, and still may."""
    if not is_open_to_reviews(completed_at, now=now):
        return False
    return not Review.objects.filter(order_id=order_id, by=role).exists()


def reviews_of_order(order_id: str) -> list[dict[str, Any]]:
    """Both reviews of an order, the first one first."""
    return list(Review.objects.filter(order_id=order_id).order_by("id").values(*COLUMNS))


def review_rows(member_id: str) -> QuerySet[Review, dict[str, Any]]:
    """What was said of a member, not yet sorted nor cut."""
    rows: QuerySet[Review, dict[str, Any]] = Review.objects.filter(subject_id=member_id).values(*COLUMNS)
    return rows


def get_review_summary(member_id: str) -> ReviewSummary:
    """Over all reviews of a member; reads an index, row by row."""
    found = Review.objects.filter(subject_id=member_id).aggregate(count=Count("id"), average=Avg("rating"))
    average = found["average"]
    return ReviewSummary(found["count"], None if average is None else round(float(average), 2))
