"""Who wins a race for a run, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from ai_suggestions import services
from ai_suggestions.batch_tables import MemberUsage, SuggestionBatch
from ai_suggestions.models import FieldSuggestion, RunStep, SuggestionRun
from foundation.errors import DomainError
from listings.queries import get_listing
from tests.ai_suggestions.running import now_of, perform, request
from tests.doubles.scripted_provider import COLOURS, TEXTS, WHOLE, Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_draft, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each answers when they start together; an error's code for a refusal."""
    gate = threading.Barrier(len(works))

    def start(work: Callable[[], Any]) -> Any:
        try:
            gate.wait(20)
            return work()
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(start, works))


class TestRequests:
    def test_at_once_are_one_run(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        ids = at_once(*[lambda: request(seller, draft).id] * 8)
        assert SuggestionRun.objects.filter(status="queued").count() == 1
        live = SuggestionRun.objects.get(status="queued").id
        assert set(ids) <= {live, "another_suggestion_run_live"}
        assert live in ids
        assert MemberUsage.objects.get().runs == 1, "one run is one of the day's"

    def test_for_different_departments_leave_one_live(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        at_once(
            *[lambda: request(seller, draft, department="women").id] * 4,
            *[lambda: request(seller, draft, department="men").id] * 4,
        )
        statuses = Counter(SuggestionRun.objects.values_list("status", flat=True))
        assert statuses["queued"] == 1
        assert set(statuses) <= {"queued", "superseded"}


class TestWorkers:
    def test_that_hear_the_same_ring_do_it_once(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        outcomes = Counter(at_once(*[lambda: perform(run).outcome] * 6))
        assert outcomes == {"succeeded": 1, "skipped": 5}
        assert len(scripted.seen) == 1
        assert RunStep.objects.filter(run_id=run.id).count() == len(WHOLE)

    def test_and_a_cancellation_agree_on_the_end(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        performed, cancelled = at_once(
            lambda: perform(run).outcome,
            lambda: services.cancel_run(member_id=seller.id, run_id=run.id, now=NOW).status,
        )
        status = now_of(run).run.status
        assert (performed, cancelled, status) in {
            ("skipped", "cancelled", "cancelled"),
            ("succeeded", "suggestion_run_status_conflict", "succeeded"),
        }

    def test_and_decisions_keep_each_others_writes(
        self, seller: Member, draft: ListingFacts, follow: Follow
    ) -> None:
        decided = threading.Event()
        visible = threading.Event()

        def let_the_seller_decide() -> None:
            visible.set()
            decided.wait(20)

        follow(COLOURS, Scripted("price", before=let_the_seller_decide), TEXTS)
        run = request(seller, draft)

        def decide() -> str:
            assert visible.wait(20)
            details = services.decide(
                member_id=seller.id,
                run_id=run.id,
                decisions=[services.FieldDecision("colours", "accept")],
                now=NOW,
            )
            decided.set()
            return details.run.status

        assert at_once(lambda: perform(run).outcome, decide) == ["succeeded", "running"]
        assert get_listing(draft.id).colour_ids == ("navy",)
        assert dict(FieldSuggestion.objects.filter(run_id=run.id).values_list("field", "decision")) == {
            "colours": "accepted",
            "title": "none",
            "description": "none",
        }


class TestDecisions:
    def test_at_once_on_the_same_version_are_taken_once(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run = request(seller, draft)
        perform(run)
        version = get_listing(draft.id).version

        def decide(field: str) -> Callable[[], Any]:
            return lambda: (
                services.decide(
                    member_id=seller.id,
                    run_id=run.id,
                    decisions=[services.FieldDecision(field, "accept")],
                    now=NOW,
                    listing_version=version,
                ).run.status
            )

        answers = Counter(at_once(decide("title"), decide("colours"), decide("price")))
        assert answers == {"succeeded": 1, "suggestions_stale": 2}
        assert FieldSuggestion.objects.filter(run_id=run.id, decision="accepted").count() == 1


class TestQuota:
    def test_is_not_overrun_by_requests_at_once(
        self, seller: Member, scripted: ScriptedProvider, settings: Settings
    ) -> None:
        settings.SUGGESTION_RUNS_PER_DAY = {"private": 3, "professional": 3}
        listings = [make_draft(seller.id, complete=False) for _ in range(8)]
        for listing in listings:
            make_photo(listing)

        def ask(listing: ListingFacts) -> Callable[[], str]:
            return lambda: request(seller, listing).status

        answers = Counter(at_once(*map(ask, listings)))
        assert answers == {"queued": 3, "suggestion_run_quota_spent": 5}
        assert MemberUsage.objects.get().runs == SuggestionRun.objects.count() == 3


class TestBatches:
    def test_rung_for_at_once_take_one_turn(self, follow: Follow, settings: Settings, draft: object) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"
        trader = make_member(plan="professional")
        listings = [make_draft(trader.id, complete=False) for _ in range(4)]
        for listing in listings:
            make_photo(listing)
        # Long enough that the others come while the first has the turn.
        follow(Scripted("category", WHOLE[0].proposals, hangs_for_s=0.5))
        batch = services.request_batch(
            member_id=trader.id, listing_ids=[listing.id for listing in listings], now=NOW
        )
        turns = Counter(at_once(*[lambda: services.advance_batch(batch_id=batch.id, now=NOW).outcome] * 4))
        assert turns == {"performed": 1, "skipped": 3}
        assert SuggestionRun.objects.count() == 1

    def test_cancelled_while_a_run_ends_leave_nothing_live(
        self, follow: Follow, settings: Settings, draft: object
    ) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"
        follow(*WHOLE)
        trader = make_member(plan="professional")
        listings = [make_draft(trader.id, complete=False) for _ in range(2)]
        for listing in listings:
            make_photo(listing)
        batch = services.request_batch(
            member_id=trader.id, listing_ids=[listing.id for listing in listings], now=NOW
        )
        at_once(
            lambda: services.advance_batch(batch_id=batch.id, now=NOW).outcome,
            lambda: services.cancel_batch(member_id=trader.id, batch_id=batch.id, now=NOW).status,
        )
        assert SuggestionBatch.objects.get().status == "cancelled"
        assert not SuggestionRun.objects.filter(status__in=["queued", "running"]).exists()
