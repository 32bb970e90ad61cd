"""Reading listings. What leaves here are frozen dataclasses or plain rows, never model instances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

from listings.errors import ListingNotFound, PhotoNotFound
from listings.lifecycle import APPROVED, PUBLIC, REJECTED, WITHDRAWN, PhotoStatus, Status
from listings.models import Listing, ListingColour, ListingMaterial, ListingPhoto
from listings.queries.catalogue import CatalogueSnapshot


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """A photo. `stem` is where its renditions are (listings.photos.renditions), empty until it is ready."""

    id: str
    listing_id: str
    position: int
    status: str
    failure_code: str
    version: int
    stem: str
    width: int | None
    height: int | None
    sha256: str
    uploaded_at: dt.datetime
    flag: str = ""
    ruling: str = ""

    @property
    def needs_review(self) -> bool:
        """Whether a check asked for a moderator's look that has not been had yet."""
        return bool(self.flag) and not self.ruling

    @property
    def is_rejected(self) -> bool:
        """Whether a moderator said that it may not be shown."""
        return self.ruling == REJECTED

    @property
    def may_be_shown(self) -> bool:
        """To others than its seller, once it is ready."""
        return not self.flag or self.ruling == APPROVED


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """All there is to a listing. Money is in minor units of `currency`."""

    id: str
    seller_id: str
    status: str
    version: int
    country: str
    currency: str
    category_id: str | None
    brand_id: str | None
    size_id: str | None
    condition_id: str | None
    colour_ids: tuple[str, ...]
    material_ids: tuple[str, ...]
    title: str
    description: str
    price_minor: int | None
    parcel_size: str | None
    photos: tuple[PhotoFacts, ...]
    hidden_by: str
    moderation_reason: str
    due_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime
    published_at: dt.datetime | None


_PHOTO_COLUMNS = (
    "id",
    "listing_id",
    "position",
    "status",
    "failure_code",
    "version",
    "stem",
    "master_width",
    "master_height",
    "master_sha256",
    "uploaded_at",
    "flag",
    "ruling",
)


def _photo(row: Mapping[str, Any]) -> PhotoFacts:
    return PhotoFacts(
        id=row["id"],
        listing_id=row["listing_id"],
        position=row["position"],
        status=row["status"],
        failure_code=row["failure_code"],
        version=row["version"],
        stem=row["stem"],
        width=row["master_width"],
        height=row["master_height"],
        sha256=row["master_sha256"],
        uploaded_at=row["uploaded_at"],
        flag=row["flag"],
        ruling=row["ruling"],
    )


def list_photos(listing_id: str) -> tuple[PhotoFacts, ...]:
    """All photos of a listing in their order, at most 20."""
    rows = ListingPhoto.objects.filter(listing_id=listing_id, position__isnull=False).order_by("position")
    return tuple(_photo(row) for row in rows.values(*_PHOTO_COLUMNS))


def list_colour_ids(listing_id: str) -> tuple[str, ...]:
    """The main colour first; at most two."""
    rows = ListingColour.objects.filter(listing_id=listing_id).order_by("position")
    return tuple(rows.values_list("colour_id", flat=True))


def list_material_ids(listing_id: str) -> tuple[str, ...]:
    """The main material first; at most three."""
    rows = ListingMaterial.objects.filter(listing_id=listing_id).order_by("position")
    return tuple(rows.values_list("material_id", flat=True))


_COLUMNS = (
    "id",
    "seller_id",
    "status",
    "version",
    "country",
    "currency",
    "category_id",
    "brand_id",
    "size_id",
    "condition_id",
    "title",
    "description",
    "price_minor",
    "parcel_size",
    "hidden_by",
    "moderation_reason",
    "due_at",
    "created_at",
    "updated_at",
    "published_at",
)


def find_listing(listing_id: str) -> ListingFacts | None:
    """A listing in whatever status; four statements. Who may see it is the caller's question."""
    row = Listing.objects.filter(id=listing_id).values(*_COLUMNS).first()
    if row is None:
        return None
    row["parcel_size"] = row["parcel_size"] or None
    return ListingFacts(
        **row,
        colour_ids=list_colour_ids(listing_id),
        material_ids=list_material_ids(listing_id),
        photos=list_photos(listing_id),
    )


