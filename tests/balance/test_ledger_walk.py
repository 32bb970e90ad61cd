"""Any walk over the ledger keeps its promises. The model beside it is four numbers a member."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from balance import events
from balance.chart import Event
from balance.errors import InsufficientFunds
from balance.events import Charges, Fee, Line, NewPosting, Share
from balance.models import LedgerAccount, Posting, Transfer
from balance.queries.balances import get_balances, get_balances_at
from balance.services.posting import forget_opened_accounts, post, post_many, reverse
from tests.factories.members import make_member
from tests.factories.money import NOON, euros

CENTS = st.integers(min_value=1, max_value=5000)
WHO = st.integers(min_value=0, max_value=2)
ZERO = Fee(net=euros(0), vat=euros(0))


class Ledger(RuleBasedStateMachine):
    """Every event, by three members, in any order; keys are repeated and postings reversed."""

    sales = Bundle("sales")
    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        forget_opened_accounts()
        self.members = [make_member(f"M{number}") for number in range(3)]
        self.model = [dict.fromkeys(("pending", "available", "held", "in_transit"), 0) for _ in self.members]
        self.now = NOON
        self.number = 0
        self.done: dict[str, NewPosting] = {}
        self.past: list[tuple[Any, list[dict[str, int]]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    def record(self, event: Event, lines: tuple[Line, ...], *, reverses: str | None = None) -> str:
        """Post it, or see it refused exactly when the model says so; gives the posting's id or ''."""
        self.number += 1
        self.now += timedelta(seconds=1)
        posting = NewPosting(f"walk:{self.number}", event, lines, "walk", "system", reverses=reverses)
        after = [dict(balances) for balances in self.model]
        short = False
        for line in lines:
            for account, sign in ((line.debit, -1), (line.credit, 1)):
                for member, balances in zip(self.members, after, strict=True):
                    if account.owner == member.id:
                        balances[account.kind] += sign * line.amount.amount_minor
                        may = account.kind == "available" and event in events_that_may_make_a_debt()
                        short |= sign < 0 and balances[account.kind] < 0 and not may
        if short:
            with pytest.raises(InsufficientFunds):
                post(posting, now=self.now)
            return ""
        done = post(posting, now=self.now)
        assert not done.replayed
        self.model = after
        self.done[done.id] = posting
        self.past.append((self.now, after))
        return done.id

    @rule(target=sales, seller=WHO, buyer=WHO, item=CENTS, wallet=CENTS, fee=CENTS)
    def sell(
        self, seller: int, buyer: int, item: int, wallet: int, fee: int
    ) -> tuple[int, int, int, int, int] | None:
        paid = min(wallet, self.model[buyer]["available"])
        if paid > 0:
            self.record(
                Event.HOLD_PLACED, events.hold_placed(Share(self.members[buyer].id, euros(min(paid, item))))
            )
        paid = min(max(paid, 0), item)
        lines = events.sale_captured(
            seller=Share(self.members[seller].id, euros(item)),
            buyer_id=self.members[buyer].id,
            wallet=euros(paid),
            card=euros(item - paid + fee),
            charges=Charges(fee=euros(fee), shipping=euros(0), verification=euros(0)),
        )
        done = self.record(Event.SALE_CAPTURED, lines)
        return (seller, buyer, item, paid, fee) if done else None

    @rule(sale=sales, share=st.integers(min_value=0, max_value=100))
    def complete(self, sale: tuple[int, int, int, int, int] | None, share: int) -> None:
        if sale is not None:
            seller, _, item, _, fee = sale
            self.record(
                Event.SALE_COMPLETED,
                events.sale_completed(
                    seller=Share(self.members[seller].id, euros(item)),
                    donation=euros(item * share // 100),
                    charity_id="red-cross",
                    fee=Fee(net=euros(fee), vat=euros(0)),
                    shipping=euros(0),
                    verification=ZERO,
                ),
            )

    @rule(sale=sales)
    def cancel(self, sale: tuple[int, int, int, int, int] | None) -> None:
        if sale is not None:
            seller, buyer, item, paid, fee = sale
            self.record(
                Event.SALE_CANCELLED,
                events.sale_cancelled(
                    seller=Share(self.members[seller].id, euros(item)),
                    buyer_id=self.members[buyer].id,
                    wallet=euros(paid),
                    card=euros(item - paid + fee),
                    charges=Charges(fee=euros(fee), shipping=euros(0), verification=euros(0)),
                ),
            )

    @rule(
        target=posted,
        who=WHO,
        cents=CENTS,
        step=st.sampled_from(
            [
                (Event.GOODWILL_GIVEN, events.goodwill_given),
                (Event.COMPENSATION_PAID, events.compensation_paid),
                (Event.DEBT_WRITTEN_OFF, events.debt_written_off),
                (Event.HOLD_PLACED, events.hold_placed),
                (Event.HOLD_RELEASED, events.hold_released),
                (Event.WITHDRAWAL_REQUESTED, events.withdrawal_requested),
                (Event.WITHDRAWAL_FAILED, events.withdrawal_failed),
                (Event.WITHDRAWAL_PAID, events.withdrawal_paid),
                (Event.WITHDRAWAL_RETURNED, events.withdrawal_returned),
            ]
        ),
    )
    def move(self, who: int, cents: int, step: Any) -> str:
        event, lines = step
        return self.record(event, lines(Share(self.members[who].id, euros(cents))))

    @rule(target=posted, who=WHO, cents=CENTS, give=st.booleans())
    def donate(self, who: int, cents: int, give: bool) -> str:
        share = Share(self.members[who].id, euros(cents))
        if give:
            return self.record(Event.DONATION_GIVEN, events.donation_given(share, "red-cross"))
        return self.record(Event.DONATION_UNDONE, events.donation_undone(share, "red-cross"))

    @rule(target=posted, who=WHO, cents=CENTS)
    def charge_back(self, who: int, cents: int) -> str:
        share = Share(self.members[who].id, euros(cents))
        return self.record(Event.CHARGEBACK, events.chargeback(seller=share, borne=euros(0), fee=euros(15)))

    @rule(id_=posted)
    def repeat(self, id_: str) -> None:
        if id_ in self.done:
            posting = self.done[id_]
            again = post_many([posting], now=self.now)
            assert [one.replayed for one in again] == [True]
            assert again[0].id == id_

    @rule(id_=posted)
    def undo(self, id_: str) -> None:
        if id_ not in self.done or Posting.objects.filter(reverses_id=id_).exists():
            return
        lines = events.mirrored(self.done[id_].lines)
        before = len(self.done)
        undone = self.record(Event.CORRECTION, lines, reverses=id_)
        if undone:
            with pytest.raises(Exception, match="undone by"):
                reverse(
                    id_, key="walk:again", event=Event.CORRECTION, actor="staff:1", reason="", now=self.now
                )
        assert len(self.done) == before + bool(undone)

    @invariant()
    def cached_balances_are_the_models_and_the_sums(self) -> None:
        sums = Counter[str]()
        total = 0
        for debit, credit, minor in Transfer.objects.values_list(
            "debit_account_id", "credit_account_id", "amount_minor"
        ):
            sums[debit] -= minor
            sums[credit] += minor
        for id_, kind, cached in LedgerAccount.objects.values_list("id", "kind", "balance_minor"):
            total += sums[id_]
            if cached is not None:
                assert cached == sums[id_]
                assert kind == "available" or cached >= 0
        assert total == 0
        for member, model in zip(self.members, self.model, strict=True):
            balances = get_balances(member.id, "EUR")
            assert {kind: getattr(balances, kind).amount_minor for kind in model} == model

    @invariant()
    def each_key_is_there_once(self) -> None:
        assert Posting.objects.count() == len(self.done)

    @invariant()
    def the_past_stays_as_it_was(self) -> None:
        for at, model in self.past[len(self.past) // 2 : len(self.past) // 2 + 1]:
            for member, balances in zip(self.members, model, strict=True):
                then = get_balances_at(member.id, "EUR", at)
                assert {kind: getattr(then, kind).amount_minor for kind in balances} == balances


def events_that_may_make_a_debt() -> frozenset[Event]:
    """As docs/money.md has it, written down once more."""
    return frozenset({Event.SALE_CANCELLED, Event.SALE_REFUNDED, Event.CHARGEBACK, Event.CORRECTION})


class TestLedgerWalk:
    def test_no_walk_breaks_a_promise(self, db: None) -> None:
        run_state_machine_as_test(
            Ledger,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
