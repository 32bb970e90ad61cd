"""What of an answer is believed: only the catalogue's values, only with their evidence."""

from __future__ import annotations

from typing import Any

import pytest

from ai_suggestions.contract import Field, Proposal, SellerFacts, Source, Standing
from ai_suggestions.llm.languages import is_another_language
from tests.ai_suggestions.llm.asking import LABELLED, SNEAKERS, a_request, answer, demo_photo, field_of
from tests.ai_suggestions.llm.conftest import Asker
from tests.doubles.openai_server import OpenAiServer, says

MEN = SellerFacts(department="men")


class Reader:
    def __init__(self, asker: Asker, server: OpenAiServer) -> None:
        self.asker = asker
        self.server = server

    def __call__(
        self,
        field: Field,
        content: dict[str, Any],
        *,
        facts: SellerFacts = MEN,
        language: str = "en",
    ) -> Proposal:
        self.server.play(says(content))
        return field_of(self.asker.ask(a_request(facts=facts, language=language)), field)


@pytest.fixture
def read(asker: Asker, server: OpenAiServer) -> Reader:
    return Reader(asker, server)


class TestCategory:
    def test_takes_the_department_from_the_seller(self, read: Reader) -> None:
        proposal = read(Field.CATEGORY, SNEAKERS)
        assert (proposal.standing, proposal.value) == (Standing.PROPOSED, "men-trainers")
        assert [e.source for e in proposal.evidence] == [Source.PHOTO, Source.SELLER]

    def test_is_a_choice_while_nobody_said_for_whom(self, read: Reader) -> None:
        proposal = read(Field.CATEGORY, SNEAKERS, facts=SellerFacts(usual_departments=("kids",)))
        assert (proposal.standing, proposal.note) == (Standing.CHOICE, "department_unknown")
        offered = [alternative.value for alternative in proposal.alternatives]
        assert offered[0] == "kids-trainers"
        assert {"women-trainers", "men-trainers"} <= set(offered)
        # No figure beside a department: it would be a guess about a person.
        assert not [a for a in proposal.alternatives if a.confidence is not None]

    def test_needs_no_department_where_there_is_only_one(self, read: Reader) -> None:
        sofa = answer(things=[{"id": "sofas", "certainty": "certain"}])
        assert read(Field.CATEGORY, sofa, facts=SellerFacts()).value == "home-sofas"

    def test_offers_the_next_best_things(self, read: Reader) -> None:
        things = [{"id": "trainers", "certainty": "likely"}, {"id": "boots", "certainty": "possible"}]
        proposal = read(Field.CATEGORY, answer(things=things))
        assert proposal.standing is Standing.CHOICE
        assert [a.value for a in proposal.alternatives] == ["men-trainers", "men-boots"]

    def test_is_unsure_when_the_best_thing_is_not_sold_there(self, read: Reader) -> None:
        things = [{"id": "mini-skirts", "certainty": "certain"}, {"id": "shorts", "certainty": "certain"}]
        proposal = read(Field.CATEGORY, answer(things=things))
        assert proposal.standing is Standing.CHOICE
        assert proposal.confidence == 0.3

    def test_says_parcel_size_by_the_catalogue(self, read: Reader) -> None:
        assert read(Field.PARCEL_SIZE, SNEAKERS).value == "medium"


