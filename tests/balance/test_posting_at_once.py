"""The short way of a posting, on MariaDB: the long way's rows, and nothing where it does not fit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from balance import events
from balance.chart import MAX_MINOR, AccountKind, Event, of_member, of_platform
from balance.errors import AlreadyReversed, InsufficientFunds, InvalidAmount, PostingKeyReused
from balance.events import Charges, Line, NewPosting, Posted, Share
from balance.events.lines import between
from balance.models import LedgerAccount, Posting, Transfer
from balance.services import posting as long_way
from balance.services.posting import post, post_many, reverse
from foundation.db import can_execute_at_once
from members.models import Member
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

LATER = NOON + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _mariadb() -> None:
    with connection.cursor() as cursor:
        if not can_execute_at_once(cursor):
            pytest.skip("MySQL has no such packets: every posting goes the long way")


@pytest.fixture
def seller(transactional_db: None) -> Member:
    return make_member("Ona")


@pytest.fixture
def buyer(transactional_db: None) -> Member:
    return make_member("Jonas")


@pytest.fixture
def long_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of postings that went the long way."""
    went: list[str] = []

    class Noted(long_way._Batch):
        def lock(self) -> None:
            went.extend(posting.key for posting in self.postings)
            super().lock()

    monkeypatch.setattr(long_way, "_Batch", Noted)
    return went


def opened(*members: Member) -> None:
    """Their accounts and those of the platform are there, with a euro in each that is a member's."""
    for kind in (AccountKind.FEE_DEFERRED, AccountKind.SHIPPING_DEFERRED, AccountKind.PSP_CLEARING):
        key = f"opening:{kind}"
        post(
            NewPosting(key, Event.CORRECTION, between(kind, AccountKind.GOODWILL, euros(1)), key, "system"),
            now=NOON,
        )
    for member in members:
        for kind in (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD):
            line = Line(
                of_platform(AccountKind.GOODWILL, "EUR"), of_member(member.id, kind, "EUR"), euros(100)
            )
            key = f"opening:{member.id}:{kind}"
            post(NewPosting(key, Event.CORRECTION, (line,), key, "system"), now=NOON)


def payment(
    debtor: Member, creditor: Member, minor: int, *, key: str = "payment:1", **rest: Any
) -> NewPosting:
    line = Line(
        of_member(debtor.id, AccountKind.AVAILABLE, "EUR"),
        of_member(creditor.id, AccountKind.AVAILABLE, "EUR"),
        euros(minor),
    )
    return NewPosting(key, rest.pop("event", Event.WITHDRAWAL_PAID), (line,), "payment", "system", **rest)


def sale(seller: Member, buyer: Member) -> NewPosting:
    """Four lines: a wallet and a card pay a seller and the platform."""
    return NewPosting(
        key="order:1:captured",
        event=Event.SALE_CAPTURED,
        lines=events.sale_captured(
            seller=Share(seller.id, euros(90)),
            buyer_id=buyer.id,
            wallet=euros(90),
            card=euros(470),
            charges=Charges(fee=euros(170), shipping=euros(300), verification=euros(0)),
        ),
        reference="order:1",
        actor="provider:sandbox",
    )


def balance(member: Member) -> int | None:
    row = LedgerAccount.objects.get(id=of_member(member.id, AccountKind.AVAILABLE, "EUR").id)
    return row.balance_minor


