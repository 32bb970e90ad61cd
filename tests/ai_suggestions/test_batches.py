"""Batches: many listings of a professional seller, one at a time, behind everybody who waits for one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app
from django.utils import timezone

from ai_suggestions import batch_queries, services, tasks
from ai_suggestions.batch_tables import SuggestionBatch, SuggestionBatchItem
from ai_suggestions.errors import BatchStatusConflict, DepartmentUnknown, TooManyBatches
from ai_suggestions.models import SuggestionRun
from ai_suggestions.services import batching, ringing
from tests.ai_suggestions.running import SECOND
from tests.doubles.scripted_provider import WHOLE, Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_draft, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow

BATCHES = "/api/v1/suggestion-batches"
NOWHERE = "01" + "0" * 24


@pytest.fixture
def trader(catalogue: None) -> Member:
    return make_member("Antanas", plan="professional")


@pytest.fixture
def as_trader(trader: Member) -> APIClient:
    from tests.ai_suggestions.conftest import client_of

    return client_of(trader)


def drafts(member: Member, number: int) -> list[ListingFacts]:
    made = [make_draft(member.id, complete=False) for _ in range(number)]
    for draft in made:
        make_photo(draft)
    return made


@pytest.fixture
def three(trader: Member) -> list[str]:
    return [draft.id for draft in drafts(trader, 3)]


def ask(member: Member, listing_ids: list[str], *, now: dt.datetime = NOW) -> batch_queries.BatchFacts:
    return services.request_batch(member_id=member.id, listing_ids=listing_ids, now=now)


def advance(batch: batch_queries.BatchFacts, *, now: dt.datetime = NOW) -> str:
    return services.advance_batch(batch_id=batch.id, now=now).outcome


def counts(batch: batch_queries.BatchFacts) -> dict[str, int]:
    found = batch_queries.get_batch(batch.id, member_id=batch.member_id)
    return {status: number for status, number in found.progress.items() if number}


def status_of(batch: batch_queries.BatchFacts) -> str:
    return batch_queries.get_batch(batch.id, member_id=batch.member_id).status


class TestAdvance:
    def test_looks_at_one_listing_a_turn_until_it_has_finished(
        self, trader: Member, three: list[str], scripted: ScriptedProvider
    ) -> None:
        batch = ask(trader, three)
        assert (status_of(batch), counts(batch)) == ("queued", {"queued": 3})
        assert advance(batch) == "performed"
        assert (status_of(batch), counts(batch)) == ("running", {"queued": 2, "succeeded": 1})
        assert [advance(batch), advance(batch)] == ["performed", "finished"]
        assert (status_of(batch), counts(batch)) == ("finished", {"succeeded": 3})
        assert advance(batch) == "skipped"
        runs = SuggestionRun.objects.order_by("id")
        assert [(run.listing_id, run.batch_id) for run in runs] == [(id, batch.id) for id in three]

    def test_one_bad_listing_does_not_sink_the_rest(
        self, trader: Member, three: list[str], draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        bare = make_draft(trader.id, complete=False)
        batch = ask(trader, [NOWHERE, draft.id, "x", three[0], bare.id])
        # What is not theirs is refused at once and alike; a missing photo may still come.
        assert counts(batch) == {"refused": 3, "queued": 2}
        assert [advance(batch), advance(batch)] == ["performed", "finished"]
        items = batch_queries.list_items(batch)
        assert [(item.status, item.problem_code) for item in items] == [
            ("refused", "listing_not_found"),
            ("refused", "listing_not_found"),
            ("refused", "listing_not_found"),
            ("succeeded", ""),
            ("refused", "no_usable_photo"),
        ]

    def test_a_failed_run_is_counted_and_the_rest_go_on(
        self, trader: Member, three: list[str], follow: Follow, settings: Any
    ) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"
        batch = ask(trader, three)
        follow(Scripted("category", crashes=True))
        advance(batch)
        follow(WHOLE[0], Scripted("colour", crashes=True))
        advance(batch)
        follow(*WHOLE)
        assert advance(batch) == "finished"
        assert counts(batch) == {"failed": 1, "partial": 1, "succeeded": 1}

    def test_waits_for_photos_that_are_being_processed(
        self, trader: Member, three: list[str], scripted: ScriptedProvider
    ) -> None:
        from listings.queries import get_listing
        from listings.services import process_photo

        late = make_photo(get_listing(three[0]), colour="red", now=NOW, ready=False)
        batch = ask(trader, three[:2])
        assert advance(batch) == "performed", "the next one need not wait for it"
        assert advance(batch) == "waiting"
        assert counts(batch) == {"queued": 1, "succeeded": 1}
        process_photo(photo_id=late.id, now=NOW)
        services.perform_run(run_id=SuggestionRun.objects.get(status="queued").id, now=NOW + SECOND)
        assert advance(batch) == "finished"

    def test_takes_a_live_run_of_the_same_photos_for_its_own(
        self, trader: Member, three: list[str], scripted: ScriptedProvider
    ) -> None:
        run, _ = services.request_run(member_id=trader.id, listing_id=three[0], now=NOW)
        services.perform_run(run_id=run.id, now=NOW)
        SuggestionRun.objects.filter(id=run.id).update(
            status="queued", ring_at=NOW, finished_at=None, requested_at=NOW - dt.timedelta(minutes=5)
        )
        batch = ask(trader, three[:1])
        assert advance(batch) == "finished"
        assert batch_queries.list_items(batch)[0].run_id == run.id


class TestPriority:
    @pytest.fixture
    def waiting(self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> str:
        run, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
        return run.id

    def test_a_sellers_own_run_goes_first(self, trader: Member, three: list[str], waiting: str) -> None:
        batch = ask(trader, three)
        turn = services.advance_batch(batch_id=batch.id, now=NOW)
        assert (turn.outcome, turn.ring_again_s) == ("yielded", 1.0)
        assert counts(batch) == {"queued": 3}
        services.perform_run(run_id=waiting, now=NOW)
        assert advance(batch) == "performed"

    def test_but_not_for_ever(self, trader: Member, three: list[str], waiting: str) -> None:
        batch = ask(trader, three)
        later = NOW + batching.MOST_PATIENCE + SECOND
        SuggestionRun.objects.filter(id=waiting).update(requested_at=later - SECOND)
        assert advance(batch, now=later) == "performed"
        assert advance(batch, now=later) == "yielded"

    def test_batches_ring_in_a_queue_of_their_own(
        self, trader: Member, three: list[str], scripted: ScriptedProvider, batch_rings: Callable[[], int]
    ) -> None:
        batch = ask(trader, three)
        SuggestionBatch.objects.filter(id=batch.id).update(ring_at=timezone.now())
        tasks.sweep_runs()
        assert batch_rings() == 1
        tasks.advance_batch(batch.id)
        assert batch_rings() == 2, "it goes to the end of the queue, behind other sellers' batches"

    def test_a_seller_who_asks_for_a_listing_of_a_batch_does_not_wait_for_it(
        self, trader: Member, three: list[str], scripted: ScriptedProvider
    ) -> None:
        batch = ask(trader, three)
        run, created = services.request_run(
            member_id=trader.id, listing_id=three[0], batch_id=batch.id, now=NOW
        )
        again, is_new = services.request_run(member_id=trader.id, listing_id=three[0], now=NOW)
        assert (created, is_new, again.id) == (True, False, run.id)

    def test_of_one_sellers_batches_the_oldest_has_its_turns_first(
        self, trader: Member, three: list[str], scripted: ScriptedProvider
    ) -> None:
        first, second = ask(trader, three[:2]), ask(trader, three[2:])
        rival = make_member("Jonas", plan="professional")
        third = ask(rival, [draft.id for draft in drafts(rival, 1)])
        assert [advance(second), advance(third)] == ["skipped", "finished"]
        assert [advance(first), advance(first), advance(second)] == ["performed", "finished", "finished"]

    def test_one_worker_at_a_time_has_the_turn(
        self, trader: Member, three: list[str], follow: Follow, settings: Any
    ) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"
        seen: list[str] = []
        batch = ask(trader, three)
        follow(Scripted("category", WHOLE[0].proposals, before=lambda: seen.append(advance(batch))))
        assert advance(batch) == "performed"
        assert seen == ["skipped"]

    def test_a_turn_whose_worker_died_ends_by_itself(
        self, trader: Member, three: list[str], follow: Follow, settings: Any
    ) -> None:
        class Killed(BaseException):
            """As a process that is gone."""

        def die() -> None:
            raise Killed

        settings.SUGGESTIONS_PROVIDER = "scripted"
        batch = ask(trader, three[:2])
        follow(Scripted("category", before=die))
        with pytest.raises(Killed):
            advance(batch)
        assert advance(batch, now=NOW + SECOND) == "skipped"
        follow(*WHOLE)
        later = NOW + batching.TURN + SECOND
        assert advance(batch, now=later) == "waiting"
        services.sweep_runs(now=later)  # takes the lost run back
        services.perform_run(run_id=SuggestionRun.objects.get(status="queued").id, now=later)
        assert advance(batch, now=later) == "finished"
        assert counts(batch) == {"succeeded": 2}


@pytest.fixture
def batch_rings() -> Iterator[Callable[[], int]]:
    """How many rings for batches wait in the broker."""
    with current_app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        channel.queue_declare(ringing.BATCH_QUEUE)
        channel.queue_purge(ringing.BATCH_QUEUE)
        yield lambda: int(channel._size(ringing.BATCH_QUEUE))
        channel.queue_purge(ringing.BATCH_QUEUE)


class TestCancel:
    def test_begins_no_more_and_stops_the_run_in_hand(
        self, trader: Member, three: list[str], follow: Follow, settings: Any
    ) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"

        def stop() -> None:
            services.cancel_batch(member_id=trader.id, batch_id=batch.id, now=NOW)

        batch = ask(trader, three)
        follow(WHOLE[0], Scripted("colour", WHOLE[1].proposals, before=stop))
        assert advance(batch) == "skipped"
        assert (status_of(batch), counts(batch)) == ("cancelled", {"cancelled": 3})
        assert SuggestionRun.objects.count() == 1
        stop()  # twice is once

    def test_not_after_the_end(self, trader: Member, three: list[str], scripted: ScriptedProvider) -> None:
        batch = ask(trader, three[:1])
        advance(batch)
        with pytest.raises(BatchStatusConflict) as refused:
            services.cancel_batch(member_id=trader.id, batch_id=batch.id, now=NOW)
        assert refused.value.extra["allowed_actions"] == []


class TestRequest:
    def test_of_an_unknown_department(self, trader: Member, three: list[str]) -> None:
        with pytest.raises(DepartmentUnknown):
            services.request_batch(member_id=trader.id, listing_ids=three, department="hats", now=NOW)

    def test_too_many_suggestion_batches(self, trader: Member, three: list[str]) -> None:
        for _ in range(batching.MAX_LIVE):
            ask(trader, three[:1])
        with pytest.raises(TooManyBatches) as refused:
            ask(trader, three[:1])
        assert refused.value.code == "too_many_suggestion_batches"


class TestEndpoints:
    def test_the_way_of_a_batch(
        self, as_trader: APIClient, three: list[str], scripted: ScriptedProvider
    ) -> None:
        body = {"listing_ids": [*three[:1], NOWHERE], "department": "men"}
        key = {"Idempotency-Key": "stock-of-november"}
        begun = as_trader.post(BATCHES, body, format="json", headers=key)
        assert begun.status_code == 202
        assert begun["Location"].endswith(f"{BATCHES}/{begun.json()['id']}")
        assert begun["Retry-After"] == "5"
        assert begun.json()["allowed_actions"] == ["cancel"]
        assert begun.json()["items"][1]["problem"] == {
            "type": "/api/problems/listing_not_found",
            "code": "listing_not_found",
            "title": "There is no such listing",
        }
        again = as_trader.post(BATCHES, body, format="json", headers=key)
        assert (again.json()["id"], again["Idempotent-Replayed"]) == (begun.json()["id"], "true")

        tasks.advance_batch(begun.json()["id"])
        ended = as_trader.get(begun["Location"], headers={"Prefer": "wait=5"}).json()
        assert (ended["status"], ended["allowed_actions"]) == ("finished", [])
        assert (ended["progress"]["total"], ended["progress"]["succeeded"]) == (2, 1)
        run = as_trader.get(f"/api/v1/suggestion-runs/{ended['items'][0]['run_id']}").json()
        assert (run["status"], run["department"]) == ("succeeded", "men")

    def test_professional_sellers_only(self, as_seller: APIClient, draft: ListingFacts) -> None:
        response = as_seller.post(BATCHES, {"listing_ids": [draft.id]}, format="json")
        problem = response.json()
        assert (response.status_code, problem["code"], problem["reason"]) == (
            403,
            "professional_sellers_only",
            "plan_private",
        )

    @pytest.mark.parametrize("listing_ids", [[], ["x" * 27], ["ž"], [7], "a", [f"{n}" for n in range(201)]])
    def test_of_another_shape(self, as_trader: APIClient, listing_ids: Any) -> None:
        response = as_trader.post(BATCHES, {"listing_ids": listing_ids}, format="json")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
        assert not SuggestionBatch.objects.exists()

    def test_a_listing_named_twice_is_looked_at_once(self, as_trader: APIClient, three: list[str]) -> None:
        answer = as_trader.post(BATCHES, {"listing_ids": [three[1], *three]}, format="json")
        assert [item["listing_id"] for item in answer.json()["items"]] == [three[1], three[0], three[2]]

    def test_somebody_elses_is_not_found(
        self, trader: Member, three: list[str], as_other_seller: APIClient
    ) -> None:
        batch = ask(trader, three)
        for answer in (
            as_other_seller.get(f"{BATCHES}/{batch.id}"),
            as_other_seller.post(f"{BATCHES}/{batch.id}/cancel"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "suggestion_batch_not_found")
        assert as_other_seller.get(BATCHES).json()["results"] == []

    def test_the_list_is_newest_first_in_pages(
        self, trader: Member, as_trader: APIClient, three: list[str], django_assert_num_queries: Any
    ) -> None:
        ids = [ask(trader, three[:number]).id for number in (1, 2, 3)]
        with django_assert_num_queries(2):
            page = as_trader.get(f"{BATCHES}?limit=2").json()
        assert [batch["id"] for batch in page["results"]] == [ids[2], ids[1]]
        assert [batch["progress"]["queued"] for batch in page["results"]] == [3, 2]
        assert [batch["id"] for batch in as_trader.get(page["next"]).json()["results"]] == [ids[0]]

    def test_cancel(self, trader: Member, as_trader: APIClient, three: list[str]) -> None:
        batch = ask(trader, three)
        for _ in range(2):
            answer = as_trader.post(f"{BATCHES}/{batch.id}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
            assert answer.json()["progress"]["cancelled"] == 3

    def test_suggestion_batch_status_conflict(
        self, trader: Member, as_trader: APIClient, three: list[str], scripted: ScriptedProvider
    ) -> None:
        batch = ask(trader, three[:1])
        advance(batch)
        answer = as_trader.post(f"{BATCHES}/{batch.id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "suggestion_batch_status_conflict")


class TestAdmin:
    def test_shows_each_listing_with_its_problem(self, trader: Member, three: list[str]) -> None:
        from django.test import Client

        batch = ask(trader, [*three, NOWHERE])
        staff = Client()
        staff.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        assert batch.id.encode() in staff.get("/admin/ai_suggestions/suggestionbatch/").content
        page = staff.get(f"/admin/ai_suggestions/suggestionbatch/{batch.id}/change/")
        assert page.status_code == 200
        assert b"listing_not_found" in page.content
        assert SuggestionBatchItem.objects.count() == 4
