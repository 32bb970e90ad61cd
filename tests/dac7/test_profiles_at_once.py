"""Two requests of one seller at once: one profile, and the other is told to look again."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from dac7.models import TaxNumber, TaxProfile
from foundation.errors import PreconditionFailed
from members.models import Member
from tests.factories.members import make_member
from tests.factories.tax import give_profile, person

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(member: Member, version: int | None) -> list[str]:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def give(street: str) -> None:
        start.wait()
        try:
            give_profile(member.id, person(street=street), version=version)
            outcomes.append("given")
        except PreconditionFailed:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=(f"Gatvė {number}",)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


class TestGive:
    def test_the_first_time_makes_one_profile(self) -> None:
        seller = make_member("Ona")
        assert at_once(seller, None) == ["given", "stale"]
        assert TaxProfile.objects.get().version == 1
        assert TaxNumber.objects.count() == 1

    def test_a_change_is_made_once(self) -> None:
        seller = make_member("Ona")
        give_profile(seller.id)
        assert at_once(seller, 1) == ["given", "stale"]
        assert TaxProfile.objects.get().version == 2
