"""Photos as an endpoint gets them: small, re-encoded, without metadata, as data URLs."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

from PIL import Image, UnidentifiedImageError

from ai_suggestions.contract import PhotoInput

LONGEST_SIDE = 1024
_QUALITY = 85
# A photo of the contract has at most 2048² pixels; more than this is no photo of ours.
_MOST_PIXELS = 20_000_000


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A photo ready to be sent."""

    id: str
    width: int
    height: int
    size_bytes: int  # of the JPEG, before base64
    data_url: str = field(repr=False)


def ready_to_send(photo: PhotoInput) -> SentPhoto | None:
    """The photo for the wire, or None when it cannot be decoded."""
    try:
        with Image.open(io.BytesIO(photo.content), formats=("JPEG",)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return None
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # decodes at half size where that is enough
            opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            # Pixels only: an image keeps its comment and profile, and the encoder would write them.
            plain = Image.new("RGB", opened.size)
            plain.paste(opened.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=_QUALITY, optimize=True)
    content = written.getvalue()
    return SentPhoto(
        id=photo.id,
        width=plain.width,
        height=plain.height,
        size_bytes=len(content),
        data_url="data:image/jpeg;base64," + base64.b64encode(content).decode("ascii"),
    )
