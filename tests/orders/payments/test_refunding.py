"""Money back to a card: once, posted when the provider has paid it, and never lost when it has not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from balance.models import Posting
from orders.errors import RefundExceedsRemaining, RefundNotFailed
from orders.models import Case, Order, Payment, Refund, SandboxRefund
from orders.providers.payments import sandbox
from orders.providers.payments.contract import OutcomeUnknown, RefundOrder, RefundOutcome
from orders.queries.payments import list_refunds
from orders.services import reconciling_payments
from orders.services.reconciling_payments import sweep_payments
from orders.services.refunding import advance_refund, request_again, request_refund
from tests.factories.money import NOON, euros
from tests.factories.payments import pay, start, told

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(seconds=20)
FAILED, PAID = RefundOutcome.FAILED, RefundOutcome.PAID


def refund_of(order: Order, method: str = "pm_card_ok", minor: int = 500) -> str:
    """Asked for, of a payment that was captured."""
    payment = pay(order, method)
    return request_refund(payment_id=payment.id, amount=euros(minor), key=f"order:{order.id}:1", now=NOON)


def advance(refund_id: str, *, now: Any = NOON) -> Refund:
    advance_refund(refund_id=refund_id, now=now)
    return Refund.objects.get(id=refund_id)


def settled() -> list[str]:
    return list(Posting.objects.filter(event="refund_settled").values_list("key", flat=True))


class Killed(BaseException):
    """The worker ends here."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Workers die `before` or `after` the call, as the list says; then they live."""
    deaths: list[str] = []
    call = sandbox.SandboxCards.refund

    def refund(cards: sandbox.SandboxCards, order: RefundOrder, **moment: Any) -> Any:
        death = deaths.pop(0) if deaths else ""
        if death == "before":
            raise Killed
        report = call(cards, order, **moment)
        if death:
            raise Killed
        return report

    monkeypatch.setattr(sandbox.SandboxCards, "refund", refund)
    yield deaths
    assert not deaths


class TestRequest:
    def test_is_once_per_key(self, card_order: Order) -> None:
        first = refund_of(card_order)
        key = f"order:{card_order.id}:1"
        payment_id = Payment.objects.get().id
        assert request_refund(payment_id=payment_id, amount=euros(500), key=key, now=NOON) == first
        assert Payment.objects.get().refunded_minor == 500

    def test_is_never_more_than_the_card_paid(self, card_order: Order) -> None:
        refund_of(card_order, minor=2000)
        payment_id = Payment.objects.get().id
        for minor in (471, 0):
            with pytest.raises(RefundExceedsRemaining) as refused:
                request_refund(payment_id=payment_id, amount=euros(minor), key=f"k{minor}", now=NOON)
            assert refused.value.extra == {"remaining": {"amount": 470, "currency": "EUR"}}
        request_refund(payment_id=payment_id, amount=euros(470), key="rest", now=NOON)

    def test_needs_a_capture(self, card_order: Order) -> None:
        with pytest.raises(RefundExceedsRemaining):
            request_refund(payment_id=start(card_order), amount=euros(1), key="k", now=NOON)


class TestAdvance:
    def test_is_paid_and_posted_by_its_provider(self, card_order: Order) -> None:
        refund = advance(refund_of(card_order))
        assert (refund.status, refund.due_at, refund.ended_at) == ("paid", None, NOON)
        posting = Posting.objects.get(event="refund_settled")
        assert posting.key == f"refund:{refund.id}:settled"
        assert (posting.actor, posting.reference) == ("provider:sandbox", f"sandbox:{refund.provider_id}")
        [facts] = list_refunds(card_order.id)
        assert (facts.status, facts.amount) == ("paid", euros(500))

    def test_does_nothing_twice(self, card_order: Order) -> None:
        refund_id = refund_of(card_order)
        advance(refund_id)
        advance(refund_id, now=LATER)
        told(sandbox.refund_callback(refund_id, now=NOON), times=3)
        assert (SandboxRefund.objects.get().calls, len(settled())) == (1, 1)

    @pytest.mark.parametrize(
        "method", ["pm_refund_timeout_before_success", "pm_refund_timeout_after_success"]
    )
    def test_an_unknown_outcome_is_asked_for(self, card_order: Order, method: str) -> None:
        refund_id = refund_of(card_order, method)
        assert advance(refund_id).status == "sent"
        assert not settled()
        assert advance(refund_id, now=LATER).status == "paid"
        assert (SandboxRefund.objects.count(), len(settled())) == (1, 1)

    def test_waits_for_the_news(self, card_order: Order) -> None:
        refund_id = refund_of(card_order, "pm_refund_late")
        assert advance(refund_id).status == "sent"
        sandbox.settle_refund(refund_id, PAID)
        told(sandbox.refund_callback(refund_id, now=NOON))
        assert Refund.objects.get().status == "paid"

    def test_is_asked_for_when_nobody_tells(self, card_order: Order) -> None:
        refund_id = refund_of(card_order, "pm_refund_late")
        advance(refund_id)
        sandbox.settle_refund(refund_id, PAID)
        assert advance(refund_id, now=LATER).status == "paid"

    @pytest.mark.parametrize("death", ["before", "after"])
    def test_the_next_worker_pays_once(self, card_order: Order, dying: list[str], death: str) -> None:
        refund_id = refund_of(card_order)
        dying.append(death)
        with pytest.raises(Killed):
            advance(refund_id)
        assert Refund.objects.get().status == "sent"
        assert advance(refund_id, now=LATER).status == "paid"
        assert (SandboxRefund.objects.count(), len(settled())) == (1, 1)


