"""What every provider of card payments has to do. A subclass gives ``stage``: it, and the hand behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from foundation.incoming.errors import WebhookSignatureInvalid, WebhookTimestampStale
from foundation.money import Money
from orders.providers.payments.contract import (
    Callback,
    CallbackUnreadable,
    DisputeOutcome,
    DisputeReport,
    OutcomeUnknown,
    PaymentOrder,
    PaymentOutcome,
    PaymentProvider,
    PaymentReport,
    RefundOrder,
    RefundOutcome,
    RefundReport,
)
from tests.factories.money import NOON, euros

Signed = tuple[bytes, dict[str, str]]
TOTAL = euros(2470)
P, R, D = PaymentOutcome, RefundOutcome, DisputeOutcome


@dataclass(frozen=True)
class Stage:
    """A provider, and what drives whoever is behind it.

    ``misbehave`` says what happens to the next call: lost (nothing done), lost_after (done), both unanswered.
    ``authenticate`` ends a 3-D Secure step, ``settle`` and ``settle_refund`` make the processor's truth; the
    ``…_callback`` are the messages about it.
    """

    provider: PaymentProvider
    misbehave: Callable[[str, str], None]
    authenticate: Callable[[str, bool], None]
    settle: Callable[[str, PaymentOutcome], None]
    settle_refund: Callable[[str, RefundOutcome], None]
    payment_callback: Callable[[str], Signed]
    refund_callback: Callable[[str], Signed]
    dispute_callback: Callable[[str, DisputeOutcome], Signed]
    reserved: Callable[[], int]
    charged: Callable[[], int]
    refunded: Callable[[], int]


def order(reference: str = "P1", method: str = "pm_card_ok", amount: Money = TOTAL) -> PaymentOrder:
    return PaymentOrder(reference, amount, method, "https://shop.example/back")


class PaymentContract:
    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def authorised(self, stage: Stage, reference: str = "P1") -> PaymentReport:
        report = stage.provider.authorise(order(reference), now=NOON)
        assert report.outcome is P.AUTHORISED
        return report

    def captured(self, stage: Stage) -> PaymentReport:
        known = self.authorised(stage)
        return stage.provider.capture("P1", known.provider_id, TOTAL, now=NOON)

    def refund(self, stage: Stage, minor: int = 500, reference: str = "R1") -> RefundReport:
        known = stage.provider.find_payment("P1", "", now=NOON)
        assert known is not None
        return stage.provider.refund(RefundOrder(reference, known.provider_id, euros(minor)), now=NOON)

    def read(self, stage: Stage, message: Signed) -> Callback:
        body, headers = message
        stage.provider.verifier.verify(body, headers, now=NOON)
        return stage.provider.read_callback(body)

    # Payments

    def test_reserves_an_amount(self, stage: Stage) -> None:
        report = self.authorised(stage)
        assert (report.reference, report.amount, report.code) == ("P1", TOTAL, "")
        assert report.provider_id
        assert (stage.reserved(), stage.charged()) == (1, 0)

    def test_reserves_once_per_reference(self, stage: Stage) -> None:
        assert self.authorised(stage) == self.authorised(stage)
        assert self.authorised(stage, "P2").provider_id != self.authorised(stage).provider_id
        assert stage.reserved() == 2

    @pytest.mark.parametrize("method", ["pm_card_declined", "pm_card_insufficient_funds", "pm_nobody"])
    def test_says_why_a_card_is_no_good(self, stage: Stage, method: str) -> None:
        report = stage.provider.authorise(order(method=method), now=NOON)
        assert (report.outcome, stage.reserved()) == (P.FAILED, 0)
        assert report.code
        assert report.code.isascii()
        again = stage.provider.authorise(order(method=method), now=NOON)
        assert (again.outcome, again.code) == (report.outcome, report.code)

    @pytest.mark.parametrize("passes", [True, False])
    def test_sends_the_buyer_to_their_bank(self, stage: Stage, passes: bool) -> None:
        report = stage.provider.authorise(order(method="pm_card_3ds"), now=NOON)
        assert report.outcome is P.REQUIRES_ACTION
        assert report.action_url.startswith("http")
        assert report.action_url not in repr(report)
        stage.authenticate("P1", passes)
        after = stage.provider.find_payment("P1", report.provider_id, now=NOON)
        assert after is not None
        assert (after.outcome, after.action_url) == (P.AUTHORISED if passes else P.FAILED, "")
        assert bool(after.code) is not passes

    def test_does_not_know_when_nothing_was_answered(self, stage: Stage) -> None:
        stage.misbehave("P1", "lost")
        with pytest.raises(OutcomeUnknown):
            stage.provider.authorise(order(), now=NOON)
        assert stage.provider.find_payment("P1", "", now=NOON) is None
        self.authorised(stage)
        assert stage.reserved() == 1

    def test_does_not_reserve_again_when_only_the_answer_was_lost(self, stage: Stage) -> None:
        stage.misbehave("P1", "lost_after")
        with pytest.raises(OutcomeUnknown):
            stage.provider.authorise(order(), now=NOON)
        found = stage.provider.find_payment("P1", "", now=NOON)
        assert found is not None
        assert found.outcome is P.AUTHORISED
        assert self.authorised(stage) == found
        assert stage.reserved() == 1

    def test_takes_what_was_reserved_once(self, stage: Stage) -> None:
        report = self.captured(stage)
        assert (report.outcome, report.amount) == (P.CAPTURED, TOTAL)
        assert stage.provider.capture("P1", report.provider_id, TOTAL, now=NOON) == report
        assert stage.charged() == 1

    def test_does_not_charge_twice_when_only_the_answer_was_lost(self, stage: Stage) -> None:
        known = self.authorised(stage)
        stage.misbehave("P1", "lost_after")
        with pytest.raises(OutcomeUnknown):
            stage.provider.capture("P1", known.provider_id, TOTAL, now=NOON)
        found = stage.provider.find_payment("P1", known.provider_id, now=NOON)
        assert found is not None
        assert found.outcome is P.CAPTURED
        assert stage.provider.capture("P1", known.provider_id, TOTAL, now=NOON) == found
        assert stage.charged() == 1

    def test_gives_free_what_was_reserved(self, stage: Stage) -> None:
        known = self.authorised(stage)
        report = stage.provider.cancel("P1", known.provider_id, now=NOON)
        assert report.outcome is P.CANCELLED
        assert stage.provider.cancel("P1", known.provider_id, now=NOON).outcome is P.CANCELLED
        late = stage.provider.capture("P1", known.provider_id, TOTAL, now=NOON)
        assert (late.outcome, stage.charged()) == (P.CANCELLED, 0)

    def test_ends_an_open_step_at_the_bank(self, stage: Stage) -> None:
        known = stage.provider.authorise(order(method="pm_card_3ds"), now=NOON)
        assert stage.provider.cancel("P1", known.provider_id, now=NOON).outcome is P.CANCELLED

    def test_says_that_it_was_captured_before_it_could_be_cancelled(self, stage: Stage) -> None:
        known = self.captured(stage)
        report = stage.provider.cancel("P1", known.provider_id, now=NOON)
        assert (report.outcome, report.amount) == (P.CAPTURED, TOTAL)

    def test_says_that_it_expired_before_the_capture(self, stage: Stage) -> None:
        known = self.authorised(stage)
        stage.settle("P1", P.CANCELLED)
        report = stage.provider.capture("P1", known.provider_id, TOTAL, now=NOON)
        assert (report.outcome, stage.charged()) == (P.CANCELLED, 0)
        assert report.code

    def test_does_not_know_what_it_never_took(self, stage: Stage) -> None:
        assert stage.provider.find_payment("P9", "", now=NOON) is None
        with pytest.raises(OutcomeUnknown):
            stage.provider.capture("P9", "pi_9", TOTAL, now=NOON)
        with pytest.raises(OutcomeUnknown):
            stage.provider.cancel("P9", "pi_9", now=NOON)

    # Refunds

    def test_pays_back_once_per_reference(self, stage: Stage) -> None:
        self.captured(stage)
        report = self.refund(stage)
        assert (report.reference, report.outcome, report.amount) == ("R1", R.PAID, euros(500))
        assert self.refund(stage) == report
        assert self.refund(stage, 1970, "R2").provider_id != report.provider_id
        assert stage.refunded() == 2470

    def test_pays_no_more_back_than_it_took(self, stage: Stage) -> None:
        self.captured(stage)
        self.refund(stage, 2000)
        report = self.refund(stage, 471, "R2")
        assert (report.outcome, stage.refunded()) == (R.FAILED, 2000)
        assert report.code

    def test_finds_a_refund_whose_answer_was_lost(self, stage: Stage) -> None:
        known = self.captured(stage)
        wanted = RefundOrder("R1", known.provider_id, euros(500))
        assert stage.provider.find_refund(wanted, now=NOON) is None
        report = self.refund(stage)
        assert stage.provider.find_refund(wanted, now=NOON) == report
        assert stage.provider.find_refund(RefundOrder("R2", known.provider_id, euros(500)), now=NOON) is None

    def test_a_refund_may_fail_after_all(self, stage: Stage) -> None:
        self.captured(stage)
        self.refund(stage)
        stage.settle_refund("R1", R.FAILED)
        callback = self.read(stage, stage.refund_callback("R1"))
        assert isinstance(callback.report, RefundReport)
        assert (callback.report.reference, callback.report.outcome) == ("R1", R.FAILED)
        assert callback.report.code

    # Callbacks

    @pytest.mark.parametrize("outcome", [P.AUTHORISED, P.CAPTURED, P.CANCELLED])
    def test_tells_by_signed_callbacks(self, stage: Stage, outcome: PaymentOutcome) -> None:
        known = self.authorised(stage)
        if outcome is not P.AUTHORISED:
            stage.settle("P1", outcome)
        callback = self.read(stage, stage.payment_callback("P1"))
        assert isinstance(callback.report, PaymentReport)
        assert (callback.report.reference, callback.report.provider_id) == ("P1", known.provider_id)
        assert (callback.report.outcome, callback.report.amount) == (outcome, TOTAL)
        assert callback.occurred_at.tzinfo is not None

    @pytest.mark.parametrize("outcome", list(DisputeOutcome))
    def test_tells_of_disputes(self, stage: Stage, outcome: DisputeOutcome) -> None:
        known = self.captured(stage)
        report = self.read(stage, stage.dispute_callback("P1", outcome)).report
        assert isinstance(report, DisputeReport)
        assert (report.payment_provider_id, report.outcome) == (known.provider_id, outcome)
        assert (report.amount, report.fee, report.code) == (TOTAL, euros(1500), "fraudulent")

    def test_signs_the_very_body(self, stage: Stage) -> None:
        self.authorised(stage)
        body, headers = stage.payment_callback("P1")
        for changed, with_headers in (
            (body + b" ", headers),
            (b"\xff", headers),
            (body, {}),
            (body, dict.fromkeys(headers, "")),
            (body, dict.fromkeys(headers, "t=x,v1=ä")),
        ):
            with pytest.raises(WebhookSignatureInvalid):
                stage.provider.verifier.verify(changed, with_headers, now=NOON)

    def test_takes_no_old_message(self, stage: Stage) -> None:
        self.authorised(stage)
        body, headers = stage.payment_callback("P1")
        stage.provider.verifier.verify(body, headers, now=NOON + timedelta(minutes=5))
        for at in (NOON + timedelta(minutes=6), NOON - timedelta(minutes=6)):
            with pytest.raises(WebhookTimestampStale):
                stage.provider.verifier.verify(body, headers, now=at)

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b"\xff", b'{"data": null}', b'{"id": 1, "type": "x"}', b'{"report": {}}']
    )
    def test_refuses_to_guess_what_a_message_means(self, stage: Stage, body: bytes) -> None:
        with pytest.raises(CallbackUnreadable):
            stage.provider.read_callback(body)

    def test_keeps_the_card_out_of_what_is_printed(self) -> None:
        assert "pm_card_ok" not in repr(order())
