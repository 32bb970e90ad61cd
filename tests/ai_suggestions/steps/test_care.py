"""Washing instructions of a label, as a description says them."""

from __future__ import annotations

import pytest

from ai_suggestions.contract import Field, SellerFacts
from ai_suggestions.readings import CareFact
from ai_suggestions.steps.care import settled_care
from ai_suggestions.steps.known import Known
from ai_suggestions.steps.wording import LANGUAGES, description_of, propose_text
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()


def on_the_label(*codes: str, confidence: float = 0.95) -> tuple[CareFact, ...]:
    return tuple(CareFact(code, f"read {code}", confidence, "LABEL") for code in codes)


class TestCare:
    def test_is_the_last_line_with_the_label_as_its_reason(self) -> None:
        known = Known(kind="t_shirt", brand_id="esprit", care=on_the_label("wash_30", "do_not_tumble_dry"))
        last = [
            (description_of(known, language=language, catalogue=CATALOGUE) or "").splitlines()[-1]
            for language in LANGUAGES
        ]
        assert last == [
            "Care: wash at 30 °C, do not tumble dry.",
            "Pflege: bei 30 °C waschen, nicht in den Trockner geben.",
            "Entretien : lavage à 30 °C, ne pas sécher en machine.",
            "Priežiūra: skalbti 30 °C temperatūroje, nedžiovinti džiovyklėje.",
        ]

    @pytest.mark.parametrize(("field", "texts"), [(Field.TITLE, []), (Field.DESCRIPTION, ["read wash_30"])])
    def test_names_the_words_that_were_read(self, field: Field, texts: list[str]) -> None:
        proposal = propose_text(
            field,
            known=Known(kind="dress", care=on_the_label("wash_30")),
            facts=SellerFacts(),
            proposals={},
            confidence=0.8,
            language="en",
            catalogue=CATALOGUE,
        )
        assert [piece.text for piece in proposal.evidence if piece.note == "care_on_label"] == texts

    def test_is_left_out_where_labels_contradict_each_other_or_are_hardly_legible(self) -> None:
        read = on_the_label("do_not_iron", "wash_30", "wash_60", "dry_clean", "do_not_dry_clean")
        assert [fact.code for fact in settled_care(read)] == ["do_not_iron"]
        assert settled_care(on_the_label("wash_30", confidence=0.7)) == ()
