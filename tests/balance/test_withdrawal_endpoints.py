"""Withdrawals over the API, the bank's callbacks, and the sandbox that plays bank."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from balance.models import Posting, SandboxPayout, Withdrawal, WithdrawalLimit
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.services.callbacks import KIND
from balance.services.sending import advance_withdrawal
from config.env import ConfigurationError
from config.payouts import adyen_settings
from foundation.incoming.processing import process_event
from foundation.models import IncomingEvent
from members.models import Member
from tests.factories.banking import activate, make_bank_account, status_of
from tests.factories.money import give

pytestmark = pytest.mark.django_db

URL = "/api/v1/withdrawals"
HOOK = "/api/v1/webhooks/payouts/sandbox"


@pytest.fixture
def bank_account_id(seller: Member) -> str:
    """Of a seller with 20.00 who may withdraw."""
    activate(seller.id)
    give(seller.id, 2000)
    return make_bank_account(seller.id).id


def ask(client: APIClient, bank_account_id: str, *, key: str | None = "k1", minor: Any = 2000) -> Any:
    body = {"bank_account_id": bank_account_id, "amount": {"amount": minor, "currency": "EUR"}}
    return client.post(URL, body, headers={} if key is None else {"Idempotency-Key": key})


@pytest.fixture
def sent(as_seller: APIClient, bank_account_id: str) -> str:
    withdrawal_id = str(ask(as_seller, bank_account_id).json()["id"])
    advance_withdrawal(withdrawal_id=withdrawal_id, now=timezone.now())
    return withdrawal_id


class TestCreate:
    def test_answers_what_was_set_aside(self, as_seller: APIClient, bank_account_id: str) -> None:
        answer = ask(as_seller, bank_account_id)
        assert answer.status_code == 201
        body = answer.json()
        assert body | {"id": "", "requested_at": ""} == {
            "id": "",
            "status": "requested",
            "amount": {"amount": 2000, "currency": "EUR"},
            "fee": {"amount": 0, "currency": "EUR"},
            "bank_account_id": bank_account_id,
            "iban": "LT•• … 1000",
            "reason": None,
            "allowed_actions": ["cancel"],
            "requested_at": "",
            "sent_at": None,
            "ended_at": None,
        }
        assert as_seller.get(answer["Location"]).json() == body
        [balance] = as_seller.get("/api/v1/balance").json()["balances"]
        assert (balance["available"]["amount"], balance["in_transit"]["amount"]) == (0, 2000)

    def test_needs_a_key_and_repeats_its_answer(self, as_seller: APIClient, bank_account_id: str) -> None:
        keyless = ask(as_seller, bank_account_id, key=None)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first = ask(as_seller, bank_account_id)
        again = ask(as_seller, bank_account_id)
        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
        other = ask(as_seller, bank_account_id, minor=100)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert Withdrawal.objects.count() == 1

    @pytest.mark.parametrize("minor", [1.5, "2000", True, None, 2**63, -(2**63)])
    def test_refuses_what_is_no_amount(self, as_seller: APIClient, bank_account_id: str, minor: Any) -> None:
        answer = ask(as_seller, bank_account_id, minor=minor)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        ("minor", "code"),
        [
            (0, "invalid_amount"),
            (-1, "invalid_amount"),
            (1, "withdrawal_out_of_range"),
            (2001, "insufficient_funds"),
        ],
    )
    def test_refuses_amounts_by_rule(
        self, as_seller: APIClient, bank_account_id: str, minor: int, code: str
    ) -> None:
        answer = ask(as_seller, bank_account_id, minor=minor)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert not Withdrawal.objects.exists()

    def test_refuses_another_currency(self, as_seller: APIClient, bank_account_id: str) -> None:
        body = {"bank_account_id": bank_account_id, "amount": {"amount": 2000, "currency": "PLN"}}
        answer = as_seller.post(URL, body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "currency_mismatch")

    def test_says_what_is_missing_first(self, as_seller: APIClient, seller: Member) -> None:
        give(seller.id, 2000)
        account_id = make_bank_account(seller.id).id
        answer = ask(as_seller, account_id)
        assert (answer.status_code, answer.json()["code"]) == (403, "kyc_required")
        assert answer.json()["reason"] == "identity_missing"

    def test_says_how_long_an_account_cools_down(self, as_seller: APIClient, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        fresh = make_bank_account(seller.id, now=timezone.now())
        answer = ask(as_seller, fresh.id)
        assert (answer.status_code, answer.json()["code"]) == (409, "bank_account_cooling_down")
        assert answer.json()["until"].startswith(fresh.usable_at.isoformat()[:19])

    def test_says_so_when_the_account_is_abroad(
        self, as_seller: APIClient, seller: Member, bank_account_id: str
    ) -> None:
        from tests.factories.members import make_market

        make_market("DE")
        Member.objects.filter(id=seller.id).update(market="DE")
        assert ask(as_seller, bank_account_id).json()["code"] == "bank_account_abroad"

    def test_tells_the_limits(self, as_seller: APIClient, bank_account_id: str) -> None:
        WithdrawalLimit.objects.create(
            country="LT", valid_from=timezone.now(), minimum_minor=100, maximum_minor=1000
        )
        answer = ask(as_seller, bank_account_id).json()
        assert answer["maximum"] == {"amount": 1000, "currency": "EUR"}

    def test_is_for_members(self, stranger: APIClient, bank_account_id: str) -> None:
        assert ask(stranger, bank_account_id).status_code == 401


class TestRead:
    def test_pages_and_filters_by_status(self, as_seller: APIClient, bank_account_id: str) -> None:
        ids = [ask(as_seller, bank_account_id, key=f"k{n}", minor=100 * n).json()["id"] for n in (1, 2, 3)]
        page = as_seller.get(URL, {"limit": 2}).json()
        assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
        assert [row["id"] for row in as_seller.get(page["next"]).json()["results"]] == [ids[0]]
        assert len(as_seller.get(URL, {"status": "requested"}).json()["results"]) == 3
        assert as_seller.get(URL, {"status": "paid"}).json()["results"] == []
        assert as_seller.get(URL, {"status": "lost"}).status_code == 400
        assert as_seller.get(URL, {"order": "id"}).status_code == 400

    def test_takes_two_statements_however_many(
        self, as_seller: APIClient, bank_account_id: str, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(5):
            ask(as_seller, bank_account_id, key=f"k{number}", minor=100)
        with django_assert_max_num_queries(2):
            assert len(as_seller.get(URL).json()["results"]) == 5

    def test_shows_nothing_of_others(self, as_buyer: APIClient, sent: str) -> None:
        answer = as_buyer.get(f"{URL}/{sent}")
        assert (answer.status_code, answer.json()["code"]) == (404, "withdrawal_not_found")
        assert as_buyer.get(URL).json()["results"] == []


class TestCancel:
    def test_is_possible_before_it_is_sent(self, as_seller: APIClient, bank_account_id: str) -> None:
        location = ask(as_seller, bank_account_id)["Location"]
        assert as_seller.post(f"{location}/cancel").json()["code"] == "idempotency_key_required"
        answer = as_seller.post(f"{location}/cancel", headers={"Idempotency-Key": "c"})
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")

    def test_is_refused_afterwards_and_to_others(
        self, as_seller: APIClient, as_buyer: APIClient, sent: str
    ) -> None:
        late = as_seller.post(f"{URL}/{sent}/cancel", headers={"Idempotency-Key": "c"})
        assert (late.status_code, late.json()["code"]) == (409, "withdrawal_status_conflict")
        assert late.json()["allowed_actions"] == []
        foreign = as_buyer.post(f"{URL}/{sent}/cancel", headers={"Idempotency-Key": "c"})
        assert foreign.status_code == 404


def deliver(body: bytes, headers: dict[str, str]) -> Any:
    return Client().generic("POST", HOOK, body, content_type="application/json", headers=headers)


class TestCallbacks:
    def test_a_signed_one_is_taken_and_handled_by_a_worker(self, sent: str) -> None:
        assert deliver(*sandbox.callback(sent, Outcome.PAID, now=timezone.now())).status_code == 200
        assert status_of(sent) == "sent"
        event = IncomingEvent.objects.get()
        assert event.subject_id == sent
        process_event(event_id=event.id, now=timezone.now())
        assert status_of(sent) == "paid"

    def test_a_replayed_one_changes_nothing(self, sent: str) -> None:
        for _ in range(3):
            assert deliver(*sandbox.callback(sent, Outcome.PAID, now=timezone.now())).status_code == 200
        process_event(event_id=IncomingEvent.objects.get().id, now=timezone.now())
        assert Posting.objects.filter(reference=f"withdrawal:{sent}", event="withdrawal_paid").count() == 1

    def test_an_unsigned_old_or_changed_one_is_refused(self, sent: str) -> None:
        now = timezone.now()
        body, headers = sandbox.callback(sent, Outcome.PAID, now=now)
        old = sandbox.signed_headers(body, now - timedelta(minutes=6))
        for sent_body, with_headers, code in (
            (body, {}, "webhook_signature_invalid"),
            (body.replace(b"paid", b"failed"), headers, "webhook_signature_invalid"),
            (body, old, "webhook_timestamp_stale"),
        ):
            answer = deliver(sent_body, with_headers)
            assert (answer.status_code, answer.json()["code"]) == (
                401 if code.endswith("invalid") else 400,
                code,
            )
        assert not IncomingEvent.objects.exists()

    def test_a_signed_one_that_says_nothing_is_refused(self) -> None:
        body = json.dumps({"hello": "world"}).encode()
        answer = deliver(body, sandbox.signed_headers(body, timezone.now()))
        assert (answer.status_code, answer.json()["code"]) == (400, "webhook_malformed")

    def test_every_provider_has_its_address(self) -> None:
        from foundation.incoming.sources import find_source

        assert find_source(f"{KIND}/sandbox")
        assert find_source(f"{KIND}/adyen")
        answer = Client().generic("POST", HOOK.replace("sandbox", "adyen"), b"{}")
        assert (answer.status_code, answer.json()["code"]) == (401, "webhook_signature_invalid")


@pytest.mark.usefixtures("sandbox")
class TestSandbox:
    def play(self, client: APIClient, withdrawal_id: str, verb: str, **body: Any) -> Any:
        return client.post(f"/api/v1/sandbox/payouts/{withdrawal_id}/{verb}", body)

    def test_pays_fails_and_returns(self, as_seller: APIClient, sent: str) -> None:
        assert self.play(as_seller, sent, "pay", times=3).json() == {
            "callbacks": ["new", "repeated", "repeated"]
        }
        assert status_of(sent) == "paid"
        self.play(as_seller, sent, "return", reason="account_closed")
        answer = as_seller.get(f"{URL}/{sent}").json()
        assert (answer["status"], answer["reason"]) == ("returned", "account_closed")

    def test_news_may_get_lost_or_come_late(self, as_seller: APIClient, sent: str) -> None:
        assert self.play(as_seller, sent, "pay", times=0).json() == {"callbacks": []}
        assert status_of(sent) == "sent"
        self.play(as_seller, sent, "return")
        assert status_of(sent) == "returned"
        assert self.play(as_seller, sent, "repeat", outcome="paid").json() == {"callbacks": ["new"]}
        assert status_of(sent) == "returned"

    def test_answers_as_scripted(self, as_seller: APIClient, bank_account_id: str) -> None:
        withdrawal_id = ask(as_seller, bank_account_id).json()["id"]
        scripted = self.play(as_seller, withdrawal_id, "script", answer="refuse", reason="closed")
        assert scripted.status_code == 204
        early = self.play(as_seller, withdrawal_id, "pay")
        assert (early.status_code, early.json()["code"]) == (404, "sandbox_payout_not_found")
        assert self.play(as_seller, withdrawal_id, "repeat", outcome="paid").status_code == 404
        advance_withdrawal(withdrawal_id=withdrawal_id, now=timezone.now())
        assert as_seller.get(f"{URL}/{withdrawal_id}").json()["reason"] == "closed"

    def test_pays_after_a_delay(self, as_seller: APIClient, bank_account_id: str) -> None:
        withdrawal_id = ask(as_seller, bank_account_id).json()["id"]
        self.play(as_seller, withdrawal_id, "script", answer="accept", pays_after_s=3600)
        now = timezone.now()
        for minutes, status in ((0, "sent"), (59, "sent"), (120, "paid")):
            advance_withdrawal(withdrawal_id=withdrawal_id, now=now + timedelta(minutes=minutes))
            assert status_of(withdrawal_id) == status

    @pytest.mark.parametrize("verb", ["script", "pay", "fail", "return", "repeat"])
    def test_is_for_ones_own_and_only_while_it_is_on(
        self, as_seller: APIClient, as_buyer: APIClient, sent: str, settings: Any, verb: str
    ) -> None:
        body = {"script": {"answer": "accept"}, "repeat": {"outcome": "paid"}}.get(verb, {})
        assert self.play(as_buyer, sent, verb, **body).status_code == 404
        settings.SANDBOX = False
        answer = self.play(as_seller, sent, verb, **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "sandbox_payout_not_found")
        assert SandboxPayout.objects.get().outcome == "pending"


class TestDeploy:
    def test_is_refused_with_a_sandbox(self, settings: Any) -> None:
        settings.SANDBOX = True
        with pytest.raises(SystemCheckError, match=r"preloved\.E002") as refused:
            call_command("check", "--deploy", "--tag", "money")
        assert "preloved.E003" in str(refused.value)
        settings.SANDBOX, settings.PAYOUT_PROVIDER = False, "adyen"
        settings.PAYMENT_PROVIDER, settings.CARRIER_PROVIDER = "stripe", "sendcloud"
        call_command("check", "--deploy", "--tag", "money")

    def test_adyen_needs_all_of_its_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ConfigurationError, match="needs ADYEN_API_KEY"):
            adyen_settings(is_used=True)
        monkeypatch.setenv("ADYEN_HMAC_KEY", "not hexadecimal")
        with pytest.raises(ConfigurationError, match="hexadecimal"):
            adyen_settings(is_used=False)
        monkeypatch.setenv("ADYEN_PLATFORM", "production")
        with pytest.raises(ConfigurationError, match="test or live"):
            adyen_settings(is_used=False)
