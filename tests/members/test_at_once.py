"""Who wins when several do the same at once, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.utils import timezone

from foundation.errors import PreconditionFailed
from members import queries, services
from members.errors import AddressTaken, TooManyBlocks
from members.models import Block, Member, Restriction
from members.services import ProfileChange
from tests.factories.members import make_market, make_member
from tests.members.visitor import Visitor

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)`, … return, started together; an exception is returned, not raised."""
    gate = threading.Barrier(AT_ONCE)

    def start(number: int) -> Any:
        gate.wait(10)
        try:
            return work(number)
        except (AddressTaken, PreconditionFailed, TooManyBlocks) as refused:
            return type(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(start, range(AT_ONCE)))


class TestSignUp:
    def test_makes_one_account(self) -> None:
        make_market("LT")

        def register(number: int) -> str:
            services.register(
                email="ona@example.test",
                password="correct horse 7",
                display_name=f"Ona {number}",
                country="LT",
                language=None,
                time_zone=None,
                terms_version="1",
                now=timezone.now(),
            )
            return "registered"

        assert Counter(at_once(register)) == {"registered": 1, AddressTaken: AT_ONCE - 1}

    def test_tells_nobody_who_was_first(self) -> None:
        make_market("LT")
        answers = at_once(lambda number: Visitor().sign_up("ona@example.test").status_code)
        # 429: one mail in ten seconds goes to an address, whether or not it is known.
        assert 401 in answers
        assert set(answers) <= {401, 429}
        assert Member.objects.filter(email="ona@example.test").count() == 1
        assert EmailAddress.objects.count() == 1


class TestChangeProfile:
    def test_lets_one_win(self) -> None:
        ona = make_member()
        seen = queries.get_own_profile(ona.id).version

        def change(number: int) -> str:
            services.change_profile(
                member_id=ona.id,
                expected_version=seen,
                change=ProfileChange(display_name=f"Ona {number}"),
                now=timezone.now(),
            )
            return "changed"

        assert Counter(at_once(change)) == {"changed": 1, PreconditionFailed: AT_ONCE - 1}
        assert queries.get_own_profile(ona.id).version == seen + 1


class TestBlock:
    def test_keeps_its_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("members.services.blocks.MAX_BLOCKS", 3)
        ona = make_member()
        others = [make_member(f"Member {number}").id for number in range(AT_ONCE)]
        answers = at_once(
            lambda number: services.block_member(
                member_id=ona.id, blocked_id=others[number], now=timezone.now()
            )
        )
        assert Counter(answers) == {True: 3, TooManyBlocks: AT_ONCE - 3}
        assert Block.objects.count() == 3

    def test_of_the_same_member_is_new_once(self) -> None:
        ona, piotr = make_member().id, make_member("Piotr").id
        answers = at_once(
            lambda number: services.block_member(member_id=ona, blocked_id=piotr, now=timezone.now())
        )
        assert Counter(answers) == {True: 1, False: AT_ONCE - 1}


class TestRestrict:
    def test_sets_one_and_lifts_it_once(self) -> None:
        ona = make_member().id
        ids = at_once(
            lambda number: services.restrict(
                member_id=ona, capability="sell", reason="fraud", source="staff:x", now=timezone.now()
            )
        )
        assert len(set(ids)) == Restriction.objects.count() == 1
        lifted = at_once(
            lambda number: services.lift(
                restriction_id=ids[0], lifted_by=f"staff:{number}", now=timezone.now()
            )
        )
        assert Counter(lifted) == {True: 1, False: AT_ONCE - 1}
