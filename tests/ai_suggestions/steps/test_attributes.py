"""Brand, size, materials and colours: what a label or the seller states, and no more."""

from __future__ import annotations

import pytest

from ai_suggestions.contract import Box, Field, Proposal, SellerFacts, Source, Standing
from ai_suggestions.readings import ColoursSeen, LabelFact
from ai_suggestions.steps.attributes import (
    calibrated,
    propose_brand,
    propose_colours,
    propose_materials,
    propose_size,
)
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()
LEAF = CATALOGUE.category_by_id


def read(field: Field, value: str, confidence: float = 0.95, **more: int) -> LabelFact:
    return LabelFact(field, value, value, confidence, "PHOTO", Box(0.1, 0.1, 0.2, 0.1), **more)


class TestBrand:
    def test_from_a_label(self) -> None:
        found = propose_brand(labels=[read(Field.BRAND, "nike")], facts=SellerFacts(), catalogue=CATALOGUE)
        assert (found.value, found.evidence[0].source) == ("nike", Source.LABEL)

    @pytest.mark.parametrize("words", ["Tommy Hilfiger", "tommy hilfiger", "TOMMY HILFIGER"])
    def test_from_the_sellers_words(self, words: str) -> None:
        found = propose_brand(labels=[], facts=SellerFacts(title=f"{words} shirt"), catalogue=CATALOGUE)
        assert (found.value, found.evidence[0].text) == ("tommy-hilfiger", words)

    @pytest.mark.parametrize(
        "text", ["Only worn once", "Next to new", "Hose, braun", "Guess the size", "sharp lens"]
    )
    def test_an_everyday_word_is_at_most_a_choice(self, text: str) -> None:
        found = propose_brand(labels=[], facts=SellerFacts(title=text), catalogue=CATALOGUE)
        assert found.standing is not Standing.PROPOSED

    def test_two_sure_brands_are_a_choice(self) -> None:
        found = propose_brand(
            labels=[read(Field.BRAND, "nike")], facts=SellerFacts(title="Adidas shoes"), catalogue=CATALOGUE
        )
        assert (found.standing, found.note) == (Standing.CHOICE, "several_brands")

    def test_a_near_miss_is_a_choice(self) -> None:
        found = propose_brand(
            labels=[read(Field.BRAND, "nike", 0.7)], facts=SellerFacts(), catalogue=CATALOGUE
        )
        assert (found.standing, found.note) == (Standing.CHOICE, "below_threshold")

    @pytest.mark.parametrize("text", ["", "A nice shirt", "no brand", "NIKEA"])
    def test_none_named(self, text: str) -> None:
        found = propose_brand(labels=[], facts=SellerFacts(title=text), catalogue=CATALOGUE)
        assert (found.standing, found.note) == (Standing.ABSTAINED, "no_brand_read")


class TestSize:
    def propose(self, *labels: LabelFact, leaf: str = "women-t-shirts", text: str = "") -> Proposal:
        return propose_size(
            labels=labels, facts=SellerFacts(title=text), leaves=[LEAF[leaf]], catalogue=CATALOGUE
        )

    def test_in_the_categorys_own_system(self) -> None:
        assert self.propose(read(Field.SIZE, "M")).value == "women-clothing-m"
        assert self.propose(read(Field.SIZE, "M"), leaf="men-t-shirts").value == "men-clothing-m"

    def test_several_countries_numbers_agree(self) -> None:
        found = self.propose(read(Field.SIZE, "EU 46"), read(Field.SIZE, "UK 18"), read(Field.SIZE, "US 14"))
        assert found.value == "women-clothing-3xl"

    @pytest.mark.parametrize("text", ["T-shirt, size M", "Größe M, neuwertig", "taille M", "dydis: M"])
    def test_from_the_sellers_words(self, text: str) -> None:
        found = self.propose(text=text)
        assert (found.value, found.evidence[0].source) == ("women-clothing-m", Source.SELLER)

    @pytest.mark.parametrize("text", ["M", "I'm selling this", "size matters", "L shape"])
    def test_a_bare_letter_is_no_statement(self, text: str) -> None:
        assert self.propose(text=text).note == "no_size_read"

    def test_two_different_sizes_are_a_choice(self) -> None:
        found = self.propose(read(Field.SIZE, "M"), read(Field.SIZE, "L"))
        assert (found.standing, found.note) == (Standing.CHOICE, "several_sizes")

    def test_one_that_the_category_does_not_have(self) -> None:
        assert self.propose(read(Field.SIZE, "104")).note == "size_not_of_category"

    def test_of_a_thing_without_sizes(self) -> None:
        assert self.propose(read(Field.SIZE, "M"), leaf="home-sofas").note == "has_no_size"

    def test_below_its_bar_is_a_choice(self) -> None:
        found = self.propose(read(Field.SIZE, "M", 0.7))
        assert (found.standing, found.note) == (Standing.CHOICE, "below_threshold")


