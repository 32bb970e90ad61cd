"""Reading the catalogue. The whole of it is small, so each process keeps one copy for each release."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from listings.errors import CategoryNotFound
from listings.models import (
    Brand,
    BrandName,
    CatalogueRelease,
    Category,
    Colour,
    Condition,
    MarketRules,
    Material,
    Size,
)

FALLBACK_LANGUAGE = "en"
NO_BRAND = "no-brand"
NO_LABEL = "no-label"
ANY_SYSTEM = "any"
MAX_BRANDS = 50


def name_in(names: Mapping[str, str], language: str) -> str:
    """The name in a language (ISO 639-1), in English where that language has none."""
    return names.get(language) or names[FALLBACK_LANGUAGE]


def brand_key(text: str) -> str:
    """What two spellings of a brand have in common: lower-case ascii letters and digits.

    brand_key("H & M") == brand_key("h&m") == "hm"; empty for a text without any.
    """
    special = text.replace("ø", "o").replace("Ø", "o").replace("ł", "l").replace("Ł", "l").replace("œ", "oe")
    decomposed = unicodedata.normalize(
        "NFKD", special.replace("ß", "ss").replace("æ", "ae").replace("Œ", "oe")
    )
    return "".join(c for c in decomposed.lower() if c.isascii() and c.isalnum())


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    """A node of the tree; roots are departments. `attributes` are those that a listing must state."""

    id: str
    parent_id: str | None
    position: int
    kind: str | None
    size_system: str | None
    attributes: tuple[str, ...]
    parcel_size: str | None
    is_leaf: bool
    is_retired: bool
    names: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """A brand, with the other ways it is written."""

    id: str
    name: str
    aliases: tuple[str, ...]
    is_retired: bool


@dataclass(frozen=True, slots=True)
class SizeFacts:
    """A size of one system, with the other ways it is written."""

    id: str
    system: str
    position: int
    label: str
    aliases: tuple[str, ...]
    is_retired: bool


@dataclass(frozen=True, slots=True)
class TermFacts:
    """A colour (`hex`), a condition (`within` names branches it is limited to) or a material (`aliases`)."""

    id: str
    position: int
    is_retired: bool
    names: Mapping[str, str] = field(hash=False)
    hex: str = ""
    within: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogueSnapshot:
    """All that can be said about a thing, retired entries included. `digest` names the release."""

    digest: str
    categories: tuple[CategoryFacts, ...]
    brands: tuple[BrandFacts, ...]
    sizes: tuple[SizeFacts, ...]
    colours: tuple[TermFacts, ...]
    conditions: tuple[TermFacts, ...]
    materials: tuple[TermFacts, ...]

    @cached_property
    def category_by_id(self) -> Mapping[str, CategoryFacts]:
        return {category.id: category for category in self.categories}

    @cached_property
    def brand_by_id(self) -> Mapping[str, BrandFacts]:
        return {brand.id: brand for brand in self.brands}

    @cached_property
    def size_by_id(self) -> Mapping[str, SizeFacts]:
        return {size.id: size for size in self.sizes}

    @cached_property
    def colour_by_id(self) -> Mapping[str, TermFacts]:
        return {term.id: term for term in self.colours}

    @cached_property
    def condition_by_id(self) -> Mapping[str, TermFacts]:
        return {term.id: term for term in self.conditions}

    @cached_property
    def material_by_id(self) -> Mapping[str, TermFacts]:
        return {term.id: term for term in self.materials}

    @cached_property
    def _children(self) -> Mapping[str | None, tuple[CategoryFacts, ...]]:
        found: dict[str | None, list[CategoryFacts]] = {}
        for category in self.categories:
            found.setdefault(category.parent_id, []).append(category)
        return {parent: tuple(children) for parent, children in found.items()}

    def children_of(self, category_id: str | None) -> tuple[CategoryFacts, ...]:
        """In the catalogue's order; of None, the departments."""
        return self._children.get(category_id, ())

    def path_to(self, category_id: str) -> tuple[str, ...]:
        """Ids from the department down to the category itself. Raises KeyError."""
        path = [category_id]
        while (parent := self.category_by_id[path[-1]].parent_id) is not None:
            path.append(parent)
        return tuple(reversed(path))

    def leaves_below(self, category_id: str) -> tuple[str, ...]:
        """Ids of the leaves at or below a category; empty for an unknown one."""
        category = self.category_by_id.get(category_id)
        if category is None:
            return ()
        if category.is_leaf:
            return (category_id,)
        return tuple(leaf for child in self.children_of(category_id) for leaf in self.leaves_below(child.id))

    def sizes_for(self, category: CategoryFacts) -> tuple[SizeFacts, ...]:
        """What a listing of the category may choose: its system's sizes and "no label"."""
        if category.size_system is None:
            return ()
        wanted = (category.size_system, ANY_SYSTEM)
        return tuple(size for size in self.sizes if size.system in wanted and not size.is_retired)

    def conditions_for(self, category_id: str) -> tuple[TermFacts, ...]:
        """What a listing of the category may choose."""
        path = self.path_to(category_id)
        return tuple(
            term
            for term in self.conditions
            if not term.is_retired and (not term.within or any(step in path for step in term.within))
        )


