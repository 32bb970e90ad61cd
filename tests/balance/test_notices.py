"""What a member is told of a withdrawal."""

from __future__ import annotations

import pytest

from balance.providers.contract import Outcome
from balance.services.sending import advance_withdrawal
from balance.services.withdrawing import cancel_withdrawal
from members.models import Member, Notice
from tests.factories.banking import activate, bank_tells, make_bank_account, withdraw
from tests.factories.money import NOON, give

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdrawal_id(seller: Member) -> str:
    activate(seller.id)
    give(seller.id, 2000)
    return withdraw(seller.id, make_bank_account(seller.id).id).id


def told(withdrawal_id: str) -> list[str]:
    rows = Notice.objects.filter(subject=f"withdrawal:{withdrawal_id}").order_by("created_at", "id")
    return sorted(rows.values_list("kind", flat=True))


class TestWithdrawals:
    def test_tell_of_the_payment_and_of_its_return(self, seller: Member, withdrawal_id: str) -> None:
        advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
        assert told(withdrawal_id) == []
        bank_tells(withdrawal_id, Outcome.PAID, times=2)
        paid = Notice.objects.get(kind="withdrawal.paid")
        assert (paid.member_id, paid.params["amount"]) == (seller.id, {"amount": 2000, "currency": "EUR"})
        bank_tells(withdrawal_id, Outcome.RETURNED, times=2)
        assert told(withdrawal_id) == ["withdrawal.paid", "withdrawal.returned"]

    def test_tell_of_a_failure(self, withdrawal_id: str) -> None:
        advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
        bank_tells(withdrawal_id, Outcome.FAILED)
        assert told(withdrawal_id) == ["withdrawal.failed"]

    def test_say_nothing_of_what_the_member_did(self, seller: Member, withdrawal_id: str) -> None:
        cancel_withdrawal(member_id=seller.id, withdrawal_id=withdrawal_id, now=NOON)
        assert told(withdrawal_id) == []
