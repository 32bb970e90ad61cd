"""What the pages have in common: photos that are shown small."""

from __future__ import annotations

from django.core.files.storage import storages
from django.utils.html import format_html

from listings.lifecycle import WITHDRAWN, PhotoStatus
from listings.models import ListingPhoto
from listings.photos import names


def thumbnail(stem: str | None) -> str:
    """The smallest rendition, linked to the largest; nothing for a photo that is not ready."""
    if not stem:
        return "-"
    small, large = (
        storages[names.PUBLIC].url(names.rendition_name(stem, side))
        for side in (min(names.RENDITIONS), max(names.RENDITIONS))
    )
    return format_html(
        '<a href="{}" target="_blank"><img src="{}" alt="" loading="lazy" style="max-height:80px"></a>',
        large,
        small,
    )


def shown_stem(photo: ListingPhoto) -> str | None:
    """None for a photo that has no public files: not ready, or of a listing that was removed or deleted."""
    shown = photo.status == PhotoStatus.READY and photo.listing.status not in WITHDRAWN
    return photo.stem if shown else None
