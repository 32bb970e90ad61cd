"""From kinds of things to a category: the leaf when it is sure, a choice within the parent otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import (
    MAX_ALTERNATIVES,
    Alternative,
    Evidence,
    Field,
    Proposal,
    SellerFacts,
    Source,
    abstained,
    choice,
    proposed,
)
from ai_suggestions.readings import KindsSeen
from ai_suggestions.steps.department import Department
from ai_suggestions.steps.thresholds import FILL_IN_FROM, NOTHING_BELOW

VERSION = "category-rules-1"


# What the classifier says of a thing that is none it knows. The catalogue has leaves of that kind, but a
# photo that was not recognised is no sign for any of them.
UNRECOGNISED = "other"
WORTH_NAMING = 0.05


@dataclass(frozen=True, slots=True)
class KindVerdict:
    """What kind of thing the photos show together, and whether texts and prices may rely on it."""

    kind: str
    probability: float
    sure: bool


def verdict_on(kinds: KindsSeen, catalogue: Catalogue) -> KindVerdict | None:
    """The most likely kind that is sold here, or None when nothing is recognised."""
    for kind, probability in kinds.ranked:
        if kind != UNRECOGNISED and probability >= NOTHING_BELOW and catalogue.leaves_of_kind(kind):
            return KindVerdict(kind, min(probability, 1.0), probability >= kinds.sure_from)
        if kind == UNRECOGNISED and probability >= 0.5:
            return None
    return None


def kinds_in_question(kinds: KindsSeen, catalogue: Catalogue) -> tuple[str, ...]:
    """The kinds that it may well be, most likely first; at most as many as there may be alternatives."""
    likely = [
        kind
        for kind, probability in kinds.ranked
        if kind != UNRECOGNISED and probability >= WORTH_NAMING and catalogue.leaves_of_kind(kind)
    ]
    return tuple(likely[:MAX_ALTERNATIVES])


def _leaf_probabilities(
    kinds: KindsSeen, *, department: Department | None, facts: SellerFacts, catalogue: Catalogue
) -> list[tuple[str, float]]:
    """(leaf, probability), most likely first. A kind's probability is shared evenly by its leaves."""
    shares: dict[str, float] = {}
    for kind, probability in kinds.ranked:
        if kind == UNRECOGNISED:
            continue
        leaves = catalogue.leaves_of_kind(kind, department=department.id if department else None)
        chosen = [leaf for leaf in leaves if leaf.id == facts.category_id]
        for leaf in chosen or leaves:
            shares[leaf.id] = shares.get(leaf.id, 0.0) + probability / len(chosen or leaves)
    liked = {id_: rank for rank, id_ in enumerate(facts.usual_departments)}
    # The seller's usual departments only order equals; they never make one of them more likely.
    order = {category.id: index for index, category in enumerate(catalogue.categories)}
    return sorted(
        shares.items(),
        key=lambda item: (
            -round(item[1], 6),
            liked.get(catalogue.department_of(item[0]), len(liked)),
            order[item[0]],
        ),
    )


def _one_of_each_department(
    kinds: KindsSeen, ranked: Sequence[tuple[str, float]], catalogue: Catalogue
) -> list[str]:
    """Leaves to choose from when nobody stated a department: of the likeliest kind, the best of each
    department first, then their second ones; then of the next kind.
    """
    place_of_kind = {kind: place for place, (kind, _) in enumerate(kinds.ranked)}
    seen: dict[tuple[str | None, str], int] = {}
    places: list[tuple[int, int, int, str]] = []
    for position, (leaf, _) in enumerate(ranked):
        kind = catalogue.category_by_id[leaf].kind
        group = (kind, catalogue.department_of(leaf))
        places.append((place_of_kind.get(kind or "", len(kinds.ranked)), seen.get(group, 0), position, leaf))
        seen[group] = seen.get(group, 0) + 1
    return [leaf for *_, leaf in sorted(places)][:MAX_ALTERNATIVES]


