"""The sandbox bank, and Adyen's adapter talking over HTTP to a server that speaks Adyen's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from balance.models import SandboxPayout
from balance.providers import PROVIDERS, sandbox
from balance.providers.adyen import AdyenPayouts, AdyenVerifier
from balance.providers.contract import Outcome, OutcomeUnknown
from foundation.incoming.errors import WebhookSignatureInvalid
from foundation.money import Money
from tests.contracts.payout_suite import PayoutContract, Signed, Stage, order
from tests.doubles.adyen_server import API_KEY, BALANCE_ACCOUNT, FAULTS, HMAC_KEY, AdyenServer, signed
from tests.factories.money import NOON, euros


class TestSandboxBank(PayoutContract):
    @pytest.fixture
    def stage(self, db: None) -> Stage:
        answers = {
            "lost": "unavailable",
            "lost_after": "time_out",
            "down": "unavailable",
            "refused": "refuse",
        }

        def callback(reference: str) -> Signed:
            outcome = Outcome(SandboxPayout.objects.get(reference=reference).outcome)
            return sandbox.callback(reference, outcome, now=NOON)

        return Stage(
            provider=sandbox.SandboxBank(),
            misbehave=lambda reference, fault: sandbox.script(reference, answer=answers[fault], times=1),
            settle=lambda reference, outcome: _done(
                sandbox.settle(reference, outcome, reason="" if outcome is Outcome.PAID else "closed")
            ),
            callback=callback,
            paid=lambda: SandboxPayout.objects.filter(provider_id__isnull=False).count(),
        )


def _done(happened: bool) -> None:
    assert happened


@pytest.fixture
def server() -> Iterator[AdyenServer]:
    with AdyenServer(hang_s=0.6) as server:
        yield server


def adapter(server: AdyenServer, **changes: Any) -> AdyenPayouts:
    facts: dict[str, Any] = {"api_key": API_KEY, "platform": "test", "balance_account_id": BALANCE_ACCOUNT}
    return AdyenPayouts(
        **(facts | {"hmac_key": HMAC_KEY, "base_url": server.url, "timeout_s": 0.3} | changes)
    )


class TestAdyen(PayoutContract):
    @pytest.fixture
    def stage(self, server: AdyenServer) -> Stage:
        faults = {"lost": "hang", "lost_after": "hang_after", "down": "internal_error", "refused": "no_route"}
        double = server.double

        def settle(reference: str, outcome: Outcome) -> None:
            if outcome is Outcome.FAILED:
                double.book(reference, "failed", reason="counterpartyAccountClosed")
                return
            if outcome is Outcome.RETURNED and double.transfer_of(reference)["status"] != "booked":
                double.book(reference, "booked")
            status = "booked" if outcome is Outcome.PAID else "returned"
            double.book(reference, status, reason="approved" if status == "booked" else "accountClosed")

        return Stage(
            provider=adapter(server),
            misbehave=lambda _, fault: double.faults.append(faults[fault]),
            settle=settle,
            callback=double.webhook,
            paid=lambda: len(double.transfers),
        )

    def test_asks_in_the_words_of_the_api(self, server: AdyenServer) -> None:
        adapter(server).send(order("W1"), now=NOON)
        [request] = server.double.requests
        assert request["headers"]["Idempotency-Key"] == "W1"
        assert json.loads(request["body"])["counterparty"]["bankAccount"]["accountHolder"] == {
            "fullName": "Ona Kazlauskiene",
            "type": "individual",
        }

    def test_tells_an_organisation_from_a_person(self, server: AdyenServer) -> None:
        adapter(server).send(replace(order("W1"), is_organisation=True), now=NOON)
        body = json.loads(server.double.requests[0]["body"])
        assert body["counterparty"]["bankAccount"]["accountHolder"]["type"] == "organization"
        assert body["description"] == "Preloved donations"

    @pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"no_route"}))
    def test_knows_nothing_after_any_fault_but_a_refusal(self, server: AdyenServer, fault: str) -> None:
        server.double.faults.append(fault)
        with pytest.raises(OutcomeUnknown):
            adapter(server).send(order("W1"), now=NOON)
        assert adapter(server).send(order("W1"), now=NOON).outcome is Outcome.PENDING
        assert len(server.double.transfers) == 1

    def test_knows_nothing_with_a_wrong_key_or_without_a_server(self, server: AdyenServer) -> None:
        with pytest.raises(OutcomeUnknown):
            adapter(server, api_key="wrong").send(order("W1"), now=NOON)
        with pytest.raises(OutcomeUnknown):
            adapter(server, base_url="http://127.0.0.1:9").send(order("W1"), now=NOON)

    def test_a_refusal_is_remembered_under_its_key(self, server: AdyenServer) -> None:
        server.double.faults.append("no_route")
        first = adapter(server).send(order("W1"), now=NOON)
        assert adapter(server).send(order("W1"), now=NOON) == first
        assert (first.outcome, first.reason) == (Outcome.FAILED, "30_016")

    def test_a_failure_after_the_booking_is_money_that_comes_back(self, server: AdyenServer) -> None:
        sent = adapter(server).send(order("W1"), now=NOON)
        server.double.book("W1", "booked")
        server.double.book("W1", "failed", reason="accountClosed")
        report = adapter(server).look_up("W1", sent.provider_id, now=NOON)
        assert (report.outcome, report.reason) == (Outcome.RETURNED, "accountClosed")

    def test_counts_in_their_minor_units_where_those_are_others(self, server: AdyenServer) -> None:
        kronur = Money(1500, "ISK")
        report = adapter(server).send(order("W1", kronur), now=NOON)
        assert server.double.transfer_of("W1")["amount"] == {"value": 150_000, "currency": "ISK"}
        assert report.amount == kronur

    def test_leaves_messages_about_other_things_alone(self, server: AdyenServer) -> None:
        adapter(server).send(order("W1"), now=NOON)
        body, _ = server.double.webhook("W1")
        message = json.loads(body)
        message["data"]["direction"] = "incoming"
        assert adapter(server).read_callback(json.dumps(message).encode()).report is None

    def test_without_a_key_nobody_can_sign(self) -> None:
        with pytest.raises(WebhookSignatureInvalid):
            AdyenVerifier("").verify(b"{}", signed(b"{}", key=""), now=NOON)
        AdyenVerifier(HMAC_KEY).verify(b"{}", signed(b"{}"), now=NOON)


class TestProviders:
    def test_are_the_two(self) -> None:
        assert sorted(PROVIDERS) == ["adyen", "sandbox"]
        assert {PROVIDERS[name]().name for name in PROVIDERS} == set(PROVIDERS)

    def test_an_unknown_amount_of_a_broken_answer_is_no_amount(self, server: AdyenServer) -> None:
        sent = adapter(server).send(order("W1", euros(100)), now=NOON)
        server.double.transfer_of("W1")["amount"] = {"value": 100, "currency": "XXX"}
        with pytest.raises(OutcomeUnknown):
            adapter(server).look_up("W1", sent.provider_id, now=NOON)
