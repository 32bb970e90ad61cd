"""The pages of tax staff: the year, the queue, what figures are made of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from dac7.lifecycle.diligence import RequestStatus
from dac7.models import InformationRequest
from dac7.services.diligence import request_information, sweep_requests
from dac7.services.figuring import reported_sellers
from dac7.services.watching import watch_sales
from foundation.ids import new_id
from foundation.lifecycle import CLOCK
from foundation.money import Money
from members.models import Member
from members.queries import list_restrictions
from tests.factories.members import make_member
from tests.factories.sales import sell_many, take_back

pytestmark = pytest.mark.django_db

REQUESTS = "/admin/dac7/informationrequest/"
MODELS = (
    *("selleryear", "informationrequest", "diligenceevent", "quartercheck"),
    *("compilation", "frozenseller", "exchangerate"),
)


def client_of(*permissions: str) -> Client:
    staff = make_member("Tax officer", is_staff=True)
    wanted = [f"view_{model}" for model in MODELS] + list(permissions)
    staff.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client()
    client.force_login(staff)
    return client


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def withheld(member: Member) -> InformationRequest:
    asked_at = timezone.now() - timedelta(days=100)
    request_information(member_id=member.id, year=asked_at.year, actor=CLOCK, now=asked_at)
    for days in (80, 60, 10):
        sweep_requests(now=timezone.now() - timedelta(days=days))
    request = InformationRequest.objects.get()
    assert request.status == RequestStatus.WITHHELD
    return request


def act(client: Client, action: str, *ids: str) -> str:
    form = {"action": action, "_selected_action": list(ids), "confirmed": "yes", "note": "Looked into it"}
    return client.post(REQUESTS, form, follow=True).content.decode()


def test_every_list_opens(seller: Member) -> None:
    viewer = client_of()
    for model in MODELS:
        page(viewer, f"/admin/dac7/{model}/")


def test_overview_shows_sellers_requests_and_sums(seller: Member) -> None:
    now = timezone.now()
    references = sell_many(seller.id, [Money(10000, "EUR")] * 31, at=now)
    watch_sales(now=now + timedelta(seconds=1))
    year = timezone.localtime(now, timezone.get_fixed_timezone(120)).year
    filings = [new_id(), new_id()]
    list(reported_sellers(filing_id=filings[0], year=year, member_state="LT", now=now + timedelta(seconds=1)))
    take_back(seller.id, Money(10000, "EUR"), reference=references[0], at=now + timedelta(seconds=2))
    list(reported_sellers(filing_id=filings[1], year=year, member_state="LT", now=now + timedelta(seconds=3)))
    viewer = client_of()
    overview = page(viewer, f"/admin/dac7/selleryear/overview/?year={year}")
    assert "over" in overview
    assert "requested" in overview
    assert "3,000.00 EUR" in overview
    assert f"opens in January {year + 1}" in overview
    assert "Nothing was compiled" in page(viewer, f"/admin/dac7/selleryear/overview/?year={year - 1}")
    differences = page(viewer, f"/admin/dac7/compilation/{filings[0]}/differences/{filings[1]}/")
    assert "3100 EUR / 31" in differences
    assert "3000 EUR / 30" in differences
    lines = page(viewer, f"/admin/dac7/frozenseller/{filings[1]}/{seller.id}/lines/")
    assert references[0] in lines
    assert viewer.get(f"/admin/dac7/frozenseller/{filings[1]}/nobody/lines/").status_code == 404
    assert viewer.get(f"/admin/dac7/compilation/x/differences/{filings[1]}/").status_code == 404


def test_queue_is_decided_with_a_reason(seller: Member) -> None:
    officer, request = client_of("change_informationrequest"), withheld(seller)
    assert "Looked into it" not in page(officer, f"{REQUESTS}{request.id}/change/")
    act(officer, "bar_selling", request.id)
    assert "information_request_moved" not in act(officer, "bar_selling", request.id)
    act(officer, "drop_requests", request.id)
    assert not list_restrictions(seller.id, now=timezone.now())
    assert "Looked into it" in page(officer, f"{REQUESTS}{request.id}/change/")


def test_queue_takes_a_right_of_its_own(seller: Member) -> None:
    request = withheld(seller)
    act(client_of(), "drop_requests", request.id)
    assert InformationRequest.objects.get().status == RequestStatus.WITHHELD
    stranger = Client()
    assert stranger.get("/admin/dac7/selleryear/overview/").status_code == 302
    clerk = make_member("Clerk", is_staff=True)
    stranger.force_login(clerk)
    for url in (
        "/admin/dac7/selleryear/overview/",
        "/admin/dac7/compilation/x/differences/y/",
        "/admin/dac7/frozenseller/x/y/lines/",
    ):
        assert stranger.get(url).status_code == 403
