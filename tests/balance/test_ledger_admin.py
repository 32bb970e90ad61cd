"""The pages of staff: everything can be found and read, nothing edited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from balance.admin import ledger
from balance.chart import Event
from balance.models import Hold, Posting, Transfer
from balance.queries.balances import get_balances
from balance.services.holds import place_hold
from balance.services.posting import post, reverse
from members.models import Member
from tests.balance.test_posting import sale
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

BALANCE = "/admin/balance/"


def client_of(*permissions: str) -> Client:
    member = make_member("Clerk", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def as_clerk(db: None) -> Client:
    return client_of("view_ledgeraccount", "view_posting", "view_transfer", "view_hold", "change_hold")


def text_of(client: Client, path: str, **query: str) -> str:
    answer = client.get(f"{BALANCE}{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


class TestFind:
    def test_a_posting_by_id_key_or_reference(self, as_clerk: Client, seller: Member, buyer: Member) -> None:
        posted = post(sale(seller, buyer), now=NOON)
        other = give(buyer.id, 100)
        for words in (posted.id, "order:1:captured", "order:1"):
            for page in ("posting/", "transfer/"):
                found = text_of(as_clerk, page, q=words)
                assert posted.id in found
                assert other.id not in found

    def test_a_transfer_by_its_id(self, as_clerk: Client, seller: Member, buyer: Member) -> None:
        posted = post(sale(seller, buyer), now=NOON)
        found = text_of(as_clerk, "transfer/", q=f"{posted.id}-2")
        assert f"{posted.id}-2/change" in found
        assert f"{posted.id}-1/change" not in found

    def test_the_accounts_of_a_member(self, as_clerk: Client, seller: Member, buyer: Member) -> None:
        give(seller.id, 1234)
        give(buyer.id, 100)
        found = text_of(as_clerk, "ledgeraccount/", q=seller.id)
        assert f"{seller.id}:available:EUR" in found
        assert "12.34 EUR" in found
        assert buyer.id not in found

    def test_a_hold_by_key_or_member(self, as_clerk: Client, seller: Member, buyer: Member) -> None:
        for member in (seller, buyer):
            give(member.id, 1000)
            place_hold(key=f"for:{member.id}", member_id=member.id, amount=euros(10), reference="r", now=NOON)
        for words in (buyer.id, f"for:{buyer.id}"):
            found = text_of(as_clerk, "hold/", q=words)
            assert buyer.id in found
            assert seller.id not in found

    def test_what_is_not_there(self, as_clerk: Client, seller: Member) -> None:
        give(seller.id, 100)
        for page in ("posting/", "transfer/", "ledgeraccount/", "hold/"):
            assert seller.id not in text_of(as_clerk, page, q="ž nothing ")

    def test_counts_no_further_than_it_shows(
        self, as_clerk: Client, seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            give(seller.id, 100)
        monkeypatch.setattr(ledger, "MOST_ROWS", 2)
        assert "2 postings" in text_of(as_clerk, "posting/")

    def test_takes_no_more_statements_for_more_rows(
        self, as_clerk: Client, seller: Member, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            give(seller.id, 100)
        for page in ("posting/", "transfer/", "ledgeraccount/"):
            with django_assert_max_num_queries(8):
                text_of(as_clerk, page)


class TestRead:
    def test_a_posting_shows_its_lines_and_what_undid_it(
        self, as_clerk: Client, seller: Member, buyer: Member
    ) -> None:
        posted = post(sale(seller, buyer), now=NOON)
        undone = reverse(
            posted.id,
            key="undo",
            event=Event.CORRECTION,
            actor="staff:1",
            reason="",
            now=NOON,
        )
        page = text_of(as_clerk, f"posting/{posted.id}/change/")
        assert "platform:shipping_deferred:EUR" in page
        assert "24.70" not in page
        assert "20.00 EUR" in page
        assert f"posting/{undone.id}/change" in page
        assert f"posting/{posted.id}/change" in text_of(as_clerk, f"posting/{undone.id}/change/")

    def test_a_members_ledger_runs_the_balance_along(self, as_clerk: Client, seller: Member) -> None:
        give(seller.id, 1000)
        place_hold(key="order:1", member_id=seller.id, amount=euros(300), reference="order:1", now=NOON)
        page = text_of(as_clerk, f"ledgeraccount/member/{seller.id}/")
        for words in ("7.00 EUR", "-3.00 EUR", "10.00 EUR", "hold_placed", "goodwill_given", "order:1"):
            assert words in page
        held = text_of(as_clerk, f"ledgeraccount/member/{seller.id}/", account=f"{seller.id}:held:EUR")
        assert "goodwill_given" not in held

    def test_a_long_ledger_has_pages(
        self, as_clerk: Client, seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ledger, "ENTRIES_PER_PAGE", 2)
        posted = [give(seller.id, 100, now=NOON + timedelta(minutes=n)).id for n in range(3)]
        first = text_of(as_clerk, f"ledgeraccount/member/{seller.id}/")
        assert posted[0] not in first
        after = first.partition("after=")[2].partition('"')[0]
        second = as_clerk.get(f"{BALANCE}ledgeraccount/member/{seller.id}/?after={after}").content.decode()
        assert posted[0] in second
        assert posted[1] not in second

    def test_a_ledger_of_nobody_or_of_anothers_account(
        self, as_clerk: Client, seller: Member, buyer: Member
    ) -> None:
        give(buyer.id, 100)
        url = f"{BALANCE}ledgeraccount/member/"
        assert as_clerk.get(f"{url}01ARZ3NDEKTSV4RRFFQ69G5FAV/").status_code == 404
        foreign = {"account": f"{buyer.id}:available:EUR"}
        assert as_clerk.get(f"{url}{seller.id}/", foreign).status_code == 404
        for after in ("x~y", f"{'9' * 5000}~y"):
            assert as_clerk.get(f"{url}{seller.id}/", {"after": after}).status_code == 200

    def test_only_by_who_may(self, seller: Member) -> None:
        clerk = client_of("view_listing")
        assert clerk.get(f"{BALANCE}ledgeraccount/member/{seller.id}/").status_code == 403


class TestNothingIsEdited:
    @pytest.mark.parametrize("page", ["ledgeraccount", "posting", "transfer", "hold", "statementcalendar"])
    def test_by_a_superuser_either(self, seller: Member, page: str) -> None:
        chief = Client()
        chief.force_login(make_member("Chief", is_staff=True, is_superuser=True))
        assert chief.get(f"{BALANCE}{page}/").status_code == 200
        assert chief.get(f"{BALANCE}{page}/add/").status_code == 403

    def test_deletion(self, seller: Member) -> None:
        chief = Client()
        chief.force_login(make_member("Chief", is_staff=True, is_superuser=True))
        posted = give(seller.id, 100)
        for page, id_ in (("posting", posted.id), ("transfer", f"{posted.id}-1")):
            assert chief.post(f"{BALANCE}{page}/{id_}/delete/", {"post": "yes"}).status_code == 403
            assert chief.post(f"{BALANCE}{page}/{id_}/change/", {"reason": "x"}).status_code == 403
        assert Transfer.objects.count() == 1


class TestRelease:
    def release(self, client: Client, hold: Hold, **form: str) -> Any:
        confirmed = {"confirmed": "yes", **form} if form else {}
        data = {"action": "release_holds", "_selected_action": [hold.pk], **confirmed}
        return client.post(f"{BALANCE}hold/", data, follow=bool(form))

    @pytest.fixture
    def hold(self, buyer: Member) -> Hold:
        give(buyer.id, 1000)
        place_hold(key="order:1", member_id=buyer.id, amount=euros(300), reference="order:1", now=NOON)
        return Hold.objects.get()

    def test_asks_why_and_writes_it_down(self, as_clerk: Client, hold: Hold) -> None:
        assert "Give this money back" in self.release(as_clerk, hold).content.decode()
        assert get_balances(hold.member_id, "EUR").held == euros(300)
        self.release(as_clerk, hold, note="The checkout broke")
        assert get_balances(hold.member_id, "EUR").held == euros(0)
        posting = Posting.objects.get(event="hold_released")
        assert posting.reason == "The checkout broke"
        assert posting.actor.startswith("staff:")
        assert "The checkout broke" in LogEntry.objects.get(object_id=hold.pk).change_message

    def test_is_not_for_who_may_only_look(self, hold: Hold) -> None:
        self.release(client_of("view_hold"), hold, note="x")
        assert get_balances(hold.member_id, "EUR").held == euros(300)
