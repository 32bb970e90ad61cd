"""Writing a listing: making a draft, changing it, taking one as the pattern for another."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import structlog
from django.db.models import Case, Value, When

from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from foundation.ids import new_id
from listings import metrics
from listings.changes import NO_CHANGE, ListingChange, Unset, apply
from listings.errors import InvalidListing, ListingStatusConflict, TooManyDrafts
from listings.lifecycle import EDITABLE, Status
from listings.models import Listing, ListingColour, ListingMaterial, ListingPhoto
from listings.queries import ListingFacts, drafts_of, get_listing_for
from listings.rules import Stage
from listings.services.judging import require_rules_kept
from listings.services.moving import facts_of, lock_own_listing, touch
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)

MAX_DRAFTS = 1000


@atomic_retry
def create_draft(*, seller_id: str, now: dt.datetime, change: ListingChange = NO_CHANGE) -> ListingFacts:
    """A new draft in the seller's market, with whatever is known already.

    Raises MemberNotFound, TooManyDrafts, InvalidListing (what is given is wrong).
    """
    return _create(seller_id=seller_id, change=change, now=now, how="new")


def _create(*, seller_id: str, change: ListingChange, now: dt.datetime, how: str) -> ListingFacts:
    seller = get_member_facts(seller_id)
    if drafts_of(seller_id) >= MAX_DRAFTS:
        raise TooManyDrafts(f"There are {MAX_DRAFTS} already; publish or delete some.")
    empty = ListingFacts(
        id=new_id(),
        seller_id=seller_id,
        status=Status.DRAFT.value,
        version=1,
        country=seller.country,
        currency=seller.currency,
        category_id=None,
        brand_id=None,
        size_id=None,
        condition_id=None,
        colour_ids=(),
        material_ids=(),
        title="",
        description="",
        price_minor=None,
        parcel_size=None,
        photos=(),
        hidden_by="",
        moderation_reason="",
        due_at=None,
        created_at=now,
        updated_at=now,
        published_at=None,
    )
    wanted = _changed(empty, change)
    if wanted != empty:
        require_rules_kept(wanted, stage=Stage.DRAFT, now=now, seller=seller)
    Listing.objects.create(
        id=wanted.id,
        seller_id=seller_id,
        country=wanted.country,
        currency=wanted.currency,
        created_at=now,
        updated_at=now,
        **_columns(wanted),
    )
    _write_terms(wanted, empty)
    metrics.DRAFTS.labels(how).inc()
    logger.info("draft_created", listing_id=wanted.id, how=how)
    return wanted


@atomic_retry
def edit_draft(
    *,
    seller_id: str,
    listing_id: str,
    change: ListingChange,
    now: dt.datetime,
    expected_version: int | None = None,
) -> ListingFacts:
    """Change a draft, or a listing that nobody has bought yet, which then still has to keep every rule.

    `expected_version` None changes whatever it is now. Nothing changed, no new version. Raises
    ListingNotFound, ListingStale, ListingStatusConflict, InvalidListing.
    """
    listing = lock_own_listing(listing_id, seller_id, expected_version)
    if listing.status not in EDITABLE:
        raise ListingStatusConflict(f"It cannot be changed while it is {listing.status}.")
    before = facts_of(listing)
    wanted = _changed(before, change)
    if wanted == before:
        return before
    stage = Stage.DRAFT if listing.status == Status.DRAFT else Stage.OFFERED
    require_rules_kept(wanted, stage=stage, now=now)
    touch(listing, now=now)
    for column, value in _columns(wanted).items():
        setattr(listing, column, value)
    listing.save(force_update=True)
    _write_terms(wanted, before)
    if wanted.photos != before.photos:
        renumber_photos(listing_id, [photo.id for photo in wanted.photos])
    return replace(wanted, version=listing.version, updated_at=now)


@atomic_retry
def duplicate(*, seller_id: str, listing_id: str, now: dt.datetime) -> ListingFacts:
    """A new draft that says the same, without photos: another thing has to be seen itself.

    The price is left out when the seller's currency is another one by now. Raises ListingNotFound,
    TooManyDrafts, InvalidListing.
    """
    pattern = get_listing_for(listing_id, viewer_id=seller_id)
    if pattern.seller_id != seller_id:
        # Somebody else's listing can be seen, but not taken as a pattern.
        lock_own_listing(listing_id, seller_id)
    draft = _create(seller_id=seller_id, change=NO_CHANGE, now=now, how="duplicate")
    wanted = replace(
        draft,
        category_id=pattern.category_id,
        brand_id=pattern.brand_id,
        size_id=pattern.size_id,
        condition_id=pattern.condition_id,
        colour_ids=pattern.colour_ids,
        material_ids=pattern.material_ids,
        title=pattern.title,
        description=pattern.description,
        price_minor=pattern.price_minor if pattern.currency == draft.currency else None,
        parcel_size=pattern.parcel_size,
    )
    Listing.objects.filter(id=draft.id).update(**_columns(wanted))
    _write_terms(wanted, draft)
    return wanted


def _changed(before: ListingFacts, change: ListingChange) -> ListingFacts:
    """Raises InvalidListing for a price in another currency, or an order that is not of all photos."""
    price = change.price
    if not isinstance(price, Unset) and price is not None and price.currency != before.currency:
        problem = FieldProblem(
            "/price/currency", "wrong_currency", f"This listing is priced in {before.currency}."
        )
        raise InvalidListing(errors=[problem])
    wanted = apply(change, before)
    if isinstance(change.photo_ids, Unset):
        return wanted
    by_id = {photo.id: photo for photo in before.photos}
    if sorted(change.photo_ids) != sorted(by_id):
        detail = "Name every photo of the listing exactly once."
        raise InvalidListing(errors=[FieldProblem("/photos", "not_all_photos", detail)])
    ordered = (replace(by_id[photo_id], position=i) for i, photo_id in enumerate(change.photo_ids))
    return replace(wanted, photos=tuple(ordered))


def _columns(facts: ListingFacts) -> dict[str, object]:
    return {
        "category_id": facts.category_id,
        "brand_id": facts.brand_id,
        "size_id": facts.size_id,
        "condition_id": facts.condition_id,
        "title": facts.title,
        "description": facts.description,
        "price_minor": facts.price_minor,
        "parcel_size": facts.parcel_size or "",
    }


def _write_terms(wanted: ListingFacts, before: ListingFacts) -> None:
    if wanted.colour_ids != before.colour_ids:
        if before.colour_ids:
            ListingColour.objects.filter(listing_id=wanted.id).delete()
        ListingColour.objects.bulk_create(
            ListingColour(listing_id=wanted.id, colour_id=colour_id, position=i)
            for i, colour_id in enumerate(wanted.colour_ids)
        )
    if wanted.material_ids != before.material_ids:
        if before.material_ids:
            ListingMaterial.objects.filter(listing_id=wanted.id).delete()
        ListingMaterial.objects.bulk_create(
            ListingMaterial(listing_id=wanted.id, material_id=material_id, position=i)
            for i, material_id in enumerate(wanted.material_ids)
        )


def renumber_photos(listing_id: str, photo_ids: list[str]) -> None:
    """Give the photos of a locked listing the positions 0, 1, … in this order; two statements."""
    photos = ListingPhoto.objects.filter(listing_id=listing_id)
    # First to nowhere: neither engine checks the unique positions at the end of a statement only.
    photos.update(position=None)
    if photo_ids:
        places = [When(id=photo_id, then=Value(i)) for i, photo_id in enumerate(photo_ids)]
        photos.filter(id__in=photo_ids).update(position=Case(*places))
