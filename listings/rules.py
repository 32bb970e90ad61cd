"""Every rule of a listing, and all broken ones at once. Pure: what it judges is handed in.

Source: the listing rules (docs/listings.md). Pointers are those of the API's listing body.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.errors import FieldProblem
from foundation.money import Money
from listings import texts
from listings.lifecycle import PhotoStatus
from listings.queries import CatalogueSnapshot, CategoryFacts, ListingFacts, PriceRules
from listings.queries.catalogue import ANY_SYSTEM

TITLE = (5, 100)
DESCRIPTION = (5, 2000)
MAX_COLOURS = 2
MAX_MATERIALS = 3
PARCEL_SIZES = ("small", "medium", "large", "custom")
_TITLE_CODE_POINTS = 400
_DESCRIPTION_CODE_POINTS = 8000


class Stage(enum.Enum):
    """How much a listing has to be already."""

    DRAFT = enum.auto()  # what is there has to be right; anything may be missing
    OFFERED = enum.auto()  # nothing missing; one photo is ready
    PUBLISH = enum.auto()  # nothing missing; every photo is ready


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules have to know beside the listing. Without price rules, any positive price will do."""

    catalogue: CatalogueSnapshot
    prices: PriceRules | None
    seller_is_verified: bool


def problems_of(listing: ListingFacts, *, stage: Stage, context: Context) -> tuple[FieldProblem, ...]:
    """Everything that is wrong, in the order of the fields; empty when the listing may be at `stage`."""
    complete = stage is not Stage.DRAFT
    return (
        *_photos(listing, stage),
        *texts.problems_of(
            listing.title,
            pointer="/title",
            shortest=TITLE[0],
            longest=TITLE[1],
            most_code_points=_TITLE_CODE_POINTS,
            complete=complete,
            lines=False,
        ),
        *texts.problems_of(
            listing.description,
            pointer="/description",
            shortest=DESCRIPTION[0],
            longest=DESCRIPTION[1],
            most_code_points=_DESCRIPTION_CODE_POINTS,
            complete=complete,
            lines=True,
        ),
        *_hashtags(listing),
        *_category(listing, context.catalogue, complete),
        *_brand(listing, context.catalogue),
        *_size(listing, context.catalogue, complete),
        *_condition(listing, context.catalogue, complete),
        *_several(listing.colour_ids, "/colours", "colour", MAX_COLOURS, context.catalogue.colour_by_id),
        *_several(
            listing.material_ids, "/materials", "material", MAX_MATERIALS, context.catalogue.material_by_id
        ),
        *(_missing(listing, context.catalogue) if complete else ()),
        *_price(listing, context, complete),
        *_parcel(listing, complete),
    )


def _required(pointer: str) -> FieldProblem:
    return FieldProblem(pointer, "required", "Is needed to publish.")


def _photos(listing: ListingFacts, stage: Stage) -> Iterator[FieldProblem]:
    if stage is Stage.DRAFT:
        return
    shown = (photo.status == PhotoStatus.READY and not photo.is_rejected for photo in listing.photos)
    if not any(shown) and (stage is Stage.OFFERED or not listing.photos):
        yield FieldProblem("/photos", "required", "At least one photo is needed.")
    if stage is Stage.PUBLISH:
        for i, photo in enumerate(listing.photos):
            if photo.status == PhotoStatus.PROCESSING:
                yield FieldProblem(f"/photos/{i}", "photo_processing", "Is not processed yet; wait a moment.")
            elif photo.status == PhotoStatus.FAILED:
                yield FieldProblem(
                    f"/photos/{i}", "photo_failed", "Could not be processed; replace or delete it."
                )
            elif photo.is_rejected:
                yield FieldProblem(
                    f"/photos/{i}", "photo_rejected", "May not be shown; replace or delete it."
                )


def _hashtags(listing: ListingFacts) -> Iterator[FieldProblem]:
    in_title = texts.hashtags(listing.title)
    count = in_title + texts.hashtags(listing.description)
    if count > texts.MAX_HASHTAGS:
        pointer = "/title" if in_title == count else "/description"
        detail = f"{count} hashtags, at most {texts.MAX_HASHTAGS} are allowed."
        yield FieldProblem(pointer, "too_many_hashtags", detail)


def _known_category(listing: ListingFacts, catalogue: CatalogueSnapshot) -> CategoryFacts | None:
    category = catalogue.category_by_id.get(listing.category_id or "")
    return None if category is None or category.is_retired else category


