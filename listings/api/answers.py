"""Answers as plain dicts: orjson takes them as they are; serializers would be most of a hot list's time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.files.storage import storages
from rest_framework.request import Request

from foundation.api.etags import etag_for
from listings.lifecycle import WITHDRAWN, PhotoStatus, seller_actions
from listings.photos import names
from listings.queries import ListingFacts, PhotoFacts


def whole(results: Iterable[Any]) -> dict[str, Any]:
    """The shape of a list that has one page."""
    return {"results": list(results), "next": None, "previous": None}


def money(amount_minor: int | None, currency: str) -> dict[str, Any] | None:
    """As MoneySerializer shows it."""
    return None if amount_minor is None else {"amount": amount_minor, "currency": currency}


class Links:
    """Absolute addresses of renditions, for one request."""

    def __init__(self, request: Request) -> None:
        # Asking the storage for each of a page's 150 addresses costs as much as a query; its public
        # addresses are a base and the name, and names hold nothing that needs quoting.
        probe = names.rendition_name("probe", 0)
        url = request.build_absolute_uri(storages[names.PUBLIC].url(probe))
        self._base = url.removesuffix(probe)

    def renditions(self, photo: PhotoFacts) -> dict[str, str]:
        """By longest side; empty until the photo is ready, and once it or its listing may not be shown."""
        if photo.status != PhotoStatus.READY or not photo.stem or photo.is_rejected:
            return {}
        return {str(side): self._base + names.rendition_name(photo.stem, side) for side in names.RENDITIONS}


def photo_body(photo: PhotoFacts, links: Links) -> dict[str, Any]:
    """PhotoSerializer."""
    return {
        "id": photo.id,
        "position": photo.position,
        "status": photo.status,
        "failure": photo.failure_code or None,
        "review": "rejected" if photo.is_rejected else "pending" if photo.needs_review else None,
        "review_reason": None if photo.may_be_shown else photo.flag,
        "width": photo.width,
        "height": photo.height,
        "renditions": links.renditions(photo),
        "uploaded_at": photo.uploaded_at,
    }


def own_etag(listing_id: str, version: int) -> str:
    """Of a listing as its seller sees it."""
    return etag_for(listing_id, version, "own")


def listing_etag(listing: ListingFacts, viewer_id: str | None) -> str:
    """Sellers see more than others, so theirs is another representation."""
    if listing.seller_id == viewer_id:
        return own_etag(listing.id, listing.version)
    return etag_for(listing.id, listing.version, "public")


def photo_etag(photo: PhotoFacts) -> str:
    """Another place in the order is another representation, too."""
    return etag_for(photo.id, photo.version, photo.position)


def listing_body(listing: ListingFacts, viewer_id: str | None, links: Links) -> dict[str, Any]:
    """ListingSerializer."""
    own = listing.seller_id == viewer_id
    return {
        "id": listing.id,
        "status": listing.status,
        "allowed_actions": list(seller_actions(listing.status, listing.hidden_by)) if own else [],
        "seller": listing.seller_id,
        "country": listing.country,
        "currency": listing.currency,
        "title": listing.title,
        "description": listing.description,
        "category": listing.category_id,
        "brand": listing.brand_id,
        "size": listing.size_id,
        "condition": listing.condition_id,
        "colours": list(listing.colour_ids),
        "materials": list(listing.material_ids),
        "price": money(listing.price_minor, listing.currency),
        "parcel_size": listing.parcel_size,
        "photos": [photo_body(photo, links) for photo in listing.photos],
        "created_at": listing.created_at,
        "updated_at": listing.updated_at,
        "published_at": listing.published_at,
        "hidden_by": (listing.hidden_by or None) if own else None,
        "moderation_reason": (listing.moderation_reason or None) if own else None,
        "due_at": listing.due_at if own else None,
    }


def card(row: Mapping[str, Any], cover: PhotoFacts | None, links: Links) -> dict[str, Any]:
    """ListingCardSerializer."""
    return {
        "id": row["id"],
        "status": row["status"],
        "allowed_actions": [],
        "seller": row["seller_id"],
        "country": row["country"],
        "currency": row["currency"],
        "title": row["title"],
        "category": row["category_id"],
        "brand": row["brand_id"],
        "size": row["size_id"],
        "condition": row["condition_id"],
        "price": money(row["price_minor"], row["currency"]),
        "published_at": row["published_at"],
        "cover": None
        if cover is None
        else {
            "id": cover.id,
            "width": cover.width,
            "height": cover.height,
            "renditions": links.renditions(cover),
        },
    }


def own_card(row: Mapping[str, Any], cover: PhotoFacts | None, links: Links) -> dict[str, Any]:
    """OwnListingCardSerializer."""
    return card(row, None if row["status"] in WITHDRAWN else cover, links) | {
        "allowed_actions": list(seller_actions(row["status"], row["hidden_by"])),
        "hidden_by": row["hidden_by"] or None,
        "moderation_reason": row["moderation_reason"] or None,
        "due_at": row["due_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
