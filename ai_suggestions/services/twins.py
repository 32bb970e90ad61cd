"""Photos that show the same picture: found, told to their seller, ruled on by a moderator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

import listings.queries as listings
from ai_suggestions import metrics, photo_queries
from ai_suggestions.contract import FindingCode, PhotoFinding
from ai_suggestions.errors import TwinRuledOn
from ai_suggestions.ondevice import fingerprints
from ai_suggestions.photo_queries import CheckedPhoto
from ai_suggestions.photo_tables import PhotoTwin, Scope, TwinRuling
from foundation.db import atomic_retry
from listings.services import suspend

logger = structlog.get_logger(__name__)

MOST_TWINS = 20
STOLEN = "stolen_photos"


def record_twins(*, check_id: str, photo: CheckedPhoto, now: dt.datetime) -> int:
    """Find the photos that show the same picture as this one; returns how many twins are new.

    `check_id` is the row of the photo itself, which is in the same buckets already: of two photos that are
    checked at once, at least one finds the other. The cost depends on how many photos share a bucket, not on
    how many there are.
    """
    candidates = photo_queries.photos_sharing(
        fingerprints.keys_near(photo.fingerprint), version=fingerprints.version(), without=check_id
    )
    metrics.TWIN_CANDIDATES.observe(len(candidates))
    alike = [
        (likeness, other)
        for other in candidates
        if (likeness := fingerprints.likeness(photo.fingerprint, other.fingerprint)).is_same_picture(
            same_seller=other.seller_id == photo.seller_id
        )
    ]
    alike.sort(key=lambda found: (-found[0].similarity, found[1].photo_id))
    kept = listings.list_kept_photo_ids([other.photo_id for _, other in alike])
    return sum(
        _record(photo, other, likeness, now)
        for likeness, other in [found for found in alike if found[1].photo_id in kept][:MOST_TWINS]
    )


def _record(photo: CheckedPhoto, other: CheckedPhoto, how: fingerprints.Likeness, now: dt.datetime) -> bool:
    first, later = sorted((photo, other), key=lambda found: (found.ready_at, found.photo_id))
    if first.seller_id != later.seller_id:
        scope = Scope.OTHER_SELLER
    elif first.listing_id != later.listing_id:
        scope = Scope.SAME_SELLER
    else:
        scope = Scope.SAME_LISTING
    try:
        with transaction.atomic():
            PhotoTwin.objects.create(
                photo_id=later.photo_id,
                listing_id=later.listing_id,
                other_photo_id=first.photo_id,
                other_listing_id=first.listing_id,
                scope=scope.value,
                similarity=how.similarity,
                distance=how.distance,
                found_at=now,
            )
    except IntegrityError:
        return False  # known already, from the other's check
    metrics.PHOTO_TWINS.labels(scope.value).inc()
    logger.info("photo_twin_found", photo_id=later.photo_id, other_photo_id=first.photo_id, scope=scope.value)
    return True


def own_findings(photo_id: str) -> tuple[PhotoFinding, ...]:
    """What a seller is told of a photo: repeats in its listing (of the later one only), and other listings of
    the seller that show it and are on offer. Nothing about other sellers.
    """
    twins = photo_queries.own_twins(photo_id)
    others = {t.photo_id if t.photo_id != photo_id else t.other_photo_id for t in twins}
    kept = listings.list_kept_photo_ids(others)
    offered = listings.list_offered_ids({id_ for t in twins for id_ in (t.listing_id, t.other_listing_id)})
    found: list[PhotoFinding] = []
    for twin in twins:
        is_later = twin.photo_id == photo_id
        other_photo = twin.other_photo_id if is_later else twin.photo_id
        other_listing = twin.other_listing_id if is_later else twin.listing_id
        if other_photo not in kept:
            continue
        if twin.scope == Scope.SAME_LISTING:
            if is_later:
                found.append(PhotoFinding(photo_id, FindingCode.REPEATED, twin.similarity, other_photo))
        elif other_listing in offered:
            found.append(
                PhotoFinding(
                    photo_id, FindingCode.ALREADY_LISTED, twin.similarity, other_photo, other_listing
                )
            )
    return tuple(found)


def forget_twins(photo_ids: Sequence[str]) -> None:
    """Of photos that are gone or show something else now; what a moderator upheld is kept as evidence."""
    PhotoTwin.objects.filter(Q(photo_id__in=photo_ids) | Q(other_photo_id__in=photo_ids)).exclude(
        ruling=TwinRuling.UPHELD.value
    ).delete()


@atomic_retry
def dismiss_twin(*, twin_id: str, now: dt.datetime) -> None:
    """Both may show it: the same shop's picture, one seller with two accounts, chance. Raises TwinRuledOn."""
    _rule(twin_id, TwinRuling.DISMISSED, now)


@atomic_retry
def uphold_twin(*, twin_id: str, moderator_id: str, now: dt.datetime, note: str = "") -> None:
    """The later photo was taken from the other: its listing is hidden until the seller has mended it.

    Raises TwinRuledOn, ListingStatusConflict (it is not on offer or in review).
    """
    twin = _rule(twin_id, TwinRuling.UPHELD, now)
    suspend(listing_id=twin.listing_id, moderator_id=moderator_id, reason=STOLEN, note=note, now=now)


def _rule(twin_id: str, ruling: TwinRuling, now: dt.datetime) -> PhotoTwin:
    if not PhotoTwin.objects.filter(id=twin_id, ruling="").update(ruling=ruling.value, ruled_at=now):
        raise TwinRuledOn
    transaction.on_commit(metrics.TWIN_RULINGS.labels(ruling.value).inc)
    logger.info("photo_twin_ruled_on", twin_id=twin_id, ruling=ruling.value)
    return PhotoTwin.objects.get(id=twin_id)
