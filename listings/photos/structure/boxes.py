"""Boxes of ISO base media files (ISO/IEC 14496-12 section 4.2): HEIC, and the video in a motion photo."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from listings.errors import PhotoDamaged, PhotoHasForeignData

MAX_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-letter type, and where its payload is in the file."""

    kind: bytes
    start: int
    end: int


def walk(content: bytes, start: int, end: int, *, known: Container[bytes] | None = None) -> Iterator[Box]:
    """The boxes that fill [start, end) without a gap. Raises PhotoDamaged where they do not.

    With `known`, raises PhotoHasForeignData at anything that starts like no box of these types.
    """
    count = 0
    while start < end:
        count += 1
        if known is not None and content[start + 4 : start + 8] not in known:
            raise PhotoHasForeignData("Something that is no part of the photo is in the file.")
        if end - start < 8 or count > MAX_BOXES:
            raise PhotoDamaged("Its boxes do not fill the file.")
        size = int.from_bytes(content[start : start + 4])
        kind = content[start + 4 : start + 8]
        header = 8
        if size == 1:
            if end - start < 16:
                raise PhotoDamaged("A box is cut off.")
            size = int.from_bytes(content[start + 8 : start + 16])
            header = 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            raise PhotoDamaged("A box is longer than the file: it is incomplete.")
        yield Box(kind, start + header, start + size)
        start += size


def brands_of(content: bytes) -> list[bytes]:
    """Major brand, then compatible ones, of a file that starts with a file type box; else nothing."""
    if content[4:8] != b"ftyp":
        return []
    size = int.from_bytes(content[:4])
    if not 16 <= size <= min(len(content), 4096):
        return []
    return [content[8:12], *(content[i : i + 4] for i in range(16, size - 3, 4))]
