"""From a model's answer to proposals: each part against the catalogue, and only with its evidence.

What a model calls ``certain`` is a probability only after somebody measured it on labelled photos
(``Calibration``). Without that figure nothing it says is filled in: it is offered as a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from ai_suggestions.catalogue import Category, Size
from ai_suggestions.contract import (
    Alternative,
    Evidence,
    Field,
    Json,
    Proposal,
    Source,
    SuggestionRequest,
    abstained,
    choice,
    proposed,
)
from ai_suggestions.llm import answer as said
from ai_suggestions.llm.languages import is_another_language
from ai_suggestions.llm.outcomes import Problem
from ai_suggestions.llm.texts import cleaned
from ai_suggestions.llm.vocabulary import Vocabulary, plain
from ai_suggestions.llm.wording import Wording
from ai_suggestions.ondevice.material_words import MATERIAL_BY_WORD
from ai_suggestions.readings import LabelFact
from ai_suggestions.steps.category import propose_parcel_size
from ai_suggestions.steps.department import Department, department_of, normal, sizes_named
from ai_suggestions.steps.thresholds import FILL_IN_FROM

Calibration: TypeAlias = Mapping[Field, Mapping[said.Certainty, float]]
"""Share of right values by field and the model's word for its certainty, measured for a model and prompt."""

CalibrationSource: TypeAlias = Callable[[str], Calibration]
"""What is known now about a version (prompt and model)."""


def not_measured(version: str) -> Calibration:
    """Nothing."""
    return MappingProxyType({})


FIELDS = (
    Field.CATEGORY,
    Field.BRAND,
    Field.COLOURS,
    Field.SIZE,
    Field.CONDITION,
    Field.MATERIALS,
    Field.PARCEL_SIZE,
    Field.TITLE,
    Field.DESCRIPTION,
)
"""What an LLM may propose. Prices come from sales, never from a model's memory."""

# A figure is the share of right ones among all answers of that certainty: the promise itself is the bar.
_SURE_OF_CATEGORY = 0.95
_QUOTE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """The proposals, and the problems of single fields that they were found to have."""

    proposals: tuple[Proposal, ...]
    problems: tuple[Problem, ...]


def proposals_from(
    answer: said.Answer,
    *,
    request: SuggestionRequest,
    photo_ids: Sequence[str],
    vocabulary: Vocabulary,
    calibration: Calibration,
) -> Reading:
    """All fields of ``FIELDS``, in that order. ``photo_ids``: of the photos that were sent, as they were."""
    return _Reader(answer, request, photo_ids, vocabulary, calibration).read()


