"""What is settled when prices and texts are made: the seller's word first, then what is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import Field, Proposal, SellerFacts, Standing
from ai_suggestions.readings import CareFact, LabelFact, strongest
from ai_suggestions.steps.care import settled_care
from ai_suggestions.steps.category import KindVerdict


@dataclass(frozen=True, slots=True)
class Known:
    """Facts that a text may state. None or empty: not known, so not said."""

    kind: str | None = None
    kinds_possible: tuple[str, ...] = ()  # when ``kind`` is None: the candidates, most likely first
    category_id: str | None = None
    category_ids: tuple[str, ...] = ()  # the leaves in question, one when settled
    brand_id: str | None = None
    colour_ids: tuple[str, ...] = ()
    size_id: str | None = None
    condition_id: str | None = None  # only ever the seller's word
    materials: tuple[tuple[str, int | None], ...] = ()  # (material id, percent)
    care: tuple[CareFact, ...] = ()


def known_from(
    *,
    facts: SellerFacts,
    proposals: Mapping[Field, Proposal],
    verdict: KindVerdict | None,
    kinds: Sequence[str],
    labels: Sequence[LabelFact],
    care: Sequence[CareFact] = (),
    catalogue: Catalogue,
) -> Known:
    """The settled facts of a listing. ``kinds`` are those in question when the verdict is not sure."""

    def value(field: Field) -> object:
        found = proposals.get(field)
        return found.value if found is not None and found.standing is Standing.PROPOSED else None

    category = facts.category_id if facts.category_id and catalogue.is_leaf(facts.category_id) else None
    kind = catalogue.category_by_id[category].kind if category else None
    if category is None and (proposed := value(Field.CATEGORY)) is not None:
        category = str(proposed)
    if kind is None and verdict is not None and verdict.sure:
        kind = verdict.kind
    offered = proposals.get(Field.CATEGORY)
    leaves = [str(a.value) for a in offered.alternatives] if offered is not None else []
    if kind is not None:
        # All of its leaves, not only the four that are offered.
        departments = {catalogue.department_of(leaf) for leaf in leaves}
        leaves = [
            leaf.id
            for leaf in catalogue.leaves_of_kind(kind)
            if not departments or catalogue.department_of(leaf.id) in departments
        ]
    percents = {fact.value: fact.percent for fact in strongest(labels) if fact.field is Field.MATERIALS}
    materials: tuple[tuple[str, int | None], ...] = ()
    if facts.material_ids:
        materials = tuple((id_, None) for id_ in facts.material_ids)
    else:
        read = value(Field.MATERIALS)
        materials = (
            tuple((str(id_), percents.get(str(id_))) for id_ in read) if isinstance(read, list) else ()
        )
    colours = value(Field.COLOURS)
    return Known(
        kind=kind,
        kinds_possible=() if kind else tuple(kinds),
        category_id=category,
        category_ids=(category,) if category else tuple(leaves),
        brand_id=facts.brand_id or _text(value(Field.BRAND)),
        colour_ids=facts.colour_ids or (tuple(colours) if isinstance(colours, list) else ()),
        size_id=facts.size_id or _text(value(Field.SIZE)),
        condition_id=facts.condition_id,
        materials=materials,
        care=settled_care(care),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