def _category(listing: ListingFacts, catalogue: CatalogueSnapshot, complete: bool) -> Iterator[FieldProblem]:
    if listing.category_id is None:
        if complete:
            yield _required("/category")
        return
    category = _known_category(listing, catalogue)
    if category is None:
        yield FieldProblem("/category", "unknown_category", "There is no such category.")
    elif not category.is_leaf:
        yield FieldProblem("/category", "category_not_leaf", "Choose a category within this one.")


def _brand(listing: ListingFacts, catalogue: CatalogueSnapshot) -> Iterator[FieldProblem]:
    if listing.brand_id is not None:
        brand = catalogue.brand_by_id.get(listing.brand_id)
        if brand is None or brand.is_retired:
            yield FieldProblem("/brand", "unknown_brand", "There is no such brand.")


def _size(listing: ListingFacts, catalogue: CatalogueSnapshot, complete: bool) -> Iterator[FieldProblem]:
    if listing.size_id is None:
        return
    size = catalogue.size_by_id.get(listing.size_id)
    if size is None or size.is_retired:
        yield FieldProblem("/size", "unknown_size", "There is no such size.")
        return
    category = _known_category(listing, catalogue)
    if complete and category is not None and size.system not in (category.size_system, ANY_SYSTEM):
        # In a draft the category may still be about to follow.
        yield FieldProblem("/size", "size_not_of_category", "The category has other sizes.")


def _condition(listing: ListingFacts, catalogue: CatalogueSnapshot, complete: bool) -> Iterator[FieldProblem]:
    if listing.condition_id is None:
        return
    condition = catalogue.condition_by_id.get(listing.condition_id)
    if condition is None or condition.is_retired:
        yield FieldProblem("/condition", "unknown_condition", "There is no such condition.")
        return
    category = _known_category(listing, catalogue)
    if complete and category is not None and condition not in catalogue.conditions_for(category.id):
        yield FieldProblem("/condition", "condition_not_of_category", "This condition is for other things.")


def _several(
    ids: tuple[str, ...], pointer: str, name: str, most: int, known: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    for i, value in enumerate(ids):
        term = known.get(value)
        if term is None or term.is_retired:
            yield FieldProblem(f"{pointer}/{i}", f"unknown_{name}", f"There is no such {name}.")
        elif value in ids[:i]:
            yield FieldProblem(f"{pointer}/{i}", f"{name}_twice", "Is there twice.")
    if len(ids) > most:
        yield FieldProblem(pointer, f"too_many_{name}s", f"At most {most}.")


def _missing(listing: ListingFacts, catalogue: CatalogueSnapshot) -> Iterator[FieldProblem]:
    """Condition always; of the others those that the category asks for."""
    if listing.condition_id is None:
        yield _required("/condition")
    category = _known_category(listing, catalogue)
    asked = category.attributes if category is not None else ()
    stated = {
        "brand": listing.brand_id,
        "size": listing.size_id,
        "colours": listing.colour_ids,
        "materials": listing.material_ids,
    }
    for attribute in asked:
        if attribute in stated and not stated[attribute]:
            yield _required(f"/{attribute}")


def _price(listing: ListingFacts, context: Context, complete: bool) -> Iterator[FieldProblem]:
    price, rules = listing.price_minor, context.prices
    if price is None:
        if complete:
            yield _required("/price")
        return
    if rules is None or rules.currency != listing.currency:
        # A seller who moved: the listing keeps its currency, whose limits are those of its own market.
        if price <= 0:
            yield FieldProblem("/price", "price_too_low", "Must be more than nothing.")
        return
    if price < rules.price_min_minor:
        least = Money(rules.price_min_minor, rules.currency)
        yield FieldProblem("/price", "price_too_low", f"At least {least}.")
    elif price > rules.price_max_minor:
        most = Money(rules.price_max_minor, rules.currency)
        yield FieldProblem("/price", "price_too_high", f"At most {most}.")
    elif complete and price > rules.verified_above_minor and not context.seller_is_verified:
        limit = Money(rules.verified_above_minor, rules.currency)
        yield FieldProblem("/price", "seller_not_verified", f"Above {limit} the seller has to be verified.")


def _parcel(listing: ListingFacts, complete: bool) -> Iterator[FieldProblem]:
    if listing.parcel_size is None:
        if complete:
            yield _required("/parcel_size")
    elif listing.parcel_size not in PARCEL_SIZES:
        yield FieldProblem("/parcel_size", "unknown_parcel_size", f"One of {', '.join(PARCEL_SIZES)}.")