class TestFailure:
    def test_is_still_owed_and_a_persons_case(self, card_order: Order) -> None:
        refund = advance(refund_of(card_order, "pm_refund_fails"))
        assert (refund.status, refund.failure_code) == ("failed", "expired_or_canceled_card")
        assert not settled()
        case = Case.objects.get()
        assert (case.kind, case.key) == ("refund_failed", f"refund:{refund.id}")
        assert Payment.objects.get().refunded_minor == 0

    def test_can_be_tried_again_under_another_reference(self, card_order: Order) -> None:
        failed = advance(refund_of(card_order, "pm_refund_late"))
        with pytest.raises(RefundNotFailed) as refused:
            request_again(refund_id=failed.id, now=NOON)
        assert refused.value.code == "refund_not_failed"
        sandbox.settle_refund(failed.id, FAILED, code="closed")
        told(sandbox.refund_callback(failed.id, now=NOON))
        again = request_again(refund_id=failed.id, now=NOON)
        assert request_again(refund_id=failed.id, now=NOON) == again != failed.id
        advance(again)
        sandbox.settle_refund(again, PAID)
        assert advance(again, now=LATER).status == "paid"
        assert settled() == [f"refund:{again}:settled"]

    @pytest.mark.parametrize(("first", "then"), [(PAID, FAILED), (FAILED, PAID)])
    def test_a_contradiction_is_a_case_and_posts_nothing(
        self, card_order: Order, first: RefundOutcome, then: RefundOutcome
    ) -> None:
        refund_id = refund_of(card_order, "pm_refund_late")
        advance(refund_id)
        for outcome in (first, then, then):
            sandbox.settle_refund(refund_id, outcome, code="closed")
            told(sandbox.refund_callback(refund_id, now=NOON))
        assert Refund.objects.get().status == first.value
        assert len(settled()) == int(first is PAID)
        assert Case.objects.filter(kind="refund_failed").count() == 1

    def test_another_amount_is_a_case(self, card_order: Order) -> None:
        refund_id = refund_of(card_order, "pm_refund_late")
        advance(refund_id)
        SandboxRefund.objects.update(amount_minor=499, outcome="paid")
        told(sandbox.refund_callback(refund_id, now=NOON))
        assert (Refund.objects.get().status, settled()) == ("sent", [])
        assert Case.objects.get().note.startswith(f"refund {refund_id} another refund")

    def test_an_answer_for_nobody_changes_nothing(self, card_order: Order) -> None:
        refund_id = refund_of(card_order, "pm_refund_late")
        advance(refund_id)
        message = sandbox.refund_callback(refund_id, now=NOON, outcome=PAID)
        Payment.objects.update(provider="stripe")
        told(message)
        assert Refund.objects.get().status == "sent"


class TestSweep:
    def test_rings_for_what_nobody_picked_up(
        self, card_order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from prometheus_client import REGISTRY

        rung: list[str] = []
        monkeypatch.setattr(reconciling_payments, "ring_for_refund", rung.append)
        refund_id = refund_of(card_order)
        assert sweep_payments(now=LATER) == 1
        assert rung == [refund_id]
        assert REGISTRY.get_sample_value("preloved_orders_oldest_open_refund_seconds") == 20

    def test_the_provider_that_does_not_know_is_asked_again(
        self, card_order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def find_refund(*_: Any, **__: Any) -> None:
            raise OutcomeUnknown

        refund_id = refund_of(card_order, "pm_refund_timeout_after_success")
        advance(refund_id)
        monkeypatch.setattr(sandbox.SandboxCards, "find_refund", find_refund)
        assert advance(refund_id, now=LATER).status == "sent"
        monkeypatch.undo()
        assert advance(refund_id, now=LATER + timedelta(minutes=1)).status == "paid"
