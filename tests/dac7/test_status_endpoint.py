"""GET /api/v1/tax-status: how far, what happens when, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from dac7.services.diligence import request_information, sweep_requests
from dac7.services.profiling import exclude_entity
from dac7.services.watching import watch_sales
from dac7.states import rules_of
from dac7.steps import Step, next_steps
from dac7.thresholds import Standing
from foundation.lifecycle import CLOCK
from foundation.money import Money
from members.models import Member, Notice
from tests.factories.members import make_member
from tests.factories.sales import sell_many
from tests.factories.tax import company, give_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(seller)
    return client


def status(client: APIClient, **headers: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/tax-status", **headers)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def sold(member: Member, minor: int, number: int) -> None:
    # A moment ago; on the first of January that was perhaps last year, which no member cares about.
    sell_many(member.id, Money(minor, "EUR").allocate([1] * number), at=timezone.now())


def test_before_the_first_sale_there_is_nothing_to_do(as_seller: APIClient) -> None:
    body = status(as_seller)
    assert (body["sales"], body["net"], body["standing"]) == (0, [], "none")
    assert (body["sales_left"], body["amount_left"]) == (29, {"amount": 200000, "currency": "EUR"})
    assert [one["step"] for one in body["next"]] == ["nothing"]
    assert body["limits"]["amount_itself"] is rules_of("LT", body["year"]).is_limit_reported


def test_counts_sales_and_the_distance(as_seller: APIClient, seller: Member) -> None:
    sold(make_member("Other"), 99999, 5)
    sold(seller, 123456, 12)
    body = status(as_seller)
    assert (body["sales"], body["sales_left"], body["standing"]) == (12, 17, "small")
    assert body["net"] == [body["net_in_euros"]] == [{"amount": 123456, "currency": "EUR"}]
    assert body["amount_left"]["amount"] == 76544


def test_over_a_limit_says_what_happens_and_why(as_seller: APIClient, seller: Member) -> None:
    sold(seller, 3000, 30)
    body = status(as_seller, HTTP_ACCEPT_LANGUAGE="de")
    assert (body["standing"], body["sales_left"]) == ("over", 0)
    steps = {one["step"]: one for one in body["next"]}
    assert list(steps) == ["give_information", "report", "statement"]
    assert steps["report"]["on"] == f"{body['year'] + 1}-01-31"
    assert "Grenze" in steps["report"]["why"]


def test_a_request_and_what_it_holds_are_shown(as_seller: APIClient, seller: Member) -> None:
    sold(seller, 3000, 30)
    asked_at = timezone.now() - timedelta(days=100)
    request_information(member_id=seller.id, year=asked_at.year, actor=CLOCK, now=asked_at)
    shown = status(as_seller)
    assert shown["request"]["status"] == "requested"
    assert [one["step"] for one in shown["next"]][:2] == ["give_information", "withdrawals_held_from"]
    for days in (80, 60, 10):
        sweep_requests(now=timezone.now() - timedelta(days=days))
    held = status(as_seller)
    assert (held["request"]["status"], held["request"]["next_letter_at"]) == ("withheld", None)
    assert held["next"][0]["step"] == "withdrawals_held"


def test_information_that_is_there_is_not_asked_for(as_seller: APIClient, seller: Member) -> None:
    sold(seller, 3000, 30)
    give_profile(seller.id)
    body = status(as_seller)
    assert body["information_complete"] is True
    assert [one["step"] for one in body["next"]] == ["report", "statement"]


def test_all_accounts_of_a_person_count(as_seller: APIClient, seller: Member) -> None:
    second = make_member("Ona again")
    for member in (seller, second):
        give_profile(member.id)
        sold(member, 3000, 15)
    body = status(as_seller)
    assert (body["sales"], body["sales_left"], body["standing"]) == (30, 0, "over")
    watch_sales(now=timezone.now() + timedelta(seconds=1))
    told = Notice.objects.filter(kind="tax.over_limits").values_list("member_id", flat=True)
    assert set(told) == {seller.id, second.id}


def test_who_is_never_reported_is_not_told_otherwise(as_seller: APIClient, seller: Member) -> None:
    give_profile(seller.id, company())
    exclude_entity(member_id=seller.id, exclusion="listed", staff_id="S", note="Nasdaq", now=timezone.now())
    sold(seller, 300_000, 31)
    body = status(as_seller)
    assert (body["sales"], body["standing"]) == (31, "small")
    assert [one["step"] for one in body["next"]] == ["not_reported"]
    watch_sales(now=timezone.now() + timedelta(seconds=1))
    assert not Notice.objects.filter(kind__startswith="tax.").exists()


def test_strangers_have_no_status() -> None:
    assert APIClient().get("/api/v1/tax-status").status_code == 401


@pytest.mark.parametrize("language", ["en", "de", "fr", "lt"])
def test_every_step_has_its_words(language: str) -> None:
    stops = {"is_withheld": True, "is_barred": True, "is_closed": True}
    steps = next_steps(year=2026, standing=Standing.OVER, is_missing=True, held_from=None, **stops)
    assert [one.step for one in steps][:3] == [
        Step.ACCOUNT_CLOSED,
        Step.SELLING_STOPPED,
        Step.WITHDRAWALS_HELD,
    ]
    assert len({one.why(language) for one in steps}) == len(steps)