class TestBrand:
    def test_has_the_words_as_evidence(self, read: Reader) -> None:
        proposal = read(Field.BRAND, LABELLED)
        assert proposal.value == "levis"
        (evidence,) = proposal.evidence
        assert (evidence.source, evidence.text, evidence.photo_id) == (Source.LABEL, "LEVI'S", "photo-0")

    @pytest.mark.parametrize(
        ("brand", "note"),
        [
            ({"name": "Zorblax", "quote": "Zorblax", "photo": 1}, "unknown_brand"),
            ({"name": "Nike", "quote": "a swoosh", "photo": 1}, "no_evidence"),
            ({"name": "Nike", "quote": "", "photo": 1}, "no_evidence"),
            ({"name": "Nike", "quote": "Nike", "photo": 9}, "no_evidence"),
            ({"name": "Nike", "quote": "Nike", "photo": 0}, "no_evidence"),
            ({"name": "Nike", "quote": "Nike", "photo": None}, "no_evidence"),
        ],
    )
    def test_without_evidence_is_left_out(self, read: Reader, brand: dict[str, Any], note: str) -> None:
        proposal = read(Field.BRAND, answer(brand={**brand, "certainty": "certain"}))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, note)

    def test_may_come_from_what_the_seller_wrote(self, read: Reader) -> None:
        brand = {"name": "Nike", "quote": "my old nike", "photo": None, "certainty": "certain"}
        proposal = read(Field.BRAND, answer(brand=brand), facts=SellerFacts(description="My old Nike shoes"))
        assert proposal.value == "nike"
        assert proposal.evidence[0].source is Source.SELLER


class TestSize:
    def test_is_of_the_system_of_the_category(self, read: Reader) -> None:
        assert read(Field.SIZE, LABELLED).value == "men-clothing-m"

    def test_is_open_while_the_category_is(self, read: Reader) -> None:
        proposal = read(Field.SIZE, LABELLED, facts=SellerFacts())
        assert (proposal.standing, proposal.note) == (Standing.CHOICE, "category_open")

    @pytest.mark.parametrize(
        ("changed", "note"),
        [
            ({"brand": None, "materials": [], "size": {"label": "M", "quote": "M"}}, "size_without_label"),
            ({"size": {"label": "M", "quote": "Size L"}}, "no_evidence"),
            ({"size": {"label": "900", "quote": "Size 900"}}, "unknown_size"),
            ({"size": None}, "no_size_seen"),
        ],
    )
    def test_that_is_not_read_from_a_label_is_left_out(
        self, read: Reader, changed: dict[str, Any], note: str
    ) -> None:
        if changed["size"]:
            changed = {**changed, "size": {**changed["size"], "photo": 1, "certainty": "certain"}}
        proposal = read(Field.SIZE, answer(LABELLED, **changed))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, note)

    def test_may_say_for_whom_the_thing_is(self, read: Reader) -> None:
        """A size that only one department has is said by the label, not by us."""
        size = {"label": "116", "quote": "Size 116", "photo": 1, "certainty": "certain"}
        proposal = read(Field.CATEGORY, answer(LABELLED, size=size), facts=SellerFacts())
        assert proposal.value == "kids-jumpers"
        assert proposal.evidence[-1].note == "size_system_on_label"


class TestMaterials:
    def test_are_read_from_the_label_in_its_order(self, read: Reader) -> None:
        assert read(Field.MATERIALS, LABELLED).value == ["cotton", "polyester"]

    @pytest.mark.parametrize(
        "material",
        [
            {"id": "silk", "quote": "shiny", "photo": 1, "certainty": "certain"},
            {"id": "silk", "quote": "100% cotton", "photo": 1, "certainty": "certain"},
            {"id": "unobtainium", "quote": "unobtainium", "photo": 1, "certainty": "certain"},
        ],
    )
    def test_that_nobody_can_read_are_left_out(self, read: Reader, material: dict[str, Any]) -> None:
        proposal = read(Field.MATERIALS, answer(materials=[material]))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, "no_evidence")

    def test_are_as_sure_as_the_least_sure_of_them(self, read: Reader) -> None:
        unsure = [dict(material) for material in LABELLED["materials"]]
        unsure[1]["certainty"] = "possible"
        proposal = read(Field.MATERIALS, answer(LABELLED, materials=unsure))
        assert (proposal.standing, proposal.confidence) == (Standing.CHOICE, 0.3)


class TestColours:
    def test_are_at_most_two_of_the_palette(self, read: Reader) -> None:
        colours = [
            {"id": id_, "certainty": "certain"} for id_ in ("red", "ultraviolet", "red", "white", "blue")
        ]
        assert read(Field.COLOURS, answer(colours=colours)).value == ["red", "white"]

    def test_that_nobody_knows_are_left_out(self, read: Reader) -> None:
        proposal = read(Field.COLOURS, answer(colours=[{"id": "ultraviolet", "certainty": "certain"}]))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, "unknown_colour")


