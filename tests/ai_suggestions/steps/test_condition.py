"""The condition is the seller's word, read from what they wrote, and never more than a choice."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_suggestions.contract import Field, Proposal, SellerFacts, Source, Standing
from ai_suggestions.steps.condition import BROKEN, BROKEN_WITHIN, CONDITIONS_OF, propose_condition, signs_in
from tests.ai_suggestions.ondevice.drawing import REPOSITORY
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()


def propose(text: str, leaf: str = "women-t-shirts") -> Proposal:
    return propose_condition(
        SellerFacts(description=text), leaves=[CATALOGUE.category_by_id[leaf]], catalogue=CATALOGUE
    )


def offered(text: str) -> list[str]:
    return [str(alternative.value) for alternative in propose(text).alternatives]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("Brand new with tags!", "new_with_tags"),
            ("BNWT", "new_with_tags"),
            ("Neu mit Etikett", "new_with_tags"),
            ("Neuf avec étiquette", "new_with_tags"),
            ("Nauja su etikete", "new_with_tags"),
            ("Never worn.", "new_without_tags"),
            ("Tags removed but unworn", "new_without_tags"),
            ("Noch nie getragen", "new_without_tags"),
            ("Ungetragene Jacke", "new_without_tags"),
            ("Jamais porté, taille un peu petit", "new_without_tags"),
            ("Robe jamais portée", "new_without_tags"),
            ("Nenešiota, netiko dydis", "new_without_tags"),
            ("Visiškai nauji batai", "new_without_tags"),
            ("Worn once, like new", "very_good"),
            ("Almost never worn", "very_good"),
            ("Kaum getragen, neuwertig", "very_good"),
            ("fast nie getragen", "very_good"),
            ("Très peu porté, comme neuf", "very_good"),
            ("Kaip nauja, dėvėta vieną kartą", "very_good"),
            ("Labai geros būklės", "very_good"),
            ("Good used condition", "good"),
            ("Leichte Gebrauchsspuren", "good"),
            ("Bon état, légères traces d'usure", "good"),
            ("Gera būklė", "good"),
            ("Small stain on the sleeve", "good"),
            ("Kleiner Fleck am Ärmel", "good"),
            ("Une petite tache sur la manche", "good"),
            ("Yra maža dėmelė", "good"),
            ("It has a hole under the arm", "satisfactory"),
            ("Ein Loch am Knie, verwaschen", "satisfactory"),
            ("Tache sur le devant", "satisfactory"),
            ("Ant rankovės yra skylė", "satisfactory"),
        ],
    )
    def test_offer_conditions(self, text: str, first: str) -> None:
        assert offered(text)[0] == first

    @pytest.mark.parametrize(
        "text",
        [
            "No stains, holes or tears",
            "No stains and no holes.",
            "Without any stains",
            "Stain-free, hole-free",
            "Never had a stain",
            "Keine Flecken oder Löcher",
            "Ohne Flecken, Löcher und Risse",
            "Sans tache ni trou",
            "Il n'y a pas de taches",
            "Aucune tache, aucun trou",
            "Be dėmių ir skylių",
            "Jokių dėmių, skylių",
            "Nėra dėmių",
            "Not like new",
            "Nicht neuwertig",
            "Pas comme neuf",
            "It is not in very good condition",
        ],
    )
    def test_that_are_denied_say_nothing(self, text: str) -> None:
        assert propose(text).standing is Standing.ABSTAINED, offered(text)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("No holes but a small stain", ["small stain"]),
            ("No holes, one stain at the hem", ["stain"]),
            ("Keine Löcher, aber ein kleiner Fleck", ["kleiner Fleck"]),
            ("Pas de trous mais une tache", ["tache"]),
            ("Be skylių, bet yra dėmė", ["dėmė"]),
            ("No stains. Hole in the pocket", ["Hole"]),
        ],
    )
    def test_after_a_but_count_again(self, text: str, words: list[str]) -> None:
        assert [said for _, said in signs_in(text)] == words

    @pytest.mark.parametrize(
        "text",
        [
            "New York T-shirt",
            "New Balance trainers",
            "Stainless steel watch",
            "Ripped jeans, size 28",
            "Faded denim",
            "Keyhole neckline",
            "Tear-resistant cloth",
            "Neue Sohlen",
            "Aus dem neuen Katalog",
            "Attaché-case",
            "Pull rayé",
            "Atkreipkite dėmesį",
            "Worn look",
            "Not worn out",
            "Nice T-shirt",
            "",
        ],
    )
    def test_that_mean_something_else_say_nothing(self, text: str) -> None:
        assert signs_in(text) == []


class TestPropose:
    def test_is_a_choice_with_the_sellers_words_as_evidence(self) -> None:
        found = propose("Never worn.")
        assert (found.standing, found.value, found.confidence) == (Standing.CHOICE, None, None)
        assert {alternative.confidence for alternative in found.alternatives} == {None}
        assert [(piece.source, piece.text, piece.note) for piece in found.evidence] == [
            (Source.SELLER, "Never worn", "condition_in_text")
        ]

    def test_the_worst_that_was_said_comes_first(self) -> None:
        found = propose("Like new, but there is a hole")
        assert [a.value for a in found.alternatives] == ["satisfactory", "good", "very_good"]
        assert [piece.text for piece in found.evidence] == ["hole", "Like new"]

    def test_without_words_the_seller_is_asked(self) -> None:
        assert propose("A shirt").note == "needs_the_seller"

    def test_what_is_given_already_is_left_alone(self) -> None:
        facts = SellerFacts(condition_id="good", description="never worn")
        assert propose_condition(facts, catalogue=CATALOGUE).note == "already_given"

    @pytest.mark.parametrize(
        "text", ["Does not work", "Funktioniert nicht mehr", "Ne fonctionne plus", "Neveikia"]
    )
    def test_broken_only_where_it_can_be_sold_so(self, text: str) -> None:
        camera = propose(text, leaf="electronics-film-cameras")
        assert camera.alternatives[0].value == BROKEN
        assert BROKEN not in offered(text)

    def test_the_branches_of_broken_things_are_the_catalogues(self) -> None:
        with (REPOSITORY / "listings/data/conditions.csv").open(newline="", encoding="utf-8") as table:
            within = {row["id"]: frozenset(row["within"].split()) for row in csv.DictReader(table)}
        assert {id_: where for id_, where in within.items() if where} == {BROKEN: BROKEN_WITHIN}

    def test_every_condition_of_a_sign_is_the_catalogues(self) -> None:
        assert {id_ for conditions in CONDITIONS_OF.values() for id_ in conditions} == set(
            CATALOGUE.condition_by_id
        )

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=200))
    def test_no_text_fills_it_in(self, text: str) -> None:
        found = propose_condition(SellerFacts(title=text), catalogue=CATALOGUE)
        assert found.field is Field.CONDITION
        assert found.value is None
        assert all(piece.text in text.replace("\u2019", "'") for piece in found.evidence if piece.text)
