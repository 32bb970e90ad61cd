"""JPEG: ISO/IEC 10918-1 annex B, segment by segment, through the entropy-coded data to the end marker.

Cameras append things to the end marker: further pictures (CIPA DC-007, "MPO"), the video of a motion
photo, Samsung's own trailer. Those are let pass (re-encoding drops them); anything else that follows
makes the file two files in one.
"""

from __future__ import annotations

import re
import struct

from listings.errors import PhotoDamaged, PhotoHasForeignData
from listings.photos.structure import boxes

# In entropy-coded data FF is followed by 00 (a stuffed byte) or RST0-7; fill bytes FF may precede a marker.
# Written as a literal and a set, which `re` searches 15 times faster than a repetition or a negation.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xff]")
_NOT_FILL = re.compile(rb"[^\xff]")
_NOT_ZERO = re.compile(rb"[^\x00]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_MAX_PICTURES = 64
# Cameras write some dozens; millions of tiny ones would only keep us busy.
_MAX_SEGMENTS = 10_000
# What the video of a motion photo is made of.
_VIDEO_BOXES = frozenset(
    {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"udta", b"meta", b"mpvd"}
)


def measure(content: bytes) -> tuple[int, int]:
    """Width and height of the (first) picture. Raises PhotoDamaged, PhotoHasForeignData."""
    width, height, end = _picture(content, 0)
    _require_known_trailer(content, end)
    return width, height


def _picture(content: bytes, start: int) -> tuple[int, int, int]:
    """Width, height, and the position behind the end marker of the picture that starts at `start`."""
    position = start + 2
    size: tuple[int, int] | None = None
    scanned = False
    for _ in range(_MAX_SEGMENTS):
        if position < len(content) and content[position] != 0xFF:
            raise PhotoDamaged("There is no marker where one has to be.")
        found = _NOT_FILL.search(content, position)
        if found is None:
            raise PhotoDamaged("The end is missing: the upload was cut short.")
        marker = content[found.start()]
        position = found.end()
        if marker == _EOI:
            if size is None or not scanned:
                raise PhotoDamaged("It ends before the picture.")
            return (*size, position)
        if marker in (_SOI, 0x00):
            raise PhotoDamaged("A marker stands where it must not.")
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(content[position : position + 2])
        if length < 2 or position + length > len(content):
            raise PhotoDamaged("A segment is cut off.")
        if marker in _FRAMES:
            if size is not None or length < 8:
                raise PhotoDamaged("Its frame header is wrong.")
            height, width = struct.unpack_from(">HH", content, position + 3)
            if not (width and height):
                raise PhotoDamaged("It does not say how large it is.")
            size = (width, height)
        position += length
        if marker == _SOS:
            if size is None:
                raise PhotoDamaged("Its picture data stand before the frame header.")
            scanned = True
            found = _MARKER.search(content, position)
            if found is None:
                raise PhotoDamaged("The end is missing: the upload was cut short.")
            position = found.start()
    raise PhotoDamaged("It has too many segments.")


def _require_known_trailer(content: bytes, position: int) -> None:
    for _ in range(_MAX_PICTURES):
        found = _NOT_ZERO.search(content, position)
        if found is None:
            return
        # The first byte of a video's box size is usually zero, so look from the end marker on, too.
        if (end := _video_end(content, position, found.start())) is not None:
            position = end
        elif content.startswith(b"\xff\xd8\xff", found.start()):
            position = _picture(content, found.start())[2]
        elif _is_samsung_trailer(content, position):
            return
        else:
            break
    raise PhotoHasForeignData("Something that is no part of the photo follows its end.")


def _video_end(content: bytes, position: int, not_zero: int) -> int | None:
    """Where the video that starts at `position` (or after zero padding) ends; None when none starts there."""
    for start in {position, max(position, not_zero - 3), max(position, not_zero - 2)}:
        if content[start + 4 : start + 8] != b"ftyp":
            continue
        end = start
        try:
            for box in boxes.walk(content, start, len(content)):
                if box.kind not in _VIDEO_BOXES:
                    break
                end = box.end
        except PhotoDamaged:
            # What follows the last whole box is judged on its own.
            pass
        return end if end > start else None
    return None


def _is_samsung_trailer(content: bytes, start: int) -> bool:
    """Whether all from `start` is blocks, their directory (SEFH) and the end mark (SEFT).

    Layout as read by ExifTool's Samsung.pm: SEFH, version, count, then per block a type, the distance
    of its start before SEFH, and its size; then the directory's length and SEFT.
    """
    if not content.endswith(b"SEFT") or len(content) - start < 20:
        return False
    length = int.from_bytes(content[-8:-4], "little")
    directory = len(content) - 8 - length
    if length < 12 or directory < start or content[directory : directory + 4] != b"SEFH":
        return False
    count = int.from_bytes(content[directory + 8 : directory + 12], "little")
    if length != 12 + 12 * count:
        return False
    covered = directory
    for i in range(count):
        distance, size = struct.unpack_from("<II", content, directory + 12 + 12 * i + 4)
        if size > distance or directory - distance < start:
            return False
        covered = min(covered, directory - distance)
    return _NOT_ZERO.search(content, start, covered) is None
