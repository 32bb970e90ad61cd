"""Staff's pages: subscribers, their secrets, what was told to them."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from foundation.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from tests.factories.members import make_member
from tests.foundation.outgoing.subscriber import Subscriber
from tests.foundation.outgoing.telling import deliver, tell

pytestmark = pytest.mark.django_db

ENDPOINTS, DELIVERIES = "/admin/foundation/webhookendpoint/", "/admin/foundation/webhookdelivery/"


@pytest.fixture
def as_chief() -> Client:
    client = Client()
    client.force_login(make_member("Chief", is_staff=True, is_superuser=True))
    return client


class TestEndpoints:
    def test_are_added_and_changed(self, as_chief: Client, shop: Subscriber) -> None:
        form = {
            "url": shop.url,
            "description": "the shop",
            "kinds": "order.paid  order.completed",
            "active": "on",
        }
        as_chief.post(f"{ENDPOINTS}add/", form)
        endpoint = WebhookEndpoint.objects.get()
        assert (endpoint.kinds, endpoint.active) == (["order.paid", "order.completed"], True)
        page = f"{ENDPOINTS}{endpoint.id}/change/"
        assert "order.paid order.completed" in as_chief.get(page).content.decode()
        as_chief.post(page, {"url": shop.url, "description": "", "kinds": ""})
        endpoint.refresh_from_db()
        assert (endpoint.kinds, endpoint.active, endpoint.description) == ([], False, "")

    def test_of_our_own_network_are_refused(self, as_chief: Client) -> None:
        page = as_chief.post(f"{ENDPOINTS}add/", {"url": "https://10.0.0.1/", "active": "on"})
        assert "not a public one" in page.content.decode()
        assert not WebhookEndpoint.objects.exists()

    def test_show_their_secret_only_when_asked_with_a_note(
        self, as_chief: Client, endpoint: WebhookEndpoint
    ) -> None:
        secret = endpoint.secret.reveal()
        for page in (ENDPOINTS, f"{ENDPOINTS}{endpoint.id}/change/"):
            assert secret not in as_chief.get(page).content.decode()
        form = {"action": "show_secret", "_selected_action": [endpoint.id]}
        assert secret not in as_chief.post(ENDPOINTS, form).content.decode()
        shown = as_chief.post(ENDPOINTS, form | {"confirmed": "yes", "note": "for the shop's developer"})
        assert secret in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        assert "for the shop's developer" in LogEntry.objects.get().change_message
        renew = form | {"action": "renew_secret", "confirmed": "yes", "note": "leaked"}
        as_chief.post(ENDPOINTS, renew)
        endpoint.refresh_from_db()
        assert endpoint.former_secret is not None
        assert endpoint.former_secret.reveal() == secret


class TestDeliveries:
    def test_are_seen_and_sent_again(
        self, as_chief: Client, endpoint: WebhookEndpoint, shop: Subscriber
    ) -> None:
        tell()
        deliver()
        delivery = WebhookDelivery.objects.get()
        assert delivery.id in as_chief.get(f"{DELIVERIES}?q=order:1").content.decode()
        event = OutgoingEvent.objects.get()
        text = as_chief.get(f"/admin/foundation/outgoingevent/{event.sequence}/change/").content.decode()
        assert "order.paid" in text
        form = {"action": "send_again", "_selected_action": [delivery.id]}
        assert "Why" in as_chief.post(DELIVERIES, form).content.decode()
        as_chief.post(DELIVERIES, form | {"confirmed": "yes", "note": "they lost it"})
        delivery.refresh_from_db()
        assert delivery.status == "waiting"
        again = as_chief.post(DELIVERIES, form | {"confirmed": "yes", "note": "?"}, follow=True)
        assert "being sent already" in again.content.decode()
