"""A sandbox's clock is advanced, and money arrives where time takes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from balance.models import DonationSettlement, Hold
from balance.services.holds import place_hold
from foundation import clock
from foundation.sandbox import advancing
from members.models import Member
from tests.factories.banking import activate, make_bank_account, status_of, withdraw
from tests.factories.donations import donate, make_charity
from tests.factories.money import euros, give

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]


def advance(by: timedelta) -> dict[str, int]:
    advancing.set_target(by=by, asked_by="somebody")
    advancing.advance(seconds=20)
    facts = advancing.get_clock()
    assert (facts.advancing_to, facts.failed) == (None, ())
    return {name: number for name, number in facts.done.items() if name.startswith("balance.")}


class TestTimers:
    def test_end_holds_and_pay_members_and_charities(self, seller: Member) -> None:
        now = clock.now()
        give(seller.id, 5000, now=now)
        activate(seller.id)
        place_hold(key="k", member_id=seller.id, amount=euros(1000), reference="order:1", now=now)
        withdrawal_id = withdraw(seller.id, make_bank_account(seller.id).id, now=now).id
        donate(seller.id, make_charity().id, 500, now=now)

        done = advance(timedelta(minutes=14))
        assert done == {"balance.withdrawals": 3}  # sent; asked after 30 s; asked again a minute later: paid
        assert (status_of(withdrawal_id), Hold.objects.get().status) == ("paid", "active")

        assert advance(timedelta(minutes=2)) == {"balance.holds": 1}
        assert Hold.objects.get().status == "expired"
        assert not DonationSettlement.objects.exists()

        assert "balance.donations" in advance(timedelta(days=32))
        settlement = DonationSettlement.objects.get()
        assert (settlement.status, settlement.amount_minor) == ("paid", 500)
        # Within two hours of the month's end, not a month later.
        assert settlement.ended_at is not None
        assert settlement.ended_at.day == 1
        assert settlement.ended_at.hour == 1
