"""Two requests with a first address at the same moment, with real connections on MySQL or MariaDB."""

from __future__ import annotations

import pytest

from members.models import Member
from orders.models import SenderAddress
from orders.providers.carriers.contract import Address
from orders.services.sender_addresses import set_sender_address
from tests.balance.test_withdrawals_at_once import at_once
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.orders import load_small_world

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]

ROUNDS = 20


@pytest.fixture
def sellers(transactional_db: None) -> list[Member]:
    load_small_world()
    return [make_member(f"Ona{number}") for number in range(ROUNDS)]


def test_one_is_kept_and_the_other_told_to_read_it(sellers: list[Member]) -> None:
    for seller in sellers:

        def give(number: int, member_id: str = str(seller.id)) -> str:
            address = Address("Ona", f"Pilies g. {number}", "01123", "Vilnius", "LT")
            set_sender_address(member_id=member_id, address=address, expected_version=0, now=NOW)
            return "kept"

        assert sorted(at_once(2, give)) == ["kept", "sender_address_stale"]
    assert SenderAddress.objects.filter(version=1).count() == ROUNDS
