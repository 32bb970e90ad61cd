"""Events reach every subscriber, signed, in order, at least once; or staff learn that they did not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings
from standardwebhooks import WebhookVerificationError

from foundation import tasks
from foundation.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from foundation.outgoing import delivering
from foundation.outgoing.appending import DELIVER, Event, append_events
from foundation.outgoing.delivering import (
    BACKOFF,
    LEASE,
    MAX_ATTEMPTS,
    deliver_next,
    due_heads,
    fan_out,
    forget_events,
    send_again,
)
from foundation.outgoing.endpoints import add_endpoint, change_endpoint, renew_secret
from foundation.outgoing.errors import DeliveryUnderWay, EndpointUrlRefused
from foundation.outgoing.lifecycle import DELIVERY
from tests.foundation.outgoing.subscriber import Subscriber, subscriber
from tests.foundation.outgoing.telling import NOW, deliver, tell

pytestmark = pytest.mark.django_db


def name_of(callback: Any) -> str:
    """The task that an on-commit callback rings for."""
    return str(getattr(getattr(callback, "task", None), "name", ""))


class TestAppendEvent:
    def test_is_part_of_the_change_it_tells(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        with transaction.atomic():
            tell()
            transaction.set_rollback(True)
        assert deliver() == 0
        assert not OutgoingEvent.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_outside_a_transaction_is_a_mistake(self) -> None:
        from foundation.outgoing.appending import append_event

        with pytest.raises(RuntimeError, match="transaction"):
            append_event(kind="order.paid", subject="order:1", payload={}, now=NOW)

    def test_of_many_is_one_insert_one_ring_and_keeps_their_order(
        self, endpoint: WebhookEndpoint, shop: Subscriber, django_assert_num_queries: Any
    ) -> None:
        told = [Event(f"order.{verb}", "order:1", {}) for verb in ("paid", "shipped", "completed")]
        before = REGISTRY.get_sample_value("preloved_outgoing_events_total", {"kind": "order.paid"}) or 0.0
        with TestCase.captureOnCommitCallbacks(execute=True) as after, transaction.atomic():
            with django_assert_num_queries(1):
                ids = append_events(told, now=NOW)
            ids += append_events(told[:1], now=NOW)
            assert append_events([], now=NOW) == []
        assert [name_of(callback) for callback in after].count(DELIVER) == 1
        counted = REGISTRY.get_sample_value("preloved_outgoing_events_total", {"kind": "order.paid"})
        assert counted == before + 2
        assert deliver() == 4
        assert shop.ids == ids


class TestDelivery:
    def test_is_what_a_subscriber_of_standard_webhooks_verifies(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        event_id = tell()
        assert deliver(timezone.now()) == 1  # the library refuses what is five minutes old
        document = shop.received[0].verified_by(endpoint.secret.reveal())
        assert document["type"] == "order.paid"
        assert document["data"] == {"subject": "order:1", "amount": 2470}
        assert shop.ids == [event_id]
        with pytest.raises(WebhookVerificationError):
            shop.received[0].verified_by("whsec_" + "A" * 44)
        assert WebhookDelivery.objects.get().status == "delivered"

    def test_goes_to_those_who_asked_for_the_kind(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        with subscriber() as tax_office:
            add_endpoint(url=tax_office.url, kinds=["order.completed"], now=NOW)
            tell("order.paid")
            tell("order.completed")
            assert deliver() == 3
        assert (len(shop.received), len(tax_office.received)) == (2, 1)

    def test_keeps_the_order_of_a_subject_while_one_of_it_fails(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        shop.answers = [400]
        first, second = tell("order.paid"), tell("order.shipped")
        other = tell("order.paid", "order:2")
        assert deliver() == 1
        assert deliver(NOW + BACKOFF[0] / 2) == 0
        assert deliver(NOW + BACKOFF[0]) == 2
        assert shop.ids == [first, other, first, second]

    def test_waits_for_an_earlier_event_that_has_no_delivery_yet(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        first, second = tell(), tell("order.shipped")
        OutgoingEvent.objects.filter(id=first).update(fan_out_at=NOW + timedelta(seconds=1))
        assert deliver() == 0
        assert deliver(NOW + timedelta(seconds=1)) == 2
        assert shop.ids == [first, second]

    def test_is_signed_with_both_secrets_while_one_replaces_the_other(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        former = endpoint.secret.reveal()
        renew_secret(endpoint_id=endpoint.id)
        endpoint.refresh_from_db()
        tell()
        deliver(timezone.now())
        for secret in (former, endpoint.secret.reveal()):
            assert shop.received[0].verified_by(secret)
        assert former != endpoint.secret.reveal()

    @pytest.mark.parametrize("status", [301, 302, 400, 404, 410, 429, 500, 503])
    def test_answered_otherwise_is_a_failed_attempt(
        self, endpoint: WebhookEndpoint, shop: Subscriber, status: int
    ) -> None:
        shop.answers = [status]
        tell()
        assert deliver() == 0
        delivery = WebhookDelivery.objects.get()
        assert (delivery.status, delivery.attempts, delivery.last_status) == ("waiting", 1, status)
        assert delivery.due_at == NOW + BACKOFF[0]

    def test_after_the_last_attempt_is_given_up_and_counted(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        before = REGISTRY.get_sample_value("preloved_outgoing_dead_total") or 0.0
        shop.answers = [400] * MAX_ATTEMPTS
        tell("order.paid")
        second = tell("order.shipped")
        now = NOW
        for wait in (*BACKOFF, timedelta(0)):
            deliver(now)
            now += wait
        dead = WebhookDelivery.objects.get(status="dead")
        assert (dead.attempts, dead.last_status, dead.event.kind) == (MAX_ATTEMPTS, 400, "order.paid")
        assert REGISTRY.get_sample_value("preloved_outgoing_dead_total") == before + 1
        deliver(now)
        assert shop.ids[-1] == second

    def test_to_an_address_that_leads_inside_is_refused_by_name(
        self, endpoint: WebhookEndpoint, shop: Subscriber, settings: Settings
    ) -> None:
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        tell()
        assert deliver() == 0
        assert WebhookDelivery.objects.get().last_error == "EndpointUrlRefused"
        assert not shop.received

    def test_of_a_claim_that_was_taken_over_changes_nothing(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        tell()
        fan_out(now=NOW)
        slow = delivering._claim(endpoint_id=endpoint.id, subject="order:1", now=NOW)
        assert slow is not None
        assert not deliver_next(endpoint_id=endpoint.id, subject="order:1", now=NOW)
        assert deliver_next(endpoint_id=endpoint.id, subject="order:1", now=NOW + LEASE)
        assert not delivering._record(slow, delivered=False, status=500, error="", now=NOW)
        assert WebhookDelivery.objects.get().status == "delivered"


class TestEndpoint:
    def test_that_does_not_answer_is_left_alone_for_a_while(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        shop.answers = [503]
        tell()
        tell("order.paid", "order:2")
        assert deliver() == 0
        assert len(shop.received) == 1
        assert due_heads(now=NOW) == []
        assert deliver(NOW + timedelta(seconds=1)) == 1
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.resting_until) == (0, None)

    def test_rests_longer_with_every_silence(self, endpoint: WebhookEndpoint) -> None:
        WebhookEndpoint.objects.update(url="http://127.0.0.1:9/", failures=3)
        tell()
        deliver()
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.resting_until) == (4, NOW + timedelta(seconds=8))
        assert WebhookDelivery.objects.get().last_error == "ConnectError"

    def test_that_is_off_gets_everything_when_it_is_on_again(
        self, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        def switch(*, active: bool) -> None:
            change_endpoint(endpoint_id=endpoint.id, url=shop.url, kinds=[], description="", active=active)

        switch(active=False)
        tell()
        assert deliver() == 0
        switch(active=True)
        assert deliver() == 1

    def test_takes_no_address_of_our_own_network(self, endpoint: WebhookEndpoint) -> None:
        for url in ("https://10.0.0.1/", "https://[::1]/"):
            with pytest.raises(EndpointUrlRefused):
                add_endpoint(url=url, now=NOW)
            with pytest.raises(EndpointUrlRefused):
                change_endpoint(endpoint_id=endpoint.id, url=url, kinds=[], description="", active=True)


class TestSendAgain:
    def test_delivers_once_more(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        event_id = tell()
        deliver()
        delivery = WebhookDelivery.objects.get()
        send_again(delivery_id=delivery.id, now=NOW)
        assert deliver() == 1
        assert shop.ids == [event_id] * 2

    def test_of_one_that_waits_is_refused(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        shop.answers = [500]
        tell()
        deliver()
        with pytest.raises(DeliveryUnderWay) as raised:
            send_again(delivery_id=WebhookDelivery.objects.get().id, now=NOW)
        assert raised.value.code == "delivery_under_way"

    def test_gives_a_dead_one_all_attempts_again(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        tell()
        fan_out(now=NOW)
        WebhookDelivery.objects.update(status="dead", due_at=None, attempts=MAX_ATTEMPTS)
        send_again(delivery_id=WebhookDelivery.objects.get().id, now=NOW)
        assert deliver() == 1
        assert WebhookDelivery.objects.get().attempts == 1


class TestForget:
    def test_deletes_what_was_told_long_ago_but_nothing_that_waits(
        self, endpoint: WebhookEndpoint, shop: Subscriber, settings: Settings
    ) -> None:
        settings.WEBHOOK_KEEP_DAYS = 3
        tell()
        deliver()
        waiting = tell("order.paid", "order:2")
        shop.answers = [400]
        deliver()
        assert forget_events(now=NOW + timedelta(days=3)) == 0
        assert forget_events(now=NOW + timedelta(days=3, seconds=1)) == 1
        assert OutgoingEvent.objects.get().id == waiting


class TestTasks:
    def test_ring_and_sweep_deliver(self, endpoint: WebhookEndpoint, shop: Subscriber) -> None:
        tell()
        tasks.deliver_outgoing_events()
        shop.answers = [400]
        tell("order.shipped")
        tasks.sweep_outgoing_events()
        tasks.forget_outgoing_events()
        assert [r.headers["webhook-id"] for r in shop.received].count(shop.ids[0]) == 1
        assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered", "waiting"}


class TestOutgoingEventsCommand:
    def test_lists_what_became_of_events(
        self, endpoint: WebhookEndpoint, shop: Subscriber, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tell()
        deliver()
        shop.answers = [400]
        failing = tell("order.shipped", "order:2")
        deliver()
        call_command(
            "outgoing_events", "--subject", "order:2", "--kind", "order.shipped", "--status", "waiting"
        )
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2
        assert f"{failing} order.shipped order:2" in lines[0]
        assert lines[1] == f"  waiting after 1 attempts, last answer 400: {shop.url}"


class TestRows:
    def row(self, event: OutgoingEvent, endpoint: WebhookEndpoint, **values: Any) -> WebhookDelivery:
        return WebhookDelivery(
            **{"event": event, "endpoint": endpoint, "subject": "s", "due_at": NOW, **values}
        )

    def test_are_one_for_each_event_and_subscriber(self, endpoint: WebhookEndpoint) -> None:
        tell()
        event = OutgoingEvent.objects.get()
        self.row(event, endpoint).save()
        with pytest.raises(IntegrityError, match=r"webhook_delivery_once|event_id"), transaction.atomic():
            self.row(event, endpoint).save()

    @pytest.mark.parametrize(
        ("constraint", "values"),
        [
            ("webhook_delivery_waiting_is_due", {"due_at": None}),
            ("webhook_delivery_waiting_is_due", {"status": "dead"}),
            ("webhook_delivery_delivered_has_time", {"status": "delivered", "due_at": None}),
            ("webhook_delivery_delivered_has_time", {"delivered_at": NOW}),
        ],
    )
    def test_say_what_is_to_be_done(
        self, endpoint: WebhookEndpoint, constraint: str, values: dict[str, Any]
    ) -> None:
        tell()
        # MySQL's IntegrityError, MariaDB's OperationalError.
        with pytest.raises(Exception, match=constraint), transaction.atomic():
            self.row(OutgoingEvent.objects.get(), endpoint, **values).save()

    def test_follow_the_lifecycle(self) -> None:
        assert {(row.source, row.verb, row.target) for row in DELIVERY.transitions} == {
            ("waiting", "deliver", "delivered"),
            ("waiting", "give_up", "dead"),
            ("dead", "send_again", "waiting"),
            ("delivered", "send_again", "waiting"),
        }
