"""Writing a notice: in the caller's transaction, once, in one statement; and forgetting it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members import services
from members.models import Member, Notice, NotificationSettings
from members.notices.kinds import Category
from members.services.notices import NewNotice, forget_notices, notify, notify_many, switch_off_mails
from tests.members.notices.told import NOW, ORDER, tell

pytestmark = pytest.mark.django_db


class TestNotify:
    def test_puts_it_into_the_inbox_and_lets_the_mail_wait(self, ona: Member) -> None:
        notice = tell(ona)
        assert (notice.kind, notice.category, notice.subject) == ("order.shipped", "orders", f"order:{ORDER}")
        assert (notice.read_at, notice.mail_status, notice.mail_due_at) == (None, "waiting", NOW)

    def test_under_the_same_key_changes_nothing(self, ona: Member, piotr: Member) -> None:
        first = tell(ona, key="order:1:shipped")
        tell(ona, "order.completed", key="order:1:shipped")
        assert Notice.objects.get(member_id=ona.id).kind == first.kind
        tell(piotr, key="order:1:shipped")  # another member's
        assert Notice.objects.count() == 2

    def test_of_many_is_one_statement(self, ona: Member, piotr: Member) -> None:
        many = [
            NewNotice(
                member_id=member.id,
                kind="order.shipped",
                params={"order_id": ORDER, "title": "Blue coat"},
                subject=f"order:{ORDER}",
                key=f"{number}",
            )
            for member in (ona, piotr)
            for number in range(5)
        ]
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            notify_many(many, now=NOW)
            notify_many([], now=NOW)
        assert len([query for query in queries if "INSERT" in query["sql"]]) == len(queries) == 1
        assert Notice.objects.count() == 10

    def test_goes_away_with_what_it_tells(self, ona: Member) -> None:
        with transaction.atomic():
            tell(ona)
            transaction.set_rollback(True)
        assert not Notice.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_outside_a_transaction_is_refused(self, ona: Member) -> None:
        with pytest.raises(RuntimeError):
            notify(member_id=ona.id, kind="order.shipped", params={}, subject="order:1", key="1", now=NOW)

    @pytest.mark.parametrize(
        "wrong",
        [{"kind": "order.eaten"}, {"params": {"title": "a"}}, {"subject": "s" * 81}, {"key": "k" * 121}],
        ids=str,
    )
    def test_of_something_else_is_refused(self, ona: Member, wrong: dict[str, Any]) -> None:
        with pytest.raises((LookupError, ValueError)):
            tell(ona, **wrong)


class TestConstraints:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("notice_once", {"key": "first"}),
            ("notice_known_mail_status", {"mail_status": "lost"}),
            ("notice_mail_due_until_done", {"mail_status": "sending"}),
            ("notice_mail_due_until_done", {"mail_status": "unwanted", "mail_due_at": NOW}),
            ("notice_mail_sent_has_time", {"mail_status": "sent"}),
            ("notice_mail_sent_has_time", {"mail_sent_at": NOW}),
        ],
    )
    def test_hold_whoever_writes(self, ona: Member, name: str, facts: dict[str, Any]) -> None:
        tell(ona, key="first")
        row = {"member_id": ona.id, "kind": "a.b", "category": "orders", "subject": "order:1", "key": "2"}
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            Notice.objects.create(**(row | {"params": {}, "created_at": NOW} | facts))
        assert name in str(refused.value) or (name == "notice_once" and "key" in str(refused.value))


class TestForgetting:
    def test_is_for_what_was_told_long_ago(self, ona: Member, settings: Any) -> None:
        settings.NOTICE_KEEP_DAYS = 30
        kept, old = tell(ona), tell(ona)
        long_ago = NOW - timedelta(days=31)
        Notice.objects.filter(id=old.id).update(id="01ARZ3NDEKTSV4RRFFQ69G5FAV", created_at=long_ago)
        assert forget_notices(now=NOW) == 1
        assert Notice.objects.get().id == kept.id

    def test_follows_the_end_of_the_account(self, ona: Member) -> None:
        tell(ona)
        switch_off_mails(member_id=ona.id, category=Category.OFFERS)
        services.close_account(member_id=ona.id, now=NOW)
        assert not Notice.objects.exists()
        assert not NotificationSettings.objects.exists()


class TestRestrictions:
    def test_are_told_once_and_when_they_end(self, ona: Member) -> None:
        given: dict[str, Any] = {"member_id": ona.id, "capability": "sell", "source": "staff:1", "now": NOW}
        restriction_id = services.restrict(**given, reason="fakes_sold")
        services.restrict(**given, reason="fakes_sold_again")
        services.lift(restriction_id=restriction_id, lifted_by="staff:1", now=NOW)
        services.restrict(**given, reason="fakes_sold", until=NOW + timedelta(days=7))
        assert sorted(Notice.objects.values_list("kind", flat=True)) == [
            "account.restricted",
            "account.restricted_until",
            "account.restriction_lifted",
        ]
