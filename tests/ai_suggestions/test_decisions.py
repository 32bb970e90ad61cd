"""What sellers do with suggestions, and what becomes of it in the listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_suggestions import queries, services
from ai_suggestions.errors import DecisionsInvalid, RunNotFound, RunStatusConflict, SuggestionsStale
from ai_suggestions.models import FieldSuggestion
from ai_suggestions.services import FieldDecision
from ai_suggestions.services.deciding import edit_distance
from listings.queries import get_listing
from listings.services import ListingChange, edit_draft
from tests.doubles.scripted_provider import ScriptedProvider
from tests.factories.listings import NOW, make_photo

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member


@pytest.fixture
def run(seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> queries.RunFacts:
    """A run that has ended, with a choice of categories and proposals for the rest."""
    found, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
    services.perform_run(run_id=found.id, now=NOW)
    return found


def decide(
    run: queries.RunFacts, *decisions: FieldDecision, listing_version: int | None = None
) -> queries.RunDetails:
    return services.decide(
        member_id=run.member_id,
        run_id=run.id,
        decisions=decisions,
        now=NOW,
        listing_version=listing_version,
    )


def problems_of(refused: pytest.ExceptionInfo[DecisionsInvalid]) -> dict[str, str]:
    return {problem.pointer: problem.code for problem in refused.value.errors}


class TestAccept:
    def test_writes_every_field_into_the_listing(self, run: queries.RunFacts) -> None:
        decide(
            run,
            FieldDecision("category", "accept", "women-t-shirts"),
            FieldDecision("colours", "accept"),
            FieldDecision("price", "accept"),
            FieldDecision("parcel_size", "accept"),
            FieldDecision("title", "accept"),
            FieldDecision("description", "accept"),
        )
        listing = get_listing(run.listing_id)
        assert listing.category_id == "women-t-shirts"
        assert listing.colour_ids == ("navy",)
        assert (listing.price_minor, listing.currency) == (700, "EUR")
        assert listing.parcel_size == "small"
        assert listing.title == "T-shirt, navy"
        assert listing.description == "T-shirt.\nColour: navy."

    def test_an_alternative_is_accepted_too(self, run: queries.RunFacts) -> None:
        details = decide(run, FieldDecision("price", "accept", {"amount": 450, "currency": "EUR"}))
        assert get_listing(run.listing_id).price_minor == 450
        price = next(found for found in details.fields if found.field == "price")
        assert (price.decision, price.decided_value) == ("accepted", {"amount": 450, "currency": "EUR"})

    def test_a_choice_needs_one_of_its_alternatives(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("category", "accept"))
        assert problems_of(refused) == {"/decisions/0/value": "choose_one"}

    def test_what_was_not_offered_is_an_edit(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("category", "accept", "kids-t-shirts"))
        assert problems_of(refused) == {"/decisions/0/value": "not_offered"}

    def test_nothing_was_said_about_the_field(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("brand", "accept"))
        assert problems_of(refused) == {"/decisions/0/field": "no_suggestion"}

    def test_an_abstention_cannot_be_accepted(self, run: queries.RunFacts) -> None:
        FieldSuggestion.objects.create(run_id=run.id, field="brand", state="abstained", updated_at=NOW)
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("brand", "accept"))
        assert problems_of(refused) == {"/decisions/0/field": "nothing_to_accept"}


class TestEdit:
    def test_writes_the_sellers_value_and_how_far_it_is_from_ours(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("title", "edit", "T-shirt, navy blue"))
        assert get_listing(run.listing_id).title == "T-shirt, navy blue"
        title = FieldSuggestion.objects.get(run_id=run.id, field="title")
        assert (title.decision, title.edit_distance) == ("edited", 5)

    def test_an_edit_that_changes_nothing_is_an_acceptance(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("title", "edit", "T-shirt, navy"))
        title = FieldSuggestion.objects.get(run_id=run.id, field="title")
        assert (title.decision, title.edit_distance) == ("accepted", 0)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", ["a"]),
            ("colours", "navy"),
            ("price", "12"),
            ("category", {"amount": 1, "currency": "EUR"}),
        ],
    )
    def test_of_the_wrong_type(self, run: queries.RunFacts, field: str, value: object) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision(field, "edit", value))
        assert problems_of(refused) == {"/decisions/0/value": "wrong_type"}

    def test_needs_a_value(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("title", "edit"))
        assert problems_of(refused) == {"/decisions/0/value": "value_needed"}

    def test_a_broken_rule_is_told_where_it_was_said_and_nothing_is_written(
        self, run: queries.RunFacts
    ) -> None:
        before = get_listing(run.listing_id)
        with pytest.raises(DecisionsInvalid) as refused:
            decide(
                run,
                FieldDecision("parcel_size", "accept"),
                FieldDecision("colours", "edit", ["navy", "tartan"]),
                FieldDecision("price", "edit", {"amount": 500, "currency": "PLN"}),
            )
        assert problems_of(refused) == {"/decisions/2/value/currency": "wrong_currency"}
        assert get_listing(run.listing_id) == before
        assert not FieldSuggestion.objects.filter(run_id=run.id).exclude(decision="none").exists()


class TestReject:
    def test_leaves_the_listing_alone(self, run: queries.RunFacts) -> None:
        before = get_listing(run.listing_id)
        details = decide(run, FieldDecision("title", "reject"))
        assert get_listing(run.listing_id) == before
        title = next(found for found in details.fields if found.field == "title")
        assert (title.decision, title.decided_value) == ("rejected", None)

    def test_has_no_value(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(run, FieldDecision("title", "reject", "Something"))
        assert problems_of(refused) == {"/decisions/0/value": "value_not_needed"}


class TestDecide:
    def test_all_problems_at_once(self, run: queries.RunFacts) -> None:
        with pytest.raises(DecisionsInvalid) as refused:
            decide(
                run,
                FieldDecision("category", "accept"),
                FieldDecision("title", "accept"),
                FieldDecision("title", "reject"),
            )
        assert problems_of(refused) == {
            "/decisions/0/value": "choose_one",
            "/decisions/2/field": "field_twice",
        }

    def test_a_later_decision_replaces_the_earlier_one(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("title", "reject"))
        decide(run, FieldDecision("title", "accept"))
        assert FieldSuggestion.objects.get(run_id=run.id, field="title").decision == "accepted"

    def test_not_on_a_listing_that_changed_since(self, run: queries.RunFacts) -> None:
        seen = get_listing(run.listing_id).version
        edit_draft(
            seller_id=run.member_id,
            listing_id=run.listing_id,
            change=ListingChange(title="My own words"),
            now=NOW,
        )
        with pytest.raises(SuggestionsStale):
            decide(run, FieldDecision("title", "accept"), listing_version=seen)
        assert get_listing(run.listing_id).title == "My own words"

    def test_not_on_a_superseded_run(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        make_photo(draft, colour="red")
        services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        with pytest.raises(RunStatusConflict):
            decide(first, FieldDecision("title", "reject"))

    def test_not_on_somebody_elses_run(self, run: queries.RunFacts, other_seller: Member) -> None:
        with pytest.raises(RunNotFound):
            services.decide(
                member_id=other_seller.id,
                run_id=run.id,
                decisions=[FieldDecision("title", "reject")],
                now=NOW,
            )

    def test_gives_the_run_a_new_version(self, run: queries.RunFacts) -> None:
        before = queries.get_run_facts(run.id, member_id=run.member_id).version
        assert decide(run, FieldDecision("title", "reject")).run.version == before + 1


class TestEditDistance:
    @pytest.mark.parametrize(
        ("before", "after", "changed"),
        [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            (["navy"], ["navy", "white"], 1),
            ("women-t-shirts", "women-t-shirts", 0),
            ({"amount": 5, "currency": "EUR"}, {"amount": 6, "currency": "EUR"}, 1),
            ("word " * 500, "word " * 499 + "other ", 1),
        ],
    )
    def test_counts_what_changed(self, before: object, after: object, changed: int) -> None:
        assert edit_distance(before, after) == changed

    @given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
    def test_is_a_distance(self, one: str, two: str, three: str) -> None:
        assert edit_distance(one, two) == edit_distance(two, one)
        assert (edit_distance(one, two) == 0) == (one == two)
        assert edit_distance(one, three) <= edit_distance(one, two) + edit_distance(two, three)
