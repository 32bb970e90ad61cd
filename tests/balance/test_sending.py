"""Calling the bank: whatever gets lost in between, it pays once and nothing is given back too early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.models import SandboxPayout, Withdrawal, WithdrawalEvent
from balance.providers import sandbox
from balance.providers.contract import Outcome, OutcomeUnknown, PayoutOrder, PayoutReport
from balance.queries.balances import get_balances
from balance.services import sending
from balance.services.posting import post
from balance.services.sending import REPEAT_FOR, advance_withdrawal, pause_after, sweep_withdrawals
from balance.services.withdrawing import cancel_withdrawal
from members.models import Member
from members.services import restrict
from tests.factories.banking import activate, bank_tells, make_bank_account, status_of, withdraw
from tests.factories.money import NOON, euros, give

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdrawal_id(seller: Member) -> str:
    """20.00 that were just asked for."""
    activate(seller.id)
    give(seller.id, 2000)
    return withdraw(seller.id, make_bank_account(seller.id).id).id


def advance(withdrawal_id: str, *, later: timedelta = timedelta()) -> Withdrawal:
    advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON + later)
    return Withdrawal.objects.get(id=withdrawal_id)


def calls(withdrawal_id: str) -> int:
    return SandboxPayout.objects.get(reference=withdrawal_id).calls


class Killed(BaseException):
    """The worker ends here."""


@pytest.fixture
def dying_bank(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Workers die `before` or `after` their calls, as the list says; then they live."""
    deaths: list[str] = []
    send = sandbox.SandboxBank.send

    def dying(bank: sandbox.SandboxBank, order: PayoutOrder, **moment: object) -> PayoutReport:
        death = deaths.pop(0) if deaths else ""
        if death == "before":
            raise Killed
        report = send(bank, order, **moment)  # type: ignore[arg-type]
        if death == "after":
            raise Killed
        return report

    monkeypatch.setattr(sandbox.SandboxBank, "send", dying)
    yield deaths
    assert not deaths


