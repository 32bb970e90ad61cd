"""What every payout provider has to do. A subclass gives ``stage``: a provider and the hand on its bank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from balance.providers.contract import (
    Callback,
    CallbackUnreadable,
    Outcome,
    OutcomeUnknown,
    PayoutOrder,
    PayoutProvider,
    PayoutReport,
)
from foundation.incoming.errors import WebhookSignatureInvalid
from foundation.money import Money
from tests.factories.banking import LT_IBAN
from tests.factories.money import NOON, euros

Signed = tuple[bytes, dict[str, str]]


@dataclass(frozen=True)
class Stage:
    """A provider, and what drives whoever is behind it.

    ``misbehave`` names what happens to the next call: lost (nothing done, no answer), lost_after (done, no
    answer), down, refused. ``settle`` makes the bank's truth; ``callback`` is the message about it.
    """

    provider: PayoutProvider
    misbehave: Callable[[str, str], None]
    settle: Callable[[str, Outcome], None]
    callback: Callable[[str], Signed]
    paid: Callable[[], int]


def order(reference: str, amount: Money | None = None) -> PayoutOrder:
    return PayoutOrder(reference, amount or euros(2000), LT_IBAN, "Ona Kazlauskienė")


class PayoutContract:
    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def send(self, stage: Stage, reference: str = "W1", *, at: datetime = NOON) -> PayoutReport:
        return stage.provider.send(order(reference), now=at)

    def told(self, stage: Stage, outcome: Outcome) -> Callback:
        stage.settle("W1", outcome)
        body, headers = stage.callback("W1")
        stage.provider.verifier.verify(body, headers, now=NOON)
        return stage.provider.read_callback(body)

    def test_takes_an_order(self, stage: Stage) -> None:
        report = self.send(stage)
        assert (report.reference, report.outcome, report.amount) == ("W1", Outcome.PENDING, euros(2000))
        assert report.provider_id

    def test_pays_a_reference_once(self, stage: Stage) -> None:
        assert self.send(stage) == self.send(stage, at=NOON + timedelta(hours=1)) or stage.paid() == 1
        assert stage.paid() == 1

    def test_pays_two_references_twice(self, stage: Stage) -> None:
        assert self.send(stage).provider_id != self.send(stage, "W2").provider_id
        assert stage.paid() == 2

    @pytest.mark.parametrize("fault", ["lost", "down"])
    def test_does_not_know_when_there_is_no_answer(self, stage: Stage, fault: str) -> None:
        stage.misbehave("W1", fault)
        with pytest.raises(OutcomeUnknown):
            self.send(stage)
        assert self.send(stage).outcome is Outcome.PENDING
        assert stage.paid() == 1

    def test_does_not_pay_again_when_only_the_answer_was_lost(self, stage: Stage) -> None:
        stage.misbehave("W1", "lost_after")
        with pytest.raises(OutcomeUnknown):
            self.send(stage)
        assert self.send(stage).provider_id
        assert stage.paid() == 1

    def test_says_when_it_surely_does_not_pay(self, stage: Stage) -> None:
        stage.misbehave("W1", "refused")
        report = self.send(stage)
        assert (report.outcome, report.provider_id, stage.paid()) == (Outcome.FAILED, "", 0)
        assert report.reason
        assert report.reason.isascii()

    @pytest.mark.parametrize("outcome", [Outcome.PAID, Outcome.FAILED, Outcome.RETURNED])
    def test_says_how_far_it_is(self, stage: Stage, outcome: Outcome) -> None:
        sent = self.send(stage)
        stage.settle("W1", outcome)
        report = stage.provider.look_up("W1", sent.provider_id, now=NOON)
        assert (report.reference, report.provider_id) == ("W1", sent.provider_id)
        assert (report.outcome, report.amount) == (outcome, euros(2000))
        assert bool(report.reason) == (outcome is not Outcome.PAID)

    def test_does_not_know_what_it_never_took(self, stage: Stage) -> None:
        with pytest.raises(OutcomeUnknown):
            stage.provider.look_up("W1", "nothing", now=NOON)

    @pytest.mark.parametrize("outcome", [Outcome.PAID, Outcome.FAILED, Outcome.RETURNED])
    def test_tells_by_signed_callbacks(self, stage: Stage, outcome: Outcome) -> None:
        sent = self.send(stage)
        callback = self.told(stage, outcome)
        assert callback.report is not None
        assert (callback.report.outcome, callback.report.provider_id) == (outcome, sent.provider_id)
        assert (callback.subject_id, callback.report.amount) == ("W1", euros(2000))
        assert callback.occurred_at.tzinfo is not None

    def test_numbers_its_callbacks(self, stage: Stage) -> None:
        self.send(stage)
        paid = self.told(stage, Outcome.PAID)
        again, _ = stage.callback("W1")
        assert stage.provider.read_callback(again).event_id == paid.event_id
        assert self.told(stage, Outcome.RETURNED).event_id != paid.event_id

    def test_signs_the_very_body(self, stage: Stage) -> None:
        self.send(stage)
        body, headers = stage.callback("W1")
        for changed, with_headers in (
            (body + b" ", headers),
            (body, {}),
            (body, dict.fromkeys(headers, "")),
            (body, dict.fromkeys(headers, "ä")),
        ):
            with pytest.raises(WebhookSignatureInvalid):
                stage.provider.verifier.verify(changed, with_headers, now=NOON)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"data": null}', b'{"event_id": 1}'])
    def test_refuses_to_guess_what_a_message_means(self, stage: Stage, body: bytes) -> None:
        with pytest.raises(CallbackUnreadable):
            stage.provider.read_callback(body)

    def test_keeps_the_account_out_of_what_is_printed(self) -> None:
        assert LT_IBAN not in repr(order("W1"))
        assert "Kazlausk" not in repr(order("W1"))
