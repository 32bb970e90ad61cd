"""PNG: chunk by chunk with their checksums (W3C PNG specification, third edition, section 5)."""

from __future__ import annotations

import zlib

from listings.errors import PhotoAnimated, PhotoDamaged, PhotoHasForeignData

_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_MAX_CHUNKS = 100_000


def measure(content: bytes) -> tuple[int, int]:
    """Width and height. Raises PhotoAnimated, PhotoDamaged, PhotoHasForeignData."""
    view = memoryview(content)
    position = 8
    size: tuple[int, int] | None = None
    has_data = False
    for _ in range(_MAX_CHUNKS):
        if position + 12 > len(content):
            raise PhotoDamaged("The end is missing: the upload was cut short.")
        length = int.from_bytes(content[position : position + 4])
        kind = content[position + 4 : position + 8]
        end = position + 12 + length
        if length > 0x7FFFFFFF or end > len(content):
            raise PhotoDamaged("A chunk is cut off.")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise PhotoDamaged("A checksum is wrong.")
        if (kind == b"IHDR") != (size is None):
            raise PhotoDamaged("Its header is not where it has to be.")
        if kind == b"IHDR":
            size = _header(content[position + 8 : end - 4])
        elif kind == b"acTL":
            raise PhotoAnimated("This is an animated PNG.")
        elif kind == b"IDAT":
            has_data = True
        elif kind == b"IEND":
            if not has_data or size is None:
                raise PhotoDamaged("It ends before the picture.")
            if end != len(content):
                raise PhotoHasForeignData("Something that is no part of the photo follows its end.")
            return size
        position = end
    raise PhotoDamaged("It has too many chunks.")


def _header(header: bytes) -> tuple[int, int]:
    if len(header) != 13:
        raise PhotoDamaged("Its header is wrong.")
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    depth, colour, compression, filtering, interlace = header[8:]
    known = depth in _DEPTHS.get(colour, set()) and compression == 0 and filtering == 0 and interlace < 2
    if not (known and 0 < width < 2**31 and 0 < height < 2**31):
        raise PhotoDamaged("Its header is wrong.")
    return width, height
