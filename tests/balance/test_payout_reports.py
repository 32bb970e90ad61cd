"""What the bank says, in any order and as often as it likes."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balance.errors import AccountFrozen
from balance.models import BankAccount, LedgerAccount, Posting, Withdrawal, WithdrawalCase
from balance.providers.contract import Outcome
from balance.queries.balances import get_balances
from balance.services.control import unfreeze
from balance.services.reporting import Effect, apply_report
from balance.services.sending import advance_withdrawal
from members.models import Member
from tests.factories.banking import (
    activate,
    bank_tells,
    make_bank_account,
    report,
    status_of,
    withdraw,
)
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

pytestmark = pytest.mark.django_db

PAID, FAILED, RETURNED, PENDING = Outcome.PAID, Outcome.FAILED, Outcome.RETURNED, Outcome.PENDING
_number = itertools.count(1)


def sent(member_id: str) -> str:
    """20.00 that are with the bank."""
    activate(member_id)
    give(member_id, 2000)
    withdrawal_id = withdraw(member_id, make_bank_account(member_id).id).id
    advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
    return withdrawal_id


@pytest.fixture
def withdrawal_id(seller: Member) -> str:
    return sent(seller.id)


def tell(withdrawal_id: str, *outcomes: Outcome, minor: int = 2000) -> list[Effect]:
    provider_id = Withdrawal.objects.get(id=withdrawal_id).provider_id or ""
    return [
        apply_report(
            "sandbox", report(withdrawal_id, outcome, minor=minor, provider_id=provider_id), now=NOON
        )
        for outcome in outcomes
    ]


def events_of(withdrawal_id: str) -> list[str]:
    rows = Posting.objects.filter(reference=f"withdrawal:{withdrawal_id}").order_by("id")
    return [event.removeprefix("withdrawal_") for event in rows.values_list("event", flat=True)]


class TestExample10:
    def test_a_withdrawal_that_fails_at_the_bank_three_times_is_back_once(
        self, seller: Member, withdrawal_id: str
    ) -> None:
        """Worked example 10 of docs/money.md."""
        bank_tells(withdrawal_id, FAILED, times=3)
        assert status_of(withdrawal_id) == "failed"
        assert get_balances(seller.id, "EUR").available == euros(2000)
        assert events_of(withdrawal_id) == ["requested", "failed"]


class TestApplyReport:
    def test_a_repeat_changes_nothing(self, seller: Member, withdrawal_id: str) -> None:
        assert tell(withdrawal_id, PAID, PAID, PENDING) == [Effect.APPLIED, Effect.REPEATED, Effect.NOTED]
        assert events_of(withdrawal_id) == ["requested", "paid"]

    def test_a_return_may_follow_a_payment(self, seller: Member, withdrawal_id: str) -> None:
        assert tell(withdrawal_id, PAID, RETURNED, RETURNED) == [
            Effect.APPLIED,
            Effect.APPLIED,
            Effect.REPEATED,
        ]
        assert events_of(withdrawal_id) == ["requested", "paid", "returned"]
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_a_return_may_be_heard_of_first(self, seller: Member, withdrawal_id: str) -> None:
        assert tell(withdrawal_id, RETURNED, PAID) == [Effect.APPLIED, Effect.LATE]
        assert events_of(withdrawal_id) == ["requested", "paid", "returned"]
        balances = get_balances(seller.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(2000), euros(0))

    @pytest.mark.parametrize(
        ("first", "then", "kind"),
        [
            (PAID, FAILED, "failed_after_paid"),
            (FAILED, PAID, "paid_after_failed"),
            (FAILED, RETURNED, "paid_after_failed"),
        ],
    )
    def test_a_contradiction_is_refused_and_becomes_a_case(
        self, seller: Member, withdrawal_id: str, first: Outcome, then: Outcome, kind: str
    ) -> None:
        tell(withdrawal_id, first)
        before = get_balances(seller.id, "EUR")
        assert tell(withdrawal_id, then, then) == [Effect.REFUSED, Effect.REFUSED]
        assert status_of(withdrawal_id) == first.value
        assert get_balances(seller.id, "EUR") == before
        assert [case.kind for case in WithdrawalCase.objects.all()] == [kind]

    @pytest.mark.parametrize(("second", "freezes"), [(PAID, True), (RETURNED, False)])
    def test_what_was_given_back_and_paid_all_the_same_stays_until_a_person_has_looked(
        self, seller: Member, withdrawal_id: str, second: Outcome, freezes: bool
    ) -> None:
        tell(withdrawal_id, FAILED, second)
        account = LedgerAccount.objects.get(id=f"{seller.id}:available:EUR")
        assert (account.frozen_at is not None) is freezes
        if freezes:
            again = BankAccount.objects.get().id
            with pytest.raises(AccountFrozen):
                withdraw(seller.id, again, now=NOON + timedelta(days=2))
            unfreeze(account_id=account.id, actor="staff:1", reason="Seen", now=NOON)
            tell(withdrawal_id, second)  # a repeat freezes nothing
            assert withdraw(seller.id, again, now=NOON + timedelta(days=2)).status == "requested"

    def test_another_amount_is_a_case_too(self, seller: Member, withdrawal_id: str) -> None:
        assert tell(withdrawal_id, PAID, minor=1999) == [Effect.REFUSED]
        assert status_of(withdrawal_id) == "sent"
        case = WithdrawalCase.objects.get()
        assert (case.kind, case.detail) == (
            "amount_mismatch",
            "asked for 20.00 EUR, the bank says 19.99 EUR",
        )

    def test_another_payout_under_the_same_reference_is_a_case(
        self, seller: Member, withdrawal_id: str
    ) -> None:
        other = report(withdrawal_id, FAILED, provider_id="bank-2")
        assert apply_report("sandbox", other, now=NOON) is Effect.REFUSED
        assert get_balances(seller.id, "EUR").in_transit == euros(2000)
        assert WithdrawalCase.objects.get().detail == "another payout under its reference: failed 20.00 EUR"

    def test_what_was_never_sent_is_not_paid(self, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        asked = withdraw(seller.id, make_bank_account(seller.id).id).id
        assert apply_report("sandbox", report(asked, PAID), now=NOON) is Effect.UNKNOWN
        assert status_of(asked) == "requested"

    def test_what_is_not_ours_is_left_alone(self, withdrawal_id: str) -> None:
        assert apply_report("sandbox", report("01" * 13, PAID), now=NOON) is Effect.UNKNOWN
        assert apply_report("adyen", report(withdrawal_id, PAID), now=NOON) is Effect.UNKNOWN
        assert status_of(withdrawal_id) == "sent"

    @given(st.lists(st.sampled_from([PENDING, PAID, FAILED, RETURNED]), max_size=6))
    @settings(
        max_examples=25,
        deadline=timedelta(seconds=10),
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_in_every_order_the_money_is_in_one_place(self, outcomes: list[Outcome]) -> None:
        member = make_member(f"Ona {next(_number)}")
        withdrawal_id = sent(member.id)
        tell(withdrawal_id, *outcomes)
        balances = get_balances(member.id, "EUR")
        told = [outcome for outcome in outcomes if outcome is not PENDING]
        at_the_bank = not told
        gone = bool(told) and told[0] is PAID and RETURNED not in told
        assert balances.in_transit == euros(2000 if at_the_bank else 0)
        assert balances.available == euros(0 if at_the_bank or gone else 2000)
