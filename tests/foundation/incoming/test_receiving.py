"""What is taken from providers, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from foundation.incoming import HmacVerifier, Source, register, sign
from foundation.incoming.errors import WebhookSignatureInvalid
from foundation.incoming.receiving import MAX_BODY_BYTES
from foundation.models import IncomingEvent
from tests.foundation.incoming.conftest import FORMER_SECRET, SECRET, SOURCE, body_of
from tests.foundation.incoming.provider import parse

Send = Callable[..., Any]
NOW = datetime(2026, 4, 2, 10, tzinfo=UTC)


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not IncomingEvent.objects.exists()


@pytest.mark.django_db
class TestPost:
    def test_stores_what_was_sent_encrypted_before_anything_is_done_about_it(
        self, send: Send, handled: list[str]
    ) -> None:
        answer = send(body_of())
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        event = IncomingEvent.objects.get()
        assert (event.source, event.event_id, event.subject_id, event.status) == (
            *(SOURCE, "evt_1", "po_1", "waiting"),
        )
        assert event.occurred_at == NOW
        assert event.body is not None
        assert event.body.reveal() == body_of()
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM foundation_incomingevent")
            assert b"LT12" not in bytes(cursor.fetchone()[0])
        assert handled == []

    def test_again_is_answered_alike_and_changes_nothing(self, send: Send) -> None:
        send(body_of())
        before = IncomingEvent.objects.values().get()
        answer = send(body_of(subject="po_other"))
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        assert IncomingEvent.objects.values().get() == before

    def test_takes_a_secret_that_is_about_to_go(self, send: Send) -> None:
        assert send(body_of(), secret=FORMER_SECRET).status_code == 200

    def test_needs_no_token_and_reads_none(self, send: Send) -> None:
        assert send(body_of(), Authorization="Bearer nonsense").status_code == 200

    @pytest.mark.parametrize(
        "signature",
        [
            "",
            "t=1,v1=",
            "v1=00",
            "t=now,v1=00",
            "t=-1,v1=00",
            "t=9999999999999,v1=0",
            "t=1;v1=é",
            "t=1,v0=00",
        ],
    )
    def test_refuses_what_is_not_signed(self, send: Send, signature: str) -> None:
        answer = send(body_of(), **{"Webhook-Signature": signature})
        refused(answer, 401, "webhook_signature_invalid")

    def test_refuses_what_is_forged(self, send: Send) -> None:
        refused(send(body_of(), secret="guessed"), 401, "webhook_signature_invalid")
        signed_for_another = sign(body_of("evt_2"), secret=SECRET, at=timezone.now())
        answer = send(body_of(), **{"Webhook-Signature": signed_for_another})
        refused(answer, 401, "webhook_signature_invalid")

    def test_refuses_a_new_time_on_an_old_signature(self, send: Send) -> None:
        old = sign(body_of(), secret=SECRET, at=timezone.now() - timedelta(days=1))
        fresh = f"t={int(timezone.now().timestamp())},{old.partition(',')[2]}"
        answer = send(body_of(), **{"Webhook-Signature": fresh})
        refused(answer, 401, "webhook_signature_invalid")

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_refuses_what_was_signed_long_ago_or_in_the_future(self, send: Send, minutes: int) -> None:
        answer = send(body_of(), at=timezone.now() + timedelta(minutes=minutes))
        refused(answer, 400, "webhook_timestamp_stale")

    @pytest.mark.parametrize("minutes", [-4, 4])
    def test_forgives_clocks_that_differ_by_minutes(self, send: Send, minutes: int) -> None:
        assert send(body_of(), at=timezone.now() + timedelta(minutes=minutes)).status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"{", b"[]", b"{}", b"\xff", json.dumps({"id": 1, "subject": "s", "at": "x"}).encode()),
            *(body_of(event_id=""), body_of(event_id="é"), body_of(subject="p" * 201), body_of("a ")),
            body_of(at="2026-04-02T10:00:00"),
        ],
    )
    def test_refuses_what_is_signed_but_no_event(self, send: Send, body: bytes) -> None:
        refused(send(body), 400, "webhook_malformed")

    def test_refuses_a_body_that_is_too_large(self, send: Send) -> None:
        refused(send(b" " * (MAX_BODY_BYTES + 1)), 413, "content_too_large")

    @pytest.mark.parametrize("path", ["pay/other", "other/test", "payouts/nobody"])
    def test_for_an_unknown_provider_is_not_found(self, send: Send, path: str) -> None:
        refused(send(body_of(), address=f"/api/v1/webhooks/{path}"), 404, "not_found")

    def test_is_the_only_method(self, client: Any) -> None:
        assert client.get("/api/v1/webhooks/pay/test").status_code == 405

    def test_leaves_nothing_of_the_body_in_the_log_or_the_answer(self, send: Send) -> None:
        with capture_logs() as lines:
            answers = [send(body_of()), send(b'{"iban": "LT12"'), send(body_of(), secret="wrong")]
        assert len(lines) >= 3
        assert "LT12" not in repr(lines) + "".join(answer.content.decode() for answer in answers)

    def test_is_counted_by_outcome_and_by_reason(self, send: Send) -> None:
        def figures() -> list[float]:
            names = [
                ("preloved_incoming_events_total", {"source": SOURCE, "outcome": "new"}),
                ("preloved_incoming_events_total", {"source": SOURCE, "outcome": "duplicate"}),
                ("preloved_incoming_rejected_total", {"source": SOURCE, "reason": "webhook_timestamp_stale"}),
                ("preloved_incoming_rejected_total", {"source": "unknown", "reason": "not_found"}),
            ]
            return [REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in names]

        before = figures()
        send(body_of())
        send(body_of())
        send(body_of(), at=timezone.now() - timedelta(hours=1))
        send(body_of(), address="/api/v1/webhooks/pay/other")
        assert [after - b for after, b in zip(figures(), before, strict=True)] == [1, 1, 1, 1]


class TestHmacVerifier:
    @given(st.binary(max_size=300), st.binary(max_size=300))
    @hypothesis_settings(max_examples=50, deadline=None)
    def test_takes_the_signed_bytes_and_no_others(self, body: bytes, other: bytes) -> None:
        verifier = HmacVerifier(lambda: [SECRET])
        headers = {"webhook-signature": sign(body, secret=SECRET, at=NOW)}
        verifier.verify(body, headers, now=NOW)
        if other != body:
            with pytest.raises(WebhookSignatureInvalid):
                verifier.verify(other, headers, now=NOW)

    @pytest.mark.parametrize("secrets", [[], [""]])
    def test_without_a_secret_takes_nothing(self, secrets: list[str]) -> None:
        headers = {"Webhook-Signature": sign(b"{}", secret="", at=NOW)}
        with pytest.raises(WebhookSignatureInvalid):
            HmacVerifier(lambda: secrets).verify(b"{}", headers, now=NOW)


class TestRegister:
    def test_refuses_a_second_of_the_same_address_and_a_name_that_is_none(self) -> None:
        verifier = HmacVerifier(lambda: [SECRET])
        for kind, provider in (("pay", "test"), ("Pay", "new"), ("pay", "a/b")):
            with pytest.raises(ValueError, match=r"two sources|no path"):
                register(Source(kind, provider, verifier, parse, lambda event, *, now: None))


@pytest.mark.django_db
class TestIncomingEventRow:
    def row(self, **values: Any) -> IncomingEvent:
        given = {"source": SOURCE, "event_id": "e", "subject_id": "s", "body": b"{}", "due_at": NOW}
        return IncomingEvent(**{**given, "occurred_at": NOW, "received_at": NOW, **values})

    def test_is_one_for_each_event_of_a_source(self) -> None:
        self.row().save()
        self.row(source="pay/other").save()
        self.row(event_id="E").save()
        with pytest.raises(IntegrityError, match=r"incoming_event_stored_once|source"), transaction.atomic():
            self.row().save()

    @pytest.mark.parametrize(
        ("constraint", "values"),
        [
            ("incoming_event_waiting_is_due", {"due_at": None}),
            ("incoming_event_waiting_is_due", {"body": None}),
            ("incoming_event_waiting_is_due", {"status": "dead"}),
            ("incoming_event_processed_has_time", {"status": "processed", "due_at": None}),
            ("incoming_event_processed_has_time", {"processed_at": NOW}),
        ],
    )
    def test_says_what_is_to_be_done_with_it(self, constraint: str, values: dict[str, Any]) -> None:
        # MySQL's IntegrityError, MariaDB's OperationalError.
        with pytest.raises(Exception, match=constraint), transaction.atomic():
            self.row(**values).save()
