"""The sandbox's cards, and Stripe's adapter talking over HTTP to a server that speaks Stripe's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Sum

from foundation.incoming.errors import WebhookSignatureInvalid
from foundation.money import Money
from orders.models import SandboxPayment, SandboxRefund
from orders.providers.payments import PROVIDERS, sandbox
from orders.providers.payments.contract import (
    CallbackUnreadable,
    DisputeOutcome,
    OutcomeUnknown,
    PaymentOutcome,
    RefundOrder,
    RefundOutcome,
)
from orders.providers.payments.stripe import StripeCards, StripeVerifier
from tests.contracts.payment_suite import D, P, PaymentContract, R, Signed, Stage, order
from tests.doubles.stripe_server import API_KEY, FAULTS, SECRET, StripeServer, signed
from tests.factories.money import NOON, euros

AT = NOON.timestamp()
DISPUTE_EVENTS = {D.OPENED: "funds_withdrawn", D.WON: "funds_reinstated", D.LOST: "closed"}
DISPUTE_STATUSES = {D.OPENED: "needs_response", D.WON: "won", D.LOST: "lost"}


def _done(happened: bool) -> None:
    assert happened


class TestSandboxCards(PaymentContract):
    @pytest.fixture
    def stage(self, db: None) -> Stage:
        provider = sandbox.SandboxCards()
        answers = {"lost": "unavailable", "lost_after": "time_out"}

        def misbehave(reference: str, fault: str) -> None:
            SandboxPayment.objects.get_or_create(
                reference=reference,
                defaults={"method": "pm_card_ok", "amount_minor": 2470, "currency": "EUR"},
            )
            sandbox.script(reference, answer=answers[fault], times=1)

        def authenticate(reference: str, passes: bool) -> None:
            outcome = P.AUTHORISED if passes else P.FAILED
            _done(sandbox.settle(reference, outcome, code="" if passes else "authentication_failed"))

        taken = SandboxPayment.objects.filter
        return Stage(
            provider=provider,
            misbehave=misbehave,
            authenticate=authenticate,
            settle=lambda reference, outcome: _done(sandbox.settle(reference, outcome, code="expired")),
            settle_refund=lambda reference, outcome: _done(
                sandbox.settle_refund(reference, outcome, code="lost_or_stolen_card")
            ),
            payment_callback=lambda reference: sandbox.payment_callback(reference, now=NOON),
            refund_callback=lambda reference: sandbox.refund_callback(reference, now=NOON),
            dispute_callback=lambda reference, outcome: sandbox.dispute_callback(
                reference, outcome, fee=euros(1500), now=NOON
            ),
            reserved=lambda: taken(outcome="authorised").count(),
            charged=lambda: taken().aggregate(n=Sum("captures"))["n"] or 0,
            refunded=lambda: SandboxRefund.objects.filter(outcome="paid").aggregate(n=Sum("amount_minor"))[
                "n"
            ],
        )

    def test_every_card_says_how_it_ends(self, db: None) -> None:
        provider = sandbox.SandboxCards()
        for method, card in sandbox.CARDS.items():
            if card.fault:
                with pytest.raises(OutcomeUnknown):
                    provider.authorise(order(method, method), now=NOON)
            assert provider.authorise(order(method, method), now=NOON).outcome is card.authorised

    @pytest.mark.parametrize(("method", "minor"), [("pm_captures_less", 2469), ("pm_captures_more", 2471)])
    def test_some_cards_are_charged_another_amount(self, db: None, method: str, minor: int) -> None:
        provider = sandbox.SandboxCards()
        known = provider.authorise(order(method=method), now=NOON)
        assert provider.capture("P1", known.provider_id, euros(2470), now=NOON).amount == euros(minor)


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with StripeServer(hang_s=0.4) as server:
        yield server


def adapter(server: StripeServer, **changes: Any) -> StripeCards:
    facts = {"api_key": API_KEY, "webhook_secret": SECRET, "base_url": server.url, "timeout_s": (0.2, 0.2)}
    return StripeCards(**(facts | changes))


class TestStripe(PaymentContract):
    @pytest.fixture
    def stage(self, server: StripeServer) -> Stage:
        double = server.double

        def settle(reference: str, outcome: PaymentOutcome) -> None:
            double.expire(reference) if outcome is P.CANCELLED else double.capture(reference)

        def settle_refund(reference: str, outcome: RefundOutcome) -> None:
            double.refund_of(reference).update(status="failed", failure_reason="lost_or_stolen_card")

        def payment_callback(reference: str) -> Signed:
            return double.event("payment_intent.succeeded", double.intent_of(reference), at=AT)

        def dispute_callback(reference: str, outcome: DisputeOutcome) -> Signed:
            dispute = double.dispute(reference, DISPUTE_STATUSES[outcome])
            return double.event(f"charge.dispute.{DISPUTE_EVENTS[outcome]}", dispute, at=AT)

        def misbehave(reference: str, fault: str) -> None:
            # Authorising takes two calls, of which the second may do something; the others take one.
            is_new = reference not in [it["metadata"]["reference"] for it in double.intents.values()]
            double.faults.extend([""] * is_new + ["hang" if fault == "lost" else "hang_after"])

        return Stage(
            provider=adapter(server),
            misbehave=misbehave,
            authenticate=lambda reference, passes: double.authenticate(reference, passes=passes),
            settle=settle,
            settle_refund=settle_refund,
            payment_callback=payment_callback,
            refund_callback=lambda reference: double.event(
                "refund.failed", double.refund_of(reference), at=AT
            ),
            dispute_callback=dispute_callback,
            reserved=lambda: sum(it["status"] == "requires_capture" for it in double.intents.values()),
            charged=lambda: double.charged,
            refunded=lambda: sum(it["amount"] for it in double.refunds.values()),
        )

    def test_asks_in_the_words_of_the_api(self, server: StripeServer) -> None:
        adapter(server).authorise(order(method="pm_card_3ds"), now=NOON)
        (made, headers, params), (confirmed, _, confirming) = server.double.requests
        assert (made, headers["Idempotency-Key"]) == ("POST /v1/payment_intents", "P1:open")
        assert params == {
            "amount": "2470",
            "currency": "eur",
            "capture_method": "manual",
            "payment_method": "pm_card_3ds",
            "payment_method_types[0]": "card",
            "metadata[reference]": "P1",
        }
        assert confirmed == "POST /v1/payment_intents/pi_1/confirm"
        assert confirming == {"return_url": "https://shop.example/back"}

    @pytest.mark.parametrize("at_call", [0, 1])
    @pytest.mark.parametrize("fault", sorted(FAULTS))
    def test_knows_nothing_after_any_fault(self, server: StripeServer, fault: str, at_call: int) -> None:
        server.double.faults.extend([""] * at_call + [fault])
        with pytest.raises(OutcomeUnknown) as unknown:
            adapter(server).authorise(order(), now=NOON)
        assert unknown.value.provider_id == ("pi_1" if at_call else "")
        assert "Sorry" not in str(unknown.value)
        assert adapter(server).authorise(order(), now=NOON).outcome is P.AUTHORISED
        assert len(server.double.intents) == 1

    def test_knows_nothing_with_a_wrong_key_or_without_a_server(self, server: StripeServer) -> None:
        for provider in (adapter(server, api_key="wrong"), adapter(server, base_url="http://127.0.0.1:9")):
            with pytest.raises(OutcomeUnknown):
                provider.authorise(order(), now=NOON)

    def test_another_payment_under_the_same_reference_is_not_made(self, server: StripeServer) -> None:
        adapter(server).authorise(order(), now=NOON)
        with pytest.raises(OutcomeUnknown):
            adapter(server).authorise(order(amount=euros(1)), now=NOON)

    def test_a_search_that_is_behind_finds_nothing_yet(self, server: StripeServer) -> None:
        known = adapter(server).authorise(order(), now=NOON)
        server.double.search_is_behind = True
        assert adapter(server).find_payment("P1", "", now=NOON) is None
        assert adapter(server).find_payment("P1", known.provider_id, now=NOON) == known

    @pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"hang", "hang_after"}))
    def test_a_refund_is_found_after_any_fault(self, server: StripeServer, fault: str) -> None:
        provider = adapter(server)
        known = provider.authorise(order(), now=NOON)
        provider.capture("P1", known.provider_id, euros(2470), now=NOON)
        wanted = RefundOrder("R1", known.provider_id, euros(500))
        server.double.faults.append(fault)
        with pytest.raises(OutcomeUnknown):
            provider.refund(wanted, now=NOON)
        found = provider.find_refund(wanted, now=NOON) or provider.refund(wanted, now=NOON)
        assert (found.outcome, len(server.double.refunds)) == (R.PAID, 1)

    @pytest.mark.parametrize(
        ("money", "theirs"),
        [
            (Money(1500, "ISK"), 150_000),
            (Money(1500, "JPY"), 1500),
            (Money(1500, "HUF"), 1500),
            (Money(5120, "KWD"), 5120),
        ],
    )
    def test_counts_in_their_minor_units(self, server: StripeServer, money: Money, theirs: int) -> None:
        report = adapter(server).authorise(order(amount=money), now=NOON)
        assert server.double.intent_of("P1")["amount"] == theirs
        assert report.amount == money

    def test_does_not_round_what_cannot_be_charged_exactly(self, server: StripeServer) -> None:
        report = adapter(server).authorise(order(amount=Money(5124, "KWD")), now=NOON)
        assert (report.outcome, report.code) == (P.FAILED, "amount_not_chargeable")
        assert not server.double.requests
        refund = adapter(server).refund(RefundOrder("R1", "pi_1", Money(5124, "KWD")), now=NOON)
        assert (refund.outcome, refund.code) == (R.FAILED, "amount_not_chargeable")

    def test_leaves_messages_about_other_things_alone(self, server: StripeServer) -> None:
        provider, double = adapter(server), server.double
        provider.authorise(order(), now=NOON)
        foreign = double.intent_of("P1") | {"metadata": {}}
        for kind, subject in (
            ("payment_intent.succeeded", foreign),
            ("payment_intent.created", double.intent_of("P1") | {"status": "requires_confirmation"}),
            ("charge.dispute.created", double.dispute("P1", "warning_needs_response")),
            ("charge.dispute.closed", double.dispute("P1", "won")),
            ("customer.created", {"id": "cus_1"}),
        ):
            body, _ = double.event(kind, subject, at=AT)
            assert provider.read_callback(body).report is None

    def test_a_fee_in_another_currency_is_left_to_the_settlement(self, server: StripeServer) -> None:
        adapter(server).authorise(order(), now=NOON)
        dispute = server.double.dispute("P1", "needs_response")
        dispute["balance_transactions"][0]["currency"] = "usd"
        body, _ = server.double.event("charge.dispute.funds_withdrawn", dispute, at=AT)
        report = adapter(server).read_callback(body).report
        assert report is not None
        assert getattr(report, "fee") == euros(0)  # noqa: B009  # of one of three kinds of report

    def test_a_status_that_it_does_not_know_is_not_guessed(self, server: StripeServer) -> None:
        known = adapter(server).authorise(order(), now=NOON)
        server.double.intent_of("P1")["status"] = "new"
        with pytest.raises(OutcomeUnknown):
            adapter(server).find_payment("P1", known.provider_id, now=NOON)
        body, _ = server.double.event("payment_intent.succeeded", server.double.intent_of("P1"), at=AT)
        with pytest.raises(CallbackUnreadable):
            adapter(server).read_callback(body)

    def test_without_a_secret_nobody_can_sign(self) -> None:
        body = json.dumps({"id": "evt_1"}).encode()
        with pytest.raises(WebhookSignatureInvalid):
            StripeVerifier("").verify(body, signed(body, at=AT, secret="x"), now=NOON)
        StripeVerifier(SECRET).verify(body, signed(body, at=AT), now=NOON)


class TestProviders:
    def test_are_the_two(self, settings: Any) -> None:
        settings.STRIPE = {"api_key": "sk", "webhook_secret": "whsec"}
        assert sorted(PROVIDERS) == ["sandbox", "stripe"]
        assert {PROVIDERS[name]().name for name in PROVIDERS} == set(PROVIDERS)
