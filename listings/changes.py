"""What a seller wants to change of a listing: only what is set is changed."""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from foundation.money import Money
from listings.queries import ListingFacts

T = TypeVar("T")


class Unset(enum.Enum):
    """Tells "leave as it is" from None, which empties a field."""

    UNSET = "unset"


UNSET = Unset.UNSET
Maybe: TypeAlias = T | Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingChange:
    """New values of fields, None or () to empty one. `photo_ids` is the new order of all photos."""

    category_id: Maybe[str | None] = UNSET
    brand_id: Maybe[str | None] = UNSET
    size_id: Maybe[str | None] = UNSET
    condition_id: Maybe[str | None] = UNSET
    colour_ids: Maybe[tuple[str, ...]] = UNSET
    material_ids: Maybe[tuple[str, ...]] = UNSET
    title: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    price: Maybe[Money | None] = UNSET
    parcel_size: Maybe[str | None] = UNSET
    photo_ids: Maybe[tuple[str, ...]] = UNSET


NO_CHANGE = ListingChange()


def tidy(text: str) -> str:
    """As texts are stored: NFC, line ends as \\n, nothing empty at either end."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _set(value: Maybe[T], now: T) -> T:
    return now if isinstance(value, Unset) else value


def apply(change: ListingChange, facts: ListingFacts) -> ListingFacts:
    """The listing as it would be. A price's currency and the photos are the caller's to check."""
    price_minor = facts.price_minor
    if not isinstance(change.price, Unset):
        price_minor = None if change.price is None else change.price.amount_minor
    return replace(
        facts,
        category_id=_set(change.category_id, facts.category_id),
        brand_id=_set(change.brand_id, facts.brand_id),
        size_id=_set(change.size_id, facts.size_id),
        condition_id=_set(change.condition_id, facts.condition_id),
        colour_ids=_set(change.colour_ids, facts.colour_ids),
        material_ids=_set(change.material_ids, facts.material_ids),
        title=tidy(_set(change.title, facts.title)),
        description=tidy(_set(change.description, facts.description)),
        price_minor=price_minor,
        parcel_size=_set(change.parcel_size, facts.parcel_size),
    )