class TestAdvance:
    def test_sends_it_and_then_asks_until_it_is_paid(self, seller: Member, withdrawal_id: str) -> None:
        sent = advance(withdrawal_id)
        assert (sent.status, sent.sent_at) == ("sent", NOON)
        assert sent.provider_id == SandboxPayout.objects.get().provider_id
        assert get_balances(seller.id, "EUR").in_transit == euros(2000)
        # The sandbox bank pays after a minute; nobody told us, so we ask.
        assert advance(withdrawal_id, later=timedelta(seconds=30)).status == "sent"
        paid = advance(withdrawal_id, later=timedelta(minutes=2))
        assert (paid.status, paid.next_call_at, calls(withdrawal_id)) == ("paid", None, 1)
        balances = get_balances(seller.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(0), euros(0))

    def test_does_nothing_before_it_is_due_again(self, withdrawal_id: str) -> None:
        advance(withdrawal_id)
        again = advance(withdrawal_id, later=timedelta(seconds=1))
        assert (again.attempts, calls(withdrawal_id)) == (1, 1)

    def test_gives_it_back_only_when_the_bank_refuses(self, seller: Member, withdrawal_id: str) -> None:
        sandbox.script(withdrawal_id, answer="refuse", times=1, reason="account_closed")
        failed = advance(withdrawal_id)
        assert (failed.status, failed.reason, failed.ended_at) == ("failed", "account_closed", NOON)
        assert get_balances(seller.id, "EUR").available == euros(2000)

    @pytest.mark.parametrize("answer", ["time_out", "unavailable"])
    def test_an_unknown_outcome_is_tried_again_under_the_same_reference(
        self, seller: Member, withdrawal_id: str, answer: str
    ) -> None:
        sandbox.script(withdrawal_id, answer=answer, times=2)
        first = advance(withdrawal_id)
        assert (first.status, first.provider_id) == ("sent", None)
        assert get_balances(seller.id, "EUR").in_transit == euros(2000)
        advance(withdrawal_id, later=timedelta(seconds=30))
        third = advance(withdrawal_id, later=timedelta(seconds=90))
        row = SandboxPayout.objects.get()
        assert (row.reference, row.calls, row.provider_id) == (withdrawal_id, 3, third.provider_id)
        assert third.status == "sent"

    def test_waits_longer_each_time_but_not_for_ever(self) -> None:
        pauses = [pause_after(attempt) for attempt in (1, 2, 3, 10, 11, 500)]
        assert pauses[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
        assert pauses[3:] == [timedelta(seconds=15360), timedelta(hours=6), timedelta(hours=6)]

    def test_stops_repeating_before_the_bank_may_have_forgotten_the_reference(
        self, seller: Member, withdrawal_id: str
    ) -> None:
        sandbox.script(withdrawal_id, answer="unavailable", times=100)
        advance(withdrawal_id)
        stuck = advance(withdrawal_id, later=REPEAT_FOR)
        assert (stuck.status, stuck.next_call_at, calls(withdrawal_id)) == ("sent", None, 1)
        assert get_balances(seller.id, "EUR").in_transit == euros(2000)

    def test_holds_back_what_was_blocked_meanwhile(self, seller: Member, withdrawal_id: str) -> None:
        restrict(
            member_id=seller.id,
            capability="withdraw",
            reason="fraud_suspected",
            source="staff:1",
            now=NOON,
        )
        held = advance(withdrawal_id)
        assert (held.status, held.reason) == ("in_review", "withdrawals_blocked")
        assert not SandboxPayout.objects.exists()

    def test_holds_back_what_the_member_owes_since(self, seller: Member, withdrawal_id: str) -> None:
        lines = events.mirrored(events.goodwill_given(Share(seller.id, euros(500))))
        post(NewPosting("refund", Event.SALE_REFUNDED, lines, "order:1", "system"), now=NOON)
        held = advance(withdrawal_id)
        assert (held.status, held.reason) == ("in_review", "in_debt")
        assert not SandboxPayout.objects.exists()
        cancel_withdrawal(member_id=seller.id, withdrawal_id=withdrawal_id, now=NOON)
        assert get_balances(seller.id, "EUR").available == euros(1500)

    def test_writes_down_what_happened(self, withdrawal_id: str) -> None:
        advance(withdrawal_id)
        bank_tells(withdrawal_id, Outcome.PAID)
        rows = WithdrawalEvent.objects.filter(withdrawal_id=withdrawal_id).order_by("id")
        assert [(row.verb, row.target, row.actor) for row in rows] == [
            ("request", "requested", "member"),
            ("send", "sent", "worker"),
            ("pay", "paid", "bank"),
        ]

    def test_calls_the_bank_outside_every_transaction(
        self, withdrawal_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        depth = len(transaction.get_connection().savepoint_ids)
        seen: list[int] = []

        def send(bank: sandbox.SandboxBank, order: PayoutOrder, **moment: object) -> PayoutReport:
            seen.append(len(transaction.get_connection().savepoint_ids))
            raise OutcomeUnknown

        monkeypatch.setattr(sandbox.SandboxBank, "send", send)
        advance(withdrawal_id)
        assert seen == [depth]
        assert status_of(withdrawal_id) == "sent"


class TestCrashes:
    def test_before_the_call_it_is_sent_by_the_next_worker(
        self, withdrawal_id: str, dying_bank: list[str]
    ) -> None:
        dying_bank.append("before")
        with pytest.raises(Killed):
            advance(withdrawal_id)
        assert (status_of(withdrawal_id), SandboxPayout.objects.count()) == ("sent", 0)
        advance(withdrawal_id, later=timedelta(seconds=30))
        assert calls(withdrawal_id) == 1

    def test_after_the_call_it_is_not_paid_twice(
        self, seller: Member, withdrawal_id: str, dying_bank: list[str]
    ) -> None:
        dying_bank.append("after")
        with pytest.raises(Killed):
            advance(withdrawal_id)
        assert Withdrawal.objects.get().provider_id is None
        recovered = advance(withdrawal_id, later=timedelta(seconds=30))
        assert recovered.provider_id == SandboxPayout.objects.get().provider_id
        bank_tells(withdrawal_id, Outcome.PAID, now=NOON + timedelta(seconds=40))
        assert get_balances(seller.id, "EUR").in_transit == euros(0)

    def test_after_the_call_a_callback_may_be_first(
        self, seller: Member, withdrawal_id: str, dying_bank: list[str]
    ) -> None:
        dying_bank.append("after")
        with pytest.raises(Killed):
            advance(withdrawal_id)
        bank_tells(withdrawal_id, Outcome.FAILED)
        assert status_of(withdrawal_id) == "failed"
        assert get_balances(seller.id, "EUR").available == euros(2000)
        advance(withdrawal_id, later=timedelta(minutes=5))
        assert status_of(withdrawal_id) == "failed"


class TestSweep:
    def test_rings_for_what_nobody_picked_up_and_measures_what_is_open(
        self, withdrawal_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from prometheus_client import REGISTRY

        rung: list[str] = []
        monkeypatch.setattr(sending, "ring_for_withdrawal", rung.append)
        assert sweep_withdrawals(now=NOON) == 1
        assert rung == [withdrawal_id]
        advance(withdrawal_id)
        assert sweep_withdrawals(now=NOON + timedelta(seconds=29)) == 0
        assert REGISTRY.get_sample_value("preloved_balance_withdrawals_open", {"status": "sent"}) == 1
        assert REGISTRY.get_sample_value("preloved_balance_oldest_sent_withdrawal_seconds") == 29
