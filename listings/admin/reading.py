"""What the pages have in common: photos that are shown small."""

from __future__ import annotations

from django.core.files.storage import storages
from django.utils.html import format_html

from listings.lifecycle import APPROVED, REJECTED, WITHDRAWN, PhotoStatus
from listings.models import ListingPhoto
from listings.photos import names


def thumbnail(stem: str | None, *, blurred: bool = False) -> str:
    """The smallest rendition, linked to the largest; nothing for a photo that is not ready.

    Blurred, only who follows the link sees what it shows.
    """
    if not stem:
        return "-"
    small, large = (
        storages[names.PUBLIC].url(names.rendition_name(stem, side))
        for side in (min(names.RENDITIONS), max(names.RENDITIONS))
    )
    return format_html(
        '<a href="{}" target="_blank" style="display:inline-block;overflow:hidden">'
        '<img src="{}" alt="" loading="lazy" style="max-height:80px{}"></a>',
        large,
        small,
        ";filter:blur(12px)" if blurred else "",
    )


def shown_stem(photo: ListingPhoto) -> str | None:
    """None for a photo that has no public files: not ready, rejected, or of a listing that is gone."""
    shown = (
        photo.status == PhotoStatus.READY
        and photo.ruling != REJECTED
        and photo.listing.status not in WITHDRAWN
    )
    return photo.stem if shown else None


def photo_thumbnail(photo: ListingPhoto) -> str:
    """A photo that a check flagged is blurred until a moderator has approved it."""
    return thumbnail(shown_stem(photo), blurred=bool(photo.flag) and photo.ruling != APPROVED)
