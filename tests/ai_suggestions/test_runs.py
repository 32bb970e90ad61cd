"""A run's life through the services: asked for, performed, stopped, done again, and never lost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from ai_suggestions import services
from ai_suggestions.contract import Alternative, Field, proposed
from ai_suggestions.errors import (
    DepartmentUnknown,
    ListingNotOpen,
    NoUsablePhoto,
)
from ai_suggestions.models import FieldSuggestion, SuggestionRun
from listings.errors import ListingNotFound
from tests.ai_suggestions.running import SECOND, now_of, perform, request, said_on
from tests.doubles.scripted_provider import CATEGORY, COLOURS, SEEN, TEXTS, WHOLE, Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_draft, make_photo

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow


class TestRequest:
    def test_is_a_queued_row_before_anybody_works(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run, created = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        assert created
        assert (run.status, run.attempts, run.steps_done) == ("queued", 0, 0)
        assert run.language == "lt", "texts are in the seller's language"

    def test_same_photos_again_is_the_same_run(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = request(seller, draft)
        again, created = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW + SECOND)
        assert (again.id, created) == (first.id, False)

    def test_other_photos_supersede_the_live_run(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = request(seller, draft)
        make_photo(draft, colour="red", now=NOW + SECOND)
        second = request(seller, draft, now=NOW + SECOND)
        assert second.id != first.id
        assert now_of(first).run.status == "superseded"

    def test_another_department_supersedes_too(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = request(seller, draft)
        second = request(seller, draft, department="women")
        assert (now_of(first).run.status, second.department) == ("superseded", "women")

    def test_after_an_ended_run_a_new_one_begins(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = request(seller, draft)
        perform(first)
        assert request(seller, draft).id != first.id
        assert now_of(first).run.status == "succeeded"

    def test_needs_a_photo(self, seller: Member, scripted: ScriptedProvider) -> None:
        with pytest.raises(NoUsablePhoto):
            request(seller, make_draft(seller.id))

    def test_only_of_a_known_department(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        with pytest.raises(DepartmentUnknown) as refused:
            request(seller, draft, department="martians")
        assert refused.value.errors[0].pointer == "/department"

    def test_somebody_elses_listing_is_not_found(
        self, other_seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        with pytest.raises(ListingNotFound):
            request(other_seller, draft)

    def test_not_of_what_can_no_longer_be_changed(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        from listings.services import remove

        remove(listing_id=draft.id, moderator_id=seller.id, reason="counterfeit", now=NOW)
        with pytest.raises(ListingNotOpen):
            request(seller, draft)

    def test_statement_count_is_constant(
        self,
        seller: Member,
        draft: ListingFacts,
        scripted: ScriptedProvider,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        # Six of them for the day's first run of this seller.
        with django_assert_max_num_queries(20):
            request(seller, draft)


class TestPerform:
    def test_stores_every_field_with_its_step(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        assert perform(run).outcome == "succeeded"
        details = now_of(run)
        assert (details.run.steps_done, details.run.steps_total) == (4, 4)
        assert said_on(run) == {
            "category": "choice",
            "parcel_size": "proposed",
            "colours": "proposed",
            "price": "proposed",
            "title": "proposed",
            "description": "proposed",
        }
        assert [step.name for step in details.steps] == ["category", "colour", "price", "text"]

    def test_keeps_four_digits_of_a_confidence(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        others = [Alternative(["black"], 1 / 30)]
        colours = proposed(Field.COLOURS, ["navy"], 2 / 3, evidence=SEEN, alternatives=others)
        follow(Scripted("colour", (colours,)))
        run = request(seller, draft)
        perform(run)
        (kept,) = now_of(run).fields
        assert (kept.confidence, kept.alternatives[0]["confidence"]) == (0.6667, 0.0333)

    def test_gives_the_provider_photos_facts_and_market(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        perform(request(seller, draft, department="women"))
        (given,) = scripted.seen
        assert [photo.id for photo in given.photos] == [draft.photos[0].id]
        assert given.photos[0].content.startswith(b"\xff\xd8")
        assert given.facts.department == "women"
        assert (given.market.currency, given.market.language) == ("EUR", "lt")

    def test_fields_can_be_read_while_later_steps_still_run(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        seen: list[tuple[str, dict[str, str], int]] = []

        def look() -> None:
            seen.append((now_of(run).run.status, said_on(run), now_of(run).run.version))

        follow(CATEGORY, Scripted("colour", COLOURS.proposals, before=look))
        run = request(seller, draft)
        before = run.version
        perform(run)
        (status, fields, version) = seen[0]
        assert (status, set(fields)) == ("running", {"category", "parcel_size"})
        assert version > before, "whoever waits with an ETag is answered"

    def test_one_broken_step_leaves_the_others(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        follow(
            CATEGORY,
            Scripted("colour", fails_with="no_photo_readable"),
            Scripted("price", crashes=True),
            TEXTS,
        )
        run = request(seller, draft)
        assert perform(run).outcome == "partial"
        steps = {step.name: (step.outcome, step.error_code) for step in now_of(run).steps}
        assert steps["colour"] == ("failed", "no_photo_readable")
        assert steps["price"] == ("failed", "step_crashed")
        assert {"category", "title"} <= set(said_on(run))

    def test_a_step_that_hangs_is_ended(self, seller: Member, draft: ListingFacts, follow: Follow) -> None:
        follow(Scripted("colour", COLOURS.proposals, hangs_for_s=30, timeout_s=0.05), TEXTS)
        run = request(seller, draft)
        assert perform(run).outcome == "partial"
        step = now_of(run).steps[0]
        assert (step.outcome, step.error_code) == ("timed_out", "step_timed_out")
        assert step.elapsed_ms < 5_000
        assert "colours" not in said_on(run)

    def test_fails_when_every_step_breaks(self, seller: Member, draft: ListingFacts, follow: Follow) -> None:
        follow(Scripted("category", crashes=True), Scripted("text", fails_with="no_photo_readable"))
        run = request(seller, draft)
        assert perform(run).outcome == "failed"
        assert now_of(run).run.failure_code == "every_step_failed"

    def test_a_provider_that_raises_is_a_failed_run(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        follow(*WHOLE, crashes=True)
        run = request(seller, draft)
        assert perform(run).outcome == "failed"
        assert now_of(run).run.failure_code == "provider_crashed"

    def test_a_provider_that_is_gone_is_a_failed_run(self, seller: Member, draft: ListingFacts) -> None:
        run = request(seller, draft)
        assert perform(run).outcome == "failed"
        assert now_of(run).run.failure_code == "provider_unknown"

    def test_ringing_twice_works_once(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        assert [perform(run).outcome, perform(run).outcome] == ["succeeded", "skipped"]
        assert len(scripted.seen) == 1

    def test_a_ring_during_the_work_is_skipped(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        heard: list[str] = []
        provider = follow(
            Scripted("category", CATEGORY.proposals, before=lambda: heard.append(perform(run).outcome))
        )
        run = request(seller, draft)
        assert perform(run).outcome == "succeeded"
        assert (heard, len(provider.seen)) == (["skipped"], 1)

    def test_waits_for_photos_that_are_being_processed(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        from listings.services import process_photo

        late = make_photo(draft, colour="red", ready=False)
        run = request(seller, draft)
        waiting = perform(run)
        assert (waiting.outcome, waiting.ring_again_s) == ("waiting", 1.0)
        process_photo(photo_id=late.id, now=NOW)
        assert perform(run).outcome == "succeeded"
        assert len(scripted.seen[0].photos) == 2

    def test_after_ten_minutes_the_photos_that_are_ready_have_to_do(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        make_photo(draft, colour="red", ready=False)
        run = request(seller, draft)
        assert perform(run, now=NOW + dt.timedelta(minutes=10)).outcome == "succeeded"
        assert len(scripted.seen[0].photos) == 1

    def test_fails_when_no_photo_becomes_ready(self, seller: Member, scripted: ScriptedProvider) -> None:
        draft = make_draft(seller.id, complete=False)
        make_photo(draft, ready=False)
        run = request(seller, draft)
        assert perform(run, now=NOW + dt.timedelta(minutes=10)).outcome == "failed"
        assert now_of(run).run.failure_code == "no_photo_ready"

    def test_photos_of_a_listing_that_was_deleted_meanwhile_are_shown_to_nobody(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        from listings import services as listing_services

        run = request(seller, draft)
        listing_services.delete(seller_id=seller.id, listing_id=draft.id, now=NOW)
        assert perform(run).outcome == "failed"
        assert now_of(run).run.failure_code == "listing_gone"
        assert scripted.seen == []

    def test_a_storage_that_does_not_answer_postpones_the_run(
        self,
        seller: Member,
        draft: ListingFacts,
        scripted: ScriptedProvider,
        settings: object,
        tmp_path: object,
    ) -> None:
        run = request(seller, draft)
        before = settings.STORAGES  # type: ignore[attr-defined]
        settings.STORAGES = before | {  # type: ignore[attr-defined]
            "originals": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(tmp_path), "base_url": None},
            }
        }
        assert perform(run).outcome == "queued"
        settings.STORAGES = before  # type: ignore[attr-defined]
        assert perform(run, now=NOW + dt.timedelta(seconds=30)).outcome == "succeeded"

    def test_statement_count_grows_with_steps_not_with_photos(
        self,
        seller: Member,
        draft: ListingFacts,
        scripted: ScriptedProvider,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        run = request(seller, draft)
        with django_assert_max_num_queries(75):
            perform(run)


def test_suggestions_of_a_listing_stay_with_it(
    seller: Member, draft: ListingFacts, scripted: ScriptedProvider
) -> None:
    run = request(seller, draft)
    perform(run)
    assert SuggestionRun.objects.get(id=run.id).inputs["photos"] == [
        {"id": draft.photos[0].id, "sha256": draft.photos[0].sha256}
    ]
    assert FieldSuggestion.objects.filter(run_id=run.id, decision="none").count() == 6
