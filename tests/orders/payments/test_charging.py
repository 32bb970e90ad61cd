"""Charging a card: whatever gets lost in between, it is charged once and the order hears of it once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from balance.models import Posting
from orders.errors import PaymentInProgress, PaymentMethodInvalid
from orders.models import Case, Order, Payment, Refund, SandboxPayment
from orders.providers.payments import sandbox
from orders.providers.payments.contract import OutcomeUnknown, PaymentOutcome
from orders.queries.payments import find_latest_payment
from orders.services import reconciling_payments
from orders.services.charging import KNOWN_WITHIN
from orders.services.paying import stop_payments
from orders.services.payment_moves import pause_after
from orders.services.reconciling_payments import sweep_payments
from tests.factories.money import NOON, euros
from tests.factories.payments import TOTAL, advance, pay, start, told

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(seconds=20)
OVER = NOON + timedelta(minutes=16)


def events_of(order: Order) -> list[str]:
    rows = Posting.objects.filter(reference=f"order:{order.id}").order_by("id")
    return [str(event) for event in rows.values_list("event", flat=True)]


def status_of(order: Order) -> str:
    return str(Order.objects.values_list("status", flat=True).get(id=order.id))


def charges() -> int:
    return SandboxPayment.objects.get().captures


def end(order: Order) -> None:
    """The checkout's time is over, or its buyer has given it up."""
    Order.objects.filter(id=order.id).update(status="expired", due_at=None, ended_at=OVER)


class Killed(BaseException):
    """The worker ends here."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Workers die `before:CALL` or `after:CALL`, as the list says; then they live."""
    deaths: list[str] = []

    def deadly(name: str) -> None:
        call = getattr(sandbox.SandboxCards, name)

        def dying_call(cards: sandbox.SandboxCards, *args: Any, **moment: Any) -> Any:
            death = deaths.pop(0) if deaths and deaths[0].endswith(f":{name}") else ""
            if death.startswith("before"):
                raise Killed
            report = call(cards, *args, **moment)
            if death:
                raise Killed
            return report

        monkeypatch.setattr(sandbox.SandboxCards, name, dying_call)

    for name in ("authorise", "capture", "cancel"):
        deadly(name)
    yield deaths
    assert not deaths


class TestStart:
    def test_is_a_row_that_is_due(self, card_order: Order) -> None:
        payment = Payment.objects.get(id=start(card_order))
        assert (payment.status, payment.due_at, payment.provider) == ("created", NOON, "sandbox")
        assert not SandboxPayment.objects.exists()

    def test_is_refused_while_another_may_still_succeed(self, card_order: Order) -> None:
        first = start(card_order, "pm_card_3ds")
        with pytest.raises(PaymentInProgress) as refused:
            start(card_order)
        assert refused.value.extra == {"payment_id": first, "status": "created"}

    @pytest.mark.parametrize("method", ["", "pm card", "pm_ä", "x" * 101])
    def test_takes_only_what_may_be_a_token(self, card_order: Order, method: str) -> None:
        with pytest.raises(PaymentMethodInvalid) as refused:
            start(card_order, method)
        assert refused.value.code == "payment_method_invalid"


