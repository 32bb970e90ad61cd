from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from members.models import Member, Notice
from tests.factories.members import make_member
from tests.members.notices.told import NOW, tell

pytestmark = pytest.mark.django_db

NOTICES = "/admin/members/notice/"


@pytest.fixture
def as_chief(markets: None) -> Client:
    client = Client()
    client.force_login(make_member("Chief", is_staff=True, is_superuser=True))
    return client


class TestNotices:
    def test_can_be_looked_at_and_not_edited(self, as_chief: Client, ona: Member) -> None:
        notice = tell(ona)
        assert notice.id in as_chief.get(f"{NOTICES}?q={ona.id}").content.decode()
        page = as_chief.get(f"{NOTICES}{notice.id}/change/")
        assert page.status_code == 200
        assert b'name="_save"' not in page.content

    def test_a_mail_that_was_given_up_is_sent_again_with_a_note(self, as_chief: Client, ona: Member) -> None:
        lost, waiting = tell(ona), tell(ona)
        Notice.objects.filter(id=lost.id).update(mail_status="given_up", mail_due_at=None, mail_attempts=8)
        chosen = {"action": "send_mails_again", "_selected_action": [lost.id, waiting.id]}
        assert b"Send these mails again" in as_chief.post(NOTICES, chosen).content
        answer = as_chief.post(NOTICES, chosen | {"confirmed": "1", "note": "mended"}, follow=True)
        assert "It is waiting." in answer.content.decode()
        lost.refresh_from_db()
        assert (lost.mail_status, lost.mail_attempts) == ("waiting", 0)
        assert lost.mail_due_at is not None
        assert lost.mail_due_at >= NOW
        assert LogEntry.objects.get().change_message == "Mail sent again. mended"