def get_listing(listing_id: str) -> ListingFacts:
    """As find_listing; raises ListingNotFound."""
    listing = find_listing(listing_id)
    if listing is None:
        raise ListingNotFound
    return listing


def get_listing_for(listing_id: str, *, viewer_id: str | None) -> ListingFacts:
    """What `viewer_id` (None: a stranger) may see: the own listing unless deleted, others' when public.

    Others do not get photos that are not ready or wait for a moderator. Raises ListingNotFound.
    """
    listing = get_listing(listing_id)
    if listing.seller_id == viewer_id and listing.status != Status.DELETED:
        if listing.status in WITHDRAWN:
            # The public files are gone or about to go.
            return replace(listing, photos=tuple(replace(photo, stem="") for photo in listing.photos))
        return listing
    if listing.status not in PUBLIC:
        raise ListingNotFound
    shown = tuple(
        photo for photo in listing.photos if photo.status == PhotoStatus.READY and photo.may_be_shown
    )
    return replace(listing, photos=shown)


def get_photo_for(listing_id: str, photo_id: str, *, viewer_id: str | None) -> PhotoFacts:
    """A photo that the viewer may see. Raises ListingNotFound, PhotoNotFound."""
    for photo in get_listing_for(listing_id, viewer_id=viewer_id).photos:
        if photo.id == photo_id:
            return photo
    raise PhotoNotFound


def get_own_version(listing_id: str, *, seller_id: str) -> int:
    """The version of a seller's listing. Raises ListingNotFound, also when deleted or somebody else's."""
    own = Listing.objects.filter(id=listing_id, seller_id=seller_id).exclude(status=Status.DELETED)
    version = own.values_list("version", flat=True).first()
    if version is None:
        raise ListingNotFound
    return version


def get_seller_id(listing_id: str) -> str:
    """Whose it is. Raises ListingNotFound."""
    seller_id = Listing.objects.filter(id=listing_id).values_list("seller_id", flat=True).first()
    if seller_id is None:
        raise ListingNotFound
    return seller_id


@dataclass(frozen=True, slots=True)
class BrowseFilter:
    """What a buyer looks for. Several ids of a kind mean any of them; prices in minor units, inclusive."""

    category_ids: tuple[str, ...] = ()
    brand_ids: tuple[str, ...] = ()
    size_ids: tuple[str, ...] = ()
    colour_ids: tuple[str, ...] = ()
    condition_ids: tuple[str, ...] = ()
    currency: str | None = None
    price_min_minor: int | None = None
    price_max_minor: int | None = None
    country: str | None = None
    seller_id: str | None = None


CARD_COLUMNS = (
    "id",
    "seller_id",
    "status",
    "country",
    "currency",
    "title",
    "price_minor",
    "category_id",
    "brand_id",
    "size_id",
    "condition_id",
    "published_at",
)


def _of_colours(rows: QuerySet[Listing], colour_ids: list[str]) -> QuerySet[Listing]:
    if not colour_ids:
        # Else every listing would be asked for a colour that none can have.
        return rows.none()
    coloured = ListingColour.objects.filter(listing_id=OuterRef("id"), colour_id__in=colour_ids)
    # As a condition of its own, MySQL and MariaDB would turn this inside out: collect every listing of
    # the colour, then sort them all (95 ms of 100,000 listings). In a CASE it is asked row by row.
    asked = Case(When(Exists(coloured), then=True), default=False)
    return rows.alias(is_coloured=asked).filter(is_coloured=True)


