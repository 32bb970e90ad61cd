"""What a seller may use in a day, by plan: runs are refused beyond it, LLM calls only left out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from ai_suggestions import services
from ai_suggestions.batch_tables import MemberUsage
from ai_suggestions.errors import RunQuotaSpent
from ai_suggestions.llm.budget import BudgetInMemory, Refusal
from ai_suggestions.services.quotas import KEEP_USAGE, MemberAllowance
from tests.ai_suggestions.running import perform, request
from tests.doubles.scripted_provider import Scripted, ScriptedProvider
from tests.factories.listings import NOW, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow

TODAY = NOW.astimezone(dt.UTC).date()


def used(member: Member) -> tuple[int, int]:
    usage = MemberUsage.objects.get(member_id=member.id, day=TODAY)
    return usage.runs, usage.llm_calls


class TestRuns:
    @pytest.fixture(autouse=True)
    def two_a_day(self, settings: Any) -> None:
        settings.SUGGESTION_RUNS_PER_DAY = {"private": 2, "professional": 3}

    def use_up(self, seller: Member, draft: ListingFacts, number: int) -> None:
        for place in range(number):
            make_photo(draft, colour=("red", "green", "white")[place], now=NOW)
            request(seller, draft)

    def test_are_refused_until_midnight(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        self.use_up(seller, draft, 2)
        with pytest.raises(RunQuotaSpent) as refused:
            self.use_up(seller, draft, 1)
        assert refused.value.extra == {"plan": "private", "limit": 2}
        midnight = NOW + dt.timedelta(seconds=refused.value.retry_after_s or 0)
        assert midnight.astimezone(dt.UTC).time() == dt.time()
        assert used(seller) == (2, 0)
        make_photo(draft, colour="blue", now=NOW)
        assert request(seller, draft, now=midnight).status == "queued"

    def test_of_a_professional_seller_are_more(self, catalogue: None, scripted: ScriptedProvider) -> None:
        from listings.queries import get_listing
        from tests.factories.listings import make_draft

        trader = make_member(plan="professional")
        listing = make_draft(trader.id, complete=False)
        self.use_up(trader, get_listing(listing.id), 3)
        assert used(trader) == (3, 0)

    def test_that_are_live_already_are_not_counted_again(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        for _ in range(4):
            request(seller, draft)
        assert used(seller) == (1, 0)

    def test_that_are_retried_count(self, seller: Member, draft: ListingFacts, follow: Follow) -> None:
        follow(Scripted("category", crashes=True))
        run = request(seller, draft)
        perform(run)
        services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)
        perform(run)
        with pytest.raises(RunQuotaSpent):
            services.retry_run(member_id=seller.id, run_id=run.id, now=NOW)

    def test_that_staff_ask_for_are_not_counted(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        self.use_up(seller, draft, 2)
        make_photo(draft, colour="blue", now=NOW)
        services.request_run(member_id=seller.id, listing_id=draft.id, is_counted=False, now=NOW)
        assert used(seller) == (2, 0)

    def test_suggestion_run_quota_spent(
        self, as_seller: APIClient, draft: ListingFacts, settings: Any
    ) -> None:
        settings.SUGGESTION_RUNS_PER_DAY = {"private": 0, "professional": 0}
        response = as_seller.post(f"/api/v1/listings/{draft.id}/suggestions", {}, format="json")
        assert (response.status_code, response.json()["code"]) == (429, "suggestion_run_quota_spent")
        assert 0 < int(response["Retry-After"]) <= 24 * 3600

    def test_in_a_batch_are_refused_one_by_one(
        self, draft: ListingFacts, seller: Member, scripted: ScriptedProvider
    ) -> None:
        from ai_suggestions import batch_queries
        from tests.ai_suggestions.test_batches import drafts

        trader = make_member(plan="professional")
        listings = [listing.id for listing in drafts(trader, 4)]
        batch = services.request_batch(member_id=trader.id, listing_ids=listings, now=NOW)
        while services.advance_batch(batch_id=batch.id, now=NOW).outcome == "performed":
            pass
        codes = [item.problem_code for item in batch_queries.list_items(batch)]
        assert codes == ["", "", "", "suggestion_run_quota_spent"]


class TestLlmCalls:
    @pytest.fixture
    def allowance(self, seller: Member, settings: Any) -> MemberAllowance:
        settings.SUGGESTION_LLM_CALLS_PER_DAY = {"private": 2, "professional": 3}
        return MemberAllowance(seller.id, TODAY, 1.0)

    def test_run_out_and_come_back(self, allowance: MemberAllowance, seller: Member) -> None:
        assert [allowance.take_llm_call() for _ in range(3)] == [True, True, False]
        allowance.give_back_llm_call()
        assert used(seller) == (0, 1)
        assert allowance.take_llm_call()

    def test_are_never_fewer_than_none(self, allowance: MemberAllowance, seller: Member) -> None:
        allowance.take_llm_call()
        for _ in range(2):
            allowance.give_back_llm_call()
        assert used(seller) == (0, 0)


class TestShare:
    def test_of_the_budget_leaves_the_rest_to_those_who_wait(self) -> None:
        budget = BudgetInMemory(limit_micro=100)
        assert budget.reserve(request="a", day=TODAY, amount_micro=50, share=0.5) is not None
        assert budget.reserve(request="b", day=TODAY, amount_micro=1, share=0.5) is Refusal.SPENT
        budget.reserve(request="b", day=TODAY, amount_micro=50)
        assert budget.spent_micro(TODAY) == 100


class TestUsage:
    def test_is_forgotten_after_a_year(self, seller: Member) -> None:
        for age in (KEEP_USAGE.days - 1, KEEP_USAGE.days + 1):
            MemberUsage.objects.create(member_id=seller.id, day=TODAY - dt.timedelta(days=age))
        assert services.forget_usage(now=NOW) == 1

    def test_is_shown_to_staff(self, seller: Member) -> None:
        from django.test import Client

        MemberUsage.objects.create(member_id=seller.id, day=TODAY, runs=17)
        staff = Client()
        staff.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        page = staff.get("/admin/ai_suggestions/memberusage/").content
        assert b"17" in page
        assert b"private (200, 30)" in page
