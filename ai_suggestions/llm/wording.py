"""The verdict on a title or a description: filled in, offered, or left out with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_suggestions.catalogue import name_in
from ai_suggestions.contract import (
    Alternative,
    Evidence,
    Field,
    Json,
    Proposal,
    Source,
    Standing,
    SuggestionRequest,
    abstained,
    choice,
)
from ai_suggestions.llm.languages import is_another_language
from ai_suggestions.llm.outcomes import Problem
from ai_suggestions.llm.texts import (
    ANY_CONDITION,
    Claim,
    claims_in,
    cleaned,
    length_fits,
    numbers_in,
    offences_in,
)
from ai_suggestions.llm.vocabulary import plain
from ai_suggestions.steps.department import Department


@dataclass(frozen=True, slots=True)
class Wording:
    """Judges texts by the facts that stand beside them.

    ``given``: the proposals for the other fields. A text is filled in only when all that it claims is filled
    in too, or the seller's own; it is offered when all of it is at least offered; else it is left out.
    A text that the seller wrote is never replaced, only accompanied.
    """

    request: SuggestionRequest
    given: Mapping[Field, Proposal]
    department: Department | None
    foreign: bool = False  # title and description together are in another language than the market's

    def judge(self, field: Field, written: str | None, *, photo: Evidence) -> Proposal:
        """The proposal for ``field``; ``photo`` is the evidence that a description of what is seen has."""
        text = cleaned(written)
        if not text:
            return abstained(field, note="no_text")
        category = self.given[Field.CATEGORY]
        known = self.request.facts.category_id is not None
        if category.standing is Standing.ABSTAINED and not known:
            # A text about a thing that nobody recognised has nothing to stand on.
            return abstained(field, note="nothing_recognised")
        if not length_fits(field, text):
            return abstained(field, note="text_length")
        if self.foreign or is_another_language(text, self.request.market.language):
            return abstained(field, note=Problem.WRONG_LANGUAGE)
        offences = offences_in(text)
        if offences:
            return abstained(field, note=min(offences))
        claims = claims_in(
            text,
            catalogue=self.request.catalogue,
            language=self.request.market.language,
            things=self._names_of_things(),
        )
        if claims - self._backed(sure=False):
            return abstained(field, note="unsupported_claim")
        evidence = [photo]
        if self._sellers_words.strip():
            evidence.append(Evidence(Source.SELLER, note="described_from_draft"))
        facts = self.request.facts
        if {Field.TITLE: facts.title, Field.DESCRIPTION: facts.description}[field].strip():
            return choice(field, [Alternative(text)], note="already_written", evidence=evidence)
        sure_thing = known or category.standing is Standing.PROPOSED
        if sure_thing and claims <= self._backed(sure=True):
            return Proposal(field, Standing.PROPOSED, value=text, evidence=tuple(evidence))
        return choice(field, [Alternative(text)], note="unsure_facts", evidence=evidence)

    @property
    def _sellers_words(self) -> str:
        return f"{self.request.facts.title}\n{self.request.facts.description}"

    def _names_of_things(self) -> list[str]:
        category, categories = self.given[Field.CATEGORY], self.request.catalogue.category_by_id
        ids = [self.request.facts.category_id, category.value, *(a.value for a in category.alternatives)]
        return [
            name_in(categories[id_].names, language)
            for id_ in ids
            if id_ in categories
            for language in (self.request.market.language, "en")
        ]

    def _backed(self, *, sure: bool) -> frozenset[Claim]:
        """The claims that a text may make; ``sure``: only of what is filled in, or the seller's own."""
        facts = self.request.facts
        claims = set(
            claims_in(
                self._sellers_words,
                catalogue=self.request.catalogue,
                language=self.request.market.language,
            )
        )
        claims |= {Claim(Field.MATERIALS, id_) for id_ in facts.material_ids}
        for field, stated in (
            (Field.BRAND, facts.brand_id),
            (Field.CONDITION, facts.condition_id),
            (Field.CATEGORY, self.department.id if self.department else None),
        ):
            if stated is not None:
                claims.add(Claim(field, stated))
        if facts.condition_id is not None:
            claims.add(Claim(Field.CONDITION, ANY_CONDITION))
        for field in (Field.BRAND, Field.MATERIALS, Field.SIZE):
            proposal = self.given[field]
            if proposal.standing is Standing.PROPOSED or (proposal.standing is Standing.CHOICE and not sure):
                values = (proposal.value, *(alternative.value for alternative in proposal.alternatives))
                claims |= {Claim(field, id_) for value in values for id_ in _ids_in(value)}
                # The words of a label may be repeated, with their numbers.
                for quote in (evidence.text or "" for evidence in proposal.evidence):
                    claims |= {Claim(None, number) for number in numbers_in(quote)}
                    if field is Field.SIZE:
                        claims |= {Claim(field, word) for word in re.findall(r"[a-z0-9]+", plain(quote))}
        return frozenset(claims)


def _ids_in(value: Json) -> Iterable[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [str(value)]
