"""Asking for a withdrawal: what is set aside, what is refused, what waits for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from balance.chart import AccountKind, of_member
from balance.errors import (
    AccountFrozen,
    BankAccountAbroad,
    BankAccountCoolingDown,
    BankAccountNotFound,
    CurrencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    KycRequired,
    TaxInformationRequired,
    WithdrawalNotFound,
    WithdrawalOutOfRange,
    WithdrawalsBlocked,
    WithdrawalStatusConflict,
)
from balance.models import LedgerAccount, Posting, Withdrawal, WithdrawalLimit
from balance.queries.balances import get_balances
from balance.queries.banking import BankAccountFacts, get_withdrawal
from balance.services.banking import give_identity, remove_bank_account
from balance.services.sending import advance_withdrawal
from balance.services.withdrawing import cancel_withdrawal
from foundation.money import Money
from members.models import Member
from members.services import restrict
from tests.factories.banking import activate, details, make_bank_account, status_of, withdraw
from tests.factories.members import make_market
from tests.factories.money import NOON, euros, give

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(seller: Member) -> BankAccountFacts:
    """Of a seller who may withdraw and has 20.00."""
    activate(seller.id)
    give(seller.id, 2000)
    return make_bank_account(seller.id)


def block(seller: Member, reason: str) -> None:
    restrict(member_id=seller.id, capability="withdraw", reason=reason, source="staff:1", now=NOON)


class TestRequest:
    def test_sets_the_money_aside_and_makes_it_a_workers_work(
        self, seller: Member, account: BankAccountFacts
    ) -> None:
        asked = withdraw(seller.id, account.id)
        assert (asked.status, asked.amount, asked.iban) == ("requested", euros(2000), "LT•• … 1000")
        assert asked.allowed_actions == ("cancel",)
        balances = get_balances(seller.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(0), euros(2000))
        assert Withdrawal.objects.get().next_call_at == NOON
        assert Posting.objects.filter(key=f"withdrawal:{asked.id}:requested").count() == 1

    def test_takes_no_more_than_there_is(self, seller: Member, account: BankAccountFacts) -> None:
        with pytest.raises(InsufficientFunds):
            withdraw(seller.id, account.id, euros(2001))
        assert not Withdrawal.objects.exists()
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_takes_nothing_from_a_debtor(self, seller: Member, account: BankAccountFacts) -> None:
        available = of_member(seller.id, AccountKind.AVAILABLE, "EUR")
        LedgerAccount.objects.filter(id=available.id).update(balance_minor=-2000)
        with pytest.raises(InsufficientFunds):
            withdraw(seller.id, account.id, euros(100))

    @pytest.mark.parametrize(
        ("amount", "error"),
        [
            (euros(0), InvalidAmount),
            (euros(-100), InvalidAmount),
            (euros(99), WithdrawalOutOfRange),
            (euros(1_000_001), WithdrawalOutOfRange),
            (Money(2000, "PLN"), CurrencyMismatch),
        ],
    )
    def test_refuses_amounts(
        self, seller: Member, account: BankAccountFacts, amount: Money, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            withdraw(seller.id, account.id, amount)
        assert not Withdrawal.objects.exists()

    def test_keeps_to_the_limits_of_the_market_from_their_day_on(
        self, seller: Member, account: BankAccountFacts
    ) -> None:
        for day, most in ((-1, 1500), (1, 5000)):
            WithdrawalLimit.objects.create(
                country="LT", valid_from=NOON + timedelta(days=day), minimum_minor=500, maximum_minor=most
            )
        with pytest.raises(WithdrawalOutOfRange) as refused:
            withdraw(seller.id, account.id, euros(2000))
        assert refused.value.extra == {
            "minimum": {"amount": 500, "currency": "EUR"},
            "maximum": {"amount": 1500, "currency": "EUR"},
        }

    def test_wants_to_know_who_is_paid(self, seller: Member) -> None:
        give(seller.id, 2000)
        with pytest.raises(KycRequired):
            withdraw(seller.id, make_bank_account(seller.id).id)

    @pytest.mark.parametrize(
        ("reason", "error"),
        [
            ("tax_information_required", TaxInformationRequired),
            ("kyc_required", KycRequired),
            ("fraud_suspected", WithdrawalsBlocked),
        ],
    )
    def test_is_refused_while_blocked(
        self, seller: Member, account: BankAccountFacts, reason: str, error: type[Exception]
    ) -> None:
        block(seller, reason)
        with pytest.raises(error):
            withdraw(seller.id, account.id)

    def test_is_refused_while_the_books_are_checked(self, seller: Member, account: BankAccountFacts) -> None:
        available = of_member(seller.id, AccountKind.AVAILABLE, "EUR")
        LedgerAccount.objects.filter(id=available.id).update(frozen_at=NOON)
        with pytest.raises(AccountFrozen):
            withdraw(seller.id, account.id)

    def test_waits_until_a_new_bank_account_has_cooled_down(self, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        fresh = make_bank_account(seller.id, now=NOON - timedelta(hours=23))
        with pytest.raises(BankAccountCoolingDown) as refused:
            withdraw(seller.id, fresh.id)
        assert refused.value.extra == {"until": NOON + timedelta(hours=1)}
        assert withdraw(seller.id, fresh.id, now=NOON + timedelta(hours=1)).status == "requested"

    def test_goes_to_no_account_of_somebody_else_or_of_the_past(
        self, seller: Member, buyer: Member, account: BankAccountFacts
    ) -> None:
        activate(buyer.id)
        with pytest.raises(BankAccountNotFound):
            withdraw(buyer.id, account.id)
        remove_bank_account(member_id=seller.id, bank_account_id=account.id, now=NOON)
        with pytest.raises(BankAccountNotFound):
            withdraw(seller.id, account.id)

    def test_goes_to_no_account_of_a_former_home(self, seller: Member, account: BankAccountFacts) -> None:
        make_market("DE")
        Member.objects.filter(id=seller.id).update(market="DE")
        with pytest.raises(BankAccountAbroad):
            withdraw(seller.id, account.id)

    def test_another_holder_is_looked_at_by_a_person(self, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        account = make_bank_account(seller.id, holder_name="Jonas Petraitis")
        asked = withdraw(seller.id, account.id)
        assert (asked.status, asked.reason) == ("in_review", "holder_mismatch")
        assert get_balances(seller.id, "EUR").in_transit == euros(2000)
        advance_withdrawal(withdrawal_id=asked.id, now=NOON)
        assert status_of(asked.id) == "in_review"

    def test_an_identity_that_was_just_changed_is_looked_at_too(
        self, seller: Member, account: BankAccountFacts
    ) -> None:
        give_identity(member_id=seller.id, details=details(), expected_version=1, now=NOON)
        assert withdraw(seller.id, account.id, euros(500)).reason == "identity_changed"
        later = NOON + timedelta(hours=24)
        assert withdraw(seller.id, account.id, euros(500), now=later).status == "requested"


class TestCancel:
    def test_is_possible_while_a_person_looks_at_it(self, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        asked = withdraw(seller.id, make_bank_account(seller.id, holder_name="Jonas Petraitis").id)
        gone = cancel_withdrawal(member_id=seller.id, withdrawal_id=asked.id, now=NOON)
        assert (gone.status, gone.reason) == ("cancelled", "")
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_gives_the_money_back(self, seller: Member, account: BankAccountFacts) -> None:
        asked = withdraw(seller.id, account.id)
        gone = cancel_withdrawal(member_id=seller.id, withdrawal_id=asked.id, now=NOON)
        assert (gone.status, gone.ended_at, gone.allowed_actions) == ("cancelled", NOON, ())
        assert get_balances(seller.id, "EUR").available == euros(2000)
        with pytest.raises(WithdrawalStatusConflict):
            cancel_withdrawal(member_id=seller.id, withdrawal_id=asked.id, now=NOON)
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_is_too_late_once_the_bank_is_called(self, seller: Member, account: BankAccountFacts) -> None:
        asked = withdraw(seller.id, account.id)
        advance_withdrawal(withdrawal_id=asked.id, now=NOON)
        with pytest.raises(WithdrawalStatusConflict) as refused:
            cancel_withdrawal(member_id=seller.id, withdrawal_id=asked.id, now=NOON)
        assert refused.value.extra == {"allowed_actions": []}

    def test_is_for_its_member(self, seller: Member, buyer: Member, account: BankAccountFacts) -> None:
        asked = withdraw(seller.id, account.id)
        with pytest.raises(WithdrawalNotFound):
            cancel_withdrawal(member_id=buyer.id, withdrawal_id=asked.id, now=NOON)
        with pytest.raises(WithdrawalNotFound):
            get_withdrawal(buyer.id, asked.id)