def written(posted: Posted) -> list[tuple[Any, ...]]:
    """What a posting left in the tables, members by their names."""
    names = dict(Member.objects.values_list("id", "display_name"))

    def anonymous(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for id_, name in names.items():
            value = value.replace(id_, name)
        return value.replace(posted.id, "posting")

    rows = [
        *Posting.objects.filter(id=posted.id).values_list(
            "id", "key", "event", "reference", "reverses", "actor", "reason", "effective_at", "recorded_at"
        ),
        *Transfer.objects.filter(posting_id=posted.id).order_by("position").values_list(),
        *LedgerAccount.objects.order_by("id").values_list(
            "id", "kind", "currency", "balance_minor", "last_entry"
        ),
    ]
    return sorted(([tuple(map(anonymous, row)) for row in rows]), key=str)


class TestTheSameRows:
    @pytest.mark.parametrize(
        "scenario", ["payment", "sale", "debt", "earlier effect", "capture of the platform"]
    )
    def test_as_by_the_long_way(
        self,
        scenario: str,
        seller: Member,
        buyer: Member,
        long_ways: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Within a transaction that is rolled back everything goes the long way."""
        opened(seller, buyer)
        del long_ways[:]
        posting = {
            "payment": payment(buyer, seller, 100, reason="ačiū, 100 %"),
            "sale": sale(seller, buyer),
            "debt": payment(buyer, seller, 10_000, event=Event.CHARGEBACK),
            "earlier effect": payment(buyer, seller, 1, effective_at=NOON - timedelta(days=3)),
            "capture of the platform": NewPosting(
                "platform:1",
                Event.CORRECTION,
                (
                    Line(
                        of_platform(AccountKind.GOODWILL, "EUR"),
                        of_member(seller.id, AccountKind.PENDING, "EUR"),
                        euros(5),
                    ),
                ),
                "platform",
                "system",
            ),
        }[scenario]
        with transaction.atomic():
            expected = written(post(posting, now=LATER))
            transaction.set_rollback(True)
        assert long_ways == [posting.key]
        posted = post(posting, now=LATER)
        assert long_ways == [posting.key]
        assert not posted.replayed
        assert written(posted) == expected
        assert Posting.objects.get(id=posted.id).fingerprint == posting.fingerprint()

    def test_is_there_for_everybody_and_counted(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        told: list[str] = []
        with transaction.atomic():
            transaction.on_commit(lambda: told.append("committed"))
            post(payment(buyer, seller, 1, key="within"), now=LATER)
        assert told == ["committed"]
        post(payment(buyer, seller, 1), now=LATER + timedelta(seconds=1))
        connection.close()
        assert (balance(buyer), balance(seller)) == (98, 102)


class TestTheLongWayAfterIt:
    def test_answers_a_repeat(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        first = post(payment(buyer, seller, 100), now=LATER)
        again = post(payment(buyer, seller, 100), now=LATER + timedelta(days=1))
        assert (again.id, again.replayed, again.recorded_at) == (first.id, True, LATER)
        assert (balance(buyer), balance(seller)) == (0, 200)

    def test_refuses_a_key_with_another_content(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        post(payment(buyer, seller, 10), now=LATER)
        with pytest.raises(PostingKeyReused):
            post(payment(buyer, seller, 11), now=LATER + timedelta(seconds=1))
        assert (balance(buyer), balance(seller)) == (90, 110)

    def test_refuses_what_is_not_there(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        with pytest.raises(InsufficientFunds) as caught:
            post(payment(buyer, seller, 101), now=LATER)
        assert caught.value.extra == {"available": {"amount": 100, "currency": "EUR"}}
        assert (balance(buyer), balance(seller)) == (100, 100)
        assert not Posting.objects.filter(key="payment:1").exists()

    def test_refuses_what_no_column_holds(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        with pytest.raises(InvalidAmount):
            post(payment(buyer, seller, MAX_MINOR, event=Event.CHARGEBACK), now=LATER)
        with pytest.raises(InsufficientFunds):
            post(payment(seller, buyer, MAX_MINOR), now=LATER)
        assert (balance(buyer), balance(seller)) == (100, 100)

    def test_refuses_a_debt_that_no_column_holds(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        owing = of_member(buyer.id, AccountKind.AVAILABLE, "EUR").id
        LedgerAccount.objects.filter(id=owing).update(balance_minor=-MAX_MINOR)
        with pytest.raises(InsufficientFunds):
            post(payment(buyer, seller, 1, event=Event.CHARGEBACK), now=LATER)

    def test_refuses_to_reverse_twice(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        undone = post(payment(buyer, seller, 10), now=LATER)

        def undo(key: str) -> None:
            reverse(undone.id, key=key, event=Event.CORRECTION, actor="system", reason="", now=LATER)

        undo("once")
        with pytest.raises(AlreadyReversed):
            undo("twice")
        assert (balance(buyer), balance(seller)) == (100, 100)

    def test_opens_accounts(self, seller: Member, buyer: Member, long_ways: list[str]) -> None:
        opened(buyer)
        post(payment(buyer, seller, 10), now=LATER)
        assert "payment:1" in long_ways
        assert (balance(buyer), balance(seller)) == (90, 10)

    def test_opens_an_account_of_the_platform(self, seller: Member) -> None:
        opened(seller)
        line = Line(
            of_platform(AccountKind.COMPENSATION, "EUR"),
            of_member(seller.id, AccountKind.AVAILABLE, "EUR"),
            euros(1),
        )
        post(NewPosting("compensation:1", Event.COMPENSATION_PAID, (line,), "", "system"), now=LATER)
        assert balance(seller) == 101

    def test_waits_for_a_clock_that_is_behind(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        first = post(payment(buyer, seller, 1, key="a"), now=LATER)
        second = post(payment(buyer, seller, 1, key="b"), now=LATER - timedelta(milliseconds=1))
        assert second.recorded_at >= first.recorded_at
        assert (balance(buyer), balance(seller)) == (98, 102)

    def test_moves_an_amount_through_an_account(
        self, seller: Member, buyer: Member, long_ways: list[str]
    ) -> None:
        opened(seller, buyer)
        through = (*payment(buyer, seller, 100).lines, *payment(seller, buyer, 150).lines)
        post(NewPosting("through", Event.CORRECTION, through, "", "system"), now=LATER)
        assert "through" in long_ways
        assert (balance(buyer), balance(seller)) == (150, 50)

    def test_moves_between_accounts_of_the_platform(self, long_ways: list[str]) -> None:
        lines = between(AccountKind.GOODWILL, AccountKind.PSP_CLEARING, euros(3))
        post(NewPosting("platform", Event.CORRECTION, lines, "", "system"), now=NOON)
        assert long_ways == ["platform"]

    def test_takes_several_postings(self, seller: Member, buyer: Member, long_ways: list[str]) -> None:
        opened(seller, buyer)
        post_many([payment(buyer, seller, 1, key=key) for key in ("a", "b")], now=LATER)
        assert long_ways[-2:] == ["a", "b"]
        assert balance(buyer) == 98


def test_no_row_is_left_of_what_the_database_refuses(seller: Member) -> None:
    """The fence on an account's entries: as if two had read the same balance."""
    give(seller.id, 100)
    LedgerAccount.objects.filter(member_id=seller.id).update(last_entry=0)
    before = Posting.objects.count()
    with pytest.raises(Exception, match="transfer_credit_entry_once"):
        give(seller.id, 100)
    assert Posting.objects.count() == before
    assert balance(seller) == 100
