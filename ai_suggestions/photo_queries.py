"""Reading of photo checks and twins. What leaves here are frozen dataclasses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from ai_suggestions.ondevice.fingerprints import Fingerprint, unpacked
from ai_suggestions.photo_tables import PhotoCheck, PhotoKey, PhotoTwin, Scope

# Of a picture that thousands show, some are enough: a moderator looks at one pair, not at all.
MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class CheckedPhoto:
    """A photo with its fingerprint."""

    photo_id: str
    listing_id: str
    seller_id: str
    ready_at: dt.datetime
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class OwnTwin:
    """Two photos of one seller that show the same picture."""

    photo_id: str
    listing_id: str
    other_photo_id: str
    other_listing_id: str
    scope: str
    similarity: float


def latest_ready_at() -> dt.datetime | None:
    """When the youngest photo that has a check became ready; None before the first."""
    return PhotoCheck.objects.order_by("-ready_at").values_list("ready_at", flat=True).first()


def due_photo_ids(*, now: dt.datetime, limit: int) -> list[str]:
    """Photos whose check is due, the longest waiting first."""
    rows = PhotoCheck.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return list(rows.values_list("photo_id", flat=True)[:limit])


def oldest_due_at() -> dt.datetime | None:
    """When the photo whose check waits longest became ready; None when none waits."""
    rows = PhotoCheck.objects.filter(due_at__isnull=False).order_by("ready_at")
    return rows.values_list("ready_at", flat=True).first()


def photos_sharing(keys: Sequence[int], *, version: str, without: str) -> list[CheckedPhoto]:
    """Photos in any of these buckets whose fingerprint is of this version; two statements."""
    buckets = PhotoKey.objects.filter(key__in=keys).exclude(check_of_id=without)
    ids = list(buckets.values_list("check_of_id", flat=True).distinct()[:MOST_CANDIDATES])
    rows = PhotoCheck.objects.filter(id__in=ids, fingerprint_version=version).order_by("id")
    return [
        CheckedPhoto(
            photo_id=row["photo_id"],
            listing_id=row["listing_id"],
            seller_id=row["seller_id"],
            ready_at=row["ready_at"],
            fingerprint=Fingerprint(
                unpacked(bytes(row["embedding"])), int(row["phash"], 16), int(row["phash_mirrored"], 16)
            ),
        )
        for row in rows.values(
            *("photo_id", "listing_id", "seller_id", "ready_at"),
            *("embedding", "phash", "phash_mirrored"),
        )
    ]


def own_twins(photo_id: str) -> list[OwnTwin]:
    """The same seller's photos that show the same picture as this one, the most alike first; at most 40."""
    rows = PhotoTwin.objects.filter(
        Q(photo_id=photo_id) | Q(other_photo_id=photo_id),
        scope__in=[Scope.SAME_LISTING.value, Scope.SAME_SELLER.value],
    ).order_by("-similarity", "id")
    return [OwnTwin(**row) for row in rows.values(*OwnTwin.__slots__)[:40]]
