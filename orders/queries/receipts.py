"""What is on a receipt."""

from __future__ import annotations

from datetime import datetime

from foundation.money import Money
from orders.errors import ReceiptNotReady
from orders.models import Order
from orders.queries.orders import get_checkout, items_of
from orders.receipts import Receipt


def get_receipt(buyer_id: str, order_id: str, *, now: datetime) -> Receipt:
    """Raises OrderNotFound, also for the seller, who did not pay it; ReceiptNotReady before it is paid."""
    order = get_checkout(buyer_id, order_id, now=now)
    if order.paid_at is None:
        raise ReceiptNotReady
    vat = Order.objects.filter(id=order.id).values_list("verification_vat_minor", flat=True)[0]
    money = order.money
    return Receipt(
        order_id=order.id,
        paid_at=order.paid_at,
        items=[(item.title, item.listed) for item in items_of([order.id])[order.id]],
        discount=money.items_listed - money.items_total,
        fee=money.fee.total,
        fee_vat=money.fee.vat,
        verification=money.verification,
        verification_vat=Money(vat, order.currency),
        shipping=money.shipping,
        total=money.total,
        wallet=money.wallet,
        card=money.card,
        refunded=money.refunded,
    )
