"""What staff sees of charities and their payments, and what staff may do; and what the database refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client

from balance.models import (
    Charity,
    CharityAccount,
    CharityMarket,
    CharityText,
    Donation,
    DonationSetting,
    DonationSettlement,
    DonationSettlementCase,
)
from balance.providers import sandbox
from balance.services.donation_payouts import reference_of
from balance.services.donation_settlements import advance_settlement, collect_donations
from members.models import Member
from tests.factories.banking import LT_IBAN
from tests.factories.donations import choose, donate, make_charity, sell
from tests.factories.members import make_member
from tests.factories.money import NOON, give

pytestmark = pytest.mark.django_db

CHARITIES = "/admin/balance/charity/"
SETTLEMENTS = "/admin/balance/donationsettlement/"
CASES = "/admin/balance/donationsettlementcase/"
APRIL = NOON.replace(month=4)


def client_of(*permissions: str) -> Client:
    member = make_member("Treasurer", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def treasurer(db: None) -> Client:
    kinds = ("charity", "charitytext", "charitymarket", "charityaccount")
    edited = [f"{verb}_{kind}" for verb in ("add", "change", "view", "delete") for kind in kinds]
    names = ("donation", "donationsetting", "donationsettlement", "donationsettlementcase")
    acts = ("change_donationsettlement", "change_donationsettlementcase")
    return client_of(*edited, *(f"view_{name}" for name in names), *acts)


@pytest.fixture
def failed(seller: Member) -> DonationSettlement:
    """7.00 in two donations that the bank refused to pay."""
    charity = make_charity()
    give(seller.id, 2000)
    choose(seller.id, charity.id, 10)
    donate(seller.id, charity.id, 500)
    sell(seller.id, 2000)
    collect_donations(provider="sandbox", now=APRIL)
    settlement = DonationSettlement.objects.get()
    sandbox.script(reference_of(settlement.id, 1), answer="refuse", times=1)
    advance_settlement(settlement_id=settlement.id, now=APRIL)
    return DonationSettlement.objects.get()


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> Any:
    confirmed = {"confirmed": "yes", **form} if form else {}
    return client.post(url, {"action": action, "_selected_action": list(ids), **confirmed}, follow=bool(form))


class TestSettlement:
    def test_is_found_by_its_case_and_paid_again(self, treasurer: Client, failed: DonationSettlement) -> None:
        page = treasurer.get(SETTLEMENTS, {"attention": "case"}).content.decode()
        assert failed.id in page
        assert "7.00 EUR" in page
        act(treasurer, SETTLEMENTS, "retry_settlements", failed.id, note="account opened again")
        again = DonationSettlement.objects.get()
        assert (again.status, again.round) == ("sent", 2)
        assert failed.id not in treasurer.get(SETTLEMENTS, {"attention": "case"}).content.decode()
        refused = act(treasurer, SETTLEMENTS, "deny_settlements", failed.id, note="x").content.decode()
        assert "may still pay it" in refused
        act(treasurer, SETTLEMENTS, "confirm_settlements", failed.id, note="statement 48")
        assert DonationSettlement.objects.get().status == "paid"
        assert LogEntry.objects.filter(object_id=failed.id).count() == 2

    def test_case_is_closed(self, treasurer: Client, failed: DonationSettlement) -> None:
        case = DonationSettlementCase.objects.get()
        assert failed.id in treasurer.get(CASES).content.decode()
        act(treasurer, CASES, "close_cases", case.id, note="asked the charity")
        case.refresh_from_db()
        assert (case.note, case.closed_at is None) == ("asked the charity", False)

    def test_statement_adds_up_and_names_no_member(
        self, treasurer: Client, failed: DonationSettlement, seller: Member
    ) -> None:
        answer = treasurer.get(f"{SETTLEMENTS}{failed.id}/statement.csv")
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        rows = [line.split(",") for line in text.splitlines()]
        assert [row[2:] for row in rows] == [
            ["kind", "amount", "currency"],
            ["one_off", "5.00", "EUR"],
            ["sale", "2.00", "EUR"],
            ["", "7.00", "EUR"],
        ]
        assert seller.id not in text
        page = treasurer.get(f"{SETTLEMENTS}{failed.id}/change/").content.decode()
        assert f"{failed.id}/statement.csv" in page

    def test_is_for_those_who_may(self, failed: DonationSettlement) -> None:
        nobody = client_of("view_donation", "view_donationsetting")
        assert nobody.get(f"{SETTLEMENTS}{failed.id}/statement.csv").status_code == 404
        assert nobody.get(SETTLEMENTS).status_code == 403
        for kind, shown in (("donation", "7.00"), ("donationsetting", "Warm Hands")):
            page = nobody.get(f"/admin/balance/{kind}/").content.decode()
            assert shown in page or "5.00 EUR" in page


def change(model: Any, **facts: Any) -> Callable[[DonationSettlement], Any]:
    return lambda _: model.objects.update(**facts)


def setting(**facts: Any) -> Callable[[DonationSettlement], Any]:
    def create(settlement: DonationSettlement) -> None:
        member_id = Donation.objects.values_list("member_id", flat=True)[0]
        values = {"member_id": member_id, "version": 2, "percent": 0, "set_at": NOON}
        DonationSetting.objects.create(**(values | facts))

    return create


def again(settlement: DonationSettlement, **facts: Any) -> DonationSettlement:
    values = {"status": "collecting", "month": "2026-02", "provider": "sandbox", "opened_at": NOON}
    same = {"charity_id": settlement.charity_id, "currency": "EUR"}
    return DonationSettlement.objects.create(**(values | same | facts))


def case_again(settlement: DonationSettlement) -> None:
    DonationSettlementCase.objects.create(
        settlement=settlement, reference=settlement.reference or "", kind="failed", opened_at=NOON
    )


def account_again(settlement: DonationSettlement) -> None:
    CharityAccount(
        charity_id=settlement.charity_id,
        iban=LT_IBAN,
        holder_name="W",
        status="standing",
        is_standing=True,
        set_at=NOON,
        decided_at=NOON,
        decided_by="staff:2",
    ).save()


def charity_again(settlement: DonationSettlement) -> None:
    number = Charity.objects.get().registration_number
    Charity.objects.create(name="W", country="LT", registration_number=number, currency="EUR", added_at=NOON)


def sale_again(settlement: DonationSettlement) -> None:
    donation = Donation.objects.get(kind="sale")
    donation.id = "01J00000000000000000000000"
    donation.save(force_insert=True)


BREAKERS: dict[str, Callable[[DonationSettlement], Any]] = {
    "charity_once": charity_again,
    "charity_closed_after_opened": change(Charity, closed_at=NOON.replace(year=2025)),
    "charitytext_once": lambda row: CharityText.objects.create(
        charity_id=row.charity_id, language="en", description="x"
    ),
    "charitymarket_once": lambda row: CharityMarket.objects.create(charity_id=row.charity_id, market_id="LT"),
    "charityaccount_one_standing": account_again,
    "charityaccount_known_status": change(CharityAccount, status="lost"),
    "charityaccount_approved_by_another": change(CharityAccount, decided_by="staff:1"),
    "charityaccount_standing_until_replaced": change(CharityAccount, replaced_at=NOON),
    "donationsetting_version_once": setting(version=1),
    "donationsetting_percent": setting(percent=101),
    "donationsetting_names_charity": setting(percent=1),
    "donationsettlement_once": lambda row: again(row, month="2026-03"),
    "donationsettlement_provider_id_once": lambda row: (
        again(row, provider_id="b"),
        again(row, provider_id="b", month="2026-01"),
    ),
    "donationsettlement_known_status": change(DonationSettlement, status="lost"),
    "donationsettlement_not_negative": lambda row: again(row, amount_minor=-1),
    "donationsettlement_due_while_open": change(DonationSettlement, next_call_at=NOON),
    "donationsettlement_sent_whole": change(DonationSettlement, amount_minor=0),
    "donationsettlement_ended_has_end": change(DonationSettlement, ended_at=None),
    "donation_amount_positive": change(Donation, amount_minor=0),
    "donation_known_kind": change(Donation, kind="gift", sale=None),
    "donation_known_status": change(Donation, status="lost", settlement=None),
    "donation_of_sale_names_it": lambda _: Donation.objects.filter(kind="sale").update(sale=None),
    "donation_settled_in_settlement": change(Donation, settlement=None),
    "donation_ended_has_end": change(Donation, ended_at=None),
    "sale": sale_again,  # the unique column
    "donationcase_once": case_again,
    "donationcase_known_kind": change(DonationSettlementCase, kind="lost"),
    "donationcase_closed_by_somebody": change(DonationSettlementCase, closed_at=NOON),
}


class TestConstraints:
    def test_refuse_what_cannot_be(self, failed: DonationSettlement) -> None:
        """The database states each invariant too: every constraint, by its name."""
        for name, breaks in BREAKERS.items():
            # MySQL reports a broken CHECK as an OperationalError.
            with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
                breaks(failed)
            text = str(refused.value)
            assert name in text or "UNIQUE constraint failed" in text, name
