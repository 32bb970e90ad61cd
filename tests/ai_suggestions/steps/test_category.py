"""From kinds to categories: the department comes from people and labels, never from pixels."""

from __future__ import annotations

import pytest

from ai_suggestions.contract import Field, Proposal, SellerFacts, Source, Standing
from ai_suggestions.readings import KindsSeen, LabelFact
from ai_suggestions.steps.category import propose_category, propose_parcel_size, verdict_on
from ai_suggestions.steps.department import Department, department_of, sizes_named
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()
PHOTO = "PHOTO"


def kinds(sure_from: float = 0.8, **ranked: float) -> KindsSeen:
    return KindsSeen(tuple(sorted(ranked.items(), key=lambda entry: -entry[1])), sure_from, PHOTO)


def department(
    facts: SellerFacts | None = None, kind: str | None = "t_shirt", *labels: str
) -> Department | None:
    sizes = [LabelFact(Field.SIZE, words, words, 0.9, PHOTO) for words in labels]
    return department_of(facts=facts or SellerFacts(), kind=kind, sizes=sizes, catalogue=CATALOGUE)


def propose(seen: KindsSeen, facts: SellerFacts | None = None) -> Proposal:
    facts = facts or SellerFacts()
    verdict = verdict_on(seen, CATALOGUE)
    return propose_category(
        kinds=seen,
        department=department(facts, verdict.kind if verdict else None),
        facts=facts,
        catalogue=CATALOGUE,
    )


class TestDepartment:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Women's T-shirt", "women"),
            ("Damenbluse, kaum getragen", "women"),
            ("Pull pour homme", "men"),
            ("Vyriški marškinėliai", "men"),
            ("Kinderkleid Größe 104", "kids"),
            ("T-shirt garçon", "kids"),
            ("Moteriška palaidinė", "women"),
            ("Men's shirt, women like it too", None),
            ("Mango T-shirt", None),
            ("Commencement gown", None),
            ("A fine manly humour", None),
            ("", None),
        ],
    )
    def test_from_the_sellers_words(self, text: str, expected: str | None) -> None:
        found = department(SellerFacts(title=text))
        assert (found.id if found else None) == expected

    def test_the_request_outweighs_the_text(self) -> None:
        found = department(SellerFacts(department="men", title="Women's T-shirt"))
        assert found is not None
        assert (found.id, found.evidence.note) == ("men", "department_requested")

    def test_from_the_category_of_the_draft(self) -> None:
        found = department(SellerFacts(category_id="kids-t-shirts"))
        assert found is not None
        assert (found.id, found.evidence.source) == ("kids", Source.SELLER)

    def test_from_a_size_that_only_one_department_has(self) -> None:
        found = department(None, "t_shirt", "104")
        assert found is not None
        assert (found.id, found.evidence.source) == ("kids", Source.LABEL)

    def test_not_from_a_size_that_several_have(self) -> None:
        assert department(None, "t_shirt", "M") is None

    def test_of_a_thing_that_is_sold_in_one_place_only(self) -> None:
        found = department(None, "camera")
        assert found is not None
        assert (found.id, found.evidence.source) == ("electronics", Source.CATALOGUE)

    def test_earlier_listings_only_order(self) -> None:
        assert department(SellerFacts(usual_departments=("men",))) is None
        proposal = propose(kinds(t_shirt=0.95), SellerFacts(usual_departments=("men",)))
        assert proposal.standing is Standing.CHOICE
        assert proposal.alternatives[0].value == "men-t-shirts"


