"""The short way of a posting, on MariaDB: the long way's rows, and nothing where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balance.chart import MAX_MINOR, AccountKind, Event, of_charity, of_member, of_platform
from balance.errors import AlreadyReversed, InsufficientFunds, InvalidAmount, PostingKeyReused
from balance.events import Line, NewPosting, Posted
from balance.events.lines import between
from balance.models import LedgerAccount, Posting
from balance.services import posting as long_way
from balance.services.posting import post, post_many
from balance.services.posting_at_once import MOST_LINES
from foundation.db import can_execute_at_once
from foundation.ids import new_id
from members.models import Member
from tests.balance.payments_between import (
    GOODWILL,
    available,
    balance,
    correction,
    opened,
    outcome,
    payment,
    sale,
    written,
)
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
        def post(self) -> list[Posted]:
            went.extend(posting.key for posting in self.postings)
            return super().post()

    monkeypatch.setattr(long_way, "_Batch", Noted)
    return went


@contextmanager
def only_the_long_way() -> Iterator[None]:
    """And nothing of it stays."""
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(long_way, "post_at_once", lambda *_, **__: None)
        yield
        transaction.set_rollback(True)


SCENARIOS: dict[str, Callable[[Member, Member], NewPosting]] = {
    "payment": lambda seller, buyer: payment(buyer, seller, 100, reason="ačiū, 100 % 'sure'; \\"),
    "sale": lambda seller, buyer: sale(seller, buyer),
    "debt": lambda seller, buyer: payment(buyer, seller, 10_000, event=Event.CHARGEBACK),
    "of days ago": lambda seller, buyer: payment(buyer, seller, 1, effective_at=NOON - timedelta(days=3)),
    "from the platform": lambda seller, _: correction(GOODWILL, available(seller), 5),
    "to the platform": lambda seller, _: correction(available(seller), GOODWILL, 5),
    "through an account and back": lambda seller, buyer: NewPosting(
        "through",
        Event.CORRECTION,
        tuple(
            Line(debit, credit, euros(minor))
            for debit, credit, minor in (
                (available(buyer), available(seller), 100),
                (available(seller), GOODWILL, 170),
                (available(seller), available(buyer), 30),
                (GOODWILL, available(seller), 1),
            )
        ),
        "through",
        "system",
    ),
}


@pytest.mark.parametrize("within", [False, True], ids=["alone", "within a transaction"])
class TestTheSameRows:
    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_as_by_the_long_way(
        self, scenario: str, within: bool, seller: Member, buyer: Member, long_ways: list[str]
    ) -> None:
        opened(seller, buyer)
        posting = SCENARIOS[scenario](seller, buyer)
        with only_the_long_way():
            expected = written(post(posting, now=LATER))
        del long_ways[:]
        with transaction.atomic() if within else nullcontext():
            if within:
                Member.objects.get(id=seller.id)
            posted = post(posting, now=LATER)
        connection.close()  # what was not committed is gone
        assert long_ways == []
        assert not posted.replayed
        assert written(posted) == expected
        assert Posting.objects.get(id=posted.id).fingerprint == posting.fingerprint()

    def test_and_a_reversal_as_well(
        self, within: bool, seller: Member, buyer: Member, long_ways: list[str]
    ) -> None:
        opened(seller, buyer)
        undone = post(payment(buyer, seller, 100), now=LATER)
        posting = payment(seller, buyer, 100, key="undo", event=Event.CORRECTION, reverses=undone.id)
        after = LATER + timedelta(microseconds=1)
        with only_the_long_way():
            expected = written(post(posting, now=after))
        del long_ways[:]
        with transaction.atomic() if within else nullcontext():
            posted = post(posting, now=after)
        assert long_ways == []
        assert written(posted) == expected

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        postings=st.lists(
            st.tuples(
                st.lists(
                    st.tuples(
                        st.integers(0, 5),
                        st.integers(0, 5),
                        st.sampled_from([1, 60, 100, 101, MAX_MINOR - 100, MAX_MINOR]),
                    ).filter(lambda line: line[0] != line[1]),
                    min_size=1,
                    max_size=4,
                ),
                st.sampled_from([Event.CORRECTION, Event.WITHDRAWAL_PAID]),
                st.integers(0, 3),  # its key
                st.integers(-1, 2),  # microseconds after the one before
            ),
            min_size=1,
            max_size=6,
        )
    )
    def test_and_the_same_refusals(
        self,
        within: bool,
        seller: Member,
        buyer: Member,
        postings: Sequence[tuple[list[tuple[int, int, int]], Event, int, int]],
    ) -> None:
        opened(seller, buyer)
        accounts = [available(seller), available(buyer), GOODWILL]
        accounts += [of_member(seller.id, AccountKind.PENDING, "EUR"), of_charity("red-cross", "EUR")]
        accounts += [of_member(buyer.id, AccountKind.IN_TRANSIT, "EUR")]
        run, now = new_id(), Posting.objects.latest("recorded_at").recorded_at
        for lines, event, key, later in postings:
            now += timedelta(microseconds=later)
            posting = NewPosting(
                f"{run}:{key}",
                event,
                tuple(Line(accounts[a], accounts[b], euros(minor)) for a, b, minor in lines),
                "walk",
                "system",
            )
            with only_the_long_way():
                expected = outcome(posting, now)
            with transaction.atomic() if within else nullcontext():
                found = outcome(posting, now)
            assert found == expected


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

    def test_leaves_a_transaction_that_goes_on_as_it_was(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        with transaction.atomic():
            post(payment(buyer, seller, 60, key="first"), now=LATER)
            with pytest.raises(InsufficientFunds):
                post(payment(buyer, seller, 41, key="second"), now=LATER + timedelta(seconds=1))
            post(payment(buyer, seller, 40, key="third"), now=LATER + timedelta(seconds=2))
        assert (balance(buyer), balance(seller)) == (0, 200)
        assert {*Posting.objects.filter(reference="payment").values_list("key", flat=True)} == {
            "first",
            "third",
        }

    def test_refuses_to_reverse_twice(self, seller: Member, buyer: Member) -> None:
        opened(seller, buyer)
        undone = post(payment(buyer, seller, 10), now=LATER)

        def undo(key: str, seconds: int) -> None:
            undoing = payment(seller, buyer, 10, key=key, event=Event.CORRECTION, reverses=undone.id)
            post(undoing, now=LATER + timedelta(seconds=seconds))

        undo("once", 1)
        with pytest.raises(AlreadyReversed):
            undo("twice", 2)
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

    def test_moves_between_accounts_of_the_platform(self, long_ways: list[str]) -> None:
        lines = between(AccountKind.GOODWILL, AccountKind.PSP_CLEARING, euros(3))
        post(NewPosting("platform", Event.CORRECTION, lines, "", "system"), now=NOON)
        assert long_ways == ["platform"]

    def test_takes_what_has_many_lines(self, seller: Member, buyer: Member, long_ways: list[str]) -> None:
        opened(seller, buyer)
        lines = payment(buyer, seller, 1).lines * (MOST_LINES + 1)
        post(NewPosting("many", Event.CORRECTION, lines, "", "system"), now=LATER)
        assert "many" in long_ways
        assert (balance(buyer), balance(seller)) == (100 - len(lines), 100 + len(lines))

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


def test_the_long_way_after_it_locks_in_the_order_of_the_ids(
    seller: Member, buyer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two transactions wait for each other. The lower does not fit: no lock is left on the higher."""
    poor, other = sorted((seller, buyer), key=lambda member: member.id)
    opened(poor, other)
    real = long_way._Batch._read_locked

    def others_may_lock_the_higher() -> None:
        def lock() -> int:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
                    return len(
                        LedgerAccount.objects.select_for_update()
                        .filter(id=available(other).id)
                        .values_list("id")
                    )
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lock).result(20) == 1

    def read_locked(batch: Any, ids: Sequence[str]) -> None:
        others_may_lock_the_higher()
        real(batch, ids)

    monkeypatch.setattr(long_way._Batch, "_read_locked", read_locked)
    with transaction.atomic():
        Member.objects.get(id=poor.id)
        with pytest.raises(InsufficientFunds):
            post(payment(poor, other, 101), now=LATER)
