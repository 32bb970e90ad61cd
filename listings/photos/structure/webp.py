"""WebP: RIFF chunks (RFC 9649), the lossy (RFC 6386) and lossless stream's own size included."""

from __future__ import annotations

from listings.errors import PhotoAnimated, PhotoDamaged, PhotoHasForeignData

_ANIMATION_FLAG = 0x02
_MAX_CHUNKS = 10_000


def measure(content: bytes) -> tuple[int, int]:
    """Width and height. Raises PhotoAnimated, PhotoDamaged, PhotoHasForeignData."""
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise PhotoDamaged("The end is missing: the upload was cut short.")
    if end < len(content):
        raise PhotoHasForeignData("Something that is no part of the photo follows its end.")
    canvas: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    position = 12
    for _ in range(_MAX_CHUNKS):
        if position == end:
            break
        kind = content[position : position + 4]
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        start = position + 8
        position = start + length + length % 2
        if position > end:
            raise PhotoDamaged("A chunk is cut off.")
        if kind == b"VP8X":
            if length < 10 or start != 20:
                raise PhotoDamaged("Its header is wrong.")
            if content[start] & _ANIMATION_FLAG:
                raise PhotoAnimated("This is an animated WebP.")
            canvas = (
                1 + int.from_bytes(content[start + 4 : start + 7], "little"),
                1 + int.from_bytes(content[start + 7 : start + 10], "little"),
            )
        elif kind in (b"ANIM", b"ANMF"):
            raise PhotoAnimated("This is an animated WebP.")
        elif kind in (b"VP8 ", b"VP8L"):
            if picture is not None:
                raise PhotoDamaged("It holds two pictures.")
            data = content[start : start + min(length, 10)]
            picture = _lossy(data, length) if kind == b"VP8 " else _lossless(data)
    else:
        raise PhotoDamaged("It has too many chunks.")
    if picture is None or (canvas is not None and canvas != picture):
        raise PhotoDamaged("Its picture is missing or of another size than the header says.")
    return picture


def _lossy(data: bytes, length: int) -> tuple[int, int]:
    """RFC 6386 section 9.1: a key frame's tag, start code and size; its first partition has to fit."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        raise PhotoDamaged("Its picture data are wrong.")
    if 10 + (int.from_bytes(data[:3], "little") >> 5) > length:
        raise PhotoDamaged("Its picture data are incomplete.")
    width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    if not (width and height):
        raise PhotoDamaged("It does not say how large it is.")
    return width, height


def _lossless(data: bytes) -> tuple[int, int]:
    """RFC 9649 section 3.4: signature, then 14 bits each of width and height less one."""
    if len(data) < 5 or data[0] != 0x2F or data[4] >> 5:
        raise PhotoDamaged("Its picture data are wrong.")
    bits = int.from_bytes(data[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
