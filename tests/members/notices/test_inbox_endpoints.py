"""The inbox and the settings over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member, Notice
from tests.members.notices.told import ORDER, tell
from tests.members.visitor import Visitor

pytestmark = pytest.mark.django_db

INBOX = "/api/v1/me/notifications"
SETTINGS = "/api/v1/me/notification-settings"
ALL_ON = {"listings": True, "money": True, "offers": True, "orders": True}


class TestInbox:
    def test_shows_what_i_was_told_the_latest_first(
        self, as_ona: Visitor, ona: Member, piotr: Member, settings: Any
    ) -> None:
        settings.APP_URL = "https://app.preloved.example"
        tell(ona, "order.completed")
        shipped = tell(ona)
        tell(piotr)
        answer = as_ona.get(INBOX, **{"Accept-Language": "en"}).json()
        assert answer["unread_count"] == 2
        assert [row["kind"] for row in answer["results"]] == ["order.shipped", "order.completed"]
        assert answer["results"][0] == {
            "id": shipped.id,
            "kind": "order.shipped",
            "category": "orders",
            "title": "“Blue coat” is on its way",
            "body": "The carrier has “Blue coat”. You can follow the parcel in your order.",
            "link": f"https://app.preloved.example/orders/{ORDER}",
            "subject": {"type": "order", "id": ORDER},
            "created_at": answer["results"][0]["created_at"],
            "read_at": None,
        }
        body = answer["results"][1]["body"]
        assert body == "The sale of “Blue coat” is completed: €18.50 are in your balance."

    def test_speaks_the_language_of_the_profile_or_of_the_request(self, as_ona: Visitor, ona: Member) -> None:
        Member.objects.filter(id=ona.id).update(language="fr")
        tell(ona)
        assert as_ona.get(INBOX).json()["results"][0]["title"] == "« Blue coat » est en route"
        german = as_ona.get(INBOX, **{"Accept-Language": "de"}).json()
        assert german["results"][0]["title"] == "„Blue coat“ ist unterwegs"

    def test_goes_on_from_page_to_page_in_few_statements(self, as_ona: Visitor, ona: Member) -> None:
        told = [tell(ona).id for _ in range(5)]
        seen, url = [], f"{INBOX}?limit=2&category=orders"
        while url:
            with CaptureQueriesContext(connection) as queries:
                page = as_ona.get(url).json()
            seen += [row["id"] for row in page["results"]]
            url = page["next"]
        assert sorted(seen) == sorted(told)
        about_notices = [query for query in queries if "members_not" in query["sql"]]
        assert len(about_notices) == 2

    def test_filters(self, as_ona: Visitor, ona: Member) -> None:
        read = tell(ona)
        unread = tell(ona)
        as_ona.post(f"{INBOX}/{read.id}/read")
        assert [row["id"] for row in as_ona.get(f"{INBOX}?unread=true").json()["results"]] == [unread.id]
        assert as_ona.get(f"{INBOX}?category=offers").json()["results"] == []
        assert as_ona.get(f"{INBOX}?category=cats").status_code == 400

    def test_counts_no_further_than_a_hundred(self, as_ona: Visitor, ona: Member) -> None:
        first = tell(ona)
        rows = Notice.objects.filter(id=first.id).values(
            "member_id", "kind", "category", "subject", "params", "created_at"
        )
        Notice.objects.bulk_create(Notice(**rows[0], key=f"{number}") for number in range(120))
        assert as_ona.get(f"{INBOX}?limit=1").json()["unread_count"] == 100

    def test_leaves_out_what_only_another_release_knows(self, as_ona: Visitor, ona: Member) -> None:
        tell(ona)
        Notice.objects.update(kind="order.beamed")
        assert as_ona.get(INBOX).json()["results"] == []

    def test_is_for_members(self, markets: None) -> None:
        assert Visitor().get(INBOX).status_code == 401


class TestRead:
    def test_of_one_counts_once(self, as_ona: Visitor, ona: Member) -> None:
        notice = tell(ona)
        assert as_ona.post(f"{INBOX}/{notice.id}/read").status_code == 204
        notice.refresh_from_db()
        first = notice.read_at
        assert first is not None
        assert as_ona.post(f"{INBOX}/{notice.id}/read").status_code == 204
        notice.refresh_from_db()
        assert notice.read_at == first

    def test_until_one_leaves_what_came_after(self, as_ona: Visitor, ona: Member, piotr: Member) -> None:
        told = sorted(tell(ona).id for _ in range(3))
        tell(piotr)
        answer = as_ona.post(f"{INBOX}/read", {"until": told[1]})
        assert (answer.status_code, answer.json()) == (200, {"read": 2})
        unread = set(Notice.objects.filter(read_at__isnull=True).values_list("id", flat=True))
        assert unread == {told[2], Notice.objects.get(member_id=piotr.id).id}

    def test_is_for_ones_own(self, as_ona: Visitor, piotr: Member) -> None:
        notice = tell(piotr)
        for answer in (
            as_ona.post(f"{INBOX}/{notice.id}/read"),
            as_ona.post(f"{INBOX}/read", {"until": notice.id}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "notification_not_found")
        assert as_ona.post(f"{INBOX}/read", {"until": "x"}).status_code == 400


class TestSettings:
    def test_are_all_on_until_changed(self, as_ona: Visitor, ona: Member) -> None:
        seen = as_ona.get(SETTINGS)
        assert seen.json() == {"mail": ALL_ON}
        chosen = {"mail": ALL_ON | {"offers": False}}
        changed = as_ona.send("PUT", SETTINGS, chosen, **{"If-Match": seen.headers["ETag"]})
        assert (changed.status_code, changed.json()) == (200, chosen)
        assert as_ona.get(SETTINGS).headers["ETag"] == changed.headers["ETag"] != seen.headers["ETag"]

    def test_are_changed_by_who_has_seen_them(self, as_ona: Visitor) -> None:
        body, seen = {"mail": ALL_ON}, as_ona.get(SETTINGS).headers["ETag"]
        assert as_ona.send("PUT", SETTINGS, body).status_code == 428
        assert as_ona.send("PUT", SETTINGS, body, **{"If-Match": seen}).status_code == 200
        assert as_ona.send("PUT", SETTINGS, body, **{"If-Match": seen}).status_code == 412

    @pytest.mark.parametrize(
        "mail", [{}, {"offers": False}, ALL_ON | {"tax": False}, ALL_ON | {"offers": "no"}], ids=str
    )
    def test_name_every_category_and_no_other(self, as_ona: Visitor, mail: dict[str, Any]) -> None:
        seen = as_ona.get(SETTINGS).headers["ETag"]
        assert as_ona.send("PUT", SETTINGS, {"mail": mail}, **{"If-Match": seen}).status_code == 400
