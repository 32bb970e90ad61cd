"""What staff sees of the ways out, and what staff may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from balance.errors import WithdrawalCaseClosed, WithdrawalStatusConflict, WithdrawalTooOldToRepeat
from balance.models import SandboxPayout, Withdrawal, WithdrawalCase, WithdrawalEvent, WithdrawalLimit
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.queries.balances import get_balances
from balance.services.reporting import apply_report
from balance.services.reviewing import (
    close_case,
    confirm_withdrawal,
    deny_withdrawal,
    release_withdrawal,
    retry_withdrawal,
)
from balance.services.sending import REPEAT_FOR, advance_withdrawal
from members.models import Member
from tests.factories.banking import (
    LT_IBAN,
    activate,
    make_bank_account,
    report,
    status_of,
    withdraw,
)
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

pytestmark = pytest.mark.django_db

WITHDRAWALS = "/admin/balance/withdrawal/"
ACCOUNTS = "/admin/balance/bankaccount/"
CASES = "/admin/balance/withdrawalcase/"
STAFF = {"staff_id": "01STAFF", "note": "statement 47"}


def client_of(*permissions: str) -> Client:
    member = make_member("Treasurer", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def treasurer(db: None) -> Client:
    names = ("withdrawal", "bankaccount", "identity", "withdrawalcase", "withdrawallimit", "member")
    return client_of(*(f"view_{name}" for name in names), "change_withdrawal", "change_withdrawalcase")


@pytest.fixture
def in_review(seller: Member) -> str:
    activate(seller.id)
    give(seller.id, 2000)
    return withdraw(seller.id, make_bank_account(seller.id, holder_name="Jonas Petraitis").id).id


@pytest.fixture
def sent(seller: Member) -> str:
    """The bank has not answered."""
    activate(seller.id)
    give(seller.id, 2000)
    withdrawal_id = withdraw(seller.id, make_bank_account(seller.id).id).id
    sandbox.script(withdrawal_id, answer="unavailable", times=100)
    advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
    return withdrawal_id


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> Any:
    confirmed = {"confirmed": "yes", **form} if form else {}
    return client.post(url, {"action": action, "_selected_action": list(ids), **confirmed}, follow=bool(form))


class TestLook:
    def test_at_a_withdrawal_with_its_history(self, treasurer: Client, in_review: str) -> None:
        page = treasurer.get(f"{WITHDRAWALS}{in_review}/change/").content.decode()
        for shown in ("Jonas Petraitis / Ona Kazlauskienė", "holder_mismatch", "20.00 EUR", "LT•• … 1000"):
            assert shown in page
        assert LT_IBAN not in page

    def test_names_are_shown_for_the_review_only(self, treasurer: Client, sent: str) -> None:
        page = treasurer.get(f"{WITHDRAWALS}{sent}/change/").content.decode()
        assert "Kazlausk" not in page

    def test_names_are_not_shown_to_who_only_looks(self, in_review: str) -> None:
        page = client_of("view_withdrawal").get(f"{WITHDRAWALS}{in_review}/change/").content.decode()
        assert "holder_mismatch" in page
        assert "Kazlausk" not in page

    def test_finds_what_needs_attention(self, treasurer: Client, sent: str) -> None:
        # Sent in March, by the clock of these tests: stuck since.
        assert sent in treasurer.get(WITHDRAWALS, {"attention": "stuck"}).content.decode()
        assert sent not in treasurer.get(WITHDRAWALS, {"attention": "abandoned"}).content.decode()
        assert sent not in treasurer.get(WITHDRAWALS, {"attention": "case"}).content.decode()
        advance_withdrawal(withdrawal_id=sent, now=NOON + REPEAT_FOR)
        assert sent in treasurer.get(WITHDRAWALS, {"attention": "abandoned"}).content.decode()
        apply_report("sandbox", report(sent, Outcome.PAID, minor=1), now=NOON)
        assert sent in treasurer.get(WITHDRAWALS, {"attention": "case"}).content.decode()

    def test_at_bank_accounts_that_several_members_have(
        self, treasurer: Client, seller: Member, buyer: Member
    ) -> None:
        for member in (seller, buyer):
            make_bank_account(member.id)
        for query in ({"risk": "shared"}, {"q": "lt12 1000 0111 0100 1000"}):
            page = treasurer.get(ACCOUNTS, query).content.decode()
            assert seller.id in page
            assert buyer.id in page
            assert LT_IBAN not in page.replace("lt12 1000 0111 0100 1000", "")
        alone = make_bank_account(seller.id, iban="LT601010012345678901")
        assert alone.id not in treasurer.get(ACCOUNTS, {"risk": "shared"}).content.decode()
        page = treasurer.get(f"{ACCOUNTS}{alone.id}/change/").content.decode()
        assert "LT•• … 8901" in page

    def test_at_identities_without_what_they_say(self, treasurer: Client, seller: Member) -> None:
        given = activate(seller.id)
        page = treasurer.get("/admin/balance/identity/").content.decode()
        assert seller.id in page
        assert given.legal_name not in page

    def test_edits_nothing(self, treasurer: Client, sent: str) -> None:
        answer = treasurer.post(f"{WITHDRAWALS}{sent}/change/", {"status": "paid"})
        assert answer.status_code == 403
        assert status_of(sent) == "sent"

    def test_adds_limits_but_changes_none(self, db: None) -> None:
        chief = client_of("add_withdrawallimit", "view_withdrawallimit", "change_withdrawallimit")
        added = chief.post(
            "/admin/balance/withdrawallimit/add/",
            {
                "country": "LT",
                "valid_from_0": "2026-01-01",
                "valid_from_1": "00:00:00",
                "minimum_minor": "500",
                "maximum_minor": "100000",
            },
        )
        assert added.status_code == 302
        row = WithdrawalLimit.objects.get()
        url = f"/admin/balance/withdrawallimit/{row.id}/change/"
        assert chief.post(url, {"minimum_minor": "1"}).status_code == 403


class TestAct:
    def test_asks_why_and_writes_it_down(self, treasurer: Client, in_review: str) -> None:
        assert b"Release from review" in act(treasurer, WITHDRAWALS, "release_withdrawals", in_review).content
        assert status_of(in_review) == "in_review"
        act(treasurer, WITHDRAWALS, "release_withdrawals", in_review, note="Her maiden name")
        assert status_of(in_review) == "requested"
        event = WithdrawalEvent.objects.filter(verb="release").get()
        assert (event.actor, event.note) == ("staff", "Her maiden name")
        assert LogEntry.objects.get().change_message == "Release from review. Her maiden name"

    def test_refusing_gives_the_money_back(self, treasurer: Client, seller: Member, in_review: str) -> None:
        act(treasurer, WITHDRAWALS, "refuse_withdrawals", in_review, note="Somebody else's account")
        assert Withdrawal.objects.get().reason == "refused_by_review"
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_says_what_cannot_be_done(self, treasurer: Client, in_review: str) -> None:
        page = act(treasurer, WITHDRAWALS, "confirm_withdrawals", in_review, note="?")
        assert "confirm is not possible while the withdrawal is in_review" in page.content.decode()
        assert not LogEntry.objects.exists()

    def test_takes_a_right_of_its_own(self, in_review: str) -> None:
        viewer = client_of("view_withdrawal")
        act(viewer, WITHDRAWALS, "release_withdrawals", in_review, note="?")
        assert status_of(in_review) == "in_review"

    @pytest.mark.parametrize(
        ("action", "status"), [("confirm_withdrawals", "paid"), ("deny_withdrawals", "failed")]
    )
    def test_believes_the_bank_statement(
        self, treasurer: Client, seller: Member, sent: str, action: str, status: str
    ) -> None:
        act(treasurer, WITHDRAWALS, action, sent, note="Statement 47")
        assert status_of(sent) == status
        balances = get_balances(seller.id, "EUR")
        assert balances.in_transit == euros(0)
        assert balances.available == euros(0 if status == "paid" else 2000)

    def test_retries_at_once(self, treasurer: Client, sent: str) -> None:
        now = timezone.now()
        Withdrawal.objects.update(sent_at=now, next_call_at=now + timedelta(hours=6))
        act(treasurer, WITHDRAWALS, "retry_withdrawals", sent, note="The bank is back")
        due = Withdrawal.objects.get().next_call_at
        assert due is not None
        assert due < now + timedelta(minutes=5)

    def test_closes_a_case_once(self, treasurer: Client, sent: str) -> None:
        apply_report("sandbox", report(sent, Outcome.PAID, minor=1), now=NOON)
        case = WithdrawalCase.objects.get()
        act(treasurer, CASES, "close_cases", case.id, note="Their mistake")
        case.refresh_from_db()
        assert case.note == "Their mistake"
        assert case.closed_by.startswith("staff:")
        page = act(treasurer, CASES, "close_cases", case.id, note="Again")
        assert "This case was closed before" in page.content.decode()
        assert case.withdrawal_id in treasurer.get(CASES).content.decode()


class TestReviewing:
    def test_a_released_one_is_sent(self, in_review: str) -> None:
        release_withdrawal(withdrawal_id=in_review, now=NOON, **STAFF)
        advance_withdrawal(withdrawal_id=in_review, now=NOON)
        assert status_of(in_review) == "sent"
        assert SandboxPayout.objects.count() == 1

    def test_an_unknown_outcome_is_no_failure_while_the_bank_may_pay(self, sent: str) -> None:
        with pytest.raises(WithdrawalStatusConflict):
            deny_withdrawal(withdrawal_id=sent, now=NOON + timedelta(days=2), **STAFF)
        deny_withdrawal(withdrawal_id=sent, now=NOON + REPEAT_FOR, **STAFF)
        assert status_of(sent) == "failed"

    def test_nothing_is_sent_again_after_too_long(self, sent: str) -> None:
        with pytest.raises(WithdrawalTooOldToRepeat) as refused:
            retry_withdrawal(withdrawal_id=sent, now=NOON + REPEAT_FOR, **STAFF)
        assert refused.value.code == "withdrawal_too_old_to_repeat"

    def test_nothing_is_retried_that_has_ended(self, sent: str) -> None:
        confirm_withdrawal(withdrawal_id=sent, now=NOON, **STAFF)
        with pytest.raises(WithdrawalStatusConflict):
            retry_withdrawal(withdrawal_id=sent, now=NOON, **STAFF)

    def test_what_the_statement_showed_may_still_come_back(self, seller: Member, sent: str) -> None:
        confirm_withdrawal(withdrawal_id=sent, now=NOON, **STAFF)
        apply_report("sandbox", report(sent, Outcome.RETURNED, reason="closed"), now=NOON)
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_a_case_is_closed_once(self, sent: str) -> None:
        apply_report("sandbox", report(sent, Outcome.PAID, minor=1), now=NOON)
        case_id = WithdrawalCase.objects.get().id
        close_case(case_id=case_id, now=NOON, **STAFF)
        with pytest.raises(WithdrawalCaseClosed) as refused:
            close_case(case_id=case_id, now=NOON, **STAFF)
        assert refused.value.code == "withdrawal_case_closed"
