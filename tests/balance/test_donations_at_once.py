"""Donations that several workers and requests want at the same time, on MySQL or MariaDB."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from balance.errors import DonationSettled
from balance.models import CharityAccount, Donation, DonationSettlement, Posting, SandboxPayout
from balance.queries.balances import get_balances
from balance.services import donation_settlements
from balance.services.charities import approve_bank_account, propose_bank_account
from balance.services.donation_settlements import advance_settlement, collect_donations
from balance.services.donations import undo_sale_donation
from members.models import Member
from tests.balance.test_withdrawals_at_once import at_once
from tests.factories.banking import OTHER_LT_IBAN, activate, make_bank_account, withdraw
from tests.factories.donations import choose, donate, make_charity, owed, sell
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

APRIL = NOON.replace(month=4)


@pytest.fixture
def ona(transactional_db: None) -> Member:
    member = make_member("Ona")
    activate(member.id)
    give(member.id, 2000)
    return member


class TestEverything:
    def test_is_donated_or_withdrawn_but_never_both(self, ona: Member) -> None:
        charity, account = make_charity(), make_bank_account(ona.id)

        def race(number: int) -> Any:
            if number % 2:
                return withdraw(ona.id, account.id).status
            return donate(ona.id, charity.id, 2000).status

        effects = Counter(at_once(12, race))
        assert effects["insufficient_funds"] == 11
        assert effects["given"] + effects["requested"] == 1
        balances = get_balances(ona.id, "EUR")
        assert balances.available == euros(0)
        assert balances.in_transit + owed(charity.id) == euros(2000)


class TestACharitysAccount:
    def test_of_several_approved_at_once_one_stands(self) -> None:
        charity = make_charity()
        ids = [
            propose_bank_account(
                charity_id=charity.id, iban=OTHER_LT_IBAN, holder_name="W", staff_id="1", now=NOON
            ).id
            for _ in range(3)
        ]

        def approve(number: int) -> str:
            approve_bank_account(
                account_id=ids[number % 3], iban=OTHER_LT_IBAN, staff_id=f"{number + 2}", now=NOON
            )
            return "approved"

        effects = Counter(at_once(6, approve))
        assert effects == {"approved": 3, "charity_account_decided": 3}
        rows = CharityAccount.objects.filter(charity=charity).values_list("status", flat=True)
        assert Counter(rows) == {"standing": 1, "replaced": 3}


class TestSettlement:
    def test_two_workers_make_and_pay_one(self, ona: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(donation_settlements, "AT_A_TIME", 3)
        charity = make_charity()
        for _ in range(8):
            donate(ona.id, charity.id, 200)
        at_once(4, lambda _: collect_donations(provider="sandbox", now=APRIL))
        settlement = DonationSettlement.objects.get()
        assert (settlement.amount_minor, settlement.donations) == (1600, 8)
        at_once(4, lambda _: advance_settlement(settlement_id=settlement.id, now=APRIL))
        assert SandboxPayout.objects.get().calls == 1
        later = APRIL.replace(hour=13)
        at_once(4, lambda _: advance_settlement(settlement_id=settlement.id, now=later))
        assert Posting.objects.filter(event="donations_settled").count() == 1
        assert owed(charity.id) == euros(0)

    def test_a_sales_donation_is_undone_or_settled_but_never_both(self, ona: Member) -> None:
        charity = make_charity()
        choose(ona.id, charity.id, 10)
        sales = [sell(ona.id, 2000)[0] for _ in range(6)]

        def race(number: int) -> str:
            if number == 0:
                collect_donations(provider="sandbox", now=APRIL)
                return "collected"
            try:
                undo_sale_donation(sale=sales[number - 1], actor="system", reason="refund", now=APRIL)
            except DonationSettled:
                return "settled"
            return "undone"

        effects = Counter(at_once(7, race))
        rows = Counter(Donation.objects.values_list("status", flat=True))
        assert (rows["settled"], rows["undone"]) == (effects["settled"], effects["undone"])
        settled = sum(DonationSettlement.objects.values_list("amount_minor", flat=True))
        assert euros(settled) == owed(charity.id) == euros(200 * rows["settled"])
