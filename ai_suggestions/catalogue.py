"""The marketplace's catalogue as suggestions see it: an immutable snapshot, free of the database.

``queries.catalogue_snapshot`` builds it from listings; a test or an evaluation builds it by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

FALLBACK_LANGUAGE = "en"


def name_in(names: Mapping[str, str], language: str) -> str:
    """The name in a language, in English where that language has none."""
    return names.get(language) or names[FALLBACK_LANGUAGE]


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the tree; roots are departments. ``kind`` ties the same thing across departments."""

    id: str
    parent_id: str | None
    position: int
    kind: str | None
    size_system: str | None
    attributes: tuple[str, ...]  # attributes that a listing in it must state
    parcel_size: str | None
    names: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand, with the other ways it is written."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """A size of one system (``women_clothing``: 38), with the other ways it is written."""

    id: str
    system: str
    position: int
    label: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A colour, a condition or a material."""

    id: str
    names: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Catalogue:
    """All that can be said about a thing. Sequences keep the catalogue's own order."""

    categories: tuple[Category, ...] = ()
    brands: tuple[Brand, ...] = ()
    sizes: tuple[Size, ...] = ()
    colours: tuple[Term, ...] = ()
    conditions: tuple[Term, ...] = ()
    materials: tuple[Term, ...] = ()

    @cached_property
    def category_by_id(self) -> Mapping[str, Category]:
        """Every node by id."""
        return {category.id: category for category in self.categories}

    @cached_property
    def brand_by_id(self) -> Mapping[str, Brand]:
        """Every brand by id."""
        return {brand.id: brand for brand in self.brands}

    @cached_property
    def size_by_id(self) -> Mapping[str, Size]:
        """Every size by id."""
        return {size.id: size for size in self.sizes}

    @cached_property
    def colour_by_id(self) -> Mapping[str, Term]:
        """Every colour by id."""
        return {term.id: term for term in self.colours}

    @cached_property
    def condition_by_id(self) -> Mapping[str, Term]:
        """Every condition by id."""
        return {term.id: term for term in self.conditions}

    @cached_property
    def material_by_id(self) -> Mapping[str, Term]:
        """Every material by id."""
        return {term.id: term for term in self.materials}

    @cached_property
    def departments(self) -> tuple[Category, ...]:
        """The roots of the tree."""
        return tuple(category for category in self.categories if category.parent_id is None)

    @cached_property
    def _parents(self) -> frozenset[str]:
        return frozenset(c.parent_id for c in self.categories if c.parent_id is not None)

    @cached_property
    def _leaves_by_kind(self) -> Mapping[str, tuple[Category, ...]]:
        found: dict[str, list[Category]] = {}
        for category in self.categories:
            if category.kind and self.is_leaf(category.id):
                found.setdefault(category.kind, []).append(category)
        return {kind: tuple(leaves) for kind, leaves in found.items()}

    def is_leaf(self, category_id: str) -> bool:
        """Whether a listing may be put there."""
        return category_id in self.category_by_id and category_id not in self._parents

    def ancestors_of(self, category_id: str) -> tuple[str, ...]:
        """The ids from the parent up to the department."""
        found: list[str] = []
        parent = self.category_by_id[category_id].parent_id
        while parent is not None:
            found.append(parent)
            parent = self.category_by_id[parent].parent_id
        return tuple(found)

    def department_of(self, category_id: str) -> str:
        """The root above a category (itself, if it is one)."""
        return (category_id, *self.ancestors_of(category_id))[-1]

    def leaves_of_kind(self, kind: str, *, department: str | None = None) -> tuple[Category, ...]:
        """The leaves where such a thing is sold, in one department or in all."""
        leaves = self._leaves_by_kind.get(kind, ())
        if department is None:
            return leaves
        return tuple(leaf for leaf in leaves if self.department_of(leaf.id) == department)

    def leaves_in(self, department: str) -> tuple[Category, ...]:
        """All leaves of a department, in catalogue order."""
        return tuple(
            category
            for category in self.categories
            if self.is_leaf(category.id) and self.department_of(category.id) == department
        )

    def sizes_of(self, systems: Iterable[str]) -> tuple[Size, ...]:
        """All sizes of some systems."""
        wanted = frozenset(systems)
        return tuple(size for size in self.sizes if size.system in wanted)
