from __future__ import annotations

from datetime import timedelta

import pytest

from balance.chart import MEMBER_KINDS, AccountKind, of_member
from balance.errors import AccountFrozen, KycRequired, TaxInformationRequired, WithdrawalsBlocked
from balance.models import LedgerAccount
from balance.services.blocks import require_may_withdraw
from foundation.errors import Forbidden
from members.models import Member
from members.services.restrictions import restrict
from tests.factories.money import NOON


class TestWithdrawing:
    def test_is_free_unless_something_says_otherwise(self, seller: Member) -> None:
        restrict(member_id=seller.id, capability="sell", reason="fraud", source="staff:1", now=NOON)
        require_may_withdraw(member_id=seller.id, currency="EUR", now=NOON)

    @pytest.mark.parametrize(
        ("reason", "error", "code"),
        [
            ("tax_details_missing", TaxInformationRequired, "tax_information_required"),
            ("identity_required", KycRequired, "kyc_required"),
            ("fraud", WithdrawalsBlocked, "withdrawals_blocked"),
        ],
    )
    def test_is_refused_with_what_can_be_done_about_it(
        self, seller: Member, reason: str, error: type[Forbidden], code: str
    ) -> None:
        restrict(member_id=seller.id, capability="withdraw", reason=reason, source="staff:1", now=NOON)
        with pytest.raises(error) as caught:
            require_may_withdraw(member_id=seller.id, currency="EUR", now=NOON)
        assert caught.value.code == code
        assert caught.value.extra == {"reason": reason}

    def test_says_until_when(self, seller: Member) -> None:
        until = NOON + timedelta(days=3)
        restrict(
            member_id=seller.id,
            capability="withdraw",
            reason="fraud",
            source="staff:1",
            now=NOON,
            until=until,
        )
        with pytest.raises(WithdrawalsBlocked) as caught:
            require_may_withdraw(member_id=seller.id, currency="EUR", now=NOON)
        assert caught.value.extra["until"] == until
        require_may_withdraw(member_id=seller.id, currency="EUR", now=until)

    @pytest.mark.parametrize("kind", sorted(MEMBER_KINDS))
    def test_is_refused_while_any_account_is_frozen(self, seller: Member, kind: AccountKind) -> None:
        account = of_member(seller.id, kind, "EUR")
        LedgerAccount.objects.create(
            id=account.id,
            member=seller,
            kind=kind,
            currency="EUR",
            balance_minor=0,
            opened_at=NOON,
            frozen_at=NOON,
        )
        with pytest.raises(AccountFrozen):
            require_may_withdraw(member_id=seller.id, currency="EUR", now=NOON)
        require_may_withdraw(member_id=seller.id, currency="PLN", now=NOON)
