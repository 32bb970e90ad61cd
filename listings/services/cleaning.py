"""A photo that belongs to no listing, made safe: for whoever keeps photos of its own."""

from __future__ import annotations

from listings.errors import PhotoDamaged
from listings.photos.inspection import inspect
from listings.photos.processing import Unprocessable, process


def clean_photo(content: bytes, *, declared_type: str | None, file_name: str | None) -> bytes:
    """An upright JPEG without metadata, its longest side at most that of a master.

    Raises the errors of a photo of a listing (types, sizes, foreign data), PhotoDamaged.
    """
    inspect(content, declared_type=declared_type, file_name=file_name)
    try:
        return process(content).master
    except Unprocessable:
        raise PhotoDamaged from None
