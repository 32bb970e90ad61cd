"""An order that waits for its card's part. Imports are inside: pytest reads this before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from members.models import Member
    from orders.models import Order


@pytest.fixture
def card_order(seller: Member, buyer: Member) -> Order:
    """24.70, all of it by card."""
    from tests.factories.card_orders import waiting_order

    return waiting_order(seller_id=seller.id, buyer_id=buyer.id)
