"""Is this really one complete still photo? Decided from the bytes alone, before any pixel is decoded.

Pure: bytes in, facts or an error of listings.errors out, nothing else for whatever bytes. Decoders are
large programs in C; what reaches them has a known format, honest dimensions within the limits, and no
more in it than a photo. A file may be refused here although a lenient viewer shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from listings.errors import (
    PhotoEmpty,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoTooSmall,
    PhotoTypeMismatch,
    PhotoTypeNotAccepted,
)
from listings.photos.structure import heif, jpeg, png, webp
from listings.photos.structure.boxes import brands_of

# Source of the limits: the listing rules (docs/listings.md).
MAX_BYTES = 20_000_000
MAX_PIXELS = 60_000_000
MIN_SIDE = 100


class PhotoFormat(StrEnum):
    """An accepted format, as its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"


@dataclass(frozen=True, slots=True)
class InspectedPhoto:
    """What the header says, in stored (not yet oriented) pixels."""

    format: PhotoFormat
    width: int
    height: int


_TYPES = {
    "image/jpeg": PhotoFormat.JPEG,
    "image/jpg": PhotoFormat.JPEG,
    "image/pjpeg": PhotoFormat.JPEG,
    "image/mpo": PhotoFormat.JPEG,
    "image/png": PhotoFormat.PNG,
    "image/x-png": PhotoFormat.PNG,
    "image/webp": PhotoFormat.WEBP,
    "image/heic": PhotoFormat.HEIC,
    "image/heif": PhotoFormat.HEIC,
}
# Clients that do not know say one of these.
_UNDECLARED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_EXTENSIONS = {
    "jpg": PhotoFormat.JPEG,
    "jpeg": PhotoFormat.JPEG,
    "jpe": PhotoFormat.JPEG,
    "jfif": PhotoFormat.JPEG,
    "mpo": PhotoFormat.JPEG,
    "png": PhotoFormat.PNG,
    "webp": PhotoFormat.WEBP,
    "heic": PhotoFormat.HEIC,
    "heif": PhotoFormat.HEIC,
    "hif": PhotoFormat.HEIC,
}
# Extensions that say nothing about the content.
_NEUTRAL_EXTENSIONS = frozenset({"bin", "blob", "dat", "tmp", "upload"})

# What people send by mistake (or not), so that the answer can name it.
_REFUSED: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"GIF8[79]a", "GIF"),
        (rb"BM.{4}\x00\x00\x00\x00", "BMP"),
        (rb"II[*+]\x00|MM\x00[*+]", "TIFF"),
        (rb"%PDF-", "PDF"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "EPS"),
        (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!DOCTYPE svg|!--)", "SVG"),
        (rb"(?:\xef\xbb\xbf)?\s*<(?:!DOCTYPE html|html|script)", "HTML"),
        (rb"PK\x03\x04", "ZIP"),
        (rb"\x00\x00\x00\x0cJXL |\xff\x0a", "JPEG XL"),
        (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    )
)


def inspect(
    content: bytes, *, declared_type: str | None = None, file_name: str | None = None
) -> InspectedPhoto:
    """The format and size of a complete still photo.

    `declared_type` is the part's Content-Type, `file_name` what the client called it; both may be
    missing, but must not contradict the bytes. Raises PhotoTooLarge, PhotoEmpty,
    PhotoTypeNotAccepted, PhotoTypeMismatch, PhotoAnimated, PhotoDamaged, PhotoHasForeignData,
    PhotoTooSmall, PhotoTooManyPixels.
    """
    if len(content) > MAX_BYTES:
        raise PhotoTooLarge(f"The file has {len(content):,} bytes, at most {MAX_BYTES:,} are accepted.")
    if not content:
        raise PhotoEmpty
    kind = sniff(content)
    _require_agreement(kind, declared_type, file_name)
    width, height = _measure(kind, content)
    if min(width, height) < MIN_SIDE:
        raise PhotoTooSmall(f"The photo is {width} x {height}; each side needs {MIN_SIDE} pixels or more.")
    if width * height > MAX_PIXELS:
        raise PhotoTooManyPixels(
            f"The photo is {width} x {height}; at most {MAX_PIXELS:,} pixels are accepted."
        )
    return InspectedPhoto(kind, width, height)


def sniff(content: bytes) -> PhotoFormat:
    """The format that the first bytes show; raises PhotoTypeNotAccepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoFormat.PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if brands := brands_of(content):
        if heif.is_heic(brands):
            return PhotoFormat.HEIC
        major = brands[0].decode("ascii", "replace").strip()
        raise PhotoTypeNotAccepted(f"This is an ISO media file of the brand {major!r}.")
    for pattern, name in _REFUSED:
        if pattern.match(content[:1024]):
            raise PhotoTypeNotAccepted(f"This is {name}.")
    raise PhotoTypeNotAccepted("The first bytes are those of no photo.")


def _measure(kind: PhotoFormat, content: bytes) -> tuple[int, int]:
    match kind:
        case PhotoFormat.JPEG:
            return jpeg.measure(content)
        case PhotoFormat.PNG:
            return png.measure(content)
        case PhotoFormat.WEBP:
            return webp.measure(content)
        case PhotoFormat.HEIC:
            return heif.measure(content)


def _require_agreement(kind: PhotoFormat, declared_type: str | None, file_name: str | None) -> None:
    declared = (declared_type or "").partition(";")[0].strip().lower()
    if declared not in _UNDECLARED and _TYPES.get(declared) is not kind:
        raise PhotoTypeMismatch(f"It was sent as {declared[:100]!r}, its bytes are {kind.value}.")
    extension = PurePosixPath((file_name or "").replace("\\", "/")).suffix.lower().removeprefix(".")
    if (
        extension.isalpha()
        and extension not in _NEUTRAL_EXTENSIONS
        and _EXTENSIONS.get(extension) is not kind
    ):
        raise PhotoTypeMismatch(f"The file name ends in .{extension[:20]}, its bytes are {kind.value}.")