def browse_rows(wanted: BrowseFilter, *, catalogue: CatalogueSnapshot) -> QuerySet[Listing, dict[str, Any]]:
    """Rows of what is on offer, not yet sorted nor cut: the page adds both (foundation.api.pagination).

    A category stands for everything below it; an unknown one finds nothing.
    """
    rows = Listing.objects.filter(status=Status.ACTIVE)
    if wanted.category_ids:
        leaves = {leaf for category_id in wanted.category_ids for leaf in catalogue.leaves_below(category_id)}
        rows = rows.filter(category_id__in=sorted(leaves))
    if wanted.brand_ids:
        rows = rows.filter(brand_id__in=wanted.brand_ids)
    if wanted.size_ids:
        rows = rows.filter(size_id__in=wanted.size_ids)
    if wanted.condition_ids:
        rows = rows.filter(condition_id__in=wanted.condition_ids)
    if wanted.colour_ids:
        known = [colour_id for colour_id in wanted.colour_ids if colour_id in catalogue.colour_by_id]
        rows = _of_colours(rows, known)
    if wanted.currency is not None:
        rows = rows.filter(currency=wanted.currency)
    if wanted.price_min_minor is not None:
        rows = rows.filter(price_minor__gte=wanted.price_min_minor)
    if wanted.price_max_minor is not None:
        rows = rows.filter(price_minor__lte=wanted.price_max_minor)
    if wanted.country is not None:
        rows = rows.filter(country=wanted.country)
    if wanted.seller_id is not None:
        rows = rows.filter(seller_id=wanted.seller_id)
    found: QuerySet[Listing, dict[str, Any]] = rows.values(*CARD_COLUMNS)
    return found


def own_rows(*, seller_id: str, statuses: Iterable[str] = ()) -> QuerySet[Listing, dict[str, Any]]:
    """Rows of a seller's own listings, deleted ones excepted; not yet sorted nor cut."""
    wanted = set(statuses) or {status.value for status in Status}
    rows = Listing.objects.filter(seller_id=seller_id, status__in=sorted(wanted - {Status.DELETED.value}))
    found: QuerySet[Listing, dict[str, Any]] = rows.values(
        *CARD_COLUMNS,
        *("version", "hidden_by", "moderation_reason", "due_at", "created_at", "updated_at"),
    )
    return found


def covers_of(listing_ids: Iterable[str]) -> dict[str, PhotoFacts]:
    """The first photo of each listing that may be shown, by listing id; one statement."""
    wanted = list(listing_ids)
    if not wanted:
        return {}
    rows = (
        ListingPhoto.objects.filter(
            Q(flag="") | Q(ruling=APPROVED),
            listing_id__in=wanted,
            status=PhotoStatus.READY,
            position__isnull=False,
        )
        .order_by("listing_id", "position")
        .values(*_PHOTO_COLUMNS)
    )
    covers: dict[str, PhotoFacts] = {}
    for row in rows:
        covers.setdefault(row["listing_id"], _photo(row))
    return covers


def list_publishers_between(since: dt.datetime, until: dt.datetime) -> list[str]:
    """Ids of sellers of whom a listing was on offer for the first time then, ``until`` excluded; in order."""
    # Every status is named, so that the index which begins with it finds the moments.
    rows = Listing.objects.filter(
        status__in=list(Status), published_at__gte=since, published_at__lt=until
    ).order_by("seller_id")
    return list(rows.values_list("seller_id", flat=True).distinct())


def drafts_of(seller_id: str) -> int:
    """How many drafts a seller has."""
    return Listing.objects.filter(seller_id=seller_id, status=Status.DRAFT).count()


def due_listing_ids(*, now: dt.datetime, limit: int) -> list[str]:
    """Listings on which the clock has something to do, the longest due first."""
    rows = Listing.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def photo_ids_to_ring(*, now: dt.datetime, limit: int) -> list[str]:
    """Photos that nobody is processing although they should be, the longest waiting first."""
    rows = ListingPhoto.objects.filter(Q(ring_at__lte=now), status=PhotoStatus.PROCESSING).order_by(
        "ring_at", "id"
    )
    return list(rows.values_list("id", flat=True)[:limit])


def photos_to_withdraw(*, now: dt.datetime, limit: int) -> list[tuple[str, str]]:
    """Id and stem of photos whose public files have to go, the longest waiting first."""
    rows = ListingPhoto.objects.filter(withdraw_at__lte=now).order_by("withdraw_at", "id")
    return list(rows.values_list("id", "stem")[:limit])
