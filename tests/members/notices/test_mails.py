"""The mails of notices, through a real SMTP server: what they say, who gets them, and when they fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from foundation.lifecycle import CLOCK
from members import services
from members.errors import MailNotGivenUp, NoticeNotFound
from members.lifecycle import NOTICE_MAIL
from members.models import Member, Notice, NotificationSettings
from members.notices.kinds import Category
from members.notices.mails import unsubscribe_token
from members.services.notice_mails import BACKOFF, LEASE, MAX_ATTEMPTS, send_again, send_due_mails
from members.services.notices import switch_off_mails
from members.tasks import send_notice_mails
from tests.members.notices.mail_server import MailServer, running
from tests.members.notices.told import NOW, ORDER, tell

pytestmark = pytest.mark.django_db

GONE, BUSY, CLOSING = "550 No such user", "451 Try later", "421 Closing"


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with running(settings) as server:
        yield server


def state_of(notice: Notice) -> tuple[str, int, str]:
    notice.refresh_from_db()
    return notice.mail_status, notice.mail_attempts, notice.mail_error


def parts(server: MailServer) -> tuple[str, str]:
    text, html = server.mails[-1].get_body(("plain",)), server.mails[-1].get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


class TestSending:
    def test_tells_in_the_members_language_with_text_and_html(self, ona: Member, server: MailServer) -> None:
        Member.objects.filter(id=ona.id).update(language="lt")
        notice = tell(ona, params={"order_id": ORDER, "title": 'Coat <b>"new"</b>'})
        assert send_due_mails(now=NOW) == 1
        assert state_of(notice) == ("sent", 1, "")
        assert notice.mail_sent_at == NOW
        mail, (text, html) = server.mails[0], parts(server)
        assert server.recipients == [ona.email]
        assert mail["Subject"] == '„Coat <b>"new"</b>“ jau pakeliui'
        assert mail["Content-Language"] == "lt"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "Sveiki, Ona," in text
        assert f"/orders/{ORDER}" in text
        assert '<html lang="lt">' in html
        assert "&lt;b&gt;" in html
        assert "<b>" not in html

    def test_takes_many_over_one_connection_each_once(
        self, ona: Member, piotr: Member, server: MailServer
    ) -> None:
        for member in (ona, piotr, ona):
            tell(member)
        send_notice_mails()
        send_notice_mails()
        assert sorted(server.recipients) == sorted([ona.email, ona.email, piotr.email])
        assert server.connections == 1

    def test_a_title_cannot_add_headers(self, ona: Member, server: MailServer) -> None:
        tell(ona, params={"order_id": ORDER, "title": "Coat\r\nBcc: all@example.test"})
        send_due_mails(now=NOW)
        assert server.mails[0]["Bcc"] is None
        assert server.recipients == [ona.email]

    def test_is_not_for_closed_accounts(self, ona: Member, server: MailServer) -> None:
        services.close_account(member_id=ona.id, now=NOW)
        notice = tell(ona)
        send_due_mails(now=NOW)
        assert state_of(notice) == ("unwanted", 1, "")
        assert server.mails == []

    def test_waits_for_the_release_that_knows_the_kind(self, ona: Member, server: MailServer) -> None:
        notice = tell(ona)
        Notice.objects.update(kind="order.beamed")
        send_due_mails(now=NOW)
        assert state_of(notice) == ("waiting", 1, "unknown_kind")


class TestFailing:
    def test_is_tried_again_later_while_the_server_is_down(self, ona: Member, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        notices = [tell(ona), tell(ona)]
        assert send_due_mails(now=NOW) == 2
        assert {state_of(notice) for notice in notices} == {("waiting", 1, "ConnectionRefusedError")}
        with running(settings) as server:
            assert send_due_mails(now=NOW + BACKOFF[0] - timedelta(seconds=1)) == 0
            assert send_due_mails(now=NOW + BACKOFF[0]) == 2
        assert len(server.mails) == 2

    def test_ends_after_the_last_attempt(self, ona: Member, server: MailServer) -> None:
        notice, now = tell(ona), NOW
        for pause in (*BACKOFF, timedelta(0)):
            server.answers = [BUSY]
            assert send_due_mails(now=now) == 1
            now += pause
        assert state_of(notice) == ("given_up", MAX_ATTEMPTS, "SMTPRecipientsRefused")
        assert send_due_mails(now=now + timedelta(days=9)) == 0

    def test_ends_at_once_for_an_address_that_does_not_exist(
        self, ona: Member, piotr: Member, server: MailServer
    ) -> None:
        lost, sent = tell(ona), tell(piotr)
        server.answers = [GONE]
        send_due_mails(now=NOW)
        assert {state_of(lost)[0], state_of(sent)[0]} == {"given_up", "sent"}

    def test_of_the_connection_leaves_the_rest_for_later(
        self, ona: Member, piotr: Member, server: MailServer
    ) -> None:
        notices = [tell(ona), tell(piotr)]
        server.answers = [CLOSING]
        send_due_mails(now=NOW)
        assert {state_of(notice)[:2] for notice in notices} == {("waiting", 1)}

    def test_of_a_worker_sends_it_again_under_the_same_id(self, ona: Member, server: MailServer) -> None:
        notice = tell(ona)
        send_due_mails(now=NOW)
        # The worker died after the server took it, before it was written down.
        Notice.objects.update(mail_status="sending", mail_due_at=NOW + LEASE, mail_sent_at=None)
        assert send_due_mails(now=NOW + LEASE - timedelta(seconds=1)) == 0
        assert send_due_mails(now=NOW + LEASE) == 1
        assert state_of(notice) == ("sent", 2, "")
        assert len({mail["Message-ID"] for mail in server.mails}) == 1
        assert len(server.mails) == 2

    def test_shows_in_the_figures(self, ona: Member, server: MailServer) -> None:
        def figure(outcome: str) -> float:
            labels = {"kind": "order.shipped", "outcome": outcome}
            return REGISTRY.get_sample_value("preloved_members_notice_mails_total", labels) or 0

        postponed = figure("postponed")
        tell(ona)
        server.answers = [BUSY]
        send_due_mails(now=NOW + timedelta(seconds=90))
        assert figure("postponed") == postponed + 1
        assert REGISTRY.get_sample_value("preloved_members_notice_mail_overdue_seconds") == 90


class TestSendAgain:
    def test_gives_all_attempts_again(self, ona: Member, server: MailServer) -> None:
        notice = tell(ona)
        server.answers = [GONE]
        send_due_mails(now=NOW)
        send_again(notice_id=notice.id, now=NOW)
        assert state_of(notice)[:2] == ("waiting", 0)
        send_due_mails(now=NOW)
        assert state_of(notice) == ("sent", 1, "")

    def test_is_for_those_given_up(self, ona: Member) -> None:
        notice = tell(ona)
        with pytest.raises(MailNotGivenUp) as refused:
            send_again(notice_id=notice.id, now=NOW)
        assert refused.value.code == "notification_mail_not_given_up"
        with pytest.raises(NoticeNotFound):
            send_again(notice_id=ORDER, now=NOW)

    def test_is_the_only_row_of_the_lifecycle_that_is_not_a_workers(self) -> None:
        by = {row.verb: row.actor for row in NOTICE_MAIL.transitions}
        assert {verb for verb, actor in by.items() if actor == "staff"} == {"send_again"}
        assert CLOCK not in by.values()
        assert set(NOTICE_MAIL.final()) == {"sent", "unwanted"}


class TestUnsubscribing:
    def test_by_one_click_ends_the_mails_of_the_category(self, ona: Member, server: MailServer) -> None:
        tell(ona)
        send_due_mails(now=NOW)
        mail = server.mails[0]
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = re.sub(r"^<https?://[^/]+|>$", "", mail["List-Unsubscribe"].strip())
        assert path in parts(server)[0]
        client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
        assert b"<button>Unsubscribe</button>" in client.get(path).content  # a mail filter looks at it
        assert not NotificationSettings.objects.exists()
        for _ in range(2):
            done = client.post(
                path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
            )
            assert done.status_code == 200
        assert NotificationSettings.objects.get().mail_off == ["orders"]
        assert "keine Mails" in client.post(path, headers={"Accept-Language": "de"}).content.decode()
        optional, required = tell(ona), tell(ona, "order.completed")
        send_due_mails(now=NOW)
        assert (state_of(optional)[0], state_of(required)[0]) == ("unwanted", "sent")

    def test_is_not_offered_for_required_mails(self, ona: Member, server: MailServer) -> None:
        Member.objects.filter(id=ona.id).update(language="pl")  # which we do not have: English
        tell(ona, "order.completed")
        send_due_mails(now=NOW)
        assert server.mails[0]["List-Unsubscribe"] is None
        assert "/unsubscribe/" not in "".join(parts(server))
        assert "cannot be switched off" in parts(server)[0].replace("\n", " ")

    def test_takes_no_other_tokens(self, ona: Member) -> None:
        for token in ("abc", unsubscribe_token(ona.id, Category.TAX), f"{ORDER}:x:y"):
            assert Client().post(f"/unsubscribe/{token}").status_code == 404

    def test_keeps_what_else_is_switched_off(self, ona: Member) -> None:
        for category in (Category.ORDERS, Category.OFFERS, Category.ORDERS):
            switch_off_mails(member_id=ona.id, category=category)
        own = NotificationSettings.objects.get()
        assert (own.mail_off, own.version) == (["offers", "orders"], 2)
