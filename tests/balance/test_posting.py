from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from balance import events
from balance.chart import AccountKind, Event, of_member, of_platform
from balance.errors import (
    AlreadyReversed,
    CurrencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    PostingKeyReused,
    PostingNotFound,
)
from balance.events import Charges, Fee, Line, NewPosting, Share
from balance.models import LedgerAccount, Posting, Transfer
from balance.queries.balances import get_balances, get_balances_at
from balance.services.posting import post, post_many, reverse
from foundation.money import Money
from members.errors import MemberNotFound
from members.models import Member
from tests.factories.money import NOON, euros, give

NO_CHARGES = Charges(fee=euros(0), shipping=euros(0), verification=euros(0))


def withdrawal(member: Member, minor: int, key: str = "withdrawal:1") -> NewPosting:
    return NewPosting(
        key=key,
        event=Event.WITHDRAWAL_REQUESTED,
        lines=events.withdrawal_requested(Share(member.id, euros(minor))),
        reference="withdrawal:1",
        actor=f"member:{member.id}",
    )


def sale(seller: Member, buyer: Member) -> NewPosting:
    return NewPosting(
        key="order:1:captured",
        event=Event.SALE_CAPTURED,
        lines=events.sale_captured(
            seller=Share(seller.id, euros(2000)),
            buyer_id=buyer.id,
            wallet=euros(0),
            card=euros(2470),
            charges=Charges(fee=euros(170), shipping=euros(300), verification=euros(0)),
        ),
        reference="order:1",
        actor="provider:sandbox",
    )