class TestCondition:
    def test_is_a_choice_with_the_wear_that_was_seen(self, read: Reader) -> None:
        worn = {"id": "good", "signs": "scuffed toe", "photo": 1, "certainty": "certain"}
        proposal = read(Field.CONDITION, answer(condition=worn))
        assert (proposal.standing, proposal.value) == (Standing.CHOICE, None)
        assert proposal.alternatives[0].value == "good"
        assert proposal.evidence[0].text == "scuffed toe"

    @pytest.mark.parametrize("id_", ["new_with_tags", "new_without_tags", "not_fully_functional"])
    def test_is_never_a_history(self, read: Reader, id_: str) -> None:
        worn = {"id": id_, "signs": "tag", "photo": 1, "certainty": "certain"}
        assert read(Field.CONDITION, answer(condition=worn)).standing is Standing.ABSTAINED

    def test_without_wear_is_left_out(self, read: Reader) -> None:
        worn = {"id": "very_good", "signs": " ", "photo": 1, "certainty": "certain"}
        assert read(Field.CONDITION, answer(condition=worn)).note == "no_evidence"


class TestTexts:
    def test_are_filled_in_when_all_that_they_say_is(self, read: Reader) -> None:
        title = read(Field.TITLE, LABELLED)
        assert (title.standing, title.value) == (Standing.PROPOSED, "Grey Levi's jumper, size M")

    def test_may_repeat_what_a_label_says(self, read: Reader) -> None:
        description = read(Field.DESCRIPTION, LABELLED)
        assert description.standing is Standing.PROPOSED
        assert "80% cotton" in description.value

    def test_are_offered_while_something_in_them_is_unsure(self, read: Reader) -> None:
        brand = {**LABELLED["brand"], "certainty": "likely"}
        title = read(Field.TITLE, answer(LABELLED, brand=brand))
        assert (title.standing, title.note) == (Standing.CHOICE, "unsure_facts")

    @pytest.mark.parametrize(
        ("said", "note"),
        [
            ("Red Gucci trainers with white laces", "unsupported_claim"),
            ("Gucci trainers with white laces", "unsupported_claim"),
            ("Red silk trainers with white laces", "unsupported_claim"),
            ("Red trainers, size 42", "unsupported_claim"),
            ("Red trainers with 12 eyelets", "unsupported_claim"),
            ("Red trainers for women with white laces", "unsupported_claim"),
            ("Red trainers in good condition", "unsupported_claim"),
            ("Red trainers, new with tags", "claim_that_no_photo_shows"),
            ("Red trainers, new without tags", "claim_that_no_photo_shows"),
            ("Authentic red trainers with white laces", "claim_that_no_photo_shows"),
            ("Red trainers, never worn", "claim_that_no_photo_shows"),
            ("Red trainers, see www.example.com", "contact_or_link"),
            ("Red trainers, see shoes.example.shop", "contact_or_link"),
            ("Red trainers, write to me@example.com", "contact_or_link"),
            ("Red trainers, call +370 600 12345", "contact_or_link"),
            ("Red trainers, WhatsApp me", "contact_or_link"),
            ("Red trainers #sneakers", "hashtag"),
            ("Red trainers for only €20", "price_in_text"),
            ("Red", "text_length"),
            ("Red trainers " * 10, "text_length"),
            ("", "no_text"),
        ],
    )
    def test_that_say_more_than_is_known_are_left_out(self, read: Reader, said: str, note: str) -> None:
        title = read(Field.TITLE, answer(title=said))
        assert (title.standing, title.note) == (Standing.ABSTAINED, note)

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("de", "Rote Turnschuhe mit weißen Schnürsenkeln und weißer Sohle"),
            ("fr", "Baskets rouges avec des lacets blancs et une semelle blanche"),
            ("lt", "Raudoni sportiniai bateliai su baltais raišteliais ir baltu padu"),
            ("en", "Red trainers with white laces and a white sole"),
        ],
    )
    def test_are_taken_in_the_language_of_the_market(self, read: Reader, language: str, said: str) -> None:
        description = read(Field.DESCRIPTION, answer(description=said), language=language)
        assert description.value == said

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("de", "Rote Turnschuhe, ungetragen und mit Etikett"),
            ("de", "Rote Turnschuhe, neuwertig, mit weißer Sohle"),
            ("fr", "Baskets rouges authentiques avec des lacets blancs"),
            ("fr", "Baskets rouges neuves avec des lacets blancs"),
            ("lt", "Raudoni nauji sportiniai bateliai su baltais raišteliais"),
        ],
    )
    def test_claim_no_history_in_any_language(self, read: Reader, language: str, said: str) -> None:
        description = read(Field.DESCRIPTION, answer(description=said), language=language)
        assert description.note == "claim_that_no_photo_shows"

    def test_may_repeat_what_the_seller_said(self, read: Reader) -> None:
        facts = SellerFacts(department="men", brand_id="nike", description="size 42, leather")
        title = read(Field.TITLE, answer(title="Red leather Nike trainers, size 42"), facts=facts)
        assert title.standing is Standing.PROPOSED

    def test_that_the_seller_wrote_are_not_replaced(self, read: Reader) -> None:
        title = read(Field.TITLE, LABELLED, facts=SellerFacts(department="men", title="Jumper"))
        assert (title.standing, title.note) == (Standing.CHOICE, "already_written")

    def test_may_speak_of_a_condition_that_the_seller_stated(self, read: Reader) -> None:
        facts = SellerFacts(department="men", condition_id="good")
        assert read(Field.TITLE, answer(title="Red trainers in good condition"), facts=facts).value

    def test_in_another_language_are_left_out_together(self, read: Reader) -> None:
        """Two words do not tell their language, but the description does."""
        said = answer(title="Red trainers", description="Red trainers with a white sole and white laces.")
        assert read(Field.TITLE, said, language="de").note == "llm_wrong_language"

    @pytest.mark.parametrize(
        ("language", "title"),
        [
            ("en", "Nike Air Max 90"),
            ("en", "Black ankle boots"),
            ("de", "Rote Sneaker"),
            ("de", "T-Shirt navy"),
            ("fr", "Jean bleu"),
            ("lt", "Mėlyni džinsai"),
            ("sv", "Röda sneakers"),
        ],
    )
    def test_of_few_words_are_taken_for_what_they_are(self, language: str, title: str) -> None:
        assert not is_another_language(title, language)

    def test_may_name_the_thing_with_a_material_in_its_name(self, read: Reader) -> None:
        jacket = answer(
            things=[{"id": "leather-jackets", "certainty": "certain"}],
            title="Black leather jacket with a zip",
        )
        assert read(Field.TITLE, jacket).standing is Standing.PROPOSED

    def test_about_a_thing_that_nobody_recognised_are_left_out(self, read: Reader) -> None:
        title = read(Field.TITLE, answer(things=[]))
        assert (title.standing, title.note) == (Standing.ABSTAINED, "nothing_recognised")

    def test_lose_what_cannot_be_seen(self, read: Reader) -> None:
        title = read(Field.TITLE, answer(title="  Red\u0000 trainers\n with\u202e white laces "))
        assert title.value == "Red trainers with white laces"


class TestSeveralPhotos:
    def test_are_told_apart_by_number(self, asker: Asker, server: OpenAiServer) -> None:
        brand = {"name": "Nike", "quote": "NIKE", "photo": 2, "certainty": "certain"}
        server.play(says(answer(brand=brand)))
        report = asker.ask(a_request(demo_photo(), demo_photo("sofa/1.jpg", position=1)))
        assert field_of(report, Field.BRAND).evidence[0].photo_id == "photo-1"