def _parent_that_is_sure(
    ranked: Sequence[tuple[str, float]], sure_from: float, catalogue: Catalogue
) -> str | None:
    """The lowest node under a department that holds enough probability, or None."""
    mass: dict[str, float] = {}
    depth: dict[str, int] = {}
    for leaf, probability in ranked:
        ancestors = catalogue.ancestors_of(leaf)
        for steps_up, node in enumerate(ancestors[:-1]):
            mass[node] = mass.get(node, 0.0) + probability
            depth[node] = len(ancestors) - steps_up
    enough = [node for node, total in mass.items() if total >= sure_from]
    return max(enough, key=lambda node: (depth[node], mass[node])) if enough else None


def propose_category(
    *,
    kinds: KindsSeen,
    department: Department | None,
    facts: SellerFacts,
    catalogue: Catalogue,
) -> Proposal:
    """The category field: filled in when department and kind are sure, a choice otherwise."""
    verdict = verdict_on(kinds, catalogue)
    if verdict is None:
        return abstained(Field.CATEGORY, note="nothing_recognised")
    evidence = [Evidence(Source.PHOTO, photo_id=kinds.shown_by, text=verdict.kind, note="kind_of_thing")]
    ranked = _leaf_probabilities(kinds, department=department, facts=facts, catalogue=catalogue)
    if not ranked:
        return abstained(Field.CATEGORY, note="not_in_department")
    if department is None:
        # No probability beside a department's leaf: it would be a guess about whom the thing is for.
        return choice(
            Field.CATEGORY,
            [Alternative(leaf) for leaf in _one_of_each_department(kinds, ranked, catalogue)],
            confidence=verdict.probability,
            note="department_unknown",
            evidence=evidence,
        )
    evidence.append(department.evidence)
    best, probability = ranked[0]
    probability = min(1.0, probability)
    others = [Alternative(leaf, min(1.0, p)) for leaf, p in ranked[1:] if p >= 0.01]
    if probability >= kinds.sure_from:
        return proposed(Field.CATEGORY, best, probability, evidence=evidence, alternatives=others)
    within = _parent_that_is_sure(ranked, kinds.sure_from, catalogue)
    inside = [(leaf, p) for leaf, p in ranked if within is None or within in catalogue.ancestors_of(leaf)]
    offered = [(leaf, p) for leaf, p in inside if p >= 0.01][:MAX_ALTERNATIVES] or inside[:1]
    if sum(p for _, p in offered) < NOTHING_BELOW:
        return abstained(Field.CATEGORY, note="not_in_department")
    return choice(
        Field.CATEGORY,
        [Alternative(leaf, min(1.0, p)) for leaf, p in offered],
        confidence=min(1.0, sum(p for _, p in (offered if within is None else inside))),
        note="below_threshold",
        evidence=evidence,
        within=within,
    )


def propose_parcel_size(*, category: Proposal, facts: SellerFacts, catalogue: Catalogue) -> Proposal:
    """The parcel size that the category asks for, if all categories in question ask for the same."""
    if facts.category_id is not None and catalogue.is_leaf(facts.category_id):
        candidates = [facts.category_id]
    elif category.value is not None:
        candidates = [str(category.value)]
    else:
        candidates = [str(alternative.value) for alternative in category.alternatives]
    found = {catalogue.category_by_id[id_].parcel_size for id_ in candidates}
    sizes = [size for size in ("small", "medium", "large", "custom") if size in found]
    evidence = [Evidence(Source.CATALOGUE, text=id_, note="parcel_of_category") for id_ in candidates[:1]]
    if not sizes:
        return abstained(Field.PARCEL_SIZE, note="category_unknown")
    sure = 1.0 if facts.category_id in candidates else (category.confidence or 0.0)
    if len(found) > 1 or sure < FILL_IN_FROM[Field.PARCEL_SIZE]:
        return choice(
            Field.PARCEL_SIZE, [Alternative(size) for size in sizes], note="category_open", evidence=evidence
        )
    return proposed(Field.PARCEL_SIZE, sizes[0], sure, evidence=evidence)