def catalogue_digest() -> str:
    """Names what the tables hold: equal digests, equal catalogues. Empty before the first load."""
    return CatalogueRelease.objects.values_list("digest", flat=True).filter(id=1).first() or ""


def catalogue_snapshot() -> CatalogueSnapshot:
    """The catalogue as it is now. One statement, and six more after a new release."""
    return _snapshot(catalogue_digest())


@lru_cache(maxsize=2)
def _snapshot(digest: str) -> CatalogueSnapshot:
    terms = ("id", "position", "names", "is_retired")
    return CatalogueSnapshot(
        digest=digest,
        categories=tuple(
            CategoryFacts(
                id=row["id"],
                parent_id=row["parent_id"],
                position=row["position"],
                kind=row["kind"] or None,
                size_system=row["size_system"] or None,
                attributes=tuple(row["attributes"].split()),
                parcel_size=row["parcel_size"] or None,
                is_leaf=row["is_leaf"],
                is_retired=row["is_retired"],
                names=row["names"],
            )
            for row in Category.objects.order_by("position", "id").values()
        ),
        brands=tuple(
            BrandFacts(row["id"], row["name"], tuple(row["aliases"]), row["is_retired"])
            for row in Brand.objects.order_by("name", "id").values()
        ),
        sizes=tuple(
            SizeFacts(
                row["id"],
                row["system"],
                row["position"],
                row["label"],
                tuple(row["aliases"]),
                row["is_retired"],
            )
            for row in Size.objects.order_by("system", "position", "id").values()
        ),
        colours=tuple(TermFacts(**row) for row in Colour.objects.order_by("position").values(*terms, "hex")),
        conditions=tuple(
            TermFacts(**{**row, "within": tuple(row["within"].split())})
            for row in Condition.objects.order_by("position").values(*terms, "within")
        ),
        materials=tuple(
            TermFacts(**{**row, "aliases": tuple(row["aliases"])})
            for row in Material.objects.order_by("position").values(*terms, "aliases")
        ),
    )


def get_category(category_id: str) -> CategoryFacts:
    """Raises CategoryNotFound, for a retired one too."""
    category = catalogue_snapshot().category_by_id.get(category_id)
    if category is None or category.is_retired:
        raise CategoryNotFound
    return category


def find_brand(text: str) -> BrandFacts | None:
    """The brand that is written so, whatever its capitals, spaces and accents; None when there is none."""
    key = brand_key(text)
    if not key:
        return None
    brand_id = (
        BrandName.objects.filter(key=key, brand__is_retired=False).values_list("brand_id", flat=True).first()
    )
    return None if brand_id is None else catalogue_snapshot().brand_by_id.get(brand_id)


def brands(*, starting: str = "", limit: int = 20) -> tuple[BrandFacts, ...]:
    """Brands of which a name starts so (any when empty), by name; at most `limit`, itself at most 50."""
    limit = min(limit, MAX_BRANDS)
    snapshot = catalogue_snapshot()
    key = brand_key(starting)
    if starting and not key:
        return ()
    if not key:
        return tuple(brand for brand in snapshot.brands if not brand.is_retired)[:limit]
    ids: Iterable[str] = BrandName.objects.filter(key__startswith=key, brand__is_retired=False).values_list(
        "brand_id", flat=True
    )
    found = [snapshot.brand_by_id[brand_id] for brand_id in set(ids) if brand_id in snapshot.brand_by_id]
    # An exact hit first: who types "on" wants On, not Onitsuka Tiger.
    return tuple(
        sorted(found, key=lambda brand: (brand_key(brand.name) != key, brand.name.casefold(), brand.id))
    )[:limit]


@dataclass(frozen=True, slots=True)
class PriceRules:
    """The limits of a market, in minor units of `currency`; bounds are inclusive."""

    currency: str
    price_min_minor: int
    price_max_minor: int
    verified_above_minor: int


def find_price_rules(*, country: str, on_date: dt.date) -> PriceRules | None:
    """The rules of a market that hold on a day; None for a market without any."""
    row = (
        MarketRules.objects.filter(market_id=country, valid_from_date__lte=on_date)
        .order_by("-valid_from_date")
        .values("currency", "price_min_minor", "price_max_minor", "verified_above_minor")
        .first()
    )
    return None if row is None else PriceRules(**row)
