"""ai_suggestions.evaluation.ranking: what proposals say in the terms of labels."""

from __future__ import annotations

from ai_suggestions.contract import Alternative, Field, abstained, choice
from ai_suggestions.evaluation.ranking import KindsTold, colours_told, kinds_told, sizes_told
from tests.ai_suggestions.evaluation.labelling import SEEN, category, colours, for_whom_unknown, size
from tests.factories.suggestions import full_catalogue

CATALOGUE = full_catalogue()
SEEN_KINDS = [("shoes", 0.8), ("hat", 0.15), ("other", 0.05)]


class TestKindsOfAProposal:
    def test_adds_up_what_categories_of_one_kind_have(self) -> None:
        said = category(("women-jeans", 0.3), ("women-mini-skirts", 0.4), ("women-leggings", 0.2))
        told = kinds_told(said, seen=(), catalogue=CATALOGUE)
        assert told == KindsTold(("pants", "skirt"), 0.5, "pants")

    def test_is_as_sure_as_the_value_and_its_siblings(self) -> None:
        said = category(("women-t-shirts", 0.9), ("women-blouses", 0.05))
        told = kinds_told(said, seen=(), catalogue=CATALOGUE)
        assert told == KindsTold(("t_shirt", "blouse"), 0.9, "t_shirt")

    def test_keeps_the_order_of_what_has_no_probability(self) -> None:
        said = category(("men-polos", None), ("men-t-shirts", None))
        told = kinds_told(said, seen=(), catalogue=CATALOGUE)
        assert told == KindsTold(("polo", "t_shirt"), None, "polo")

    def test_believes_the_evidence_where_the_department_is_open(self) -> None:
        said = for_whom_unknown("shoes", 0.8, "women-hats", "men-hats")
        told = kinds_told(said, seen=SEEN_KINDS, catalogue=CATALOGUE)
        assert told == KindsTold(("shoes", "hat", "other"), 0.8, "hat")

    def test_takes_the_first_category_where_the_evidence_names_no_kind(self) -> None:
        said = for_whom_unknown("ladies' headwear", 0.8, "women-hats", "women-mini-skirts")
        told = kinds_told(said, seen=(), catalogue=CATALOGUE)
        assert told == KindsTold(("hat", "skirt"), 0.8, "hat")

    def test_goes_on_with_what_was_seen_and_not_named(self) -> None:
        told = kinds_told(category(("women-hats", 0.6)), seen=SEEN_KINDS, catalogue=CATALOGUE)
        assert told.ranked == ("hat", "shoes", "other")

    def test_of_an_abstention_is_none_of_these(self) -> None:
        said = abstained(Field.CATEGORY, note="nothing_recognised")
        assert kinds_told(said, seen=(), catalogue=CATALOGUE) == KindsTold(("other",))
        told = kinds_told(said, seen=SEEN_KINDS, catalogue=CATALOGUE)
        assert told == KindsTold(("other", "shoes", "hat"), 0.05)

    def test_of_silence_is_silence(self) -> None:
        assert kinds_told(None, seen=SEEN_KINDS, catalogue=CATALOGUE) == KindsTold()

    def test_leaves_categories_out_that_are_not_in_the_catalogue(self) -> None:
        told = kinds_told(category(("gone", 0.5), ("men-polos", 0.2)), seen=(), catalogue=CATALOGUE)
        assert told.ranked == ("polo",)


class TestColoursOfAProposal:
    def test_are_the_values_and_then_the_alternatives(self) -> None:
        assert colours_told(colours("navy", "white", then=["black", "navy"])) == ("navy", "white", "black")

    def test_are_none_where_nothing_is_said(self) -> None:
        assert colours_told(None) == ()
        assert colours_told(abstained(Field.COLOURS, note="no_colour_seen")) == ()

    def test_are_none_where_a_colour_is_no_list(self) -> None:
        assert colours_told(choice(Field.COLOURS, [Alternative("navy")], note="odd", evidence=SEEN)) == ()


class TestSizesOfAProposal:
    def test_are_all_on_offer(self) -> None:
        assert sizes_told(size("women-38", "38")) == ("women-38",)
        assert sizes_told(abstained(Field.SIZE, note="no_size_read")) == ()
        assert sizes_told(None) == ()
