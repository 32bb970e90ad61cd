"""Photos for tests of photo checks, which look at real pixels with the real nets."""

from __future__ import annotations

import datetime as dt
import functools
import io
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ai_suggestions import services
from ai_suggestions.photo_tables import PhotoCheck
from listings import queries
from listings.services import publish
from tests.ai_suggestions.ondevice.drawing import DEMO_PHOTOS, flagged_blur
from tests.factories.listings import NOW, make_draft, make_photo

if TYPE_CHECKING:
    from listings.queries import ListingFacts

CHECK = "ai_suggestions.services.safety.check_content"
MINUTE = dt.timedelta(minutes=1)


def encoded(photo: Image.Image, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    photo.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@functools.cache
def demo(name: str) -> bytes:
    path: Path = DEMO_PHOTOS / name / "1.jpg"
    return path.read_bytes()


@functools.cache
def cropped(name: str) -> bytes:
    """The same picture, smaller, mirrored, without a tenth of its width."""
    with Image.open(io.BytesIO(demo(name))) as photo:
        mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return encoded(mirrored.crop((0, 0, round(photo.width * 0.9), photo.height)).reduce(2), 70)


@functools.cache
def unsafe() -> bytes:
    return encoded(flagged_blur())


def make_draft_of(seller_id: str, *contents: bytes, now: dt.datetime = NOW) -> ListingFacts:
    """A complete draft with these photos, all ready."""
    draft = make_draft(seller_id, now=now)
    for content in contents:
        make_photo(draft, content=content, now=now)
    return queries.get_listing(draft.id)


def make_listing_of(seller_id: str, *contents: bytes, now: dt.datetime = NOW) -> ListingFacts:
    """A listing published with these photos."""
    draft = make_draft_of(seller_id, *contents, now=now)
    return publish(seller_id=seller_id, listing_id=draft.id, now=now)


def check_all(*, now: dt.datetime = NOW) -> list[str]:
    """What the sweeper and the workers it rings do."""
    services.plan_checks(now=now)
    due = PhotoCheck.objects.filter(due_at__lte=now).order_by("id").values_list("photo_id", flat=True)
    return [services.check_photo(photo_id=photo_id, now=now) for photo_id in list(due)]