class _Reader:
    def __init__(
        self,
        answer: said.Answer,
        request: SuggestionRequest,
        photo_ids: Sequence[str],
        vocabulary: Vocabulary,
        calibration: Calibration,
    ) -> None:
        self._answer = answer
        self._request = request
        self._facts = request.facts
        self._catalogue = request.catalogue
        self._photo_ids = photo_ids
        self._vocabulary = vocabulary
        self._calibration = calibration
        self._problems: list[Problem] = []
        self._sellers_words = f"{self._facts.title}\n{self._facts.description}"

    def read(self) -> Reading:
        brand = self._brand()
        materials = self._materials()
        label = self._label_size(brand, materials)
        things = [thing for thing in self._answer.things if thing.id in self._vocabulary.leaves_by_thing][:4]
        department = self._department(things, label)
        category = self._category(things, department)
        found = {
            Field.CATEGORY: category,
            Field.BRAND: brand,
            Field.COLOURS: self._colours(),
            Field.SIZE: self._size(label, category),
            Field.CONDITION: self._condition(),
            Field.MATERIALS: materials,
            Field.PARCEL_SIZE: propose_parcel_size(
                category=category, facts=self._facts, catalogue=self._catalogue
            ),
        }
        # Two words of a title do not tell their language; with the description they do.
        both = f"{cleaned(self._answer.title)}. {cleaned(self._answer.description)}"
        foreign = is_another_language(both, self._request.market.language)
        wording = Wording(request=self._request, given=found, department=department, foreign=foreign)
        photo = self._seen(self._answer.photo, note="described_from_photo")
        for field, text in ((Field.TITLE, self._answer.title), (Field.DESCRIPTION, self._answer.description)):
            found[field] = wording.judge(field, text, photo=photo)
            if found[field].note == Problem.WRONG_LANGUAGE:
                self._problems.append(Problem.WRONG_LANGUAGE)
        return Reading(tuple(found[field] for field in FIELDS), tuple(dict.fromkeys(self._problems)))

    # --- Evidence ---

    def _photo(self, number: int | None) -> str | None:
        """The id of the photo with this number (from 1), None when no such photo was sent."""
        if number is None or not 1 <= number <= len(self._photo_ids):
            return None
        return self._photo_ids[number - 1]

    def _quoted(self, quote: str, photo: int | None, *, note: str) -> Evidence | None:
        """Words that were read or written, None when they cannot have been."""
        text = cleaned(quote)[:_QUOTE_LENGTH]
        if not text:
            return None
        if photo is None:
            if plain(text) not in plain(self._sellers_words):
                return None
            evidence = Evidence(Source.SELLER, text=text, note=note)
        else:
            photo_id = self._photo(photo)
            if photo_id is None:
                return None
            evidence = Evidence(Source.LABEL, photo_id=photo_id, text=text, note=note)
        return evidence

    def _seen(self, number: int | None, *, note: str, text: str | None = None) -> Evidence:
        return Evidence(Source.PHOTO, photo_id=self._photo(number) or self._photo(1), text=text, note=note)

    def _offered(
        self,
        field: Field,
        value: Json,
        certainty: said.Certainty,
        evidence: Sequence[Evidence],
        others: Sequence[Json] = (),
    ) -> Proposal:
        """Filled in when the measured probability is high enough, a choice otherwise."""
        probability = self._calibration.get(field, {}).get(certainty)
        bar = FILL_IN_FROM.get(field, _SURE_OF_CATEGORY)
        if probability is not None and probability >= bar:
            alternatives = [Alternative(other) for other in others]
            return proposed(
                field, value, probability, evidence=evidence, alternatives=alternatives, certainty=certainty
            )
        return choice(
            field,
            [Alternative(value, probability), *(Alternative(other) for other in others)],
            note="not_measured" if probability is None else "below_threshold",
            confidence=probability,
            evidence=evidence,
            certainty=certainty,
        )

    # --- Facts ---

    def _brand(self) -> Proposal:
        brand = self._answer.brand
        if brand is None:
            return abstained(Field.BRAND, note="no_brand_seen")
        id_ = self._vocabulary.brand_by_spelling.get(plain(brand.name))
        if id_ is None:
            return abstained(Field.BRAND, note="unknown_brand")
        evidence = self._quoted(brand.quote, brand.photo, note="brand_name_on_label")
        if evidence is None or plain(brand.name) not in plain(brand.quote):
            return abstained(Field.BRAND, note="no_evidence")
        return self._offered(Field.BRAND, id_, brand.certainty, [evidence])

    def _materials(self) -> Proposal:
        ids: list[str] = []
        evidence: list[Evidence] = []
        certainty = said.Certainty.CERTAIN
        for material in self._answer.materials[:3]:
            if material.id not in self._catalogue.material_by_id or material.id in ids:
                continue
            names = {plain(name) for name in self._catalogue.material_by_id[material.id].names.values()}
            names |= {word for word, id_ in MATERIAL_BY_WORD.items() if id_ == material.id}
            quote = plain(material.quote)
            if not any(name in quote for name in names):
                continue
            found = self._quoted(material.quote, material.photo, note="material_on_label")
            if found is not None:
                ids.append(material.id)
                evidence.append(found)
                certainty = max(certainty, material.certainty, key=list(said.Certainty).index)
        if not ids:
            note = "no_evidence" if self._answer.materials else "no_material_seen"
            return abstained(Field.MATERIALS, note=note)
        return self._offered(Field.MATERIALS, ids, certainty, evidence)

    def _colours(self) -> Proposal:
        known = [c for c in self._answer.colours if c.id in self._catalogue.colour_by_id]
        ids = list(dict.fromkeys(colour.id for colour in known))[:2]
        if not ids:
            return abstained(
                Field.COLOURS, note="unknown_colour" if self._answer.colours else "no_colour_seen"
            )
        evidence = self._seen(self._answer.photo, note="colour_of_thing")
        return self._offered(Field.COLOURS, ids, known[0].certainty, [evidence])

    def _condition(self) -> Proposal:
        """Never more than a choice: a photo shows wear, or does not show it."""
        condition = self._answer.condition
        if condition is None or condition.id not in self._vocabulary.conditions:
            return abstained(Field.CONDITION, note="no_wear_seen")
        signs = cleaned(condition.signs)[:_QUOTE_LENGTH]
        if not signs or self._photo(condition.photo) is None:
            return abstained(Field.CONDITION, note="no_evidence")
        others = [id_ for id_ in self._vocabulary.conditions if id_ != condition.id]
        return choice(
            Field.CONDITION,
            [Alternative(id_) for id_ in (condition.id, *others)],
            note="wear_seen",
            evidence=[self._seen(condition.photo, note="signs_of_wear", text=signs)],
        )

    def _label_size(self, brand: Proposal, materials: Proposal) -> tuple[said.Size, Evidence] | str:
        """The words of the size with their evidence, or why there is none."""
        size = self._answer.size
        if size is None:
            return "no_size_seen"
        if normal(size.label) not in normal(size.quote):
            return "no_evidence"
        evidence = self._quoted(size.quote, size.photo, note="size_on_label")
        if evidence is None:
            return "no_evidence"
        others = {e.photo_id for proposal in (brand, materials) for e in proposal.evidence}
        # A lone letter is read from folds and prints as well as from labels.
        lone = normal(size.quote) == normal(size.label) and len(normal(size.label)) < 4
        if lone and size.photo is not None and evidence.photo_id not in others:
            return "size_without_label"
        return size, evidence

    # --- Category and size ---

    def _department(
        self, things: Sequence[said.Thing], label: tuple[said.Size, Evidence] | str
    ) -> Department | None:
        facts: list[LabelFact] = []
        if not isinstance(label, str) and label[1].photo_id is not None:
            size, evidence = label
            facts = [LabelFact(Field.SIZE, size.label, size.quote, 1.0, str(evidence.photo_id))]
        kind = self._vocabulary.kind_of(things[0].id) if things else None
        return department_of(facts=self._facts, kind=kind, sizes=facts, catalogue=self._catalogue)

    def _category(self, things: Sequence[said.Thing], department: Department | None) -> Proposal:
        if not things:
            if self._answer.things:
                self._problems.append(Problem.UNKNOWN_CATEGORY)
                return abstained(Field.CATEGORY, note=Problem.UNKNOWN_CATEGORY)
            return abstained(Field.CATEGORY, note="nothing_recognised")
        evidence = [self._seen(self._answer.photo, note="kind_of_thing", text=things[0].id)]
        if department is None:
            usual = {id_: rank for rank, id_ in enumerate(self._facts.usual_departments)}
            leaves = sorted(
                self._vocabulary.leaves_of(things[0].id, department=None),
                key=lambda leaf: usual.get(self._catalogue.department_of(leaf.id), len(usual)),
            )
            offered = [Alternative(leaf.id) for leaf in leaves]
            return choice(
                Field.CATEGORY,
                offered,
                note="department_unknown",
                evidence=evidence,
                certainty=things[0].certainty,
            )
        evidence.append(department.evidence)
        ranked: list[tuple[Category, said.Certainty]] = [
            (leaf, thing.certainty)
            for thing in things
            for leaf in self._vocabulary.leaves_of(thing.id, department=department.id)
        ]
        if not ranked:
            return abstained(Field.CATEGORY, note="not_in_department")
        (best, certainty), *rest = ranked
        if best not in self._vocabulary.leaves_of(things[0].id, department=department.id):
            # The best thing is not sold there, so the next one is at most a possibility.
            certainty = said.Certainty.POSSIBLE
        return self._offered(Field.CATEGORY, best.id, certainty, evidence, [leaf.id for leaf, _ in rest][:3])

    def _size(self, label: tuple[said.Size, Evidence] | str, category: Proposal) -> Proposal:
        if isinstance(label, str):
            return abstained(Field.SIZE, note=label)
        size, evidence = label
        known = self._facts.category_id or category.value
        leaves = [known] if known else [alternative.value for alternative in category.alternatives]
        systems = dict.fromkeys(
            self._catalogue.category_by_id[id_].size_system
            for id_ in leaves
            if id_ in self._catalogue.category_by_id
        )
        sizes: list[Size] = []
        for system in systems:
            if system is not None:
                sizes += sizes_named(size.label, self._catalogue.sizes_of((system,)))
        if not sizes:
            return abstained(Field.SIZE, note="unknown_size")
        if len(sizes) > 1:
            offered = [Alternative(found.id) for found in sizes]
            return choice(Field.SIZE, offered, note="category_open", evidence=[evidence])
        return self._offered(Field.SIZE, sizes[0].id, size.certainty, [evidence])
