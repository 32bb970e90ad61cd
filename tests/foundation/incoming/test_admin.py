"""The page on which staff see callbacks and give dead ones another chance."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from foundation.models import IncomingEvent
from tests.factories.members import make_member
from tests.foundation.incoming.test_processing import kill, store

pytestmark = pytest.mark.django_db

PAGE = "/admin/foundation/incomingevent/"


@pytest.fixture
def as_operator(settings: object) -> Client:
    operator = make_member("Operator", is_staff=True)
    wanted = ["view_incomingevent", "change_incomingevent"]
    operator.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client()
    client.force_login(operator)
    return client


class TestPage:
    def test_shows_what_became_of_a_callback_but_not_what_it_said(self, as_operator: Client) -> None:
        event = store()
        kill(event)
        for address in (PAGE, f"{PAGE}{event.id}/change/", f"{PAGE}?q={event.subject_id}"):
            text = as_operator.get(address).content.decode()
            assert event.id in text
            assert "OSError" in text
            assert "LT12" not in text

    def test_processes_a_dead_one_again_with_a_note(self, as_operator: Client) -> None:
        event = store()
        kill(event)
        form = {"action": "process_again", "_selected_action": [event.id]}
        assert "Why" in as_operator.post(PAGE, form).content.decode()
        assert IncomingEvent.objects.get().status == "dead"
        as_operator.post(PAGE, form | {"confirmed": "yes", "note": "the bank is back"})
        event.refresh_from_db()
        assert (event.status, event.attempts) == ("waiting", 0)
        assert event.due_at is not None
        assert event.due_at <= datetime.now(UTC)
        assert "the bank is back" in LogEntry.objects.get().change_message

    def test_says_what_cannot_be_processed_again(self, as_operator: Client) -> None:
        event = store()
        form = {"action": "process_again", "_selected_action": [event.id], "confirmed": "yes", "note": "?"}
        assert "It is waiting." in as_operator.post(PAGE, form, follow=True).content.decode()