class TestAdvance:
    def test_reserves_takes_and_pays_the_order(self, card_order: Order) -> None:
        payment = pay(card_order)
        assert (payment.status, payment.captured_minor, payment.due_at) == ("captured", 2470, None)
        assert (payment.method, payment.is_open, charges()) == ("", None, 1)
        assert (status_of(card_order), events_of(card_order)[:1]) == ("paid", ["sale_captured"])
        facts = find_latest_payment(card_order.id)
        assert facts is not None
        assert (facts.status, facts.captured, facts.refunded) == ("captured", TOTAL, euros(0))

    def test_reserves_before_it_takes(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_capture_timeout_before_success")
        assert (payment.status, payment.calls, charges()) == ("capturing", 1, 0)
        assert SandboxPayment.objects.get().outcome == "authorised"

    def test_does_nothing_before_it_is_due_again(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_card_3ds")
        assert SandboxPayment.objects.get().calls == 1
        advance(payment.id, now=NOON + timedelta(seconds=1))
        assert SandboxPayment.objects.get().calls == 1

    @pytest.mark.parametrize("method", ["pm_card_declined", "pm_card_expired", "pm_nobody"])
    def test_a_decline_leaves_the_order_waiting_for_another_card(
        self, card_order: Order, method: str
    ) -> None:
        payment = pay(card_order, method)
        assert (payment.status, payment.is_open) == ("failed", None)
        assert payment.failure_code
        assert status_of(card_order) == "pending_payment"
        assert pay(card_order).status == "captured"

    @pytest.mark.parametrize(
        "method",
        [
            *("pm_timeout_before_success", "pm_timeout_after_success"),
            *("pm_capture_timeout_before_success", "pm_capture_timeout_after_success"),
        ],
    )
    def test_an_unknown_outcome_is_asked_for(self, card_order: Order, method: str) -> None:
        payment = pay(card_order, method)
        assert payment.status in ("sending", "capturing")
        assert status_of(card_order) == "pending_payment"
        assert advance(payment.id, now=LATER).status == "captured"
        assert (status_of(card_order), charges()) == ("paid", 1)

    def test_waits_longer_each_time_but_not_for_ever(self) -> None:
        pauses = [pause_after(calls).total_seconds() for calls in (1, 2, 3, 8, 9, 500)]
        assert pauses == [15, 30, 60, 1920, 3600, 3600]

    def test_calls_outside_every_transaction(
        self, card_order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        depth = len(transaction.get_connection().savepoint_ids)
        seen: list[int] = []

        def authorise(*_: Any, **__: Any) -> None:
            seen.append(len(transaction.get_connection().savepoint_ids))
            raise OutcomeUnknown(provider_id="pay-1")

        monkeypatch.setattr(sandbox.SandboxCards, "authorise", authorise)
        payment = pay(card_order)
        assert (seen, payment.status, payment.provider_id) == ([depth], "sending", "pay-1")


class TestSecureStep:
    def test_shows_the_buyer_where_to_go(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_card_3ds")
        facts = find_latest_payment(card_order.id)
        assert facts is not None
        assert (payment.status, facts.action_url) == ("requires_action", sandbox.action_url(payment.id))
        assert "http" not in repr(facts)

    @pytest.mark.parametrize(("passes", "target"), [(True, "captured"), (False, "failed")])
    def test_goes_on_when_it_ends(self, card_order: Order, passes: bool, target: str) -> None:
        payment = pay(card_order, "pm_card_3ds")
        outcome = PaymentOutcome.AUTHORISED if passes else PaymentOutcome.FAILED
        sandbox.settle(payment.id, outcome, code="" if passes else "authentication_failed")
        told(sandbox.payment_callback(payment.id, now=NOON), times=2)
        after = advance(payment.id)
        assert (after.status, after.action_url) == (target, "")

    def test_is_asked_for_when_nobody_tells(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_card_3ds")
        sandbox.settle(payment.id, PaymentOutcome.AUTHORISED)
        assert advance(payment.id, now=LATER).status == "captured"


class TestTooLate:
    """The order has ended while its card was being asked."""

    @pytest.mark.parametrize("status", ["authorised", "requires_action"])
    def test_what_is_reserved_is_given_free(self, card_order: Order, status: str) -> None:
        payment = pay(card_order, "pm_card_3ds")
        if status == "authorised":
            sandbox.settle(payment.id, PaymentOutcome.AUTHORISED)
            told(sandbox.payment_callback(payment.id, now=NOON))
        assert Payment.objects.get().status == status
        end(card_order)
        assert stop_payments(order_id=card_order.id, now=NOON)
        assert advance(payment.id).status == "cancelled"
        assert (SandboxPayment.objects.get().outcome, charges()) == ("cancelled", 0)
        assert not stop_payments(order_id=card_order.id, now=NOON)

    def test_what_was_not_sent_is_never_sent(self, card_order: Order) -> None:
        payment_id = start(card_order)
        end(card_order)
        assert advance(payment_id).status == "cancelled"
        assert not SandboxPayment.objects.exists()

    def test_an_answer_that_was_lost_is_asked_for_and_given_free(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_timeout_after_success")
        end(card_order)
        assert advance(payment.id, now=OVER).status == "cancelled"
        assert charges() == 0

    def test_what_the_provider_never_got_is_not_sent_again(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_timeout_before_success")
        end(card_order)
        assert advance(payment.id, now=OVER).status == "sending"
        given_up = advance(payment.id, now=NOON + KNOWN_WITHIN)
        assert (given_up.status, given_up.failure_code) == ("failed", "not_taken")
        assert SandboxPayment.objects.get().provider_id is None

    def test_a_late_capture_goes_back_in_full(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_capture_late")
        assert payment.status == "capturing"
        end(card_order)
        sandbox.settle(payment.id, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(payment.id, now=OVER), now=OVER, times=3)
        refund = Refund.objects.get()
        assert (refund.payment_id, refund.amount_minor) == (payment.id, 2470)
        assert events_of(card_order) == ["payment_unmatched", "unmatched_returned"]
        assert status_of(card_order) == "expired"

    def test_what_was_believed_to_have_failed_is_given_free(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_card_declined")
        sandbox.settle(payment.id, PaymentOutcome.AUTHORISED)
        told(sandbox.payment_callback(payment.id, now=NOON))
        assert advance(payment.id).status == "cancelled"
        assert SandboxPayment.objects.get().outcome == "cancelled"


class TestCrashes:
    @pytest.mark.parametrize(
        "death", ["before:authorise", "after:authorise", "before:capture", "after:capture"]
    )
    def test_the_next_worker_charges_once(self, card_order: Order, dying: list[str], death: str) -> None:
        payment_id = start(card_order)
        dying.append(death)
        with pytest.raises(Killed):
            advance(payment_id)
        assert status_of(card_order) == "pending_payment"
        assert advance(payment_id, now=LATER).status == "captured"
        assert (status_of(card_order), charges()) == ("paid", 1)

    @pytest.mark.parametrize("death", ["before:cancel", "after:cancel"])
    def test_the_next_worker_gives_it_free(self, card_order: Order, dying: list[str], death: str) -> None:
        payment = pay(card_order, "pm_card_3ds")
        end(card_order)
        dying.append(death)
        with pytest.raises(Killed):
            advance(payment.id, now=LATER)
        assert advance(payment.id, now=LATER + timedelta(minutes=1)).status == "cancelled"

    def test_a_callback_may_be_first(self, card_order: Order, dying: list[str]) -> None:
        payment_id = start(card_order)
        dying.append("after:capture")
        with pytest.raises(Killed):
            advance(payment_id)
        told(sandbox.payment_callback(payment_id, now=NOON))
        assert status_of(card_order) == "paid"
        assert advance(payment_id, now=LATER).status == "captured"
        assert charges() == 1


class TestReports:
    def test_captured_before_authorised_is_one_capture(self, card_order: Order) -> None:
        """Worked example 6 of the rules."""
        payment = advance(start(card_order), steps=1)
        early = sandbox.payment_callback(payment.id, now=NOON)
        sandbox.settle(payment.id, PaymentOutcome.CAPTURED)
        told(sandbox.payment_callback(payment.id, now=NOON), times=3)
        told(early, times=2)
        assert Payment.objects.get().status == "captured"
        assert (status_of(card_order), events_of(card_order).count("sale_captured")) == ("paid", 1)

    @pytest.mark.parametrize("method", ["pm_captures_less", "pm_captures_more"])
    def test_another_amount_waits_for_a_person(self, card_order: Order, method: str) -> None:
        payment = pay(card_order, method)
        assert payment.status == "captured"
        assert (status_of(card_order), events_of(card_order)) == ("pending_payment", ["payment_unmatched"])
        assert Case.objects.get().kind == "payment_mismatch"

    def test_a_second_amount_is_a_contradiction(self, card_order: Order) -> None:
        payment = pay(card_order)
        sandbox.settle(payment.id, PaymentOutcome.CAPTURED, amount=euros(1))
        told(sandbox.payment_callback(payment.id, now=NOON), times=2)
        assert Payment.objects.get().captured_minor == 2470
        assert Case.objects.get().key == f"payment:{payment.id}:contradiction"

    def test_another_charge_under_its_reference_is_a_contradiction(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_card_3ds")
        SandboxPayment.objects.update(provider_id="another", outcome="captured", captured_minor=2470)
        told(sandbox.payment_callback(payment.id, now=NOON))
        assert Payment.objects.get().status == "requires_action"
        assert Case.objects.get().kind == "payment_mismatch"

    def test_old_news_change_nothing(self, card_order: Order) -> None:
        payment = pay(card_order)
        for outcome in (PaymentOutcome.FAILED, PaymentOutcome.CANCELLED, PaymentOutcome.REQUIRES_ACTION):
            told(sandbox.payment_callback(payment.id, now=NOON, outcome=outcome))
        assert Payment.objects.get().status == "captured"
        assert not Case.objects.exists()

    def test_an_authorisation_that_expired_can_be_tried_again(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_capture_expired")
        assert (payment.status, payment.failure_code) == ("cancelled", "expired")
        assert pay(card_order).status == "captured"


class TestSweep:
    def test_rings_for_what_nobody_picked_up_and_measures_what_is_open(
        self, card_order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from prometheus_client import REGISTRY

        rung: list[str] = []
        monkeypatch.setattr(reconciling_payments, "ring_for_payment", rung.append)
        payment_id = start(card_order, "pm_timeout_before_success")
        assert sweep_payments(now=NOON) == 1
        assert rung == [payment_id]
        advance(payment_id)
        assert sweep_payments(now=NOON + timedelta(seconds=14)) == 0
        assert REGISTRY.get_sample_value("preloved_orders_payments_open", {"status": "sending"}) == 1
        assert REGISTRY.get_sample_value("preloved_orders_oldest_unknown_payment_seconds") == 14
