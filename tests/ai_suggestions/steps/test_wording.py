"""Texts say what is known and nothing else: facts plus frame words, in every language."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_suggestions.catalogue import name_in
from ai_suggestions.contract import Evidence, Field, Proposal, SellerFacts, Source, Standing
from ai_suggestions.readings import CareFact
from ai_suggestions.steps.care import care_codes, care_words
from ai_suggestions.steps.known import Known
from ai_suggestions.steps.wording import (
    FRAME_WORDS,
    LANGUAGES,
    description_of,
    genitive,
    noun_for,
    propose_text,
    title_of,
)
from tests.ai_suggestions.ondevice.drawing import REPOSITORY
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()
KINDS = sorted({category.kind for category in CATALOGUE.categories if category.kind} - {"other"})
LEAVES = sorted(category.id for category in CATALOGUE.categories if CATALOGUE.is_leaf(category.id))

GENITIVES = {
    "apricot": "abrikosinės",
    "black": "juodos",
    "blue": "mėlynos",
    "body": "kūno",
    "brown": "rudos",
    "burgundy": "bordo",
    "coral": "koralų",
    "cream": "kreminės",
    "dark-green": "tamsiai žalios",
    "gold": "auksinės",
    "green": "žalios",
    "grey": "pilkos",
    "khaki": "chaki",
    "light-blue": "šviesiai mėlynos",
    "lilac": "alyvinės",
    "mint": "mėtinės",
    "mustard": "garstyčių",
    "navy": "tamsiai mėlynos",
    "orange": "oranžinės",
    "pink": "rožinės",
    "purple": "violetinės",
    "red": "raudonos",
    "rose": "šviesiai rožinės",
    "silver": "sidabrinės",
    "turquoise": "turkio",
    "various": "įvairių",
    "white": "baltos",
    "yellow": "geltonos",
}
languages = st.sampled_from(LANGUAGES)


@st.composite
def things(draw: st.DrawFn) -> Known:
    """Any combination of facts, as readings and sellers give them."""
    category = draw(st.none() | st.sampled_from(LEAVES))
    kind = CATALOGUE.category_by_id[category].kind if category else draw(st.sampled_from(KINDS))
    ids = [material.id for material in CATALOGUE.materials]
    materials = draw(st.lists(st.sampled_from(ids), max_size=3, unique=True))
    return Known(
        kind=kind,
        category_id=category,
        brand_id=draw(st.none() | st.sampled_from([brand.id for brand in CATALOGUE.brands])),
        colour_ids=tuple(
            draw(st.lists(st.sampled_from([c.id for c in CATALOGUE.colours]), max_size=2, unique=True))
        ),
        size_id=draw(st.none() | st.sampled_from([size.id for size in CATALOGUE.sizes])),
        condition_id=draw(st.none() | st.sampled_from([c.id for c in CATALOGUE.conditions])),
        materials=tuple((id_, draw(st.none() | st.integers(1, 100))) for id_ in materials),
        care=tuple(
            CareFact(code, f"read {code}", 0.95, "LABEL")
            for code in draw(st.lists(st.sampled_from(care_codes()), max_size=3, unique=True))
        ),
    )


def words(text: str) -> Counter[str]:
    """What a reader sees as words, numbers and names, however they are capitalised."""
    return Counter(
        stripped for word in re.split(r"[\s,]+", text.casefold()) if (stripped := word.strip(".:%"))
    )


def facts_in_words(known: Known, language: str) -> Counter[str]:
    """Every word that the facts themselves allow a text to use."""
    said = [noun_for(known, language=language, catalogue=CATALOGUE) or ""]
    if known.brand_id:
        said.append(CATALOGUE.brand_by_id[known.brand_id].name)
    said += [name_in(CATALOGUE.colour_by_id[id_].names, language) for id_ in known.colour_ids]
    if language == "en" and "various" in known.colour_ids:
        said.append("multicoloured")
    if language == "lt":
        said += [GENITIVES[id_] for id_ in known.colour_ids]
        said += ["spalvų"] * ("various" in known.colour_ids)
    if known.size_id:
        said.append(CATALOGUE.size_by_id[known.size_id].label)
    for id_, percent in known.materials:
        said += [name_in(CATALOGUE.material_by_id[id_].names, language), str(percent or "")]
    if known.condition_id:
        said.append(name_in(CATALOGUE.condition_by_id[known.condition_id].names, language))
    said += [care_words(fact.code, language) for fact in known.care]
    return words(" ".join(said))


class TestNothingIsInvented:
    @settings(max_examples=400, deadline=None)
    @given(things(), languages)
    def test_a_text_is_its_facts_and_frame_words(self, known: Known, language: str) -> None:
        allowed = facts_in_words(known, language)
        for compose in (title_of, description_of):
            text = compose(known, language=language, catalogue=CATALOGUE)
            if text is None:
                continue
            invented = {
                word
                for word, times in words(text).items()
                if word not in FRAME_WORDS[language] and times > allowed[word]
            }
            assert invented == set(), (text, known)

    @settings(max_examples=100, deadline=None)
    @given(things(), languages)
    def test_new_with_tags_only_when_the_seller_said_so(self, known: Known, language: str) -> None:
        new = name_in(CATALOGUE.condition_by_id["new_with_tags"].names, language).casefold()
        text = description_of(known, language=language, catalogue=CATALOGUE) or ""
        assert (new in text.casefold()) == (known.condition_id == "new_with_tags" and bool(text))

    @settings(max_examples=100, deadline=None)
    @given(things(), languages)
    def test_a_text_keeps_the_listing_rules(self, known: Known, language: str) -> None:
        title = title_of(known, language=language, catalogue=CATALOGUE)
        assert title is None or (5 <= len(title) <= 100 and title == title.strip())
        description = description_of(known, language=language, catalogue=CATALOGUE)
        assert description is None or 5 <= len(description) <= 2000

    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(KINDS), languages)
    def test_without_a_stated_department_none_is_named(self, kind: str, language: str) -> None:
        text = description_of(Known(kind=kind), language=language, catalogue=CATALOGUE) or ""
        departments = {
            name_in(CATALOGUE.category_by_id[id_].names, language) for id_ in ("women", "men", "kids")
        }
        assert not departments & set(re.findall(r"\w+", text))


class TestNoun:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_of_the_catalogue_has_one_in_every_language(self, kind: str) -> None:
        for language in LANGUAGES:
            assert noun_for(Known(kind=kind), language=language, catalogue=CATALOGUE)

    def test_a_settled_category_is_called_by_its_own_name(self) -> None:
        known = Known(kind="longsleeve", category_id="women-cardigans")
        assert [noun_for(known, language=language, catalogue=CATALOGUE) for language in LANGUAGES] == [
            "cardigan",
            "Strickjacke",
            "gilet",
            "susegamas megztinis",
        ]

    @pytest.mark.parametrize(
        ("leaf", "names"),
        [
            # One of several categories of its kind, and the only one.
            ("electronics-film-cameras", ["film camera", "Analogkamera", "appareil photo argentique"]),
            ("home-armchairs", ["armchair", "Sessel", "fauteuil"]),
        ],
    )
    def test_one_thing_is_called_in_the_singular(self, leaf: str, names: list[str]) -> None:
        known = Known(kind=CATALOGUE.category_by_id[leaf].kind, category_id=leaf)
        called = [noun_for(known, language=language, catalogue=CATALOGUE) for language in LANGUAGES]
        assert called[:3] == names

    def test_every_singular_belongs_to_a_category(self) -> None:
        names = {name_in(category.names, "en") for category in CATALOGUE.categories}
        with (REPOSITORY / "ai_suggestions/steps/leaf_nouns.csv").open(encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        assert {row["name_en"] for row in rows} <= names
        assert all(row[language].strip() for row in rows for language in LANGUAGES)

    @pytest.mark.parametrize(("colour", "expected"), GENITIVES.items())
    def test_lithuanian_colours_agree_with_no_noun(self, colour: str, expected: str) -> None:
        name = name_in(CATALOGUE.colour_by_id[colour].names, "lt")
        assert genitive(name.lower()) == expected


T_SHIRT = Known(
    kind="t_shirt",
    brand_id="esprit",
    colour_ids=("navy", "white"),
    size_id="women-clothing-m",
    materials=(("cotton", 60), ("polyester", None)),
    condition_id="very_good",
)


class TestTitle:
    @pytest.mark.parametrize(
        ("language", "title"),
        [
            ("en", "Esprit T-shirt, navy and white, size M"),
            ("de", "Esprit T-Shirt, marineblau und weiß, Größe M"),
            ("fr", "T-shirt Esprit, coloris bleu marine et blanc, taille M"),
            ("lt", "Esprit marškinėliai, tamsiai mėlynos ir baltos spalvos, dydis M"),
            ("pl", "Esprit T-shirt, navy and white, size M"),
        ],
    )
    def test_in_the_markets_language(self, language: str, title: str) -> None:
        assert title_of(T_SHIRT, language=language, catalogue=CATALOGUE) == title

    @pytest.mark.parametrize(
        ("language", "title"),
        [
            ("de", "Nike gerade Hose, schwarz"),
            ("fr", "Pantalon droit Nike, coloris noir"),
            ("lt", "Nike tiesios kelnės, juodos spalvos"),
        ],
    )
    def test_of_a_settled_category_is_in_the_singular(self, language: str, title: str) -> None:
        known = Known(
            kind="pants", category_id="women-straight-trousers", brand_id="nike", colour_ids=("black",)
        )
        assert title_of(known, language=language, catalogue=CATALOGUE) == title

    def test_what_does_not_fit_is_left_out_whole(self) -> None:
        longest = max(CATALOGUE.brands, key=lambda brand: len(brand.name))
        known = replace(
            T_SHIRT, brand_id=longest.id, kind="longsleeve", colour_ids=("dark-green", "light-blue")
        )
        for language in LANGUAGES:
            title = title_of(known, language=language, catalogue=CATALOGUE) or ""
            assert 0 < len(title) <= 100

    def test_the_thing_is_unknown(self) -> None:
        assert title_of(Known(colour_ids=("navy",)), language="en", catalogue=CATALOGUE) is None


class TestDescription:
    def test_one_line_for_each_fact(self) -> None:
        assert description_of(T_SHIRT, language="de", catalogue=CATALOGUE) == (
            "T-Shirt.\nMarke: Esprit.\nFarbe: marineblau und weiß.\nGröße: M.\n"
            "Material: 60 % Baumwolle, Polyester.\nZustand: sehr gut."
        )

    def test_of_many_colours(self) -> None:
        found = [
            title_of(Known(kind="dress", colour_ids=("various",)), language=language, catalogue=CATALOGUE)
            for language in LANGUAGES
        ]
        assert found == [
            "Dress, multicoloured",
            "Kleid, bunt",
            "Robe, coloris multicolore",
            "Suknelė, įvairių spalvų",
        ]

    def test_german_nouns_keep_their_capital_in_the_middle_of_a_line(self) -> None:
        text = description_of(
            replace(T_SHIRT, condition_id="new_without_tags"), language="de", catalogue=CATALOGUE
        )
        assert text is not None
        assert text.endswith("Zustand: neu ohne Etikett.")


class TestPropose:
    def propose(self, known: Known, **said: str) -> Proposal:
        return propose_text(
            Field.TITLE,
            known=known,
            facts=SellerFacts(**said),  # type: ignore[arg-type]  # texts only
            proposals={},
            confidence=0.8,
            language="en",
            catalogue=CATALOGUE,
        )

    def test_offers_the_only_kind_in_question_without_filling_it_in(self) -> None:
        proposal = self.propose(Known(kinds_possible=("shirt",), colour_ids=("navy",)))

        assert proposal.standing is Standing.CHOICE
        assert proposal.note == "thing_uncertain"

    def test_uncertain_things_are_offered_side_by_side(self) -> None:
        proposal = self.propose(Known(kinds_possible=("shirt", "blouse"), colour_ids=("navy",)))
        assert proposal.standing is Standing.CHOICE
        assert [a.value for a in proposal.alternatives] == ["Shirt, navy", "Blouse, navy"]

    def test_the_sellers_own_text_is_never_replaced(self) -> None:
        proposal = self.propose(T_SHIRT, title="My favourite")
        assert (proposal.standing, proposal.value, proposal.note) == (
            Standing.CHOICE,
            None,
            "already_written",
        )

    def test_nothing_to_say(self) -> None:
        assert self.propose(Known()).standing is Standing.ABSTAINED


class TestEvidence:
    """Every fact in a text names its field and what that came from; nothing else is named."""

    PIECES = {
        field: (Evidence(Source.LABEL, photo_id="PHOTO", text=f"read {field}", note="read"),)
        for field in (
            Field.CATEGORY,
            Field.BRAND,
            Field.COLOURS,
            Field.SIZE,
            Field.MATERIALS,
            Field.CONDITION,
            Field.PRICE,
        )
    }
    PROPOSALS = {
        field: Proposal(field, Standing.ABSTAINED, evidence=pieces) for field, pieces in PIECES.items()
    }

    def propose(self, field: Field, known: Known, facts: SellerFacts, language: str = "en") -> Proposal:
        return propose_text(
            field,
            known=known,
            facts=facts,
            proposals=self.PROPOSALS,
            confidence=0.8,
            language=language,
            catalogue=CATALOGUE,
        )

    def test_is_that_of_the_facts_in_the_text(self) -> None:
        title = self.propose(Field.TITLE, T_SHIRT, SellerFacts(size_id="women-clothing-m"))
        assert [(piece.field, piece.source, piece.text) for piece in title.evidence] == [
            (Field.CATEGORY, Source.LABEL, "read category"),
            (Field.BRAND, Source.LABEL, "read brand"),
            (Field.COLOURS, Source.LABEL, "read colours"),
            (Field.SIZE, Source.SELLER, None),
        ]

    @settings(max_examples=100, deadline=None)
    @given(things(), languages)
    def test_no_fact_goes_without_and_none_is_named_that_is_not_there(
        self, known: Known, language: str
    ) -> None:
        without = {
            Field.BRAND: replace(known, brand_id=None),
            Field.COLOURS: replace(known, colour_ids=()),
            Field.SIZE: replace(known, size_id=None),
            Field.MATERIALS: replace(known, materials=()),
            Field.CONDITION: replace(known, condition_id=None),
        }
        for field, compose in ((Field.TITLE, title_of), (Field.DESCRIPTION, description_of)):
            text = compose(known, language=language, catalogue=CATALOGUE)
            evidence = self.propose(field, known, SellerFacts(), language).evidence
            named = {piece.field for piece in evidence if piece.note != "care_on_label"}
            if text is None:
                assert named == set()
                continue
            assert Field.CATEGORY in named
            # A fact is in the text when the text without it is another one.
            stated = {
                fact
                for fact, less in without.items()
                if compose(less, language=language, catalogue=CATALOGUE) != text
            }
            assert named - {Field.CATEGORY} == stated
