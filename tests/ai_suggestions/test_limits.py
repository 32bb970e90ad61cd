"""What staff say about the LLM's money and circuit and about plans: it counts at once, and is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client

from ai_suggestions.errors import RunQuotaSpent
from ai_suggestions.limit_tables import LlmPolicy, PlanQuota
from ai_suggestions.llm.breaker import BreakerRules
from ai_suggestions.llm.policy import current_policy
from ai_suggestions.llm.tables import LlmDay
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.providers import shadow_named
from ai_suggestions.quota_queries import Quota, quota_of
from ai_suggestions.services import keep_llm_policy, keep_plan_quota
from ai_suggestions.services.quotas import MemberAllowance
from foundation.ids import new_id
from tests.ai_suggestions.llm.asking import SNEAKERS, a_request, demo_photo
from tests.ai_suggestions.running import request
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, fails, says
from tests.factories.listings import NOW
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.doubles.scripted_provider import ScriptedProvider

pytestmark = pytest.mark.django_db

AUTHOR = new_id()


def a_policy(**facts: Any) -> LlmPolicy:
    values: dict[str, Any] = {"daily_budget": Decimal(5), "input_price": Decimal(2), "note": "a trial"}
    values |= {"cached_price": Decimal(1), "output_price": Decimal(8), "failures": 5, "within_s": 60}
    values |= {"pause_s": 30, "longest_pause_s": 600, "probe_s": 45}
    return LlmPolicy(**(values | facts))


def a_quota(**facts: Any) -> PlanQuota:
    values = {"plan": "private", "runs_per_day": 7, "llm_calls_per_day": 1, "note": "a trial"}
    return PlanQuota(**(values | facts))


def keep(row: LlmPolicy | PlanQuota) -> None:
    """As staff would."""
    if isinstance(row, LlmPolicy):
        keep_llm_policy(row, changed_by=AUTHOR, now=NOW)
    else:
        keep_plan_quota(row, changed_by=AUTHOR, now=NOW)


def _lost_policies(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if "llmpolicy" in sql:
        raise OperationalError("server has gone away")
    return execute(sql, params, many, context)


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer(default=says(SNEAKERS)) as running:
        yield running


@pytest.fixture
def configured(settings: Settings, server: OpenAiServer) -> Settings:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.LLM_MODEL = server.url, KEY, MODEL
    settings.LLM_PRICES, settings.LLM_DAILY_BUDGET = {"input": "2.5", "output": "10"}, "5"
    return settings


class TestKeepLlmPolicy:
    def test_counts_for_a_provider_that_is_there_already(
        self, configured: Settings, server: OpenAiServer
    ) -> None:
        llm = llm_provider()
        keep(a_policy(daily_budget=Decimal("0.01")))
        assert next(llm.run(a_request())).error_code == "llm_budget_spent"
        keep(a_policy(input_price=Decimal(0), cached_price=Decimal(0), output_price=Decimal(1000)))
        report = next(llm.run(a_request()))
        llm.close()
        assert report.error_code is None
        assert len(server.seen) == 1
        # By the prices of the policy, not by those of the settings.
        assert report.usage["cost_micro"] == report.usage["tokens_out"] * 1000 > 0
        assert LlmDay.objects.get().committed_micro == report.usage["cost_micro"]

    def test_counts_for_shadows(self, configured: Settings, server: OpenAiServer) -> None:
        keep(a_policy(daily_budget=Decimal(0)))
        with shadow_named("llm", daily_cap_micro=None) as shadow:
            assert next(iter(shadow.run(a_request()))).error_code == "llm_budget_spent"
        assert not server.seen

    def test_opens_the_circuit_by_its_rules(self, configured: Settings, server: OpenAiServer) -> None:
        keep(a_policy(failures=1))
        server.play(fails(500))
        llm = llm_provider()
        codes = [next(llm.run(a_request(demo_photo(name)))).error_code for name in ("sofa/1.jpg",) * 2]
        llm.close()
        assert codes == ["llm_server_error", "llm_circuit_open"]

    def test_is_another_version_with_author_and_note(self) -> None:
        keep(a_policy())
        keep(a_policy(note="dearer", daily_budget=Decimal(9)))
        second, first = LlmPolicy.objects.all()
        assert [(row.version, row.note, row.daily_budget) for row in (first, second)] == [
            (1, "a trial", Decimal(5)),
            (2, "dearer", Decimal(9)),
        ]
        assert (second.changed_by, second.changed_at) == (AUTHOR, NOW)

    def test_is_read_in_one_statement(self, configured: Settings, django_assert_num_queries: Any) -> None:
        keep(a_policy(failures=3))
        with django_assert_num_queries(1):
            policy = current_policy()
        assert (policy.limit_micro, policy.breaker) == (5_000_000, BreakerRules(failures=3))

    def test_that_is_switched_off_leaves_it_to_the_settings(self, configured: Settings) -> None:
        without = current_policy()
        assert without.limit_micro == 5_000_000
        keep(a_policy(daily_budget=Decimal(1)))
        assert current_policy().limit_micro == 1_000_000
        keep(a_policy(daily_budget=Decimal(1), is_active=False))
        assert current_policy() == without

    def test_that_cannot_be_read_lets_nothing_be_asked(
        self, configured: Settings, server: OpenAiServer
    ) -> None:
        llm = llm_provider()
        with connection.execute_wrapper(_lost_policies):
            report = next(llm.run(a_request()))
        assert report.error_code == "llm_internal_error"
        llm.close()
        assert not server.seen


class TestKeepPlanQuota:
    def test_counts_for_the_next_run(
        self, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        keep(a_quota(runs_per_day=0))
        with pytest.raises(RunQuotaSpent) as refused:
            request(seller, draft)
        assert refused.value.extra == {"plan": "private", "limit": 0}
        keep(a_quota(runs_per_day=1))
        assert request(seller, draft).status == "queued"

    def test_counts_for_the_next_call(self, seller: Member) -> None:
        allowance = MemberAllowance(seller.id, NOW.date(), 1.0)
        keep(a_quota(llm_calls_per_day=1))
        assert [allowance.take_llm_call() for _ in range(2)] == [True, False]
        keep(a_quota(llm_calls_per_day=2))
        assert allowance.take_llm_call()

    def test_is_of_one_plan_and_leaves_the_others_to_the_settings(
        self, django_assert_num_queries: Any
    ) -> None:
        keep(a_quota(plan="professional"))
        keep(a_quota())
        keep(a_quota(runs_per_day=8))
        assert [row.version for row in PlanQuota.objects.filter(plan="private")] == [2, 1]
        with django_assert_num_queries(1):
            assert quota_of("private") == Quota(8, 1)
        keep(a_quota(is_active=False))
        assert (quota_of("private"), quota_of("professional")) == (Quota(200, 30), Quota(7, 1))


class TestConstraints:
    # MariaDB reports a failed CHECK as an operational error, and a unique index by its name.
    @pytest.mark.parametrize(
        ("row", "name"),
        [
            (a_policy(daily_budget=Decimal("-0.01")), "llm_policy_amounts_not_negative"),
            (a_policy(cached_price=Decimal(-1)), "llm_policy_amounts_not_negative"),
            (a_policy(failures=0), "llm_policy_circuit_in_range"),
            (a_policy(pause_s=31, longest_pause_s=30), "llm_policy_circuit_in_range"),
            (a_quota(runs_per_day=1_000_001), "plan_quota_in_range"),
            (a_quota(plan=""), "plan_quota_in_range"),
        ],
    )
    def test_refuse_what_cannot_be(self, row: LlmPolicy | PlanQuota, name: str) -> None:
        with pytest.raises((IntegrityError, OperationalError), match=name), transaction.atomic():
            keep(row)

    @pytest.mark.parametrize(
        ("make", "names"),
        [
            (a_policy, "llm_policy_version_once|llmpolicy.version"),
            (a_quota, "plan_quota_version_once|planquota.version"),
        ],
    )
    def test_keep_a_version_once(self, make: Any, names: str) -> None:
        keep(make())
        with pytest.raises(IntegrityError, match=names), transaction.atomic():
            make(version=1, changed_by=AUTHOR, changed_at=NOW + timedelta(1)).save()


@pytest.fixture
def staff(catalogue: None) -> Client:
    """May add policies and quotas and look at them, and nothing else."""
    member = make_member("Rūta", is_staff=True)
    codes = [f"{verb}_{model}" for verb in ("add", "view") for model in ("llmpolicy", "planquota")]
    member.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(member)
    return client


class TestAdmin:
    POLICIES = "/admin/ai_suggestions/llmpolicy/"
    QUOTAS = "/admin/ai_suggestions/planquota/"
    POLICY = (
        {"daily_budget": "7.50", "input_price": "2.5", "cached_price": "1.25", "output_price": "10"}
        | {"failures": "5", "within_s": "60", "pause_s": "30", "longest_pause_s": "600", "probe_s": "45"}
        | {"is_active": "on", "note": "more sellers"}
    )
    QUOTA = {
        "plan": "private",
        "runs_per_day": "50",
        "llm_calls_per_day": "5",
        "is_active": "on",
        "note": "n",
    }

    def test_begins_with_what_counts_now(self, staff: Client, configured: Settings) -> None:
        form = staff.get(f"{self.POLICIES}add/").context["adminform"].form.initial
        assert (form["daily_budget"], form["output_price"], form["failures"]) == (5, 10, 5)
        form = staff.get(f"{self.QUOTAS}add/", {"plan": "professional"}).context["adminform"].form.initial
        assert (form["runs_per_day"], form["llm_calls_per_day"]) == (3000, 500)

    def test_adds_a_row_that_counts_and_says_who_did(self, staff: Client, configured: Settings) -> None:
        assert staff.post(f"{self.POLICIES}add/", self.POLICY).status_code == 302
        assert staff.post(f"{self.QUOTAS}add/", self.QUOTA).status_code == 302
        assert (current_policy().limit_micro, quota_of("private")) == (7_500_000, Quota(50, 5))
        for row in (LlmPolicy.objects.get(), PlanQuota.objects.get()):
            log = LogEntry.objects.get(object_id=row.id)
            assert row.changed_by == log.user_id
        page = staff.get(self.POLICIES).content.decode()
        assert "more sellers" in page
        assert "5 in 60 s, pause 30-600 s, probe 45 s" in page

    def test_changes_and_deletes_none(self, staff: Client) -> None:
        staff.post(f"{self.POLICIES}add/", self.POLICY)
        page = f"{self.POLICIES}{LlmPolicy.objects.get().id}/"
        assert staff.get(f"{page}change/").status_code == 200
        assert staff.post(f"{page}change/", self.POLICY).status_code == 403
        assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 403

    def test_is_closed_to_staff_without_the_permission(self, catalogue: None) -> None:
        client = Client()
        client.force_login(make_member("Jonas", is_staff=True))
        for url in (self.POLICIES, f"{self.POLICIES}add/", self.QUOTAS, f"{self.QUOTAS}add/"):
            assert client.post(url, self.POLICY).status_code == 403

    @pytest.mark.parametrize(
        "wrong",
        [
            {"daily_budget": "-1"},
            {"daily_budget": ""},
            {"output_price": "NaN"},
            {"failures": "0"},
            {"within_s": "3601"},
            {"pause_s": "601"},
            {"probe_s": "30"},
            {"probe_s": ""},
            {"note": ""},
        ],
    )
    def test_refuses_a_policy_that_cannot_work(self, staff: Client, wrong: dict[str, str]) -> None:
        answer = staff.post(f"{self.POLICIES}add/", self.POLICY | wrong)
        assert answer.status_code == 200
        assert b"errorlist" in answer.content
        assert not LlmPolicy.objects.exists()

    @pytest.mark.parametrize(
        "wrong", [{"plan": "golden"}, {"runs_per_day": "-1"}, {"llm_calls_per_day": "1000001"}, {"note": ""}]
    )
    def test_refuses_a_quota_that_cannot_work(self, staff: Client, wrong: dict[str, str]) -> None:
        assert b"errorlist" in staff.post(f"{self.QUOTAS}add/", self.QUOTA | wrong).content
        assert not PlanQuota.objects.exists()
