"""Donations of members: one-off and of each sale."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.chart import Event
from balance.donation_shares import share_of
from balance.errors import CharityNotAvailable, CharityNotFound, DonationSettled, InsufficientFunds
from balance.models import Donation, DonationSetting, Posting
from balance.queries.balances import get_balances
from balance.queries.donations import find_setting, get_donation
from balance.services.charities import add_example_charities, close_charity
from balance.services.donation_settlements import collect_donations
from balance.services.donations import (
    SaleDonation,
    plan_sale_donation,
    record_sale_donation,
    set_donation_setting,
    undo_sale_donation,
)
from balance.services.posting import reverse
from foundation.errors import PreconditionFailed
from foundation.money import Money
from members.models import Member
from members.services import restrict
from tests.factories.donations import choose, donate, make_charity, owed, sell
from tests.factories.members import make_market
from tests.factories.money import NOON, euros, give

pytestmark = pytest.mark.django_db

APRIL = NOON.replace(month=4)


class TestShareOf:
    @pytest.mark.parametrize(
        ("minor", "percent", "charity", "seller"),
        [(2000, 10, 200, 1800), (999, 33, 330, 669), (1, 50, 1, 0), (1, 49, 0, 1), (500, 0, 0, 500)],
    )
    def test_is_rounded_half_up_and_the_seller_gets_the_rest(
        self, minor: int, percent: int, charity: int, seller: int
    ) -> None:
        """Worked example 11 of docs/money.md is the first two."""
        share = share_of(euros(minor), percent)
        assert (share, euros(minor) - share) == (euros(charity), euros(seller))

    @given(st.integers(0, 2**53), st.integers(0, 100))
    @settings(max_examples=50)
    def test_is_between_nothing_and_all(self, minor: int, percent: int) -> None:
        share = share_of(Money(minor, "JPY"), percent).amount_minor
        assert 0 <= share <= minor
        assert abs(share * 100 - minor * percent) <= 50

    @pytest.mark.parametrize(("minor", "percent"), [(-1, 10), (1, 101), (1, -1)])
    def test_refuses_what_cannot_be(self, minor: int, percent: int) -> None:
        with pytest.raises(ValueError, match="%"):
            share_of(euros(minor), percent)


class TestGive:
    def test_moves_the_money_to_the_charity(self, seller: Member) -> None:
        charity = make_charity()
        give(seller.id, 2000)
        donation = donate(seller.id, charity.id, 500)
        assert (donation.kind, donation.status, donation.amount) == ("one_off", "given", euros(500))
        assert (get_balances(seller.id, "EUR").available, owed(charity.id)) == (euros(1500), euros(500))
        assert Posting.objects.get(key=f"donation:{donation.id}:given").event == "donation_given"

    def test_refuses_more_than_there_is(self, seller: Member) -> None:
        charity = make_charity()
        give(seller.id, 499)
        with pytest.raises(InsufficientFunds):
            donate(seller.id, charity.id, 500)
        assert not Donation.objects.exists()

    def test_refuses_a_charity_of_another_market_or_currency_closed_or_a_draft(self, seller: Member) -> None:
        give(seller.id, 2000)
        closed = make_charity()
        close_charity(charity_id=closed.id, now=NOON)
        strangers = (make_charity(markets=("DE",)), make_charity(currency="PLN"), closed)
        for charity in strangers:
            with pytest.raises(CharityNotAvailable):
                donate(seller.id, charity.id, 500)
        for unknown in (make_charity(is_open=False).id, "01J0000000000000000000000"):
            with pytest.raises(CharityNotFound):
                donate(seller.id, unknown, 500)


class TestSetting:
    def test_keeps_what_it_was(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        set_donation_setting(member_id=seller.id, percent=0, charity_id=None, expected_version=1, now=APRIL)
        setting = find_setting(seller.id)
        assert setting is not None
        assert (setting.percent, setting.charity_id, setting.version) == (0, None, 2)
        rows = DonationSetting.objects.order_by("version").values_list("percent", "charity_id", "set_at")
        assert list(rows) == [(10, charity.id, NOON), (0, None, APRIL)]

    def test_refuses_a_change_of_another_version(self, seller: Member) -> None:
        choose(seller.id, None, 0)
        with pytest.raises(PreconditionFailed):
            choose(seller.id, None, 0)


class TestSale:
    def test_gives_its_share(self, seller: Member) -> None:
        """Worked example 11 of docs/money.md, through the ledger."""
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        reference, planned = sell(seller.id, 2000)
        assert planned == SaleDonation(charity.id, euros(200))
        assert (get_balances(seller.id, "EUR").available, owed(charity.id)) == (euros(1800), euros(200))
        row = Donation.objects.get()
        assert (row.kind, row.sale, row.amount_minor) == ("sale", reference, 200)

    def test_is_recorded_once(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 100)
        reference, planned = sell(seller.id, 999)
        assert planned is not None
        again = record_sale_donation(member_id=seller.id, given=planned, sale=reference, now=NOON)
        assert again == Donation.objects.get().id
        assert get_balances(seller.id, "EUR").available == euros(0)

    def test_gives_nothing_without_a_setting_or_for_less_than_half_a_cent(self, seller: Member) -> None:
        assert plan_sale_donation(member_id=seller.id, item=euros(2000), now=NOON) is None
        choose(seller.id, make_charity().id, 1)
        assert plan_sale_donation(member_id=seller.id, item=euros(49), now=NOON) is None
        assert plan_sale_donation(member_id=seller.id, item=Money(2000, "PLN"), now=NOON) is None

    def test_gives_nothing_while_the_seller_is_in_debt(self, seller: Member) -> None:
        choose(seller.id, make_charity().id, 10)
        gift = give(seller.id, 100)
        reverse(gift.id, key="t:1", event=Event.CORRECTION, actor="system", reason="test", now=NOON)
        assert plan_sale_donation(member_id=seller.id, item=euros(2000), now=NOON) is not None
        gift = give(seller.id, 100)
        donate(seller.id, str(find_setting(seller.id).charity_id), 100)  # type: ignore[union-attr]
        reverse(gift.id, key="t:2", event=Event.CORRECTION, actor="system", reason="test", now=NOON)
        assert get_balances(seller.id, "EUR").debt == euros(100)
        assert sell(seller.id, 2000)[1] is None
        # The sale paid the debt: the next one gives again.
        assert sell(seller.id, 2000)[1] is not None

    def test_gives_nothing_once_the_charity_is_closed(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        close_charity(charity_id=charity.id, now=NOON)
        assert sell(seller.id, 2000)[1] is None

    def test_gives_nothing_while_the_seller_is_blocked_or_after_a_move(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        restrict(
            member_id=seller.id, capability="withdraw", reason="fraud_suspected", source="staff:1", now=NOON
        )
        assert sell(seller.id, 2000, now=NOON)[1] is None
        Member.objects.filter(id=seller.id).update(market=make_market("DE"))
        assert plan_sale_donation(member_id=seller.id, item=euros(2000), now=NOON) is None


@pytest.mark.django_db(transaction=True)
class TestRecord:
    def test_needs_the_transaction_of_its_posting(self) -> None:
        assert not connection.in_atomic_block
        with pytest.raises(RuntimeError, match="transaction"):
            record_sale_donation(member_id="M", given=SaleDonation("C", euros(1)), sale="order:1", now=NOON)


class TestUndo:
    def test_gives_it_back_once(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        reference, _ = sell(seller.id, 2000)
        undo = {"sale": reference, "actor": "system", "reason": "refund", "now": APRIL}
        assert undo_sale_donation(**undo) == euros(200)  # type: ignore[arg-type]
        assert undo_sale_donation(**undo) is None  # type: ignore[arg-type]
        assert (get_balances(seller.id, "EUR").available, owed(charity.id)) == (euros(2000), euros(0))
        row = Donation.objects.get()
        assert (row.status, row.ended_at) == ("undone", APRIL)

    def test_nothing_of_a_sale_that_gave_nothing(self) -> None:
        assert undo_sale_donation(sale="order:0", actor="system", reason="refund", now=NOON) is None

    def test_is_too_late_once_it_is_settled(self, seller: Member) -> None:
        charity = make_charity()
        choose(seller.id, charity.id, 10)
        reference, _ = sell(seller.id, 2000)
        collect_donations(provider="sandbox", now=APRIL)
        with pytest.raises(DonationSettled) as refused:
            undo_sale_donation(sale=reference, actor="system", reason="refund", now=APRIL)
        assert refused.value.code == "donation_settled"
        donation = get_donation(seller.id, Donation.objects.get().id)
        assert (donation.status, owed(charity.id)) == ("settled", euros(200))


class TestExamples:
    def test_are_added_once_for_each_currency(self, seller: Member) -> None:
        make_market("DE")
        make_market("PL")
        assert [add_example_charities(now=NOON) for _ in range(2)] == [4, 0]
        give(seller.id, 2000)
        from balance.models import Charity

        euro = Charity.objects.filter(currency="EUR").first()
        assert euro is not None
        assert euro.name.startswith("Example: ")
        donate(seller.id, euro.id, 500)
