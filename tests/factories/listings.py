"""A small catalogue (rows of the real one), photos and listings for tests of every app."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from foundation.money import Money
from listings import services
from listings.management.commands.load_catalogue import DATA
from listings.models import ListingPhoto
from listings.queries import ListingFacts, PhotoFacts, get_listing
from listings.services import ListingChange
from listings.services.catalogue import COLUMNS
from tests.factories.members import make_market
from tests.factories.remembered import remembered

NOW = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.UTC)

_LEAVES = {
    *("women-t-shirts", "women-blouses", "women-trainers", "women-handbags", "men-t-shirts", "men-jeans"),
    *("kids-t-shirts", "electronics-digital-cameras", "electronics-film-cameras", "home-chairs"),
    *("entertainment-novels", "sport-skateboards"),
}
_BRANDS = {
    "no-brand",
    "esprit",
    "zara",
    "zara-home",
    "kodak",
    "canon",
    "on-running",
    "onitsuka-tiger",
    "h-and-m",
}
_MATERIALS = {"cotton", "polyester", "wool", "wood", "linen"}
_MARKETS = ("LT", "DE", "PL", "GB")


@functools.cache
def full_texts() -> dict[str, str]:
    """The data files as they are shipped."""
    return {name: (DATA / f"{name}.csv").read_text(encoding="utf-8") for name in COLUMNS}


def only(name: str, keep: Callable[[dict[str, str]], bool]) -> str:
    """A data file with only some of its rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS[name], lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in csv.DictReader(io.StringIO(full_texts()[name])) if keep(row))
    return out.getvalue()


@functools.cache
def small_texts() -> dict[str, str]:
    """A dozen leaves with their branches, a few brands, the sizes they need, four markets."""
    parents = {r["id"]: r["parent_id"] for r in csv.DictReader(io.StringIO(full_texts()["categories"]))}
    wanted = set(_LEAVES)
    for leaf in _LEAVES:
        while leaf := parents[leaf]:
            wanted.add(leaf)
    systems = {"any", "women_clothing", "men_clothing", "kids_clothing", "women_shoes"}
    return full_texts() | {
        "categories": only("categories", lambda row: row["id"] in wanted),
        "brands": only("brands", lambda row: row["id"] in _BRANDS),
        "sizes": only("sizes", lambda row: row["system"] in systems),
        "materials": only("materials", lambda row: row["id"] in _MATERIALS),
        "market_rules": only("market_rules", lambda row: row["market"] in _MARKETS),
    }


@remembered
def load_small_catalogue() -> None:
    """Markets LT, DE, PL and GB with the small catalogue."""
    for code in _MARKETS:
        make_market(code)
    services.load_catalogue(texts=small_texts(), now=NOW)


def image_bytes(
    kind: str = "JPEG", *, width: int = 400, height: int = 300, colour: str = "navy", **options: Any
) -> bytes:
    """A small picture that is no plain colour."""
    image = Image.effect_noise((width, height), 30).convert("RGB")
    image.paste(colour, (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@functools.cache
def _jpeg(colour: str) -> bytes:
    return image_bytes(colour=colour)


def make_photo(
    listing: ListingFacts,
    *,
    colour: str = "navy",
    content: bytes | None = None,
    now: dt.datetime = NOW,
    ready: bool = True,
) -> PhotoFacts:
    """A photo (these bytes, or one drawn) through the real pipeline; `ready=False` leaves it to a worker."""
    photo = services.add_photo(
        seller_id=listing.seller_id,
        listing_id=listing.id,
        content=content or _jpeg(colour),
        declared_type="image/jpeg",
        file_name="photo.jpg",
        now=now,
    )
    if ready:
        assert services.process_photo(photo_id=photo.id, now=now) == "ready"
    return next(found for found in get_listing(listing.id).photos if found.id == photo.id)


COMPLETE = {
    "title": "Striped summer T-shirt",
    "description": "Soft cotton, worn twice, from a home without smokers.",
    "category_id": "women-t-shirts",
    "brand_id": "esprit",
    "size_id": "women-clothing-m",
    "condition_id": "very_good",
    "colour_ids": ("navy", "white"),
    "material_ids": ("cotton",),
    "parcel_size": "small",
}


def make_draft(
    seller_id: str, *, complete: bool = True, now: dt.datetime = NOW, **change: Any
) -> ListingFacts:
    """A draft without photos; complete but for them unless told otherwise."""
    draft = services.create_draft(seller_id=seller_id, now=now)
    values: dict[str, Any] = dict(COMPLETE) | {"price": Money(1250, draft.currency)} if complete else {}
    if not values and not change:
        return draft
    return services.edit_draft(
        seller_id=seller_id, listing_id=draft.id, change=ListingChange(**(values | change)), now=now
    )


def make_listing(
    seller_id: str, *, photos: int = 1, colour: str = "navy", now: dt.datetime = NOW, **change: Any
) -> ListingFacts:
    """A listing on offer, published at `now`."""
    draft = make_draft(seller_id, now=now, **change)
    for _ in range(photos):
        make_photo(draft, colour=colour, now=now)
    return services.publish(seller_id=seller_id, listing_id=draft.id, now=now)


def make_listings(seller_id: str, count: int, **change: Any) -> list[ListingFacts]:
    """Listings on offer, each published a minute after the one before; all show the same photo."""
    made = []
    for i in range(count):
        now = NOW + dt.timedelta(minutes=i)
        draft = make_draft(seller_id, now=now, **change)
        photo = ListingPhoto(
            id=draft.id,
            listing_id=draft.id,
            position=0,
            status="ready",
            original_sha256="0" * 64,
            original_bytes=1,
            media_type="image/jpeg",
            stem=f"00/{draft.id.lower()}-0",
            master_sha256="0" * 64,
            master_width=400,
            master_height=300,
            uploaded_at=now,
            processed_at=now,
        )
        photo.save(force_insert=True)
        made.append(services.publish(seller_id=seller_id, listing_id=draft.id, now=now))
    return made
