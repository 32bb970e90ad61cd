"""What ai_suggestions asks: photos and facts of a draft, comparable items, the photo set's fingerprint."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.core.files.storage import storages
from django.db.models import Case, IntegerField, Q, Value, When

from listings.errors import ListingNotFound, PhotoNotFound, PhotoNotReady
from listings.lifecycle import PhotoStatus, Status
from listings.models import Listing, ListingPhoto
from listings.photos.names import ORIGINALS, master_name
from listings.queries.catalogue import CatalogueSnapshot
from listings.queries.listings import ListingFacts, get_listing, list_photos

MAX_COMPARABLES = 500


@dataclass(frozen=True, slots=True)
class SuggestionPhoto:
    """A photo as a provider of suggestions sees it.

    `sha256` is of the master's bytes (upright JPEG without metadata, longest side at most 2048 pixels),
    lower-case hex; empty unless `status` is "ready". `position` 0 is the cover.
    """

    id: str
    position: int
    sha256: str
    status: str
    failure_code: str


@dataclass(frozen=True, slots=True)
class Comparable:
    """An item of this marketplace, price in minor units of `currency`; `sold`: an agreed price, not asked."""

    listing_id: str
    title: str
    price_minor: int
    currency: str
    sold: bool
    category_id: str
    brand_id: str | None
    condition_id: str | None


def photos_for_suggestions(listing_id: str) -> tuple[SuggestionPhoto, ...]:
    """All photos of a listing in their order, whatever their status; empty for an unknown listing."""
    return tuple(
        SuggestionPhoto(
            id=photo.id,
            position=photo.position,
            sha256=photo.sha256 if photo.status == PhotoStatus.READY else "",
            status=photo.status,
            failure_code=photo.failure_code,
        )
        for photo in list_photos(listing_id)
    )


def read_master(photo_id: str) -> bytes:
    """The master of a ready photo: upright JPEG, no metadata, longest side at most 2048 pixels.

    Raises PhotoNotFound, PhotoNotReady; OSError when the storage fails.
    """
    row = ListingPhoto.objects.filter(id=photo_id).values("status", "stem").first()
    if row is None:
        raise PhotoNotFound
    if row["status"] != PhotoStatus.READY:
        raise PhotoNotReady
    with storages[ORIGINALS].open(master_name(row["stem"]), "rb") as file:
        return bytes(file.read())


def photo_set_hash(listing_id: str) -> str:
    """SHA-256 (hex) over the ready photos' contents in their order; another set, another hash."""
    digest = hashlib.sha256()
    for photo in photos_for_suggestions(listing_id):
        if photo.sha256:
            digest.update(photo.sha256.encode())
    return digest.hexdigest()


def get_draft_facts(listing_id: str) -> ListingFacts:
    """What the seller has said so far, and whose it is; in any status. Raises ListingNotFound."""
    return get_listing(listing_id)


def comparables(*, category_ids: Sequence[str], currency: str, limit: int) -> tuple[Comparable, ...]:
    """Priced items of these categories, sold before offered, newest first; at most `limit` (and 500)."""
    rows = (
        Listing.objects.filter(
            status__in=[Status.SOLD, Status.ACTIVE, Status.RESERVED],
            category_id__in=category_ids,
            currency=currency,
            price_minor__isnull=False,
        )
        .annotate(
            offered=Case(
                When(status=Status.SOLD, then=Value(0)), default=Value(1), output_field=IntegerField()
            )
        )
        .order_by("offered", "-published_at", "-id")
        .values("id", "title", "price_minor", "status", "category_id", "brand_id", "condition_id")
    )
    return tuple(
        Comparable(
            listing_id=row["id"],
            title=row["title"],
            price_minor=price,
            currency=currency,
            sold=row["status"] == Status.SOLD,
            category_id=row["category_id"],
            brand_id=row["brand_id"],
            condition_id=row["condition_id"],
        )
        for row in rows[: min(limit, MAX_COMPARABLES)]
        if (price := row["price_minor"]) is not None
    )


def usual_departments(seller_id: str, *, catalogue: CatalogueSnapshot) -> tuple[str, ...]:
    """The departments of a seller's latest 100 listings that say one, the most frequent first."""
    rows = (
        Listing.objects.filter(seller_id=seller_id, category__isnull=False)
        .exclude(status=Status.DELETED)
        .order_by("-id")
        .values_list("category_id", flat=True)[:100]
    )
    counts = Counter(catalogue.path_to(category_id)[0] for category_id in rows)
    return tuple(department for department, _ in counts.most_common())


def list_kept_ids(listing_ids: Collection[str]) -> set[str]:
    """Of these listings, those that neither their seller deleted nor staff removed; one statement."""
    kept = Listing.objects.filter(id__in=listing_ids).exclude(status__in=[Status.DELETED, Status.REMOVED])
    return set(kept.values_list("id", flat=True))


def get_listing_version(listing_id: str) -> int:
    """What grows with every change of the listing; one statement. Raises ListingNotFound."""
    version = Listing.objects.filter(id=listing_id).values_list("version", flat=True).first()
    if version is None:
        raise ListingNotFound
    return version


@dataclass(frozen=True, slots=True)
class ReadyPhoto:
    """A photo that can be looked at; `sha256` is of its master, `ready_at` is when its worker began."""

    photo_id: str
    listing_id: str
    seller_id: str
    sha256: str
    ready_at: dt.datetime


def photos_ready_from(
    ready_at: dt.datetime | None, *, after_id: str = "", limit: int
) -> tuple[ReadyPhoto, ...]:
    """Photos that became ready then or later, the earliest first; None: from the first one on.

    `after_id` continues behind the photo of that id which became ready at that instant.
    """
    rows = ListingPhoto.objects.filter(status=PhotoStatus.READY)
    if ready_at is not None:
        rows = rows.filter(Q(processed_at=ready_at, id__gt=after_id) | Q(processed_at__gt=ready_at))
    found = rows.order_by("processed_at", "id").values_list(
        "id", "listing_id", "listing__seller_id", "master_sha256", "processed_at"
    )
    return tuple(
        ReadyPhoto(photo_id, listing_id, seller_id, sha256, moment)
        for photo_id, listing_id, seller_id, sha256, moment in found[:limit]
        if moment is not None
    )


def list_kept_photo_ids(photo_ids: Collection[str]) -> set[str]:
    """Of these photos, those that are ready, in a listing neither deleted nor removed; one statement."""
    kept = ListingPhoto.objects.filter(id__in=photo_ids, status=PhotoStatus.READY)
    gone = [Status.DELETED, Status.REMOVED]
    return set(kept.exclude(listing__status__in=gone).values_list("id", flat=True))


def list_offered_ids(listing_ids: Collection[str]) -> set[str]:
    """Of these listings, those that are on offer or about to be again: not drafts, sold or gone."""
    offered = [Status.ACTIVE, Status.RESERVED, Status.IN_REVIEW, Status.HIDDEN]
    found = Listing.objects.filter(id__in=listing_ids, status__in=offered)
    return set(found.values_list("id", flat=True))
