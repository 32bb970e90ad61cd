"""From the bytes that were sent to what is shown: upright, sRGB, without metadata, JPEG in four sizes.

Pure but for memory: bytes in, bytes out. Sizes are made one from another (each from the next larger),
and a JPEG is decoded at half or quarter size where that suffices: a third of the naive time.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from listings.photos.inspection import MAX_PIXELS
from listings.photos.names import MASTER_SIDE, RENDITIONS

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# The only decoders that may run, whatever else Pillow was built with.
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
_MASTER_QUALITY = 88
_RENDITION_QUALITY = 82
_ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")
_LANCZOS = Image.Resampling.LANCZOS

# Pillow imports its decoders on demand, but not those that open() is limited to.
Image.init()
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


class Unprocessable(Exception):
    """No photo can be made of these bytes; `code` is the reason told to the seller."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class ProcessedPhoto:
    """The master (longest side at most MASTER_SIDE) and the renditions by their longest side, all JPEG."""

    master: bytes
    sha256: str
    width: int
    height: int
    renditions: Mapping[int, bytes]


def process(content: bytes) -> ProcessedPhoto:
    """Decode, turn upright, drop metadata, encode. Raises Unprocessable."""
    try:
        image = _decoded(content)
    except Image.DecompressionBombError:
        raise Unprocessable("too_many_pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error):
        # What decoders raise for pictures that are broken inside an intact structure.
        raise Unprocessable("undecodable") from None
    master = _encoded(image, _MASTER_QUALITY)
    size = image.size
    renditions = {}
    for side in sorted(RENDITIONS, reverse=True):
        image.thumbnail((side, side), _LANCZOS, reducing_gap=2.0)
        renditions[side] = _encoded(image, _RENDITION_QUALITY)
    return ProcessedPhoto(
        master=master,
        sha256=hashlib.sha256(master).hexdigest(),
        width=size[0],
        height=size[1],
        renditions=renditions,
    )


def _decoded(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as source:
        # The decoder's own idea of the size: it must not exceed what inspection allowed.
        if source.width * source.height > MAX_PIXELS:
            raise Unprocessable("too_many_pixels")
        orientation = source.getexif().get(_ORIENTATION, 1)
        profile = source.info.get("icc_profile")
        _shrink_while_decoding(source)
        source.load()
        image: Image.Image = source.copy()
    image.thumbnail((MASTER_SIDE, MASTER_SIDE), _LANCZOS, reducing_gap=2.0)
    image = _in_srgb(_flat(image), profile)
    # Neither comments nor profiles nor anything else that save() would pick up.
    image.info.clear()
    if orientation in range(2, 9):
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        image.info["exif"] = exif.tobytes()
        image = ImageOps.exif_transpose(image)
        image.info.clear()
    return image


def _shrink_while_decoding(source: ImageFile) -> None:
    """JPEG only: let the decoder give a half, quarter or eighth, never less than the largest rendition."""
    factor = max(source.size) / max(RENDITIONS)
    if factor >= 2:
        source.draft("RGB", (int(source.width / factor), int(source.height / factor)))


def _flat(image: Image.Image) -> Image.Image:
    """RGB (or CMYK, whose profile is still needed); transparent parts become white."""
    if image.mode.startswith("I"):
        # 16 bits a sample: convert() would cut at 255 instead of scaling.
        return image.convert("I").point(lambda value: value / 257).convert("L").convert("RGB")
    if image.mode in ("RGB", "CMYK"):
        return image
    if "A" in image.mode or "transparency" in image.info:
        rgba = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Without its profile a phone's wide-gamut photo would look dull; so the pixels are converted."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
                return converted if converted is not None else image.convert("RGB")
        except (OSError, ImageCms.PyCMSError, ValueError):
            # A broken profile, or one of another colour space than the pixels: show the pixels as they are.
            pass
    return image.convert("RGB")


def _encoded(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, progressive=True, optimize=False)
    return buffer.getvalue()
