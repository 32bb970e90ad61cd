"""The database states each invariant too: every constraint of the ways out, by its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from balance.models import (
    BankAccount,
    Identity,
    SandboxPayout,
    Withdrawal,
    WithdrawalCase,
    WithdrawalLimit,
)
from members.models import Member
from tests.factories.banking import LT_IBAN, OTHER_LT_IBAN, activate, make_bank_account, withdraw
from tests.factories.money import NOON, give

EARLIER = NOON - timedelta(days=9)


def account_again(withdrawal: Withdrawal) -> None:
    account = BankAccount(member_id=withdrawal.member_id, iban=LT_IBAN, last_four="1000")
    account.holder_name, account.country, account.currency = "Ona", "LT", "EUR"
    account.added_at = account.usable_at = NOON
    account.save()


def limit(**facts: Any) -> WithdrawalLimit:
    values = {"country": "LT", "valid_from": NOON, "minimum_minor": 1, "maximum_minor": 2}
    return WithdrawalLimit.objects.create(**(values | facts))


def case(withdrawal: Withdrawal, **facts: Any) -> WithdrawalCase:
    values = {"withdrawal_id": withdrawal.id, "kind": "amount_mismatch", "opened_at": NOON}
    return WithdrawalCase.objects.create(**(values | facts))


def provider_id_again(withdrawal: Withdrawal) -> None:
    other = withdraw(withdrawal.member_id, withdrawal.bank_account_id)
    Withdrawal.objects.filter(id__in=[withdrawal.id, other.id]).update(provider_id="bank-1")


def change(**facts: Any) -> Callable[[Withdrawal], Any]:
    return lambda withdrawal: Withdrawal.objects.filter(id=withdrawal.id).update(**facts)


def change_account(**facts: Any) -> Callable[[Withdrawal], Any]:
    return lambda withdrawal: BankAccount.objects.filter(id=withdrawal.bank_account_id).update(**facts)


BREAKERS: dict[str, Callable[[Withdrawal], Any]] = {
    "identity_changed_after_given": lambda _: Identity.objects.update(changed_at=EARLIER),
    "bankaccount_once_per_member": account_again,
    "bankaccount_standing_until_removed": change_account(removed_at=NOON),
    "bankaccount_usable_after_added": change_account(usable_at=EARLIER),
    "withdrawallimit_once": lambda _: (limit(), limit()),
    "withdrawallimit_in_order": lambda _: limit(minimum_minor=3),
    "withdrawal_provider_id_once": provider_id_again,
    "withdrawal_amount_positive": change(amount_minor=0),
    "withdrawal_known_status": change(status="lost", ended_at=NOON, next_call_at=None),
    "withdrawal_due_while_open": change(status="paid", ended_at=NOON),
    "withdrawal_ended_has_end": change(status="paid", next_call_at=None),
    "withdrawal_sent_has_moment": change(status="sent"),
    "withdrawalcase_once": lambda withdrawal: (case(withdrawal), case(withdrawal)),
    "withdrawalcase_known_kind": lambda withdrawal: case(withdrawal, kind="lost"),
    "withdrawalcase_closed_by_somebody": lambda withdrawal: case(withdrawal, closed_at=NOON),
    "sandboxpayout_known_answer": lambda _: SandboxPayout.objects.create(reference="W", answer="x"),
    "sandboxpayout_known_outcome": lambda _: SandboxPayout.objects.create(reference="W", outcome="x"),
}


@pytest.fixture
def withdrawal(seller: Member) -> Withdrawal:
    activate(seller.id)
    give(seller.id, 9000)
    return Withdrawal.objects.get(id=withdraw(seller.id, make_bank_account(seller.id).id).id)


class TestConstraints:
    @pytest.mark.parametrize("name", BREAKERS)
    def test_refuses(self, withdrawal: Withdrawal, name: str) -> None:
        # MySQL reports a broken CHECK as an OperationalError.
        with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
            BREAKERS[name](withdrawal)
        text = str(refused.value)
        assert name in text or "UNIQUE constraint failed" in text

    def test_a_removed_account_does_not_stand_in_the_way(self, withdrawal: Withdrawal) -> None:
        change_account(is_standing=None, removed_at=NOON)(withdrawal)
        make_bank_account(withdrawal.member_id)
        make_bank_account(withdrawal.member_id, iban=OTHER_LT_IBAN)
        assert BankAccount.objects.count() == 3
