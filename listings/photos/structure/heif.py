"""HEIC: ISO/IEC 23008-12 still pictures coded with HEVC, as phones take them. Sequences are refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from listings.errors import PhotoAnimated, PhotoDamaged
from listings.photos.structure import boxes

_STILL = frozenset({b"heic", b"heix", b"heim", b"heis"})
_SEQUENCE = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"})
_GENERAL = b"mif1"
# A phone's photo has some dozens of tiles.
_MAX_EXTENTS = 10_000
# Top-level boxes of a photo; mpvd and sefd are what Samsung adds for motion photos and its own data.
_KNOWN = frozenset({b"ftyp", b"meta", b"mdat", b"idat", b"free", b"skip", b"uuid", b"mpvd", b"sefd", b"moov"})


def is_heic(brands: list[bytes]) -> bool:
    """Whether these brands (major first) say HEIC, be it a picture or a sequence; AVIF does not."""
    major = brands[0]
    return major in _STILL | _SEQUENCE or (major == _GENERAL and bool(_STILL.intersection(brands)))


def measure(content: bytes) -> tuple[int, int]:
    """Width and height of the largest picture. Raises PhotoAnimated, PhotoDamaged, PhotoHasForeignData."""
    if content[8:12] in _SEQUENCE:
        raise PhotoAnimated("This is a HEIC sequence.")
    size: tuple[int, int] | None = None
    has_data = False
    for box in boxes.walk(content, 0, len(content), known=_KNOWN):
        if box.kind == b"moov":
            raise PhotoAnimated("This is a HEIC sequence.")
        if box.kind == b"meta":
            if size is not None:
                raise PhotoDamaged("It describes its picture twice.")
            size = _largest(content, box)
        has_data = has_data or box.kind == b"mdat"
    if size is None or not has_data:
        raise PhotoDamaged("The picture is missing: the upload was cut short.")
    return size


def _children(content: bytes, box: boxes.Box, skip: int = 0) -> Iterator[boxes.Box]:
    return boxes.walk(content, box.start + skip, box.end)


def _largest(content: bytes, meta: boxes.Box) -> tuple[int, int]:
    """The largest spatial extent (ispe) that any item has: the whole picture, not its tiles or thumbnail."""
    size: tuple[int, int] | None = None
    for box in _children(content, meta, 4):
        if box.kind == b"iloc":
            _require_extents_in_file(content, box)
        if box.kind != b"iprp":
            continue
        for properties in _children(content, box):
            if properties.kind != b"ipco":
                continue
            for item in _children(content, properties):
                if item.kind == b"ispe":
                    if item.end - item.start != 12:
                        raise PhotoDamaged("It does not say how large it is.")
                    width, height = struct.unpack_from(">II", content, item.start + 4)
                    if size is None or width * height > size[0] * size[1]:
                        size = (width, height)
    if size is None or not (size[0] and size[1]):
        raise PhotoDamaged("It does not say how large it is.")
    return size


def _require_extents_in_file(content: bytes, iloc: boxes.Box) -> None:
    """ISO/IEC 14496-12 section 8.11.3: where each item's data are. Raises PhotoDamaged."""
    try:
        for start, length in _extents(content[iloc.start : iloc.end]):
            if start + length > len(content):
                raise PhotoDamaged("The end is missing: the upload was cut short.")
    except (struct.error, IndexError):
        raise PhotoDamaged("It does not say where its picture is.") from None


def _extents(data: bytes) -> Iterator[tuple[int, int]]:
    position = 0

    def number(size: int) -> int:
        nonlocal position
        if position + size > len(data):
            raise IndexError
        value = int.from_bytes(data[position : position + size])
        position += size
        return value

    version = number(4) >> 24
    sizes = number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    left = _MAX_EXTENTS
    for _ in range(number(4 if version == 2 else 2)):
        number(4 if version == 2 else 2)  # item id
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)  # data reference
        base = number(base_size)
        extents = number(2)
        left -= 1 + extents
        if left < 0:
            # Extents may be declared with fields of no length: many of them take no room in the file.
            raise IndexError
        for _ in range(extents):
            number(index_size)
            start, length = number(offset_size), number(length_size)
            # Other methods count from the item data box or from another item.
            if method == 0:
                yield base + start, length
