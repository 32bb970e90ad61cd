"""What a provider's proposals say, in the terms of the labels: kinds in order, colours in order, sizes.

The same reading for every provider, from what the contract gives: a category stands for its kind of thing,
because a photo tells the kind and never the department.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import Json, Proposal, Standing
from ai_suggestions.evaluation.labelled import NONE_OF_THESE

DEPARTMENT_UNKNOWN = "department_unknown"
KIND_OF_THING = "kind_of_thing"


@dataclass(frozen=True, slots=True)
class KindsTold:
    """Kinds, most likely first; nothing at all when the provider did not answer.

    ``confidence`` is the probability of the first one, None where the provider gave none. ``offered_first``
    is the kind of the category that stands first on offer, None when none does.
    """

    ranked: tuple[str, ...] = ()
    confidence: float | None = None
    offered_first: str | None = None


def kinds_told(
    proposal: Proposal | None, *, seen: Sequence[tuple[str, float]], catalogue: Catalogue
) -> KindsTold:
    """The kinds that a category proposal names, then those that the provider saw and did not name.

    ``seen`` is the ranking that the provider kept as its reading of the photo, empty if it keeps none: a
    proposal has room for five categories, and five categories may all be of one kind.
    """
    if proposal is None:
        return KindsTold()
    rest = [kind for kind, _ in seen]
    offered = _offered_kinds(proposal, catalogue)
    first_on_offer = offered[0][0] if offered else None
    if proposal.standing is Standing.ABSTAINED:
        return KindsTold(_in_order(NONE_OF_THESE, rest), dict(seen).get(NONE_OF_THESE))
    if proposal.note == DEPARTMENT_UNKNOWN:
        # One category for each department: their order says nothing about kinds, the evidence does.
        recognised = _recognised(proposal, catalogue) or first_on_offer
        others = rest or [kind for kind, _ in offered]
        ranked = _in_order(*([recognised] if recognised else []), others)
        return KindsTold(ranked, proposal.confidence, first_on_offer)
    masses: dict[str, float] = {}
    for kind, probability in offered:
        masses[kind] = masses.get(kind, 0.0) + (probability or 0.0)
    # Python's sort is stable: without probabilities the provider's own order stays.
    kinds = sorted(masses, key=lambda kind: -masses[kind])
    if not kinds:
        return KindsTold(tuple(rest))
    told = masses[kinds[0]]
    return KindsTold(_in_order(*kinds, rest), min(1.0, told) if told > 0 else None, first_on_offer)


def colours_told(proposal: Proposal | None) -> tuple[str, ...]:
    """Colour ids, main colour first: the value's, then the alternatives'."""
    if proposal is None:
        return ()
    groups = [proposal.value, *(alternative.value for alternative in proposal.alternatives)]
    return tuple(dict.fromkeys(str(colour) for group in groups for colour in _listed(group)))


def sizes_told(proposal: Proposal | None) -> tuple[str, ...]:
    """Sizes that are filled in or offered."""
    if proposal is None:
        return ()
    values = [proposal.value, *(alternative.value for alternative in proposal.alternatives)]
    return tuple(dict.fromkeys(str(value) for value in values if value is not None))


def _listed(group: Json) -> Sequence[Json]:
    return group if isinstance(group, list | tuple) else ()


def _in_order(*parts: str | Sequence[str]) -> tuple[str, ...]:
    flat = [kind for part in parts for kind in ([part] if isinstance(part, str) else part)]
    return tuple(dict.fromkeys(flat))


def _recognised(proposal: Proposal, catalogue: Catalogue) -> str | None:
    """The kind that the evidence names, if things of that kind are sold here."""
    for evidence in proposal.evidence:
        if evidence.note == KIND_OF_THING and evidence.text and catalogue.leaves_of_kind(evidence.text):
            return evidence.text
    return None


def _offered_kinds(proposal: Proposal, catalogue: Catalogue) -> list[tuple[str, float | None]]:
    """(kind, probability) of each category on offer, in the provider's order."""
    offered = [(alternative.value, alternative.confidence) for alternative in proposal.alternatives]
    if proposal.value is not None:
        offered.insert(0, (proposal.value, proposal.confidence))
    found = []
    for value, probability in offered:
        category = catalogue.category_by_id.get(str(value))
        if category is not None and category.kind:
            found.append((category.kind, probability))
    return found
