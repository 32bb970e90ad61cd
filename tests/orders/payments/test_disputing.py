"""Chargebacks: opened, won and lost, as often and in whatever order the provider tells."""

from __future__ import annotations

import pytest

from balance.models import Posting
from foundation.models import IncomingEvent
from orders.models import Dispute, Order
from orders.providers.payments import sandbox
from orders.providers.payments.contract import DisputeOutcome
from orders.queries.payments import has_open_dispute
from tests.factories.money import NOON, euros
from tests.factories.payments import pay, told

pytestmark = pytest.mark.django_db

OPENED, WON, LOST = DisputeOutcome.OPENED, DisputeOutcome.WON, DisputeOutcome.LOST


def bank_says(payment_id: str, *outcomes: DisputeOutcome, times: int = 1) -> None:
    for outcome in outcomes:
        told(sandbox.dispute_callback(payment_id, outcome, fee=euros(1500), now=NOON), times=times)


def events() -> list[str]:
    rows = Posting.objects.filter(event__startswith="chargeback").order_by("id")
    return [str(event) for event in rows.values_list("event", flat=True)]


class TestDispute:
    def test_takes_the_money_and_the_fee_once(self, card_order: Order) -> None:
        bank_says(pay(card_order).id, OPENED, times=3)
        dispute = Dispute.objects.get()
        assert (dispute.status, dispute.amount_minor, dispute.fee_minor) == ("open", 2470, 1500)
        assert (dispute.reason, events()) == ("fraudulent", ["chargeback"])
        assert has_open_dispute(card_order.id)

    @pytest.mark.parametrize(
        ("outcome", "posted"), [(WON, ["chargeback", "chargeback_won"]), (LOST, ["chargeback"])]
    )
    def test_ends_once(self, card_order: Order, outcome: DisputeOutcome, posted: list[str]) -> None:
        payment_id = pay(card_order).id
        bank_says(payment_id, OPENED)
        bank_says(payment_id, outcome, times=3)
        dispute = Dispute.objects.get()
        assert (dispute.status, dispute.closed_at, events()) == (outcome.value, NOON, posted)
        assert not has_open_dispute(card_order.id)

    def test_an_end_that_is_heard_of_first_opens_it_too(self, card_order: Order) -> None:
        bank_says(pay(card_order).id, WON, OPENED)
        assert events() == ["chargeback", "chargeback_won"]
        assert Dispute.objects.get().status == "won"

    def test_a_second_end_changes_nothing(self, card_order: Order) -> None:
        bank_says(pay(card_order).id, LOST, WON)
        assert (Dispute.objects.get().status, events()) == ("lost", ["chargeback"])

    def test_waits_for_the_news_of_the_capture(self, card_order: Order) -> None:
        payment = pay(card_order, "pm_capture_timeout_after_success")
        assert payment.status == "capturing"
        bank_says(payment.id, OPENED)
        waiting = IncomingEvent.objects.get()
        assert (waiting.status, waiting.last_error) == ("waiting", "CaptureNotKnown")
        assert not Dispute.objects.exists()