class TestCategory:
    def test_sure_kind_and_stated_department_are_filled_in(self) -> None:
        proposal = propose(kinds(t_shirt=0.93, polo=0.05), SellerFacts(department="women"))
        assert proposal.value == "women-t-shirts"
        assert proposal.confidence == pytest.approx(0.93)
        assert {piece.source for piece in proposal.evidence} == {Source.PHOTO, Source.SELLER}

    def test_without_a_department_it_is_a_choice_without_probabilities(self) -> None:
        proposal = propose(kinds(t_shirt=0.93))
        assert (proposal.standing, proposal.note) == (Standing.CHOICE, "department_unknown")
        assert [a.value for a in proposal.alternatives][:3] == [
            "women-t-shirts",
            "men-t-shirts",
            "kids-t-shirts",
        ]
        assert {a.confidence for a in proposal.alternatives} == {None}
        assert proposal.confidence == pytest.approx(0.93), "of the kind"

    def test_without_a_department_the_likeliest_kind_comes_first_however_many_leaves_it_has(self) -> None:
        proposal = propose(kinds(shoes=0.4, hand_tool=0.3))
        found = [CATALOGUE.category_by_id[str(a.value)].kind for a in proposal.alternatives]
        assert found == ["shoes"] * 4
        assert len({CATALOGUE.department_of(str(a.value)) for a in proposal.alternatives}) == 4

    def test_backs_off_to_the_parent_that_is_sure(self) -> None:
        proposal = propose(kinds(dress=0.95), SellerFacts(department="women"))
        assert (proposal.standing, proposal.within) == (Standing.CHOICE, "women-clothing")
        narrow = propose(kinds(skirt=0.97), SellerFacts(department="women"))
        assert narrow.within == "women-skirts"
        assert {a.value for a in narrow.alternatives} == {
            "women-mini-skirts",
            "women-midi-skirts",
            "women-maxi-skirts",
        }

    def test_below_its_bar_it_is_a_choice_in_order_of_probability(self) -> None:
        proposal = propose(kinds(t_shirt=0.5, polo=0.4), SellerFacts(department="men"))
        assert proposal.note == "below_threshold"
        assert [a.value for a in proposal.alternatives][:2] == ["men-t-shirts", "men-polos"]
        assert proposal.confidence is not None
        assert proposal.confidence >= 0.9

    def test_the_sellers_own_leaf_takes_all_of_its_kind(self) -> None:
        proposal = propose(kinds(dress=0.95), SellerFacts(category_id="women-midi-dresses"))
        assert proposal.value == "women-midi-dresses"

    @pytest.mark.parametrize("seen", [kinds(other=0.9, t_shirt=0.1), kinds(t_shirt=0.1), kinds()])
    def test_nothing_recognised(self, seen: KindsSeen) -> None:
        proposal = propose(seen, SellerFacts(department="women"))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, "nothing_recognised")

    def test_a_kind_that_the_department_does_not_have(self) -> None:
        proposal = propose(kinds(camera=0.95), SellerFacts(department="pets"))
        assert (proposal.standing, proposal.note) == (Standing.ABSTAINED, "not_in_department")


class TestParcelSize:
    def test_follows_from_the_category(self) -> None:
        offered = propose(kinds(t_shirt=0.93), SellerFacts(department="women"))
        parcel = propose_parcel_size(category=offered, facts=SellerFacts(), catalogue=CATALOGUE)
        assert parcel.value == "small"
        assert parcel.confidence == pytest.approx(0.93)

    def test_of_candidates_that_differ_is_a_choice(self) -> None:
        offered = propose(kinds(chair=0.5, cushion=0.4))
        parcel = propose_parcel_size(category=offered, facts=SellerFacts(), catalogue=CATALOGUE)
        assert parcel.standing is Standing.CHOICE

    def test_without_a_category_there_is_none(self) -> None:
        offered = propose(kinds())
        parcel = propose_parcel_size(category=offered, facts=SellerFacts(), catalogue=CATALOGUE)
        assert parcel.note == "category_unknown"


class TestSizesNamed:
    @pytest.mark.parametrize(
        ("words", "system", "expected"),
        [
            ("M", "women_clothing", "women-clothing-m"),
            ("m", "women_clothing", "women-clothing-m"),
            ("EU 46", "women_clothing", "women-clothing-3xl"),
            ("W31 L36", "trousers", "trousers-w31-l36"),
            ("31/36", "trousers", "trousers-w31-l36"),
            ("EU 42", "men_shoes", "men-shoes-42"),
        ],
    )
    def test_as_labels_write_them(self, words: str, system: str, expected: str) -> None:
        assert [size.id for size in sizes_named(words, CATALOGUE.sizes_of([system]))] == [expected]

    def test_a_number_of_another_country_is_not_taken_for_ours(self) -> None:
        assert sizes_named("JP 38", CATALOGUE.sizes_of(["women_clothing"])) == ()


class TestCatalogue:
    def test_leaves_in_a_department_are_all_of_its_leaves(self) -> None:
        leaves = CATALOGUE.leaves_in("kids")
        assert "kids-t-shirts" in {leaf.id for leaf in leaves}
        assert {CATALOGUE.department_of(leaf.id) for leaf in leaves} == {"kids"}
        assert all(CATALOGUE.is_leaf(leaf.id) for leaf in leaves)