class TestPost:
    def test_a_card_sale_waits_with_the_seller_and_in_deferred_accounts(
        self, seller: Member, buyer: Member
    ) -> None:
        posted = post(sale(seller, buyer), now=NOON)
        assert get_balances(seller.id, "EUR").pending == euros(2000)
        rows = Transfer.objects.filter(posting_id=posted.id).order_by("position")
        assert [(row.debit_account_id, row.credit_account_id, row.amount_minor) for row in rows] == [
            ("platform:psp_clearing:EUR", f"{seller.id}:pending:EUR", 2000),
            ("platform:psp_clearing:EUR", "platform:fee_deferred:EUR", 170),
            ("platform:psp_clearing:EUR", "platform:shipping_deferred:EUR", 300),
        ]

    def test_a_completed_sale_is_the_sellers_and_the_fee_is_revenue_and_vat(
        self, seller: Member, buyer: Member
    ) -> None:
        post(sale(seller, buyer), now=NOON)
        post(
            NewPosting(
                key="order:1:completed",
                event=Event.SALE_COMPLETED,
                lines=events.sale_completed(
                    seller=Share(seller.id, euros(2000)),
                    donation=euros(200),
                    charity_id="red-cross",
                    fee=Fee(net=euros(140), vat=euros(30)),
                    shipping=euros(300),
                    verification=Fee(net=euros(0), vat=euros(0)),
                ),
                reference="order:1",
                actor="system",
            ),
            now=NOON,
        )
        balances = get_balances(seller.id, "EUR")
        assert (balances.pending, balances.available) == (euros(0), euros(1800))
        given = Transfer.objects.get(credit_account_id="red-cross:donations:EUR")
        assert given.amount_minor == 200

    def test_the_same_fact_again_changes_nothing(self, seller: Member, buyer: Member) -> None:
        first = post(sale(seller, buyer), now=NOON)
        again = post(sale(seller, buyer), now=NOON + timedelta(days=1))
        assert again.replayed
        assert again.id == first.id
        assert again.recorded_at == first.recorded_at
        assert get_balances(seller.id, "EUR").pending == euros(2000)

    def test_the_same_key_with_another_content_is_refused(self, seller: Member) -> None:
        give(seller.id, 2000)
        post(withdrawal(seller, 500), now=NOON)
        with pytest.raises(PostingKeyReused) as caught:
            post(withdrawal(seller, 600), now=NOON)
        assert caught.value.code == "posting_key_reused"

    def test_a_repeat_of_what_took_everything_is_no_lack_of_money(self, seller: Member) -> None:
        give(seller.id, 2000)
        post(withdrawal(seller, 2000), now=NOON)
        assert post(withdrawal(seller, 2000), now=NOON).replayed

    def test_a_transfer_that_the_database_refuses_is_no_repeat(self, seller: Member) -> None:
        give(seller.id, 2000)
        # As if two transactions had read the same old balance: the fence on the entries' numbers stops one.
        LedgerAccount.objects.filter(member_id=seller.id).update(last_entry=0)
        # Caught inside a transaction that goes on: even then half a posting is not committed.
        with transaction.atomic(), pytest.raises(IntegrityError):
            give(seller.id, 500)
        assert Posting.objects.count() == 1

    def test_more_than_there_is_is_refused_and_leaves_nothing_behind(self, seller: Member) -> None:
        give(seller.id, 2000)
        # Caught inside a transaction that goes on.
        with transaction.atomic(), pytest.raises(InsufficientFunds) as caught:
            post(withdrawal(seller, 2001), now=NOON)
        assert caught.value.code == "insufficient_funds"
        assert caught.value.extra == {"available": {"amount": 2000, "currency": "EUR"}}
        assert not Posting.objects.filter(key="withdrawal:1").exists()
        assert get_balances(seller.id, "EUR").available == euros(2000)

    def test_only_what_takes_back_may_make_a_debt(self, seller: Member, buyer: Member) -> None:
        post(
            NewPosting(
                key="chargeback:1",
                event=Event.CHARGEBACK,
                lines=events.chargeback(
                    seller=Share(seller.id, euros(2000)), borne=euros(470), fee=euros(1500)
                ),
                reference="order:1",
                actor="provider:sandbox",
            ),
            now=NOON,
        )
        balances = get_balances(seller.id, "EUR")
        assert balances.available == euros(-2000)
        assert balances.debt == euros(2000)

    @pytest.mark.parametrize("minor", [0, -1, 2**63])
    def test_an_impossible_amount_is_refused(self, seller: Member, minor: int) -> None:
        line = Line(
            of_platform(AccountKind.GOODWILL, "EUR"),
            of_member(seller.id, AccountKind.AVAILABLE, "EUR"),
            euros(minor),
        )
        with pytest.raises(InvalidAmount) as caught:
            post(NewPosting("k", Event.GOODWILL_GIVEN, (line,), "r", "system"), now=NOON)
        assert caught.value.code == "invalid_amount"

    def test_a_balance_beyond_63_bits_is_refused(self, seller: Member) -> None:
        give(seller.id, 2**63 - 1)
        with pytest.raises(InvalidAmount):
            give(seller.id, 1)

    def test_another_currency_is_refused(self, seller: Member) -> None:
        line = Line(
            of_platform(AccountKind.GOODWILL, "EUR"),
            of_member(seller.id, AccountKind.AVAILABLE, "EUR"),
            Money(5, "PLN"),
        )
        with pytest.raises(CurrencyMismatch) as caught:
            post(NewPosting("k", Event.GOODWILL_GIVEN, (line,), "r", "system"), now=NOON)
        assert caught.value.code == "currency_mismatch"

    def test_nobody_has_no_account(self, db: None) -> None:
        with pytest.raises(MemberNotFound):
            give("01ARZ3NDEKTSV4RRFFQ69G5FAV", 100)

    def test_a_clock_that_is_behind_keeps_the_order_of_entries(self, seller: Member) -> None:
        give(seller.id, 100, now=NOON)
        late = give(seller.id, 50, now=NOON - timedelta(seconds=3))
        assert late.recorded_at == NOON
        assert get_balances_at(seller.id, "EUR", NOON).available == euros(150)
        assert get_balances_at(seller.id, "EUR", NOON - timedelta(microseconds=1)).available == euros(0)

    def test_no_look_into_the_past_sees_half_a_posting(self, seller: Member, buyer: Member) -> None:
        give(buyer.id, 1000)
        post(
            NewPosting(
                "h", Event.HOLD_PLACED, events.hold_placed(Share(buyer.id, euros(1000))), "r", "system"
            ),
            now=NOON,
        )
        lines = events.sale_captured(
            seller=Share(seller.id, euros(2000)),
            buyer_id=buyer.id,
            wallet=euros(1000),
            card=euros(1000),
            charges=NO_CHARGES,
        )
        captured = post(
            NewPosting("c", Event.SALE_CAPTURED, lines, "r", "system"), now=NOON + timedelta(seconds=1)
        )
        before = captured.recorded_at - timedelta(microseconds=1)
        assert get_balances_at(seller.id, "EUR", before).pending == euros(0)
        assert get_balances_at(seller.id, "EUR", captured.recorded_at).pending == euros(2000)

    def test_more_lines_than_an_instant_can_number_are_a_mistake(self, seller: Member) -> None:
        with pytest.raises(ValueError, match="one instant"):
            post_many([withdrawal(seller, 1, f"w:{n}") for n in range(1001)], now=NOON)