class TestMaterials:
    def test_largest_share_first_three_at_most(self) -> None:
        found = propose_materials(
            labels=[
                read(Field.MATERIALS, "elastane", percent=2),
                read(Field.MATERIALS, "cotton", percent=60),
                read(Field.MATERIALS, "polyester", percent=30),
                read(Field.MATERIALS, "viscose", percent=8),
            ],
            catalogue=CATALOGUE,
        )
        assert found.value == ["cotton", "polyester", "viscose"]

    def test_one_that_the_catalogue_does_not_know(self) -> None:
        found = propose_materials(labels=[read(Field.MATERIALS, "unobtainium")], catalogue=CATALOGUE)
        assert found.standing is Standing.ABSTAINED

    def test_below_its_bar_is_a_choice(self) -> None:
        found = propose_materials(labels=[read(Field.MATERIALS, "cotton", 0.7)], catalogue=CATALOGUE)
        assert (found.standing, found.note) == (Standing.CHOICE, "below_threshold")


class TestColours:
    def test_photos_of_labels_hardly_count(self) -> None:
        found = propose_colours(
            seen={
                "COVER": ColoursSeen(("navy",), (("navy", 0.9), ("black", 0.1))),
                "LABEL": ColoursSeen(("white",), (("white", 1.0),)),
            },
            weights={"COVER": 1.0, "LABEL": 0.05},
            catalogue=CATALOGUE,
        )
        assert (found.value, found.evidence[0].photo_id) == (["navy"], "COVER")

    def test_photos_that_disagree_are_a_choice(self) -> None:
        found = propose_colours(
            seen={
                "A": ColoursSeen(("navy",), (("navy", 0.6), ("grey", 0.2), ("black", 0.2))),
                "B": ColoursSeen(("grey",), (("grey", 0.5), ("navy", 0.3), ("white", 0.2))),
            },
            weights={"A": 1.0, "B": 1.0},
            catalogue=CATALOGUE,
        )
        assert found.standing is Standing.CHOICE
        assert len(found.alternatives) == 4
        assert found.confidence is not None
        assert found.confidence > (found.alternatives[0].confidence or 0)

    def test_two_colours_main_first_with_the_photo_that_shows_both(self) -> None:
        found = propose_colours(
            seen={
                "FRONT": ColoursSeen(("navy", "white"), (("navy", 0.9), ("white", 0.1))),
                "BACK": ColoursSeen(("navy",), (("navy", 0.95),)),
            },
            weights={"FRONT": 2.0, "BACK": 1.0},
            catalogue=CATALOGUE,
        )
        assert found.value == ["navy", "white"]
        assert [(piece.text, piece.photo_id) for piece in found.evidence] == [
            ("navy", "FRONT"),
            ("white", "FRONT"),
        ]

    def test_a_second_colour_that_most_photos_do_not_show_is_not_named(self) -> None:
        found = propose_colours(
            seen={
                "FRONT": ColoursSeen(("navy",), (("navy", 0.9),)),
                "DETAIL": ColoursSeen(("navy", "white"), (("navy", 0.6), ("white", 0.4))),
            },
            weights={"FRONT": 2.0, "DETAIL": 1.0},
            catalogue=CATALOGUE,
        )
        assert found.value == ["navy"]

    def test_many_colours_are_offered_never_filled_in(self) -> None:
        found = propose_colours(
            seen={"A": ColoursSeen(("various",), (("various", 0.5), ("red", 0.2), ("navy", 0.2)))},
            weights={"A": 1.0},
            catalogue=CATALOGUE,
        )
        assert found.standing is Standing.CHOICE
        assert [a.value for a in found.alternatives] == [["various"], ["navy"], ["red"]]

    def test_the_stated_confidence_rises_with_the_readings(self) -> None:
        stated = [calibrated(step / 20) for step in range(21)]
        assert stated == sorted(stated)
        assert [stated[0], stated[-1]] == pytest.approx([0.76, 0.98])

    def test_no_photo_says_anything(self) -> None:
        assert propose_colours(seen={}, weights={}, catalogue=CATALOGUE).note == "no_colour_seen"

    def test_survives_json(self) -> None:
        seen = ColoursSeen(("navy", "white"), (("navy", 0.6), ("white", 0.4)), Box(0.1, 0.2, 0.3, 0.4))
        assert ColoursSeen.from_json(seen.to_json()) == seen
