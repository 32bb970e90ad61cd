"""The catalogue in the words that a model is asked to use.

A thing is a leaf without its department: ``women-jeans``, ``men-jeans`` and ``kids-jeans`` are all
``jeans``. So the model can say what a photo shows and cannot say for whom it is (docs/adr/0005).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue, Category
from ai_suggestions.contract import Json
from ai_suggestions.llm.answer import schema_for

# What wear can show. "New" is a history, which no photo tells; "not fully functional" is seen in use only.
VISIBLE_CONDITIONS = ("very_good", "good", "satisfactory")


def plain(text: str) -> str:
    """Text as it is compared: case folded, accents removed, white space single."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\u2019", "'")).casefold()
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


class Vocabulary:
    """What may be answered for one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        leaves: dict[str, list[Category]] = {}
        for category in catalogue.categories:
            if catalogue.is_leaf(category.id):
                leaves.setdefault(self._thing_of(category), []).append(category)
        self.leaves_by_thing: Mapping[str, tuple[Category, ...]] = MappingProxyType(
            {thing: tuple(found) for thing, found in sorted(leaves.items())}
        )
        self.conditions = tuple(id_ for id_ in VISIBLE_CONDITIONS if id_ in catalogue.condition_by_id)
        self.brand_by_spelling: Mapping[str, str] = MappingProxyType(
            {
                plain(spelling): brand.id
                for brand in catalogue.brands
                for spelling in (*brand.aliases, brand.name)
            }
        )
        self.schema: Mapping[str, Json] = MappingProxyType(
            schema_for(
                things=list(self.leaves_by_thing),
                colours=list(catalogue.colour_by_id),
                materials=list(catalogue.material_by_id),
                conditions=list(self.conditions),
            )
        )

    def _thing_of(self, leaf: Category) -> str:
        return leaf.id.removeprefix(self.catalogue.department_of(leaf.id) + "-")

    def leaves_of(self, thing: str, *, department: str | None) -> tuple[Category, ...]:
        """Where such a thing is sold, in one department or in all."""
        found = self.leaves_by_thing.get(thing, ())
        if department is None:
            return found
        return tuple(leaf for leaf in found if self.catalogue.department_of(leaf.id) == department)

    def kind_of(self, thing: str) -> str | None:
        """The kind of thing, as the rest of the app calls it."""
        return next((leaf.kind for leaf in self.leaves_by_thing.get(thing, ()) if leaf.kind), None)

    def lines(self) -> Iterator[str]:
        """The lists of ids for the prompt, always in the same order."""
        yield "things: " + " ".join(self.leaves_by_thing)
        yield "colours: " + " ".join(self.catalogue.colour_by_id)
        yield "materials: " + " ".join(self.catalogue.material_by_id)
        yield "conditions: " + " ".join(self.conditions)


@lru_cache(maxsize=4)
def _by_identity(_identity: int, catalogue: Catalogue) -> Vocabulary:
    return Vocabulary(catalogue)


def vocabulary_of(catalogue: Catalogue) -> Vocabulary:
    """The vocabulary, made once for each snapshot of the catalogue.

    By identity first: comparing two whole catalogues costs more than making a vocabulary.
    """
    return _by_identity(id(catalogue), catalogue)