class TestPostMany:
    def test_is_all_or_nothing_and_applies_in_order(self, seller: Member) -> None:
        give(seller.id, 1000)
        with pytest.raises(InsufficientFunds):
            post_many([withdrawal(seller, 600, "w:1"), withdrawal(seller, 600, "w:2")], now=NOON)
        assert get_balances(seller.id, "EUR").available == euros(1000)
        post_many([withdrawal(seller, 600, "w:1"), withdrawal(seller, 400, "w:2")], now=NOON)
        balances = get_balances(seller.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(0), euros(1000))

    def test_known_ones_are_skipped(self, seller: Member) -> None:
        give(seller.id, 1000)
        post(withdrawal(seller, 600, "w:1"), now=NOON)
        first, second = post_many([withdrawal(seller, 600, "w:1"), withdrawal(seller, 400, "w:2")], now=NOON)
        assert first.replayed
        assert not second.replayed
        assert get_balances(seller.id, "EUR").in_transit == euros(1000)


class TestReverse:
    def test_undoes_exactly_and_once(self, seller: Member, buyer: Member) -> None:
        captured = post(sale(seller, buyer), now=NOON)

        def undo(key: str) -> None:
            reverse(captured.id, key=key, event=Event.CORRECTION, actor="staff:1", reason="twice", now=NOON)

        undo("undo:1")
        assert get_balances(seller.id, "EUR").pending == euros(0)
        undo("undo:1")  # the same correction again
        with pytest.raises(AlreadyReversed) as caught:
            undo("undo:2")
        assert caught.value.code == "already_reversed"
        assert Posting.objects.filter(reverses_id=captured.id).count() == 1

    def test_of_nothing(self, db: None) -> None:
        with pytest.raises(PostingNotFound) as caught:
            reverse(
                "01ARZ3NDEKTSV4RRFFQ69G5FAV",
                key="k",
                event=Event.CORRECTION,
                actor="staff:1",
                reason="",
                now=NOON,
            )
        assert caught.value.code == "posting_not_found"


class TestPointInTime:
    def test_every_moment_has_its_balance(self, seller: Member) -> None:
        for day in range(5):
            give(seller.id, 100, now=NOON + timedelta(days=day))
        post(withdrawal(seller, 250), now=NOON + timedelta(days=5))
        at = [get_balances_at(seller.id, "EUR", NOON + timedelta(days=day)) for day in range(-1, 7)]
        assert [b.available.amount_minor for b in at] == [0, 100, 200, 300, 400, 500, 250, 250]
        assert [b.in_transit.amount_minor for b in at][-2:] == [250, 250]


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE balance_posting SET reason = 'x'",
            "DELETE FROM balance_posting",
            "UPDATE balance_transfer SET amount_minor = 1",
            "DELETE FROM balance_transfer",
            "DELETE FROM balance_ledgeraccount",
            "REPLACE INTO balance_transfer SELECT * FROM balance_transfer",
        ],
    )
    def test_the_database_refuses(self, seller: Member, statement: str) -> None:
        give(seller.id, 100)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert Transfer.objects.count() == 1
        assert LedgerAccount.objects.count() == 2


class TestEvents:
    def test_two_tenders_pay_three_accounts_without_a_remainder(self, seller: Member, buyer: Member) -> None:
        lines = events.sale_captured(
            seller=Share(seller.id, euros(2000)),
            buyer_id=buyer.id,
            wallet=euros(1000),
            card=euros(1470),
            charges=Charges(fee=euros(170), shipping=euros(300), verification=euros(0)),
        )
        assert [(line.debit.kind, line.credit.kind, line.amount.amount_minor) for line in lines] == [
            ("held", "pending", 1000),
            ("psp_clearing", "pending", 1000),
            ("psp_clearing", "fee_deferred", 170),
            ("psp_clearing", "shipping_deferred", 300),
        ]

    def test_sides_that_differ_are_refused(self) -> None:
        with pytest.raises(ValueError, match="differ"):
            events.sale_captured(
                seller=Share("S", euros(2000)),
                buyer_id="B",
                wallet=euros(0),
                card=euros(1999),
                charges=NO_CHARGES,
            )
