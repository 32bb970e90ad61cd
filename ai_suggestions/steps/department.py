"""Who a thing is for (women, men, kids, …): only ever what the seller or a size label says.

A photo shows a garment, not whom it is for, and a person on it is none of our business (docs/adr/0005).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ai_suggestions.catalogue import Catalogue, Size
from ai_suggestions.contract import Evidence, SellerFacts, Source
from ai_suggestions.readings import LabelFact

# Words by which sellers say it, in the languages that we compose in. Stems where a language inflects.
_WORDS: MappingProxyType[str, re.Pattern[str]] = MappingProxyType(
    {
        "women": re.compile(
            r"\b(?:wom[ae]n(?:'?s)?|lad(?:y|ies)(?:'s)?|damen\w*|frauen\w*|femmes?|moter\w+)\b", re.IGNORECASE
        ),
        "men": re.compile(
            r"\b(?:m[ae]n(?:'?s)?|gents?|herren\w*|männer\w*|hommes?|vyr(?:išk|am|ų|ui)\w*)\b", re.IGNORECASE
        ),
        "kids": re.compile(
            r"\b(?:kid(?:'?s)?|child(?:ren)?(?:'?s)?|bab(?:y|ies)(?:'s)?|toddlers?|boys?|girls?|kinder\w*|"
            r"jungen|mädchen\w*|enfants?|bébés?|garçons?|filles?|vaik\w+|kūdik\w+|berniuk\w+|mergait\w+)\b",
            re.IGNORECASE,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Department:
    """A department that somebody stated, and who did."""

    id: str
    evidence: Evidence


def normal(text: str) -> str:
    """A size label as it is compared: upper case, single spaces, one kind of dash and slash."""
    folded = text.upper().replace("\N{EN DASH}", "-").replace("\\", "/")
    folded = re.sub(r"\s*([-/])\s*", r"\1", folded)
    return re.sub(r"\s+", " ", folded).strip()


def sizes_named(label: str, sizes: Sequence[Size]) -> tuple[Size, ...]:
    """The sizes that a label's words (``M``, ``EU 38``) can mean, in catalogue order.

    European numbers are the catalogue's own, so ``EU 38`` may stand for a plain 38; ``UK 10`` may not.
    """
    wanted = {normal(label), normal(label).removeprefix("EU ")}
    return tuple(
        size for size in sizes if wanted & {normal(size.label), *(normal(alias) for alias in size.aliases)}
    )


def _in_words(text: str) -> tuple[str, str] | None:
    found = [(id_, match.group(0)) for id_, words in _WORDS.items() if (match := words.search(text))]
    # Two departments in one text ("men's shirt, women like it too") settle nothing.
    return found[0] if len(found) == 1 else None


def department_of(
    *, facts: SellerFacts, kind: str | None, sizes: Sequence[LabelFact], catalogue: Catalogue
) -> Department | None:
    """The department that was stated, the plainest statement first; None when nobody stated one."""
    known = {category.id for category in catalogue.departments}
    if facts.department in known and facts.department is not None:
        return Department(facts.department, Evidence(Source.SELLER, note="department_requested"))
    if facts.category_id in catalogue.category_by_id and facts.category_id is not None:
        return Department(
            catalogue.department_of(facts.category_id), Evidence(Source.SELLER, note="category_of_draft")
        )
    for text in (facts.title, facts.description):
        said = _in_words(text)
        if said is not None and said[0] in known:
            return Department(said[0], Evidence(Source.SELLER, text=said[1], note="department_in_text"))
    leaves = catalogue.leaves_of_kind(kind) if kind else ()
    possible = {catalogue.department_of(leaf.id) for leaf in leaves}
    if len(possible) == 1:
        # A camera is sold in one place only: the catalogue says it, nobody was judged.
        return Department(possible.pop(), Evidence(Source.CATALOGUE, note="only_department"))
    for fact in sizes:
        fitting = {
            catalogue.department_of(leaf.id)
            for leaf in leaves
            if leaf.size_system and sizes_named(fact.value, catalogue.sizes_of((leaf.size_system,)))
        }
        if len(fitting) == 1:
            return Department(fitting.pop(), fact.evidence("size_system_on_label"))
    return None
