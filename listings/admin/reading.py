"""What the pages have in common: rows that are looked at, photos that are shown small."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import storages
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html

from listings.photos import names


class ReadOnly:
    """Seen, not edited: the rows are written by services or loaded from files."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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
